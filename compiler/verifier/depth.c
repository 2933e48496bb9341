/* SPDX-License-Identifier: MIT */
/*
 * How deep each function's frame is used, by value: verify_stack.c sees constant offsets and takes an index to
 * go upwards; an index that may be negative reaches further down. Every access whose check holds is noted, in
 * the fixpoint's states, or in those of single paths where the fixpoint left the check open.
 */
#include "verifier/values.h"

#include "verifier/checks.h"

static void note(const struct analysis *a, const struct state *s, const struct value *p,
                 int64_t off) {
    int64_t low, high;
    if (p->kind != VALUE_STACK || !s->frame[p->object] || !object_range(p, off, &low, &high))
        return;
    int *lowest = &a->lowest[s->frame[p->object]->func];
    low = low < -VERIFY_STACK_MAX ? -VERIFY_STACK_MAX : low;
    *lowest = low < *lowest ? (int)low : *lowest;
}

static void note_helper(const struct analysis *a, const struct state *s, uint32_t id) {
    const struct bpf_helper *h = bpf_helper_by_id(id);
    for (unsigned i = 0; h && i < h->nargs; i++)
        if (bpf_arg_access((enum bpf_arg)h->arg[i]) != BPF_ARG_UNTOUCHED)
            note(a, s, &s->reg[BPF_R1 + i], 0);
}

void depth_note(const struct analysis *a, const struct state *s, uint32_t slot) {
    const struct bpf_decoded *d = &a->program->decoded[slot];
    if (d->op == BPF_LDX || d->op == BPF_LDXS)
        note(a, s, &s->reg[d->src], d->off);
    else if (d->op == BPF_ST || d->op == BPF_STX || bpf_op_is_atomic(d->op))
        note(a, s, &s->reg[d->dst], d->off);
    else if (d->op == BPF_CALL_HELPER)
        note_helper(a, s, (uint32_t)d->imm);
    else if (d->op == BPF_CALLX && s->reg[d->dst].kind == VALUE_SCALAR)
        note_helper(a, s, (uint32_t)s->reg[d->dst].n.x.value);
}

bool depth_take(const struct analysis *a) {
    bool deeper = false;
    for (uint32_t f = 0; f < a->program->nfuncs; f++) {
        uint32_t bytes = (uint32_t)(-a->lowest[f] + 7) / 8 * 8;
        if (bytes <= a->result->funcs[f].stack)
            continue;
        a->result->funcs[f].stack = bytes;
        deeper = true;
    }
    return !deeper || verify_chains(a->verifier);
}
