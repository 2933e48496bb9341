/* SPDX-License-Identifier: MIT */
/*
 * Transfer functions of straight-line instructions and of conditional jumps. Each covers every concrete
 * execution that gets past the instruction, whether or not a check allows it.
 */
#include "verifier/analysis.h"
#include "verifier/rel.h"

#include <assert.h>

/* The second operand of ALU operations and jumps. */
static struct value operand(const struct state *s, const struct bpf_decoded *d) {
    return d->src_reg ? s->reg[d->src] : value_const((uint64_t)d->imm);
}

static bool is_number(const struct value *v) {
    return v->kind == VALUE_SCALAR;
}

static bool is_const(const struct value *v) {
    return is_number(v) && scalar_is_const(&v->n);
}

/* ------------------------------------------------------------------------------------ arithmetic */

static void move(struct state *s, const struct bpf_decoded *d) {
    struct value *dst = &s->reg[d->dst];
    if (!d->src_reg) {
        *dst = value_const(d->width == 32 ? (uint32_t)d->imm : (uint64_t)d->imm);
        return;
    }
    struct value *src = &s->reg[d->src];
    if (src->kind == VALUE_NONE || (d->width == 32 && !is_number(src))) {
        *dst = value_none(src->kind == VALUE_NONE ? src->reason : NONE_POINTER);
        return;
    }
    state_give_base(s, src);
    struct value v = *src;
    if (d->width == 32) {
        /* The same number if there was nothing above the low word, else related by that alone. */
        if (v.base && v.n.x.umax > UINT32_MAX)
            v.width = 32;
        v.n = scalar_alu(BPF_MOV, 32, &v.n, &v.n);
    }
    *dst = v;
}

/* Whether the low word of n plus c is 0 to 2^32 - 1 without wrapping, so that a 32-bit sum of it is the
 * sum of the whole. */
static bool adds_in_32(const struct scalar *n, int64_t c) {
    return n->x.umax <= UINT32_MAX && (int64_t)n->x.umin + c >= 0 &&
           (int64_t)n->x.umax + c <= (int64_t)UINT32_MAX;
}

/* v + c, c a constant of `width` bits, sign-extended. */
static void add_constant(struct value *v, unsigned width, int64_t c) {
    struct scalar by = scalar_const((uint64_t)c);
    if (v->base) {
        v->delta = (int64_t)((uint64_t)v->delta + (uint64_t)c);
        if (width == 32 && !adds_in_32(&v->n, c))
            v->width = 32;
    }
    v->n = scalar_alu(BPF_ADD, width, &v->n, &by);
}

/* a + b for two that are not constant, or a pointer and a number: the sum keeps the relation of the
 * variable part if the other is a constant (offset). */
static struct value add_values(struct state *s, unsigned width, struct value *a, struct value *b) {
    struct value *pointer = value_is_pointer(a) ? a : b, *other = pointer == a ? b : a;
    struct value sum = *pointer;
    sum.n = scalar_alu(BPF_ADD, width, &a->n, &b->n);
    value_unrelate(&sum);
    if (width == 64 && scalar_is_const(&pointer->n)) {
        state_give_base(s, other);
        sum.base = other->base;
        sum.width = other->width;
        sum.delta = (int64_t)((uint64_t)other->delta + pointer->n.x.value);
    }
    return sum;
}

/* The constant a - b of two values that are related, at 64 bits. */
static bool distance(const struct value *a, const struct value *b, uint64_t *d) {
    if (!a->base || a->base != b->base || a->width != 64 || b->width != 64)
        return false;
    *d = (uint64_t)a->delta - (uint64_t)b->delta;
    return true;
}

static struct value sub_values(const struct bpf_decoded *d, const struct value *a,
                               const struct value *b) {
    uint64_t constant;
    struct value v = *a;
    if (value_is_pointer(a) && value_is_pointer(b))
        v = value_scalar(a->n); /* of one object: the distance of the offsets */
    value_unrelate(&v);
    v.n = d->width == 64 && distance(a, b, &constant) ? scalar_const(constant)
                                                      : scalar_alu(BPF_SUB, d->width, &a->n, &b->n);
    return v;
}

/* What pointer arithmetic means something. */
static bool adds_up(const struct bpf_decoded *d, const struct value *a, const struct value *b) {
    bool pa = value_is_pointer(a), pb = value_is_pointer(b);
    if (!pa && !pb)
        return true;
    if (d->width == 32 || a->nullable || b->nullable)
        return false;
    const struct value *pointer = pa ? a : b;
    if (pointer->kind == VALUE_MAP || value_is_code(pointer))
        return false;
    if (pa && pb)
        return d->op == BPF_SUB && value_same_object(a, b);
    return d->op == BPF_ADD || (d->op == BPF_SUB && pa);
}

static void add_or_sub(struct state *s, const struct bpf_decoded *d) {
    struct value *dst = &s->reg[d->dst], b = operand(s, d);
    if (is_const(&b)) {
        int64_t c = d->width == 32 ? (int32_t)(uint32_t)b.n.x.value : (int64_t)b.n.x.value;
        uint64_t by = d->op == BPF_ADD ? (uint64_t)c : 0 - (uint64_t)c;
        /* -2^31 has no counterpart of 32 bits: its sign matters for whether the sum wraps. */
        add_constant(dst, d->width,
                     d->width == 32 ? (int64_t)(d->op == BPF_ADD ? c : -c) : (int64_t)by);
        return;
    }
    if (d->op == BPF_SUB) {
        *dst = sub_values(d, dst, &b);
        return;
    }
    if (is_const(dst) && is_number(&b)) { /* constant + variable */
        struct value *src = &s->reg[d->src];
        int64_t c = d->width == 32 ? (int32_t)(uint32_t)dst->n.x.value : (int64_t)dst->n.x.value;
        state_give_base(s, src);
        struct value sum = *src;
        add_constant(&sum, d->width, c);
        *dst = sum;
        return;
    }
    *dst = add_values(s, d->width, dst, d->src_reg ? &s->reg[d->src] : &b);
}

static void transfer_alu(struct state *s, const struct bpf_decoded *d) {
    struct value *dst = &s->reg[d->dst], b = operand(s, d);
    if (d->op == BPF_MOV) {
        move(s, d);
        return;
    }
    if (dst->kind == VALUE_NONE || (d->op != BPF_NEG && b.kind == VALUE_NONE)) {
        *dst = value_none(dst->kind == VALUE_NONE ? dst->reason : b.reason);
        return;
    }
    if (d->op == BPF_ADD || d->op == BPF_SUB) {
        if (adds_up(d, dst, &b))
            add_or_sub(s, d);
        else
            *dst = value_none(NONE_POINTER);
        return;
    }
    if (!is_number(dst) || (d->op != BPF_NEG && !is_number(&b))) {
        *dst = value_none(NONE_POINTER);
        return;
    }
    dst->n = scalar_alu(d->op, d->width, &dst->n, &b.n);
    value_unrelate(dst);
}

static void transfer_unary(struct state *s, const struct bpf_decoded *d) {
    const struct value *src = bpf_op_is_movsx(d->op) ? &s->reg[d->src] : &s->reg[d->dst];
    if (!is_number(src)) {
        s->reg[d->dst] = value_none(src->kind == VALUE_NONE ? src->reason : NONE_POINTER);
        return;
    }
    s->reg[d->dst] = value_scalar(bpf_op_is_movsx(d->op) ? scalar_movsx(d->op, d->width, &src->n)
                                                         : scalar_end(d->op, d->width, &src->n));
}

/* ---------------------------------------------------------------------------------------- memory */

/* A stack access: its frame, and its offset if that is known. */
static bool stack_place(const struct state *s, const struct value *p, int64_t off, unsigned size,
                        int *place) {
    int64_t low, high;
    if (!s->frame[p->object] || !object_range(p, off, &low, &high) || low != high ||
        low < -VERIFY_STACK_MAX || low + size > 0)
        return false;
    *place = (int)low;
    return true;
}

static struct value load(const struct analysis *a, const struct state *s,
                         const struct bpf_decoded *d) {
    const struct value *p = &s->reg[d->src];
    unsigned size = d->width / 8u;
    int place;
    int64_t low, high;
    if (!value_is_pointer(p))
        return value_none(NONE_MIXED);
    if (p->kind != VALUE_STACK)
        return object_load(a, p, d->off, size);
    if (stack_place(s, p, d->off, size, &place)) {
        const struct frame *f = s->frame[p->object];
        return stack_is_init(f, place, (int)size) ? stack_read(f, place, (int)size)
                                                  : value_none(NONE_UNWRITTEN);
    }
    /* Somewhere in the frame: numbers only, if the whole range is initialised. */
    if (!s->frame[p->object] || !object_range(p, d->off, &low, &high) || low < -VERIFY_STACK_MAX ||
        high + size > 0 ||
        !stack_is_init(s->frame[p->object], (int)low, (int)(high - low + size)) ||
        stack_has_pointer(s->frame[p->object], (int)low, (int)(high - low + size)))
        return value_none(NONE_MIXED);
    return value_scalar(scalar_zext(d->width));
}

static void transfer_load(const struct analysis *a, struct state *s, const struct bpf_decoded *d) {
    struct value v = load(a, s, d);
    if (d->op == BPF_LDXS && is_number(&v)) {
        enum bpf_op extend = d->width == 8    ? BPF_MOVSX8
                             : d->width == 16 ? BPF_MOVSX16
                                              : BPF_MOVSX32;
        v = value_scalar(scalar_movsx(extend, 64, &v.n));
    } else if (d->op == BPF_LDXS && v.kind != VALUE_NONE) {
        v = value_none(NONE_POINTER);
    }
    s->reg[d->dst] = v;
}

/* Writes to bytes of a frame that are not known exactly: any of the range may have changed. Where a pointer
 * may have been written, none of it can be read any more. */
static void write_somewhere(const struct analysis *a, struct state *s, uint32_t frame, int64_t low,
                            int64_t high, bool number) {
    low = low < -VERIFY_STACK_MAX ? -VERIFY_STACK_MAX : low;
    high = high > 0 ? 0 : high;
    if (low >= high)
        return;
    struct frame *f = state_write_frame(a->pool, s, frame);
    if (number)
        stack_clobber(a->pool, f, (int)low, (int)(high - low), false);
    else
        stack_poison(a->pool, f, (int)low, (int)(high - low));
}

/* A number of 8 * size bits of v, as a cell of that size holds it. */
static struct value truncated(struct state *s, struct value *v, unsigned size) {
    if (size == 8 || !is_number(v))
        return *v;
    bool fits = v->n.x.umax < UINT64_C(1) << (8 * size);
    if (fits) {
        state_give_base(s, v);
        return *v;
    }
    if (size == 4) {
        state_give_base(s, v);
        struct value t = *v;
        if (t.base)
            t.width = 32;
        t.n = scalar_alu(BPF_MOV, 32, &t.n, &t.n);
        return t;
    }
    struct scalar mask = scalar_const((UINT64_C(1) << (8 * size)) - 1);
    return value_scalar(scalar_alu(BPF_AND, 64, &v->n, &mask));
}

/* A write through what may be any pointer. Frames out of reach are only marked: see calls.c. */
void transfer_write_anywhere(const struct analysis *a, struct state *s, bool number) {
    for (uint32_t i = 0; i < s->nframes; i++) {
        s->written |= UINT32_C(1) << i;
        if (s->frame[i])
            write_somewhere(a, s, i, -VERIFY_STACK_MAX, 0, number);
    }
}

/* Stores v, or an unknown number if v is NULL, through a pointer to the stack. Elsewhere contents are not
 * followed. */
static void stack_store(const struct analysis *a, struct state *s, const struct value *p,
                        int64_t off, unsigned size, const struct value *v) {
    int place;
    int64_t low, high;
    if (p->kind == VALUE_NONE)
        transfer_write_anywhere(a, s, !v || is_number(v));
    if (p->kind != VALUE_STACK || !s->frame[p->object])
        return;
    uint32_t frame = p->object;
    if (!stack_place(s, p, off, size, &place)) {
        if (!object_range(p, off, &low, &high))
            low = -VERIFY_STACK_MAX, high = 0;
        write_somewhere(a, s, frame, low, high + size, !v || is_number(v));
        return;
    }
    struct frame *f = state_write_frame(a->pool, s, frame);
    struct value none = value_none(NONE_POINTER);
    if (!v)
        stack_clobber(a->pool, f, place, (int)size, true);
    else
        stack_write(a->pool, f, place, (int)size, is_number(v) || size == 8 ? v : &none);
}

static void transfer_store(const struct analysis *a, struct state *s, const struct bpf_decoded *d) {
    struct value p = s->reg[d->dst];
    unsigned size = d->width / 8u;
    if (d->op == BPF_ST) {
        uint64_t mask = size == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * size)) - 1;
        struct value v = value_const((uint64_t)d->imm & mask);
        stack_store(a, s, &p, d->off, size, &v);
        return;
    }
    struct value *src = &s->reg[d->src];
    if (p.kind == VALUE_STACK && size == 8)
        state_give_base(s, src);
    struct value v = truncated(s, src, size);
    stack_store(a, s, &p, d->off, size, &v);
}

static void transfer_atomic(const struct analysis *a, struct state *s,
                            const struct bpf_decoded *d) {
    struct value p = s->reg[d->dst];
    stack_store(a, s, &p, d->off, d->width / 8u, NULL);
    if (!bpf_atomic_fetches(d->op))
        return;
    s->reg[bpf_atomic_result(d)] = value_scalar(scalar_zext(d->width));
}

static struct value lddw(const struct bpf_decoded *d) {
    uint32_t index = (uint32_t)d->imm;
    int64_t offset = (int32_t)((uint64_t)d->imm >> 32);
    struct value v;
    switch ((enum bpf_pseudo)d->pseudo) {
    case BPF_PSEUDO_MAP: v = value_pointer(VALUE_MAP, index); break;
    case BPF_PSEUDO_DATA: v = value_pointer(VALUE_DATA, index); break;
    case BPF_PSEUDO_FUNC: return value_pointer(VALUE_FUNC, index);
    default: return value_const((uint64_t)d->imm);
    }
    v.n = scalar_const((uint64_t)offset);
    return v;
}

void transfer_insn(const struct analysis *a, struct state *s, uint32_t slot) {
    const struct bpf_decoded *d = &a->program->decoded[slot];
    if (s->compared.width) {
        uint16_t reads, writes;
        cfg_effects(a->program, slot, a->live_args, &reads, &writes);
        state_forget_comparison(s, writes);
    }
    if (bpf_op_is_alu(d->op))
        transfer_alu(s, d);
    else if (bpf_op_is_movsx(d->op) || bpf_op_is_end(d->op))
        transfer_unary(s, d);
    else if (bpf_op_is_atomic(d->op))
        transfer_atomic(a, s, d);
    else if (d->op == BPF_LDX || d->op == BPF_LDXS)
        transfer_load(a, s, d);
    else if (d->op == BPF_ST || d->op == BPF_STX)
        transfer_store(a, s, d);
    else if (d->op == BPF_LDDW)
        s->reg[d->dst] = lddw(d);
    else
        assert(d->op == BPF_JA);
}

/* --------------------------------------------------------------------------------------- branches */

/* The order of addresses within one object is the signed order of offsets. */
static enum bpf_op offset_comparison(enum bpf_op op) {
    switch (op) {
    case BPF_JGT: return BPF_JSGT;
    case BPF_JGE: return BPF_JSGE;
    case BPF_JLT: return BPF_JSLT;
    case BPF_JLE: return BPF_JSLE;
    default: return op;
    }
}

static bool branch_on_null(const struct analysis *a, struct state *s, const struct bpf_decoded *d,
                           bool taken) {
    struct value v = s->reg[d->dst];
    if (d->op != BPF_JEQ && d->op != BPF_JNE)
        return true;
    bool null = (d->op == BPF_JEQ) == taken;
    if (!v.nullable)
        return !null || !object_is_near(&v); /* no object lies at 0 */
    if (null && v.owner)
        state_release_null_record(a->pool, s, v.object);
    struct value copy = v;
    state_learn_null(a->pool, s, &copy, null);
    struct value *dst = &s->reg[d->dst];
    if (dst->nullable) { /* it had no base */
        dst->nullable = false;
        value_unrelate(dst);
        dst->owner = false;
        if (null)
            *dst = value_const(0);
    }
    return true;
}

/* Two numbers, or two offsets in one object. */
static bool branch_on_numbers(const struct analysis *a, struct state *s,
                              const struct bpf_decoded *d, enum bpf_op op, bool taken) {
    struct value *dst = &s->reg[d->dst];
    struct scalar x = dst->n, y = d->src_reg ? s->reg[d->src].n : scalar_const((uint64_t)d->imm);
    uint64_t apart;
    if (d->src_reg && d->width == 64 && (op == BPF_JEQ || op == BPF_JNE) &&
        distance(dst, &s->reg[d->src], &apart) && ((apart == 0) == (op == BPF_JEQ)) != taken)
        return false;
    if (!scalar_refine(op, d->width, taken, &x, &y))
        return false;
    if (d->src_reg && d->src == d->dst)
        return scalar_meet(&dst->n, &x) && scalar_meet(&dst->n, &y) && state_learn(a->pool, s, dst);
    dst->n = x;
    if (d->src_reg)
        s->reg[d->src].n = y;
    struct value learnt = *dst;
    if (!state_learn(a->pool, s, &learnt))
        return false;
    if (!d->src_reg)
        return true;
    learnt = s->reg[d->src];
    return state_learn(a->pool, s, &learnt);
}

/* Whether the comparison that is remembered says that d holds, or does not; false if it says nothing. */
static bool known_comparison(const struct state *s, const struct bpf_decoded *d, bool *holds) {
    struct compared c = s->compared;
    if (c.width != d->width || !d->src_reg)
        return false;
    if (c.dst == d->src && c.src == d->dst)
        c = (struct compared){(uint8_t)rel_swapped((enum bpf_op)c.op), d->dst, d->src, c.width};
    *holds = c.op == d->op;
    return c.dst == d->dst && c.src == d->src &&
           (*holds || (enum bpf_op)c.op == rel_inverse((enum bpf_op)d->op));
}

static bool branch_on_registers(const struct analysis *a, struct state *s,
                                const struct bpf_decoded *d, bool taken) {
    bool holds;
    if (known_comparison(s, d, &holds) && holds != taken)
        return false;
    if (!branch_on_numbers(a, s, d, (enum bpf_op)d->op, taken))
        return false;
    enum bpf_op op = (enum bpf_op)d->op;
    if (op != BPF_JSET)
        s->compared =
            (struct compared){(uint8_t)(taken ? op : rel_inverse(op)), d->dst, d->src, d->width};
    return true;
}

bool transfer_branch(const struct analysis *a, struct state *s, uint32_t slot, bool taken) {
    const struct bpf_decoded *d = &a->program->decoded[slot];
    struct value x = s->reg[d->dst], y = operand(s, d);
    if (is_number(&x) && is_number(&y))
        return d->src_reg ? branch_on_registers(a, s, d, taken)
                          : branch_on_numbers(a, s, d, d->op, taken);
    if (x.kind == VALUE_NONE || y.kind == VALUE_NONE || d->width == 32)
        return true;
    if (value_is_pointer(&x) && value_is_null(&y))
        return branch_on_null(a, s, d, taken);
    if (value_same_object(&x, &y) && !x.nullable && !y.nullable && object_is_near(&x) &&
        object_is_near(&y) && d->op != BPF_JSET)
        return branch_on_numbers(a, s, d, offset_comparison(d->op), taken);
    return true;
}
