/* SPDX-License-Identifier: MIT */
/*
 * Live registers. Each block's set grows by at most eleven registers, and only growth is propagated:
 * linear in the number of edges.
 */
#include "verifier/cfg_parts.h"

#include "bpf/helper.h"
#include "util/vec.h"

#define REG(r) ((uint16_t)(1u << (r)))
#define ARGS ((uint16_t)(REG(BPF_R1) | REG(BPF_R2) | REG(BPF_R3) | REG(BPF_R4) | REG(BPF_R5)))

/* ------------------------------------------------------------------------ single instructions */

static uint16_t helper_args(uint32_t id) {
    const struct bpf_helper *helper = bpf_helper_by_id(id);
    return helper ? ARGS & (uint16_t)((2u << helper->nargs) - 1) : ARGS;
}

static uint16_t local_args(const struct program *program, uint32_t slot,
                           const uint16_t *live_args) {
    if (!live_args)
        return ARGS;
    return ARGS & live_args[program_callee(program, slot)];
}

static void atomic_effects(const struct bpf_decoded *d, uint16_t *reads, uint16_t *writes) {
    *reads = REG(d->dst) | REG(d->src);
    if (d->op == BPF_ATOMIC_CMPXCHG) {
        *reads |= REG(BPF_R0);
        *writes = REG(BPF_R0);
    } else if (bpf_atomic_fetches(d->op)) {
        *writes = REG(d->src);
    }
}

void cfg_effects(const struct program *program, uint32_t slot, const uint16_t *live_args,
                 uint16_t *reads, uint16_t *writes) {
    const struct bpf_decoded *d = &program->decoded[slot];
    uint16_t dst = REG(d->dst), operand = d->src_reg ? REG(d->src) : 0;

    *reads = *writes = 0;
    if (bpf_op_is_alu(d->op)) {
        *reads = d->op == BPF_MOV ? operand : dst | operand;
        *writes = dst;
    } else if (bpf_op_is_movsx(d->op)) {
        *reads = REG(d->src);
        *writes = dst;
    } else if (bpf_op_is_end(d->op)) {
        *reads = *writes = dst;
    } else if (bpf_op_is_jcc(d->op)) {
        *reads = dst | operand;
    } else if (bpf_op_is_atomic(d->op)) {
        atomic_effects(d, reads, writes);
    } else {
        switch (d->op) {
        case BPF_LDX:
        case BPF_LDXS:
            *reads = REG(d->src);
            *writes = dst;
            break;
        case BPF_ST: *reads = dst; break;
        case BPF_STX: *reads = dst | REG(d->src); break;
        case BPF_LDDW: *writes = dst; break;
        case BPF_CALL_HELPER: *reads = helper_args((uint32_t)d->imm); break;
        case BPF_CALL_LOCAL: *reads = local_args(program, slot, live_args); break;
        case BPF_CALLX: *reads = dst | ARGS; break;
        case BPF_EXIT: *reads = REG(BPF_R0); break;
        default: break;
        }
        if (bpf_op_is_call(d->op))
            *writes = REG(BPF_R0) | ARGS;
    }
}

/* ------------------------------------------------------------------------------ whole function */

static uint16_t live_out(const struct cfg *cfg, const struct cfg_block *block) {
    uint16_t live = REG(BPF_FP);
    for (uint32_t k = 0; k < block->nsucc; k++)
        live |= cfg->blocks[block->succ[k]].live_in;
    return live;
}

/* Live before `slot` if `live` is live at its block's end. Second halves of loads have len 0 and
 * would read nothing. */
static uint16_t live_before(const struct program *program, const struct cfg_block *block,
                            uint32_t slot, uint16_t live, const uint16_t *live_args) {
    for (uint32_t i = block->end; i-- > slot;) {
        uint16_t reads, writes;
        if (program->decoded[i].len == 0)
            continue;
        cfg_effects(program, i, live_args, &reads, &writes);
        live = (uint16_t)((live & ~writes) | reads);
    }
    return live;
}

struct liveness {
    struct cfg *cfg;
    uint16_t *reads, *keeps; /* by block: live at its start, whatever follows; if live at its end */
    struct bitset *waiting;
    VEC(uint32_t) todo;
};

static void wait_for(struct arena *arena, struct liveness *l, uint32_t block) {
    if (bitset_test(l->waiting, block))
        return;
    bitset_set(l->waiting, block);
    vec_push(arena, &l->todo, block);
}

void cfg_find_live(struct arena *arena, const struct program *program, const uint16_t *live_args,
                   struct cfg *cfg) {
    struct liveness l = {.cfg = cfg,
                         .reads = arena_alloc_array(arena, cfg->nblocks, sizeof(*l.reads)),
                         .keeps = arena_alloc_array(arena, cfg->nblocks, sizeof(*l.keeps)),
                         .waiting = bitset_new(arena, cfg->nblocks)};

    for (uint32_t i = 0; i < cfg->nblocks; i++) {
        const struct cfg_block *block = &cfg->blocks[i];
        l.reads[i] = live_before(program, block, block->start, 0, live_args);
        l.keeps[i] = live_before(program, block, block->start, UINT16_MAX, live_args);
        wait_for(arena, &l, i);
    }
    while (l.todo.count) {
        uint32_t i = vec_pop(&l.todo);
        struct cfg_block *block = &cfg->blocks[i];
        uint16_t live = l.reads[i] | (live_out(cfg, block) & l.keeps[i]);
        bitset_clear(l.waiting, i);
        if (live == block->live_in)
            continue;
        block->live_in = live;
        for (uint32_t k = 0; k < block->npreds; k++)
            wait_for(arena, &l, block->preds[k]);
    }
}

uint16_t cfg_live_at(const struct cfg *cfg, const struct program *program, uint32_t slot,
                     const uint16_t *live_args) {
    uint32_t index = cfg->block_of[slot - program->funcs[cfg->func].start];
    const struct cfg_block *block = &cfg->blocks[index];
    return live_before(program, block, slot, live_out(cfg, block), live_args);
}
