/* SPDX-License-Identifier: MIT */
/* A machine that knows what its values are. */
#include "soundness/soundness.h"

#include "bpf/helper.h"

#include <assert.h>
#include <string.h>

static uint64_t next_random(struct machine *m) {
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return m->random;
}

static struct word number(uint64_t n) {
    return (struct word){.kind = WORD_NUMBER, .n = n};
}

static struct word pointer(enum value_kind kind, uint32_t object, uint32_t element, int64_t off) {
    uint64_t base = 0x20000000u + 0x10000u * kind + 0x1000u * object + 0x100u * element;
    return (struct word){WORD_POINTER, (uint8_t)kind, object, element, off, base + (uint64_t)off};
}

static void fail(struct machine *m, const char *what) {
    if (!m->fault)
        m->fault = what;
}

void machine_start(struct machine *m, const struct program *p, uint64_t seed) {
    static const uint64_t edges[] = {0,  1,  2,  7,          8,          15,         16,        31,
                                     63, 64, -1, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 63};
    memset(m, 0, sizeof(*m));
    m->program = p;
    m->random = seed * 0x9e3779b97f4a7c15u + 1;
    for (unsigned i = 0; i < MEMORY; i += 8) {
        uint64_t v = next_random(m);
        if (v & 3)
            v = edges[next_random(m) % (sizeof(edges) / sizeof(edges[0]))];
        memcpy(m->memory + i, &v, 8);
    }
    for (unsigned i = 0; i < sizeof(m->values); i++)
        ((uint8_t *)m->values)[i] = (uint8_t)next_random(m);
    for (unsigned i = 0; i < MAP_ELEMENTS; i++)
        m->present[i] = next_random(m) & 1;
    memcpy(m->data[0], p->datas[0].image, DATA_BYTES);
    for (unsigned i = 0; i < DATA_BYTES; i++)
        m->data[1][i] = (uint8_t)next_random(m);
    m->depth = 1;
    m->npointers = 1;
    m->frame[0].func = p->entries[0].func;
    m->slot = p->funcs[p->entries[0].func].start;
    m->reg[1] = pointer(VALUE_CTX, 0, 0, 0);
    m->reg[2] = number(next_random(m) % (MEMORY + 1));
    m->reg[10] = pointer(VALUE_STACK, 0, 0, 0);
}

/* ---- Arithmetic */

static uint64_t alu(enum bpf_op op, unsigned w, uint64_t a, uint64_t b) {
    uint64_t mask = w == 32 ? UINT32_MAX : UINT64_MAX;
    a &= mask;
    b &= mask;
    int64_t sa = w == 32 ? (int32_t)a : (int64_t)a, sb = w == 32 ? (int32_t)b : (int64_t)b;
    switch (op) {
/* clang-format off */
#define BPF_ALU(NAME, code, off, group, widths, mnemonic, symbol, expr)                            \
    case BPF_##NAME: return (expr) & mask;
#define BPF_ALU1 BPF_ALU
#define BPF_MOVSX(NAME, off, widths, mnemonic, expr)                                               \
    case BPF_##NAME: return (expr) & mask;
#include "bpf/insn.def"
    /* clang-format on */
    default: assert(0); return 0;
    }
}

static bool condition(enum bpf_op op, unsigned w, uint64_t a, uint64_t b) {
    uint64_t mask = w == 32 ? UINT32_MAX : UINT64_MAX;
    a &= mask;
    b &= mask;
    int64_t sa = w == 32 ? (int32_t)a : (int64_t)a, sb = w == 32 ? (int32_t)b : (int64_t)b;
    switch (op) {
/* clang-format off */
#define BPF_JCC(NAME, code, mnemonic, symbol, INVERSE, SWAPPED, expr)                              \
    case BPF_##NAME: return expr;
#include "bpf/insn.def"
    /* clang-format on */
    default: assert(0); return false;
    }
}

static uint64_t swap_bytes(enum bpf_op op, unsigned w, uint64_t v) {
    uint64_t mask = w == 64 ? UINT64_MAX : (UINT64_C(1) << w) - 1;
    return op == BPF_LE ? v & mask : __builtin_bswap64(v & mask) >> (64 - w);
}

static void exec_alu(struct machine *m, const struct bpf_decoded *d) {
    struct word *x = &m->reg[d->dst], y = d->src_reg ? m->reg[d->src] : number((uint64_t)d->imm);
    if (y.kind == WORD_NONE || (d->op != BPF_MOV && x->kind == WORD_NONE)) {
        fail(m, "an unset register");
        *x = number(0);
        return;
    }
    bool px = x->kind == WORD_POINTER, py = y.kind == WORD_POINTER;
    if (d->op == BPF_MOV) {
        if (d->width == 64) {
            *x = y;
            return;
        }
        if (py)
            fail(m, "half a pointer");
        *x = number((uint32_t)y.n);
        return;
    }
    if (!px && !py) {
        *x = number(alu(d->op, d->width, x->n, y.n));
        return;
    }
    bool same = px && py && x->object_kind == y.object_kind && x->object == y.object &&
                x->element == y.element;
    if (d->width == 64 && d->op == BPF_SUB && same)
        *x = number((uint64_t)x->off - (uint64_t)y.off);
    else if (d->width == 64 && d->op == BPF_ADD && px != py) {
        struct word p = px ? *x : y;
        *x = pointer((enum value_kind)p.object_kind, p.object, p.element,
                     (int64_t)((uint64_t)p.off + (px ? y.n : x->n)));
    } else if (d->width == 64 && d->op == BPF_SUB && px && !py)
        *x = pointer((enum value_kind)x->object_kind, x->object, x->element,
                     (int64_t)((uint64_t)x->off - y.n));
    else {
        fail(m, "arithmetic on a pointer");
        *x = number(0);
    }
}

static void exec_unary(struct machine *m, const struct bpf_decoded *d) {
    struct word y = bpf_op_is_movsx(d->op) ? m->reg[d->src] : m->reg[d->dst];
    if (y.kind != WORD_NUMBER)
        fail(m, "not a number");
    m->reg[d->dst] = number(bpf_op_is_movsx(d->op) ? alu(d->op, d->width, 0, y.n)
                                                   : swap_bytes(d->op, d->width, y.n));
}

/* ---- Memory */

static uint8_t *plain_memory(struct machine *m, const struct word *p, int64_t off, unsigned size,
                             bool write) {
    uint8_t *base = NULL;
    int64_t room = 0;
    switch ((enum value_kind)p->object_kind) {
    case VALUE_CTX: base = m->memory, room = MEMORY; break;
    case VALUE_MAP_VALUE: base = m->values[p->object][p->element], room = MAP_VALUE; break;
    case VALUE_DATA:
        base = m->data[p->object];
        room = DATA_BYTES;
        if (write && p->object == 0)
            return NULL;
        break;
    default: return NULL;
    }
    return p->off + off >= 0 && p->off + off + size <= room ? base + p->off + off : NULL;
}

static struct byte *stack_memory(struct machine *m, const struct word *p, int64_t off,
                                 unsigned size) {
    int64_t at = p->off + off;
    if (m->funcs && at < -(int64_t)m->funcs[m->frame[p->object].func].stack)
        fail(m, "an access below what the function's frame has");
    return at >= -VERIFY_STACK_MAX && at + size <= 0
               ? &m->frame[p->object].stack[at + VERIFY_STACK_MAX]
               : NULL;
}

static struct word load(struct machine *m, const struct word *p, int64_t off, unsigned size) {
    struct word w = number(0);
    if (p->kind != WORD_POINTER) {
        fail(m, "a load through a number");
        return w;
    }
    if (p->object_kind != VALUE_STACK) {
        uint8_t *at = plain_memory(m, p, off, size, false);
        if (at)
            memcpy(&w.n, at, size);
        else
            fail(m, "a load outside");
        return w;
    }
    struct byte *at = stack_memory(m, p, off, size);
    if (!at) {
        fail(m, "a load outside of the stack");
        return w;
    }
    for (unsigned i = 0; i < size; i++) {
        if (!at[i].init)
            fail(m, "a load of stack that was never written");
        if (at[i].pointer != at[0].pointer || (at[i].pointer && (size != 8 || at[i].index != i)))
            fail(m, "a load of a piece of a pointer");
        w.n |= (uint64_t)at[i].value << (8 * i);
    }
    return at[0].pointer && !m->fault ? m->pointers[at[0].pointer] : w;
}

static void store(struct machine *m, const struct word *p, int64_t off, unsigned size,
                  struct word w) {
    if (p->kind != WORD_POINTER) {
        fail(m, "a store through a number");
        return;
    }
    if (w.kind == WORD_NONE)
        fail(m, "a store of an unset register");
    if (w.kind == WORD_POINTER && (p->object_kind != VALUE_STACK || size != 8)) {
        fail(m, "an address is stored");
        return;
    }
    if (p->object_kind != VALUE_STACK) {
        uint8_t *at = plain_memory(m, p, off, size, true);
        if (at)
            memcpy(at, &w.n, size);
        else
            fail(m, "a store outside");
        return;
    }
    struct byte *at = stack_memory(m, p, off, size);
    if (!at) {
        fail(m, "a store outside of the stack");
        return;
    }
    uint16_t index = 0;
    if (w.kind == WORD_POINTER) {
        if (m->npointers == POINTERS_MAX) {
            m->done = true; /* enough of this run */
            return;
        }
        index = (uint16_t)m->npointers++;
        m->pointers[index] = w;
    }
    for (unsigned i = 0; i < size; i++)
        at[i] = (struct byte){(uint8_t)(w.n >> (8 * i)), (uint8_t)i, index, true};
}

static void exec_atomic(struct machine *m, const struct bpf_decoded *d) {
    unsigned size = d->width / 8;
    uint64_t mask = size == 4 ? UINT32_MAX : UINT64_MAX;
    struct word *src = &m->reg[d->src], *r0 = &m->reg[0];
    struct word found = load(m, &m->reg[d->dst], d->off, size);
    if (src->kind != WORD_NUMBER || found.kind != WORD_NUMBER ||
        (d->op == BPF_ATOMIC_CMPXCHG && r0->kind != WORD_NUMBER)) {
        fail(m, "an atomic operation on something other than numbers");
        return;
    }
    uint64_t old = found.n & mask, b = src->n & mask, c = r0->n & mask, result = 0;
    switch (d->op) {
#define BPF_ATOMIC(NAME, imm, fetches, mnemonic, expr)                                             \
    case BPF_##NAME:                                                                               \
        result = expr;                                                                             \
        break;
#include "bpf/insn.def"
    default: assert(0);
    }
    store(m, &m->reg[d->dst], d->off, size, number(result & mask));
    if (bpf_atomic_fetches(d->op))
        *(d->op == BPF_ATOMIC_CMPXCHG ? r0 : src) = number(old);
}

/* ---- Jumps and calls */

static bool exec_condition(struct machine *m, const struct bpf_decoded *d) {
    struct word x = m->reg[d->dst], y = d->src_reg ? m->reg[d->src] : number((uint64_t)d->imm);
    if (x.kind == WORD_NONE || y.kind == WORD_NONE)
        fail(m, "an unset register");
    bool px = x.kind == WORD_POINTER, py = y.kind == WORD_POINTER;
    if (px || py) {
        bool same = px && py && x.object_kind == y.object_kind && x.object == y.object &&
                    x.element == y.element;
        bool null = px != py && (px ? y.n : x.n) == 0 && (d->op == BPF_JEQ || d->op == BPF_JNE);
        if (d->width == 32 || (!same && !null))
            fail(m, "a comparison that tells an address");
    }
    return condition(d->op, d->width, x.n, y.n);
}

static void enter(struct machine *m, uint32_t func, uint32_t back) {
    if (m->depth == VERIFY_FRAMES_MAX) {
        fail(m, "too deep");
        return;
    }
    struct call_frame *f = &m->frame[m->depth];
    memset(f, 0, sizeof(*f));
    f->func = func;
    f->back = back;
    for (int i = 0; i < 4; i++) {
        f->saved[i] = m->reg[6 + i];
        m->reg[6 + i] = (struct word){0};
    }
    m->reg[0] = (struct word){0};
    m->reg[10] = pointer(VALUE_STACK, m->depth++, 0, 0);
    m->slot = m->program->funcs[func].start;
}

static void clobber(struct machine *m) {
    for (int r = 1; r <= 5; r++)
        m->reg[r] = (struct word){0};
}

/* The next run of a callback, or the helper's end. */
static void next_run(struct machine *m, struct word result) {
    struct call_frame f = m->frame[m->depth];
    if (result.kind != WORD_NUMBER || result.n > 1)
        fail(m, "a callback's result");
    if (f.index + 1 >= f.runs || result.n) {
        m->reg[0] = number(f.index + 1);
        clobber(m);
        m->slot = f.back;
        return;
    }
    enter(m, f.func, f.back);
    struct call_frame *again = &m->frame[m->depth - 1];
    again->callback = true;
    again->runs = f.runs;
    again->index = f.index + 1;
    again->context = f.context;
    clobber(m);
    m->reg[1] = number(again->index);
    m->reg[2] = f.context;
}

static void leave(struct machine *m) {
    if (m->depth == 1) {
        m->done = true;
        if (m->reg[0].kind != WORD_NUMBER)
            fail(m, "the result is no number");
        return;
    }
    struct call_frame *f = &m->frame[--m->depth];
    for (int i = 0; i < 4; i++)
        m->reg[6 + i] = f->saved[i];
    m->reg[10] = pointer(VALUE_STACK, m->depth - 1, 0, 0);
    if (f->callback) {
        next_run(m, m->reg[0]);
        return;
    }
    clobber(m);
    m->slot = f->back;
}

static void loop_helper(struct machine *m) {
    struct word n = m->reg[1], fn = m->reg[2], context = m->reg[3];
    if (n.kind != WORD_NUMBER || fn.kind != WORD_POINTER || fn.object_kind != VALUE_FUNC ||
        context.kind == WORD_NONE) {
        fail(m, "bpf_loop()'s arguments");
        return;
    }
    uint32_t runs = (uint32_t)n.n, back = m->slot + 1;
    clobber(m);
    if (runs == 0 || runs > (1u << 23)) {
        m->reg[0] = number(runs ? (uint64_t)-7 : 0);
        m->slot = back;
        return;
    }
    enter(m, fn.object, back);
    struct call_frame *f = &m->frame[m->depth - 1];
    f->callback = true;
    f->runs = runs;
    f->context = context;
    m->reg[1] = number(0);
    m->reg[2] = context;
}

static void lookup_helper(struct machine *m) {
    if (m->reg[1].kind != WORD_POINTER || m->reg[1].object_kind != VALUE_MAP || m->reg[1].off) {
        fail(m, "not a map");
        return;
    }
    uint32_t map = m->reg[1].object;
    struct word key = load(m, &m->reg[2], 0, 4);
    bool there = key.kind == WORD_NUMBER && (uint32_t)key.n < MAP_ELEMENTS &&
                 (map == 0 || m->present[(uint32_t)key.n]);
    m->reg[0] = there ? pointer(VALUE_MAP_VALUE, map, (uint32_t)key.n, 0) : number(0);
    clobber(m);
}

static void exec_helper(struct machine *m, uint32_t id) {
    switch (id) {
    case BPF_FUNC_LOOP: loop_helper(m); return;
    case BPF_FUNC_MAP_LOOKUP_ELEM: lookup_helper(m); break;
    case BPF_FUNC_GET_PRANDOM_U32:
        m->reg[0] = number((uint32_t)next_random(m));
        clobber(m);
        break;
    default:
        m->reg[0] = number(next_random(m));
        clobber(m);
        break;
    }
    m->slot++;
}

static void exec_lddw(struct machine *m, const struct bpf_decoded *d) {
    uint32_t index = (uint32_t)d->imm;
    int64_t off = (int32_t)((uint64_t)d->imm >> 32);
    switch ((enum bpf_pseudo)d->pseudo) {
    case BPF_PSEUDO_MAP: m->reg[d->dst] = pointer(VALUE_MAP, index, 0, off); break;
    case BPF_PSEUDO_DATA: m->reg[d->dst] = pointer(VALUE_DATA, index, 0, off); break;
    case BPF_PSEUDO_FUNC: m->reg[d->dst] = pointer(VALUE_FUNC, index, 0, 0); break;
    default: m->reg[d->dst] = number((uint64_t)d->imm);
    }
}

void machine_step(struct machine *m) {
    const struct program *p = m->program;
    const struct bpf_decoded *d = &p->decoded[m->slot];
    uint32_t next = m->slot + d->len;
    if (d->op == BPF_EXIT) {
        leave(m);
        return;
    }
    if (d->op == BPF_CALL_LOCAL) {
        uint32_t target = m->slot + (uint32_t)d->target;
        enter(m, (uint32_t)(program_func_at(p, target) - p->funcs), next);
        return;
    }
    if (d->op == BPF_CALL_HELPER) {
        exec_helper(m, (uint32_t)d->imm);
        return;
    }
    if (d->op == BPF_JA || bpf_op_is_jcc(d->op)) {
        bool taken = d->op == BPF_JA || exec_condition(m, d);
        m->slot = taken ? m->slot + (uint32_t)d->target : next;
        return;
    }
    m->slot = next;
    if (bpf_op_is_alu(d->op))
        exec_alu(m, d);
    else if (bpf_op_is_movsx(d->op) || bpf_op_is_end(d->op))
        exec_unary(m, d);
    else if (bpf_op_is_atomic(d->op))
        exec_atomic(m, d);
    else if (d->op == BPF_LDDW)
        exec_lddw(m, d);
    else if (d->op == BPF_LDX)
        m->reg[d->dst] = load(m, &m->reg[d->src], d->off, d->width / 8);
    else if (d->op == BPF_LDXS) {
        struct word w = load(m, &m->reg[d->src], d->off, d->width / 8);
        if (w.kind != WORD_NUMBER)
            fail(m, "half a pointer");
        unsigned shift = 64 - d->width;
        m->reg[d->dst] = number((uint64_t)((int64_t)(w.n << shift) >> shift));
    } else if (d->op == BPF_ST)
        store(m, &m->reg[d->dst], d->off, d->width / 8, number((uint64_t)d->imm));
    else
        store(m, &m->reg[d->dst], d->off, d->width / 8, m->reg[d->src]);
}
