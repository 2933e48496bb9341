/* SPDX-License-Identifier: MIT */
/*
 * How much of its frame each function uses: down to the lowest address that it makes or accesses. An
 * access relative to r10 must lie in the 512 bytes below it.
 */
#include "verifier/checks.h"

struct stack_scan {
    struct verifier *v;
    const struct prog_func *func;
    int32_t low;      /* lowest offset from r10 that is used */
    int32_t below;    /* furthest access below an address with an unknown offset */
    bool unbounded;   /* the whole frame may be used */
    uint32_t deepest; /* the slot that made `low` */
    uint32_t slot;    /* being looked at */
};

static void note_low(struct stack_scan *s, int32_t low) {
    if (low < s->low) {
        s->low = low;
        s->deepest = s->slot;
    }
}

static void note_frame(void *arg, enum frame_use use, int32_t low) {
    struct stack_scan *s = arg;

    if (use == FRAME_UNBOUNDED)
        s->unbounded = true;
    else
        note_low(s, low);
}

static void check_access(struct stack_scan *s, const struct bpf_decoded *d, struct reg base) {
    int64_t low = (int64_t)base.value + d->off, high = low + d->width / 8;

    if (base.kind == REG_FRAME_AT && d->off < s->below)
        s->below = d->off;
    if (base.kind != REG_FRAME)
        return;
    if (low < -VERIFY_STACK_MAX || high > 0) {
        verify_error(s->v, DIAG_STACK, s->slot,
                     low < -VERIFY_STACK_MAX ? "keep large data in a map or in a global variable"
                                             : "the stack lies below r10",
                     "an access to bytes %lld to %lld from r10; the stack is bytes -%d to -1",
                     (long long)low, (long long)high - 1, VERIFY_STACK_MAX);
        return;
    }
    note_low(s, (int32_t)low);
}

static void visit(void *arg, uint32_t slot, const struct registers *before) {
    struct stack_scan *s = arg;
    const struct bpf_decoded *d = &s->v->program->decoded[slot];

    s->slot = slot;
    if (verify_gave_up(s->v))
        return;
    if (d->op == BPF_LDX || d->op == BPF_LDXS)
        check_access(s, d, before->reg[d->src]);
    if (d->op == BPF_ST || d->op == BPF_STX || bpf_op_is_atomic(d->op))
        check_access(s, d, before->reg[d->dst]);
}

static bool scan(struct verifier *v, uint32_t func) {
    struct stack_scan s = {.v = v, .func = &v->program->funcs[func]};
    unsigned before = v->errors;

    registers_walk(v, func, visit, note_frame, &s);
    int64_t bytes = -((int64_t)s.low + s.below);
    bytes = s.unbounded ? VERIFY_STACK_MAX : (bytes + 7) / 8 * 8;
    if (s.low < -VERIFY_STACK_MAX)
        return verify_error(v, DIAG_STACK, s.deepest,
                            "keep large data in a map or in a global variable",
                            "function %s uses %d bytes of stack; there are %d", s.func->name,
                            -s.low, VERIFY_STACK_MAX);
    v->result->funcs[func].stack = bytes < VERIFY_STACK_MAX ? (uint32_t)bytes : VERIFY_STACK_MAX;
    return v->errors == before;
}

bool verify_stack(struct verifier *v) {
    bool good = true;

    for (uint32_t i = 0; i < v->program->nfuncs && !verify_gave_up(v); i++)
        good &= scan(v, i);
    return good;
}
