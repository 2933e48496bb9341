/* SPDX-License-Identifier: MIT */
/*
 * A small data-flow analysis over one function: which registers hold addresses of its own stack frame,
 * code pointers or constants. It exists for two questions, how deep a function's stack is and which
 * function a pointer calls, and errs on the side of more: what comes from memory, from a parameter or
 * from a call may be any code pointer (REG_ANY).
 *
 * The lattice has no ranges, so it needs no widening: along CONST -> SCALAR -> ANY -> FRAME_AT a
 * register changes at most a few times. States are kept where jumps lead to; between those they are
 * recomputed.
 *
 * One thing it takes on trust: that an index added to the address of an array in the frame is not
 * negative. For what verify() accepts, depth.c takes the depth from the values instead; what is compiled
 * unverified has only this.
 */
#include "verifier/checks.h"

#include <string.h>

/* Beyond this, arithmetic with frame addresses means nothing; keeps sums far from overflow. */
#define OFFSET_MAX (1 << 20)

struct flow {
    const struct program *program;
    const struct prog_func *func;
    struct registers **at; /* by slot of the function: the state where a jump leads to, or NULL */
    bool *is_target;
    VEC(uint32_t) todo; /* slots in the function with a state to be propagated */
    frame_visitor *frame;
    void *arg;
};

static const struct reg scalar = {REG_SCALAR, 0}, any = {REG_ANY, 0}, frame_at = {REG_FRAME_AT, 0};

static bool same(struct reg a, struct reg b) {
    return a.kind == b.kind && a.value == b.value;
}

static bool is_frame(struct reg r) {
    return r.kind == REG_FRAME || r.kind == REG_FRAME_AT;
}

/* What a register may be after an operation on it that is not followed. */
static struct reg blur(struct reg a, struct reg b) {
    if (is_frame(a) || is_frame(b))
        return frame_at;
    if (a.kind == REG_ANY || b.kind == REG_ANY || a.kind == REG_FUNC || b.kind == REG_FUNC)
        return any;
    return scalar;
}

static struct reg join(struct reg a, struct reg b) {
    return same(a, b) ? a : blur(a, b);
}

/* ---- Effects of instructions ---- */

static void report(const struct flow *f, enum frame_use use, int32_t low) {
    if (f->frame)
        f->frame(f->arg, use, low);
}

/* r10 + base moved by a constant. */
static struct reg frame_plus(const struct flow *f, int64_t base, int64_t distance) {
    if (base + distance < -OFFSET_MAX || base + distance > OFFSET_MAX) {
        report(f, FRAME_UNBOUNDED, 0);
        return frame_at;
    }
    report(f, FRAME_POINTER, (int32_t)(base + distance));
    return (struct reg){REG_FRAME, (int32_t)(base + distance)};
}

/* a + b, where one of them is a frame address; `sign` is -1 for a - b. */
static struct reg frame_sum(const struct flow *f, struct reg a, struct reg b, int sign) {
    if (a.kind == REG_FRAME && b.kind == REG_CONST)
        return frame_plus(f, a.value, (int64_t)sign * b.value);
    if (b.kind == REG_FRAME && a.kind == REG_CONST && sign > 0)
        return frame_plus(f, b.value, a.value);
    if (is_frame(a) && is_frame(b) && sign < 0)
        return scalar; /* a distance */
    const struct reg *base = is_frame(a) ? &a : &b, *index = is_frame(a) ? &b : &a;
    /* An array's address plus an index stays above the address. Without an address of an array, or
     * going down, nothing is known. */
    bool bounded =
        sign > 0 && !is_frame(*index) &&
        (base->kind == REG_FRAME ? base->value < 0 : index->kind != REG_CONST || index->value >= 0);
    if (!bounded)
        report(f, FRAME_UNBOUNDED, 0);
    return frame_at;
}

static struct reg alu(const struct flow *f, const struct bpf_decoded *d, struct reg a,
                      struct reg b) {
    switch (d->op) {
    case BPF_MOV:
        /* A 32-bit move keeps an address: all of this machine's fit. Numbers lose their sign. */
        return d->width == 32 && b.kind == REG_CONST && b.value < 0 ? scalar : b;
    case BPF_ADD:
    case BPF_SUB:
        if (is_frame(a) || is_frame(b))
            return frame_sum(f, a, b, d->op == BPF_ADD ? 1 : -1);
        return blur(a, b);
    default: return blur(a, b);
    }
}

static struct reg constant(int64_t number) {
    if (number < -OFFSET_MAX || number > OFFSET_MAX)
        return scalar;
    return (struct reg){REG_CONST, (int32_t)number};
}

static void clobber_arguments(struct registers *r) {
    for (int i = BPF_R1; i <= BPF_R5; i++)
        r->reg[i] = scalar;
}

static void apply(const struct flow *f, const struct bpf_decoded *d, struct registers *r) {
    struct reg *dst = &r->reg[d->dst];

    if (bpf_op_is_alu(d->op)) {
        *dst = alu(f, d, *dst, d->src_reg ? r->reg[d->src] : constant(d->imm));
        return;
    }
    if (bpf_op_is_movsx(d->op) || bpf_op_is_end(d->op)) {
        struct reg from = bpf_op_is_movsx(d->op) ? r->reg[d->src] : *dst;
        *dst = blur(from, from);
        return;
    }
    if (bpf_op_is_atomic(d->op)) {
        if (bpf_atomic_fetches(d->op))
            r->reg[bpf_atomic_result(d)] = any;
        return;
    }
    switch (d->op) {
    case BPF_LDX:
    case BPF_LDXS: *dst = d->width >= 32 ? any : scalar; break;
    case BPF_LDDW:
        if (d->pseudo == BPF_PSEUDO_FUNC)
            *dst = (struct reg){REG_FUNC, (int32_t)(uint32_t)d->imm};
        else
            *dst = d->pseudo == BPF_PSEUDO_NONE ? constant(d->imm) : scalar;
        break;
    case BPF_CALL_HELPER:
        r->reg[BPF_R0] = scalar;
        clobber_arguments(r);
        break;
    case BPF_CALL_LOCAL:
    case BPF_CALLX:
        r->reg[BPF_R0] = any;
        clobber_arguments(r);
        break;
    default: break;
    }
}

/* ---- The fixpoint ---- */

/* Joins a state into the one at a target; a target that changed is propagated again. */
static void flow_to(struct flow *f, uint32_t slot, const struct registers *state) {
    struct registers **at = &f->at[slot - f->func->start];
    bool changed = false;

    if (!*at) {
        *at = arena_alloc(f->program->arena, sizeof(**at));
        **at = *state;
        vec_push(f->program->arena, &f->todo, slot);
        return;
    }
    for (int i = 0; i < BPF_NREGS; i++) {
        struct reg joined = join((*at)->reg[i], state->reg[i]);
        changed |= !same(joined, (*at)->reg[i]);
        (*at)->reg[i] = joined;
    }
    if (changed)
        vec_push(f->program->arena, &f->todo, slot);
}

/* From a target to the next one, or to the end of the straight code. */
static void propagate(struct flow *f, uint32_t slot) {
    struct registers state = *f->at[slot - f->func->start];

    for (uint32_t i = slot;;) {
        const struct bpf_decoded *d = &f->program->decoded[i];
        if (d->op == BPF_EXIT)
            return;
        if (bpf_op_is_jump(d->op))
            flow_to(f, i + (uint32_t)d->target, &state);
        if (d->op == BPF_JA)
            return;
        apply(f, d, &state);
        i += d->len;
        if (f->is_target[i - f->func->start]) {
            flow_to(f, i, &state);
            return;
        }
    }
}

static void find_targets(struct flow *f) {
    for (uint32_t i = 0; i < f->func->len; i++) {
        const struct bpf_decoded *d = &f->program->decoded[f->func->start + i];
        if (d->len && bpf_op_is_jump(d->op))
            f->is_target[i + (uint32_t)d->target] = true;
    }
}

void registers_walk(struct verifier *v, uint32_t func,
                    void (*visit)(void *arg, uint32_t slot, const struct registers *before),
                    frame_visitor *frame, void *arg) {
    const struct prog_func *pf = &v->program->funcs[func];
    struct arena *arena = v->program->arena;
    struct flow f = {.program = v->program,
                     .func = pf,
                     .at = arena_alloc_array(arena, pf->len, sizeof(*f.at)),
                     .is_target = arena_alloc_array(arena, pf->len, sizeof(*f.is_target))};
    struct registers entry;

    for (int i = 0; i < BPF_NREGS; i++)
        entry.reg[i] = i >= BPF_R1 && i <= BPF_R5 ? any : scalar;
    entry.reg[BPF_FP] = (struct reg){REG_FRAME, 0};
    find_targets(&f);
    flow_to(&f, pf->start, &entry);
    while (f.todo.count)
        propagate(&f, vec_pop(&f.todo));

    /* Once more over the reachable code, with the states final. */
    struct registers state = entry;
    f.frame = frame;
    f.arg = arg;
    for (uint32_t i = 0; i < pf->len; i++) {
        const struct bpf_decoded *d = &v->program->decoded[pf->start + i];
        if (d->len == 0 || !bitset_test(v->result->reachable, pf->start + i))
            continue;
        if (f.at[i])
            state = *f.at[i];
        visit(arg, pf->start + i, &state);
        apply(&f, d, &state);
    }
}
