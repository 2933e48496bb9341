/* SPDX-License-Identifier: MIT */
/* What lies behind pointers: sizes, names, and contents that never change. */
#include "verifier/analysis.h"

#include <string.h>

uint64_t object_size(const struct analysis *a, const struct value *v) {
    const struct program *p = a->program;
    switch ((enum value_kind)v->kind) {
    case VALUE_CTX: return p->entries[v->object].ctx_size;
    case VALUE_STACK: return VERIFY_STACK_MAX;
    case VALUE_MAP_VALUE: return p->maps[v->object].value_size;
    case VALUE_MAP_KEY: return p->maps[v->object].key_size;
    case VALUE_RECORD: return v->size;
    case VALUE_DATA:
    case VALUE_FUNC_OF: return p->datas[v->object].size;
    default: return 0;
    }
}

const char *object_name(const struct analysis *a, const struct state *s, const struct value *v) {
    const struct program *p = a->program;
    switch ((enum value_kind)v->kind) {
    case VALUE_CTX:
        return p->entries[v->object].hook == BPF_HOOK_RAW ? "the program's memory" : "the context";
    case VALUE_STACK:
        return s && v->object < s->nframes && s->frame[v->object]
                   ? arena_printf(a->arena, "the stack of %s",
                                  p->funcs[s->frame[v->object]->func].name)
                   : "the stack";
    case VALUE_MAP: return arena_printf(a->arena, "map %s", p->maps[v->object].name);
    case VALUE_MAP_VALUE:
        return arena_printf(a->arena, "a value of map %s", p->maps[v->object].name);
    case VALUE_MAP_KEY: return arena_printf(a->arena, "a key of map %s", p->maps[v->object].name);
    case VALUE_RECORD: return "a ring buffer record";
    case VALUE_DATA: return arena_printf(a->arena, "section %s", p->datas[v->object].name);
    case VALUE_FUNC: return arena_printf(a->arena, "function %s", p->funcs[v->object].name);
    case VALUE_FUNC_OF:
    case VALUE_FUNC_ANY: return "a function pointer";
    default: return "a number";
    }
}

bool object_range(const struct value *pointer, int64_t off, int64_t *low, int64_t *high) {
    const int64_t limit = INT64_C(1) << 31;
    if (pointer->n.x.smin < -limit || pointer->n.x.smax > limit)
        return false;
    *low = pointer->n.x.smin + off;
    *high = pointer->n.x.smax + off;
    return true;
}

bool object_is_near(const struct value *pointer) {
    return pointer->n.x.smin >= -POINTER_OFFSET_MAX && pointer->n.x.smax <= POINTER_OFFSET_MAX;
}

/* ---- Contexts */

/* A field of a context that holds a whole access; `len` fields have at most as much as the array behind
 * them, which the kernel sees to (hook.def). */
static struct value context_load(const struct analysis *a, const struct value *p, int64_t low,
                                 int64_t high, unsigned size) {
    const struct prog_entry *entry = &a->program->entries[p->object];
    struct hook_field field, next;
    for (size_t i = 0; low == high && hook_field(entry->hook, i, &field); i++)
        if (low == field.offset && size == field.size && field.count == 1 &&
            strcmp(field.name, "len") == 0 && hook_field(entry->hook, i + 1, &next))
            return value_scalar(scalar_urange(0, next.count));
    return value_scalar(scalar_zext(8 * size));
}

/* ---- Read-only data */

/* A pointer that bytes [off, off + size) of a section have a part of, or NULL. */
static const struct prog_reloc *reloc_at(const struct program *p, uint32_t data, uint64_t off,
                                         uint64_t size) {
    for (uint32_t i = 0; i < p->nrelocs; i++)
        if (p->relocs[i].kind != PROG_RELOC_PROG && p->relocs[i].data == data &&
            off < (uint64_t)p->relocs[i].off + 8 && off + size > p->relocs[i].off)
            return &p->relocs[i];
    return NULL;
}

bool object_has_pointer(const struct analysis *a, uint32_t data, int64_t low, uint64_t size) {
    return a->program->datas[data].relocated && reloc_at(a->program, data, (uint64_t)low, size);
}

/* One element of a constant section. */
static struct value data_element(const struct analysis *a, uint32_t data, uint64_t off,
                                 unsigned size) {
    const struct prog_data *d = &a->program->datas[data];
    const struct prog_reloc *r = d->relocated ? reloc_at(a->program, data, off, size) : NULL;
    if (r) {
        struct value v;
        if (r->off != off || size != 8)
            return value_none(NONE_POINTER);
        switch (r->kind) {
        case PROG_RELOC_DATA: v = value_pointer(VALUE_DATA, r->target); break;
        case PROG_RELOC_MAP: return value_pointer(VALUE_MAP, r->target);
        default: return value_pointer(VALUE_FUNC, r->target);
        }
        v.n = scalar_const((uint64_t)(int64_t)r->addend);
        return v;
    }
    uint64_t number = 0;
    if (d->image)
        memcpy(&number, d->image + off, size);
    return value_const(number);
}

/* Functions out of a table: which of them is known by offset only. */
static struct value join_element(const struct value *sum, const struct value *element,
                                 const struct value *p, int64_t off) {
    bool functions =
        element->kind == VALUE_FUNC && (sum->kind == VALUE_FUNC || sum->kind == VALUE_FUNC_OF);
    if (functions && (sum->kind == VALUE_FUNC_OF || sum->object != element->object)) {
        struct value v = value_pointer(VALUE_FUNC_OF, p->object);
        struct scalar by = scalar_const((uint64_t)off);
        v.n = scalar_alu(BPF_ADD, 64, &p->n, &by);
        v.nullable = sum->nullable; /* an element before was null */
        return v;
    }
    return value_join(sum, element, NULL);
}

static struct value data_load(const struct analysis *a, const struct value *p, int64_t off,
                              int64_t low, int64_t high, unsigned size) {
    const struct prog_data *d = &a->program->datas[p->object];
    struct value any = value_scalar(scalar_zext(8 * size)), sum = any;
    if (low < 0 || high + size > d->size)
        return d->relocated ? value_none(NONE_MIXED) : any;
    if (d->writable) /* a pointer in there may have been overwritten by a number */
        return d->relocated &&
                       reloc_at(a->program, p->object, (uint64_t)low, (uint64_t)(high - low) + size)
                   ? value_none(NONE_MIXED)
                   : any;
    /* Only offsets that the pointer can have: known low bits are the step of an index. */
    uint64_t step = p->n.x.mask ? p->n.x.mask & -p->n.x.mask : 1;
    uint64_t start = (uint64_t)low + ((p->n.x.value - (uint64_t)(low - off)) & (step - 1));
    if ((uint64_t)(high - low) / step >= TABLE_ELEMENTS_MAX)
        return d->relocated ? value_none(NONE_MIXED) : any;
    bool first = true;
    state_pool_charge(a->pool, (uint64_t)(high - low) / step / 4 *
                                   (1 + (d->relocated ? a->program->nrelocs / 32 : 0)));
    for (uint64_t at = start; at <= (uint64_t)high; at += step) {
        if (!scalar_contains(&p->n, at - (uint64_t)off))
            continue;
        struct value element = data_element(a, p->object, at, size);
        sum = first ? element : join_element(&sum, &element, p, off);
        first = false;
        if (sum.kind == VALUE_NONE)
            break;
    }
    return first && d->relocated ? value_none(NONE_MIXED) : sum;
}

struct value object_load(const struct analysis *a, const struct value *pointer, int64_t off,
                         unsigned size) {
    int64_t low, high;
    bool known = object_range(pointer, off, &low, &high);
    switch ((enum value_kind)pointer->kind) {
    case VALUE_CTX:
        if (known)
            return context_load(a, pointer, low, high, size);
        break;
    case VALUE_DATA:
        if (known)
            return data_load(a, pointer, off, low, high, size);
        if (a->program->datas[pointer->object].relocated)
            return value_none(NONE_MIXED);
        break;
    case VALUE_MAP_VALUE:
    case VALUE_MAP_KEY:
    case VALUE_RECORD: break;
    default: return value_none(NONE_MIXED);
    }
    return value_scalar(scalar_zext(8 * size));
}

void taken_functions(const struct analysis *a, void (*visit)(void *arg, uint32_t func), void *arg) {
    for (uint32_t f = 0; f < a->program->nfuncs; f++)
        if (a->program->funcs[f].address_taken)
            visit(arg, f);
}

bool object_functions(const struct analysis *a, const struct value *v,
                      void (*visit)(void *arg, uint32_t func), void *arg) {
    int64_t low, high;
    bool any = false;
    if (v->kind == VALUE_FUNC) {
        visit(arg, v->object);
        return true;
    }
    if (v->kind == VALUE_FUNC_ANY) {
        taken_functions(a, visit, arg);
        return true;
    }
    if (v->kind != VALUE_FUNC_OF || !object_range(v, 0, &low, &high) || low < 0 ||
        high + 8 > a->program->datas[v->object].size)
        return false;
    state_pool_charge(a->pool, (uint64_t)(high - low) / 16 * (1 + a->program->nrelocs / 32));
    for (int64_t at = low; at <= high; at++) {
        if (!scalar_contains(&v->n, (uint64_t)at))
            continue;
        struct value element = data_element(a, v->object, (uint64_t)at, 8);
        if (value_is_null(&element)) /* the caller sees to it that *v is not null */
            continue;
        if (element.kind != VALUE_FUNC)
            return false;
        visit(arg, element.object);
        any = true;
    }
    return any;
}
