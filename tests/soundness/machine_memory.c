/* SPDX-License-Identifier: MIT */
/* The machine's memory: objects, loads and stores, what helpers read and write. */
#include "soundness/machine.h"

#include "bpf/map.h"
#include "program/hook.h"

#include <string.h>

/* ---- Memory that holds numbers, and tables of pointers */

/* A write to a context: only arrays may be. */
static bool context_writable(const struct machine *m, int64_t at, unsigned size) {
    struct hook_field field;
    enum bpf_hook hook = m->program->entries[m->entry].hook;
    for (size_t i = 0; hook_field(hook, i, &field); i++)
        if (at >= field.offset && at + size <= field.offset + (int64_t)field.size * field.count)
            return field.count > 1;
    return hook == BPF_HOOK_RAW;
}

/* The bytes [at, at + size) of an object, or NULL. */
static uint8_t *object_bytes(struct machine *m, const struct word *p, int64_t at, uint32_t size,
                             bool write) {
    const struct program *program = m->program;
    uint8_t *base = NULL;
    int64_t room = 0;
    if (at != (int32_t)at) /* no object is that large */
        return NULL;
    switch ((enum value_kind)p->object_kind) {
    case VALUE_CTX:
        base = m->context;
        room = program->entries[m->entry].ctx_size;
        if (write && !context_writable(m, at, size))
            return NULL;
        break;
    case VALUE_MAP_VALUE:
        base = m->map[p->object] + p->element;
        room = program->maps[p->object].value_size;
        break;
    case VALUE_MAP_KEY:
        room = program->maps[p->object].key_size;
        for (uint32_t i = 0; i < m->depth && p->element >= KEY_OF_ARRAY; i++)
            if (m->frame[i].iteration.number == p->element - KEY_OF_ARRAY)
                base = (uint8_t *)&m->frame[i].iteration.key;
        if (p->element < KEY_OF_ARRAY)
            base = m->map[p->object] + p->element;
        if (write)
            return NULL;
        break;
    case VALUE_RECORD:
        base = m->map[MAP_RING] + m->record[p->element].at;
        room = m->record[p->element].size;
        break;
    case VALUE_DATA:
        base = m->data[p->object];
        room = program->datas[p->object].size;
        if (write && !program->datas[p->object].writable)
            return NULL;
        break;
    default: return NULL;
    }
    const struct prog_map *map =
        p->object_kind == VALUE_MAP_VALUE ? &program->maps[p->object] : NULL;
    if (map && map->has_timer && size && at < (int64_t)map->timer_off + 16 &&
        at + size > map->timer_off)
        return NULL;
    return base && at >= 0 && at + size <= room ? base + at : NULL;
}

/* A pointer that a section of constants has in these bytes: 1, whole; -1, a piece of it; 0: none. */
static int table_pointer(const struct machine *m, uint32_t data, int64_t at, uint32_t size,
                         struct word *out) {
    for (uint32_t i = 0; i < m->program->nrelocs; i++) {
        const struct prog_reloc *r = &m->program->relocs[i];
        if (r->kind == PROG_RELOC_PROG || r->data != data || at >= (int64_t)r->off + 8 ||
            at + size <= r->off)
            continue;
        enum value_kind kind = r->kind == PROG_RELOC_DATA  ? VALUE_DATA
                               : r->kind == PROG_RELOC_MAP ? VALUE_MAP
                                                           : VALUE_FUNC;
        *out = machine_pointer(kind, r->target, 0, r->addend);
        return at == r->off && size == 8 ? 1 : -1;
    }
    return 0;
}

static struct word load_object(struct machine *m, const struct word *p, int64_t at, unsigned size) {
    struct word w = machine_number(0);
    const uint8_t *bytes = object_bytes(m, p, at, size, false);
    int pointer = 0;
    if (!bytes) {
        machine_fail(m, "a load outside of an object");
        return w;
    }
    if (p->object_kind == VALUE_DATA)
        pointer = table_pointer(m, p->object, at, size, &w);
    if (pointer < 0)
        machine_fail(m, "a load of a piece of a pointer");
    if (pointer == 0)
        memcpy(&w.n, bytes, size);
    return w;
}

/* ---- Stack */

static bool bit(const uint64_t *set, int i) {
    return set[i / 64] >> (i % 64) & 1;
}

static void set_bit(uint64_t *set, int i, bool on) {
    uint64_t mask = UINT64_C(1) << (i % 64);
    set[i / 64] = on ? set[i / 64] | mask : set[i / 64] & ~mask;
}

bool machine_stack_word(const struct machine *m, const struct call_frame *f, int off, unsigned size,
                        struct word *out) {
    int at = off + VERIFY_STACK_MAX;
    const struct byte *bytes = &f->stack[at];
    *out = machine_number(0);
    for (unsigned i = 0; i < size; i++) {
        if (!bit(f->init, at + (int)i) || bytes[i].pointer != bytes[0].pointer ||
            (bytes[i].pointer && bytes[i].index != i))
            return false;
        out->n |= (uint64_t)bytes[i].value << (8 * i);
    }
    if (bytes[0].pointer == 0)
        return true;
    *out = m->pointers[bytes[0].pointer];
    return size == 8;
}

/* The frame of an access to the stack; NULL if it is outside. */
static struct call_frame *stack_frame(struct machine *m, const struct word *p, int64_t at,
                                      uint32_t size) {
    struct call_frame *f = &m->frame[p->object];
    if (at < -VERIFY_STACK_MAX || at > -(int64_t)size) {
        machine_fail(m, "an access outside of the stack");
        return NULL;
    }
    if (m->funcs && at < -(int64_t)m->funcs[f->func].stack)
        m->too_deep = true;
    return f;
}

static struct word load_stack(struct machine *m, const struct word *p, int64_t at, unsigned size) {
    struct word w = machine_number(0);
    const struct call_frame *f = stack_frame(m, p, at, size);
    if (f && !machine_stack_word(m, f, (int)at, size, &w))
        machine_fail(m, "a load of stack that was never written, or of a piece of a pointer");
    return w;
}

static void store_stack(struct machine *m, const struct word *p, int64_t at, unsigned size,
                        struct word w) {
    struct call_frame *f = stack_frame(m, p, at, size);
    uint16_t index = 0;
    if (!f)
        return;
    if (w.kind == WORD_POINTER) {
        if (m->npointers == POINTERS_MAX) {
            m->done = true; /* enough of this run */
            return;
        }
        index = (uint16_t)m->npointers++;
        m->pointers[index] = w;
    }
    int first = (int)at + VERIFY_STACK_MAX;
    for (unsigned i = 0; i < size; i++) {
        f->stack[first + (int)i] = (struct byte){(uint8_t)(w.n >> (8 * i)), (uint8_t)i, index};
        set_bit(f->init, first + (int)i, true);
        set_bit(f->pointer, first + (int)i, index != 0);
    }
}

/* ---- Both */

/* False, and a fault, if p is no address of something. */
static bool is_address(struct machine *m, const struct word *p) {
    if (p->kind == WORD_POINTER && machine_alive(m, p))
        return true;
    machine_fail(m, p->kind == WORD_POINTER ? "an access to what is no longer there"
                                            : "an access through a number");
    return false;
}

struct word machine_load(struct machine *m, const struct word *p, int64_t off, unsigned size) {
    if (!is_address(m, p))
        return machine_number(0);
    int64_t at = (int64_t)((uint64_t)p->off + (uint64_t)off);
    return p->object_kind == VALUE_STACK ? load_stack(m, p, at, size) : load_object(m, p, at, size);
}

void machine_store(struct machine *m, const struct word *p, int64_t off, unsigned size,
                   struct word w) {
    if (!is_address(m, p))
        return;
    int64_t at = (int64_t)((uint64_t)p->off + (uint64_t)off);
    if (w.kind == WORD_POINTER && (p->object_kind != VALUE_STACK || size != 8)) {
        machine_fail(m, "an address is stored");
        return;
    }
    if (p->object_kind == VALUE_STACK) {
        store_stack(m, p, at, size, w);
        return;
    }
    uint8_t *bytes = object_bytes(m, p, at, size, true);
    if (bytes)
        memcpy(bytes, &w.n, size);
    else
        machine_fail(m, "a store outside of an object, or to constants");
}

/* ---- Helpers' arguments: byte by byte */

bool machine_gather(struct machine *m, const struct word *p, uint8_t *out, uint32_t size) {
    for (uint32_t i = 0; i < size && !m->fault; i++) {
        struct word w = machine_load(m, p, i, 1);
        out[i] = (uint8_t)w.n;
    }
    return !m->fault;
}

void machine_scatter(struct machine *m, const struct word *p, const uint8_t *in, uint32_t size) {
    for (uint32_t i = 0; i < size && !m->fault; i++)
        machine_store(m, p, i, 1, machine_number(in[i]));
}

bool machine_writable(struct machine *m, const struct word *p, uint32_t size) {
    if (size == 0)
        return true;
    if (!is_address(m, p))
        return false;
    bool fits = p->object_kind == VALUE_STACK
                    ? stack_frame(m, p, p->off, size) != NULL
                    : p->off >= 0 && object_bytes(m, p, p->off, size, true) != NULL;
    if (!fits)
        machine_fail(m, "a helper writes outside of an object");
    return fits;
}
