/* SPDX-License-Identifier: MIT */
/* May these bytes be read or written? */
#include "verifier/analysis.h"

#include <inttypes.h>
#include <string.h>

#include "bpf/map.h"

struct checking {
    const struct analysis *a;
    const struct state *s;
    uint32_t slot;
    const struct access *access;
    struct problem *problem;
};

/* "bytes 15 to 16", "byte 4", "8 bytes somewhere in bytes 0 to 63". */
static const char *bytes_text(const struct checking *c, int64_t low, int64_t high, uint64_t size) {
    int64_t last = high + (int64_t)size - 1;
    if (low == high && size == 1)
        return arena_printf(c->a->arena, "byte %" PRId64, low);
    if (low == high)
        return arena_printf(c->a->arena, "bytes %" PRId64 " to %" PRId64, low, last);
    return arena_printf(c->a->arena, "%s somewhere in bytes %" PRId64 " to %" PRId64,
                        size == 1 ? "a byte" : arena_printf(c->a->arena, "%" PRIu64 " bytes", size),
                        low, last);
}

/* Who does it: "data[i] reads", "the key of bpf_map_lookup_elem() reads". */
static const char *who(const struct checking *c) {
    const char *verb = c->access->write ? "writes" : "reads", *name = c->access->who;
    if (!name)
        name = problem_expression(c->a, c->slot);
    return arena_printf(
        c->a->arena, "%s%s%s", name && !c->access->who ? "`" : "", name ? name : "this",
        arena_printf(c->a->arena, "%s %s", name && !c->access->who ? "`" : "", verb));
}

/* The last index that fits, for a mend: "`< 16`". */
static const char *bound_mend(const struct checking *c, int64_t low, int64_t high, uint64_t size,
                              uint64_t room) {
    const struct value *p = c->access->pointer;
    struct arena *arena = c->a->arena;
    uint64_t step = p->n.x.mask ? p->n.x.mask & -p->n.x.mask : 1;
    const char *index = problem_index(c->a, c->slot);
    if (!index)
        index = "index";
    if (p->kind == VALUE_STACK)
        return "use an index that is inside the variable";
    if (low == high)
        return low < 0 ? "use an index that is not negative"
                       : arena_printf(arena, "the last byte is %" PRIu64 ": use a smaller index",
                                      room - 1);
    if (low < 0)
        return arena_printf(
            arena, "test that `%s` is not negative (or make it unsigned) before you use it", index);
    if (p->kind == VALUE_DATA) /* a section of several variables */
        return arena_printf(arena, "test `%s` against the size of the variable first", index);
    uint64_t count = room >= size ? (room - size) / step + 1 : 0;
    return arena_printf(arena,
                        "test the index first: %" PRIu64 " element%s of %" PRIu64
                        " byte%s fit here, so `if (%s < %" PRIu64 ")`",
                        count, count == 1 ? "" : "s", step, step == 1 ? "" : "s", index, count);
}

/* Offsets on the stack are not the user's: what counts is how far it is off. */
static bool out_of_stack(const struct checking *c, int64_t low, int64_t high, uint64_t size) {
    int64_t beyond = high + (int64_t)size;
    if (beyond > 0)
        return PROBLEM(c, DIAG_BOUNDS, "use an index that is inside the variable",
                       "%s up to %" PRId64 " byte%s behind the end of %s", who(c), beyond,
                       beyond == 1 ? "" : "s", object_name(c->a, c->s, c->access->pointer));
    return PROBLEM(c, DIAG_BOUNDS, "use an index that is inside the variable, and not negative",
                   "%s up to %" PRId64 " bytes below %s, which has %d", who(c),
                   -VERIFY_STACK_MAX - low, object_name(c->a, c->s, c->access->pointer),
                   VERIFY_STACK_MAX);
}

static bool out_of_bounds(const struct checking *c, int64_t low, int64_t high, uint64_t size,
                          uint64_t room) {
    if (c->access->pointer->kind == VALUE_STACK)
        return out_of_stack(c, low, high, size);
    return PROBLEM(c, DIAG_BOUNDS, bound_mend(c, low, high, size, room),
                   "%s %s of %s, which has %" PRIu64 " byte%s", who(c),
                   bytes_text(c, low, high, size), object_name(c->a, c->s, c->access->pointer),
                   room, room == 1 ? "" : "s");
}

/* What the source calls the pointer of an access: "n" of "*n" and of "n->count". */
static const char *pointer_name(const struct checking *c) {
    const char *expression = c->access->who ? NULL : problem_expression(c->a, c->slot);
    const char *arrow = expression ? strstr(expression, "->") : NULL;
    if (arrow)
        return arena_printf(c->a->arena, "%.*s", (int)(arrow - expression), expression);
    return expression && *expression == '*' && expression[1] ? expression + 1 : "p";
}

/* ---- Kinds of objects */

/* The field that an access to a context is about, by where it begins: in it, or, of an array, just beyond it. False:
 * none, or it is a raw program's memory. */
static bool context_field(const struct analysis *a, const struct value *p, int64_t low,
                          struct hook_field *out) {
    enum bpf_hook hook = a->program->entries[p->object].hook;
    struct hook_field field;
    bool found = false;
    for (size_t i = 0; hook != BPF_HOOK_RAW && hook_field(hook, i, &field); i++) {
        int64_t end = field.offset + (int64_t)field.size * field.count;
        bool inside = low >= field.offset && low < end;
        if (!inside && !(field.count > 1 && low == end))
            continue;
        *out = field;
        found = true;
        if (inside) /* another field may begin where an array ends */
            return true;
    }
    return found;
}

/* Inside one field of a context; only arrays may be written. */
static bool check_context(const struct checking *c, int64_t low, int64_t high, uint64_t size) {
    struct hook_field field;
    if (c->a->program->entries[c->access->pointer->object].hook == BPF_HOOK_RAW)
        return true;
    if (!context_field(c->a, c->access->pointer, low, &field))
        return PROBLEM(c, DIAG_BOUNDS, "read the context's fields by their names",
                       "%s bytes of the context that belong to no field", who(c));
    uint64_t bytes = (uint64_t)field.size * field.count;
    low -= field.offset;
    high -= field.offset;
    if ((uint64_t)high + size > bytes)
        return PROBLEM(c, DIAG_BOUNDS,
                       field.count > 1 ? bound_mend(c, low, high, size, bytes)
                                       : "read the context's fields by their names",
                       "%s %s of field `%s`, which has %" PRIu64 " byte%s", who(c),
                       bytes_text(c, low, high, size), field.name, bytes, bytes == 1 ? "" : "s");
    if (c->access->write && field.count == 1)
        return PROBLEM(c, DIAG_ACCESS, "copy it to a variable and change that",
                       "%s field `%s` of the context, which is read-only", who(c), field.name);
    return true;
}

static bool check_stack(const struct checking *c, int64_t low, int64_t high, uint64_t size) {
    const struct access *access = c->access;
    const struct frame *f = c->s->frame[access->pointer->object];
    int from = (int)low, count = (int)(high - low + (int64_t)size);
    if (!f)
        return PROBLEM(c, DIAG_INTERNAL, "please report this", "%s a frame out of reach", who(c));
    bool pointer = stack_has_pointer(f, from, count);
    if (access->write && !access->atomic) {
        if (low == high || !pointer)
            return true;
        return PROBLEM(c, DIAG_POINTER,
                       "keep pointers in variables of their own, outside of arrays",
                       "%s through an index that may reach a pointer on the stack", who(c));
    }
    if (access->uninit_ok)
        return true;
    bool init = stack_is_init(f, from, count);
    if (!init && f->lost_key && from <= f->lost_key && f->lost_key < from + count)
        return PROBLEM(c, DIAG_POINTER, "copy the key: `*out = *key`",
                       "%s a pointer to a key that a callback was given, and the callback has "
                       "returned",
                       who(c));
    if (!init)
        return PROBLEM(c, DIAG_UNINIT,
                       access->who ? "initialise all of it: `= {0}` also fills the gaps between "
                                     "members"
                                   : "initialise it where it is declared: `= {0}`",
                       "%s %s of %s, not all of which %s initialised", who(c),
                       bytes_text(c, low, high, size), object_name(c->a, c->s, access->pointer),
                       count == 1 ? "is" : "are");
    if (!pointer)
        return true;
    /* Whole pointers may be loaded by the instruction itself, from a known place. */
    bool plain = !access->who && !access->atomic && size == 8;
    if (plain && low != high)
        return PROBLEM(c, DIAG_POINTER,
                       "keep pointers in variables of their own, outside of arrays",
                       "%s what may be a pointer on the stack, through an index", who(c));
    if (!plain || stack_read(f, from, 8).kind == VALUE_NONE)
        return PROBLEM(c, DIAG_POINTER,
                       "read the pointer as a whole, or the numbers beside it alone",
                       "%s a part of a pointer as a number", who(c));
    return true;
}

static bool check_data(const struct checking *c, int64_t low, int64_t high, uint64_t size) {
    const struct value *p = c->access->pointer;
    const struct prog_data *d = &c->a->program->datas[p->object];
    if (c->access->write && !d->writable)
        return PROBLEM(c, DIAG_ACCESS, "leave out `const`, so that it becomes a variable",
                       "%s section %s, which is read-only", who(c), d->name);
    if (!d->relocated || (c->access->write && !c->access->atomic))
        return true;
    /* The instruction itself may load pointers as such; helpers and atomic operations take numbers. */
    if (c->access->who || c->access->atomic)
        return !object_has_pointer(c->a, p->object, low, (uint64_t)(high - low) + size) ||
               PROBLEM(c, DIAG_LEAK, "read the numbers beside it alone",
                       "%s a pointer of section %s as a number", who(c), d->name);
    struct value v = object_load(c->a, p, c->access->off, (unsigned)size);
    if (v.kind == VALUE_NONE)
        return PROBLEM(c, DIAG_POINTER,
                       d->writable ? "make the table of pointers `const`"
                                   : "read its pointers as whole pointers, of one kind",
                       "%s pointers of section %s%s", who(c), d->name,
                       d->writable ? ", which may have changed" : " in pieces or of several kinds");
    return true;
}

/* The timer of a map's value is the kernel's. */
static bool check_map_value(const struct checking *c, int64_t low, int64_t high, uint64_t size) {
    const struct prog_map *m = &c->a->program->maps[c->access->pointer->object];
    int64_t timer = m->timer_off, end = timer + (int64_t)sizeof(struct bpf_timer);
    if (!m->has_timer || high + (int64_t)size <= timer || low >= end)
        return true;
    return PROBLEM(c, DIAG_ACCESS,
                   "leave the timer to bpf_timer_init(), bpf_timer_start() and their like, and "
                   "access the members beside it",
                   "%s %s of %s, and bytes %" PRId64 " to %" PRId64 " are its timer", who(c),
                   bytes_text(c, low, high, size), object_name(c->a, c->s, c->access->pointer),
                   timer, end - 1);
}

/* Memory that holds numbers only, for one reason or another. */
static bool check_kind(const struct checking *c) {
    const struct value *p = c->access->pointer;
    switch ((enum value_kind)p->kind) {
    case VALUE_CTX:
    case VALUE_STACK:
    case VALUE_MAP_VALUE:
    case VALUE_RECORD:
    case VALUE_DATA: break;
    case VALUE_MAP_KEY:
        if (c->access->write)
            return PROBLEM(c, DIAG_ACCESS, "copy the key to a variable and change that",
                           "%s %s, which is read-only", who(c), object_name(c->a, c->s, p));
        break;
    case VALUE_NONE:
    case VALUE_SCALAR:
        return PROBLEM(c, DIAG_POINTER,
                       "use an address that comes from the context, a map look-up, a variable or a "
                       "ring buffer",
                       "%s memory at an address that is %s", who(c),
                       p->kind == VALUE_NONE ? "not initialised"
                       : value_is_null(p)    ? "0"
                                             : "a number, not a pointer");
    default:
        return PROBLEM(c, DIAG_POINTER,
                       p->kind == VALUE_MAP ? "look its elements up with bpf_map_lookup_elem()"
                                            : "call it",
                       "%s %s directly", who(c), object_name(c->a, c->s, p));
    }
    if (!p->nullable)
        return true;
    return PROBLEM(
        c, DIAG_NULL,
        arena_printf(c->a->arena, "test the pointer first: `if (!%s) return 0;`", pointer_name(c)),
        "%s %s through a pointer that may be null", who(c), object_name(c->a, c->s, p));
}

bool check_access(const struct analysis *a, const struct state *s, uint32_t slot,
                  const struct access *access, struct problem *problem) {
    struct checking c = {a, s, slot, access, problem};
    const struct value *p = access->pointer;
    int64_t low, high;
    if (!check_kind(&c))
        return false;
    if (access->size == 0)
        return true;
    bool stack = p->kind == VALUE_STACK;
    uint64_t room = object_size(a, p);
    int64_t first = stack ? -(int64_t)room : 0, end = stack ? 0 : (int64_t)room;
    if (!object_range(p, access->off, &low, &high)) {
        bool negative = p->n.x.smin < 0 && p->n.x.smax + access->off < end;
        uint64_t left =
            access->off > 0 && (uint64_t)access->off < room ? room - (uint64_t)access->off : room;
        return PROBLEM(&c, DIAG_BOUNDS, bound_mend(&c, negative ? -1 : 0, 1, access->size, left),
                       "%s %s, which has %" PRIu64 " bytes, at an offset that may be %s", who(&c),
                       object_name(a, s, p), room, negative ? "negative" : "anything");
    }
    struct hook_field field;
    if (p->kind == VALUE_CTX && context_field(a, p, low, &field)) /* what counts is the field */
        return check_context(&c, low, high, access->size);
    if (low < first || access->size > room || high + (int64_t)access->size > end)
        return out_of_bounds(&c, low, high, access->size, room);
    if (stack)
        return check_stack(&c, low, high, access->size);
    if (p->kind == VALUE_CTX)
        return check_context(&c, low, high, access->size);
    if (p->kind == VALUE_DATA)
        return check_data(&c, low, high, access->size);
    if (p->kind == VALUE_MAP_VALUE)
        return check_map_value(&c, low, high, access->size);
    return true;
}
