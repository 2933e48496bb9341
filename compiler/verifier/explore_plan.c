/* SPDX-License-Identifier: MIT */
/*
 * What exploration knows before it follows any path: where goals lie, from where they can still be
 * reached, where states are kept, and which registers matter.
 *
 * A register matters if its number may come to bear on a goal: on an open check, an address, a jump while
 * a goal is ahead, or memory that is followed. It is the liveness of registers with only such uses as
 * uses. Where states are kept, numbers that do not matter are forgotten (explore.c), so that a sum that is
 * only ever stored or returned does not tell states apart. To forget is to replace a set of states by a
 * larger one: if this analysis said too little, a check might fail that need not, and nothing worse.
 */
#include "verifier/explore_parts.h"

#include "bpf/helper.h"

struct planning {
    const struct analysis *a;
    struct fixpoint *fp;
    const struct explore_goals *goals;
    struct plan *plan;
    const struct cfg *cfg; /* of the function at hand */
    uint16_t *matter;      /* by block: registers that matter at its start */
};

static const struct bpf_decoded *insn(const struct planning *p, uint32_t slot) {
    return &p->a->program->decoded[slot];
}

static bool is_open(const struct planning *p, uint32_t slot) {
    return p->plan->flags[slot] & SLOT_OPEN;
}

/* ---- Goals ahead */

/* Whether a goal lies in the functions that the instruction calls. */
static bool calls_goal(const struct planning *p, uint32_t slot) {
    const struct bpf_decoded *d = insn(p, slot);
    if (d->op == BPF_CALL_LOCAL)
        return p->plan->wants[program_callee(p->a->program, slot)];
    for (uint32_t f = 0; d->op == BPF_CALLX && f < p->a->program->nfuncs; f++)
        if (p->a->program->funcs[f].address_taken && p->plan->wants[f])
            return true;
    return false;
}

static bool unbounded(const struct planning *p, uint32_t block) {
    uint32_t loop = p->fp->header_loop[p->cfg->func][block];
    return loop != CFG_NONE && p->goals->bounds[p->cfg->func][loop] == UINT64_MAX;
}

static bool block_has_goal(const struct planning *p, uint32_t block) {
    const struct cfg_block *b = &p->cfg->blocks[block];
    bool found = unbounded(p, block);
    for (uint32_t slot = b->start; slot < b->end && !found; slot += insn(p, slot)->len)
        found = is_open(p, slot) || calls_goal(p, slot);
    return found;
}

/* A goal of a block is one of every loop around it. */
static void mark_loops(struct planning *p, uint32_t block) {
    bool *loops = p->plan->loop_wants[p->cfg->func];
    uint32_t loop = p->cfg->blocks[block].loop;
    for (; loop != CFG_NONE && !loops[loop]; loop = p->cfg->loops[loop].parent)
        loops[loop] = true;
}

/* Marks blocks from which a goal can be reached: backwards from those that have one. */
static void mark_ahead(struct planning *p) {
    VEC(uint32_t) todo = {0};
    for (uint32_t b = 0; b < p->cfg->nblocks; b++)
        if (block_has_goal(p, b)) {
            p->plan->flags[p->cfg->blocks[b].start] |= SLOT_AHEAD;
            p->plan->wants[p->cfg->func] = true;
            mark_loops(p, b);
            vec_push(p->a->arena, &todo, b);
        }
    while (todo.count) {
        const struct cfg_block *b = &p->cfg->blocks[vec_pop(&todo)];
        for (uint32_t i = 0; i < b->npreds; i++) {
            uint8_t *flags = &p->plan->flags[p->cfg->blocks[b->preds[i]].start];
            if (!(*flags & SLOT_AHEAD))
                vec_push(p->a->arena, &todo, b->preds[i]);
            *flags |= SLOT_AHEAD;
        }
    }
}

/* Behind a call: whether a goal is in the rest of its block, or ahead of that. */
static bool ahead_behind(const struct planning *p, const struct cfg_block *b, uint32_t slot) {
    for (; slot < b->end; slot += insn(p, slot)->len)
        if (is_open(p, slot) || calls_goal(p, slot))
            return true;
    for (uint32_t i = 0; i < b->nsucc; i++)
        if (p->plan->flags[p->cfg->blocks[b->succ[i]].start] & SLOT_AHEAD)
            return true;
    return false;
}

/* ---- Registers that matter */

/* Arguments that decide what the call does to the state; all of them if its check is open. */
static uint16_t helper_uses(const struct planning *p, uint32_t slot, uint16_t reads) {
    const struct bpf_helper *h = bpf_helper_by_id((uint32_t)insn(p, slot)->imm);
    uint16_t uses = reads;
    if (is_open(p, slot) || !h || h->id == BPF_FUNC_LOOP)
        return uses;
    for (unsigned i = 0; i < h->nargs; i++)
        if (h->arg[i] == BPF_ARG_U32 || h->arg[i] == BPF_ARG_U64)
            uses &= (uint16_t) ~(1u << (BPF_R1 + i));
    return uses;
}

/* What matters before an instruction, of what does behind it. */
static uint16_t matters_before(const struct planning *p, uint32_t slot, uint16_t behind,
                               bool ahead) {
    const struct bpf_decoded *d = insn(p, slot);
    const struct prog_func *f = &p->a->program->funcs[p->cfg->func];
    uint16_t reads, writes;
    cfg_effects(p->a->program, slot, p->a->live_args, &reads, &writes);
    uint16_t rest = behind & (uint16_t)~writes;
    if (d->op == BPF_CALL_HELPER)
        return rest | helper_uses(p, slot, reads);
    if (d->op == BPF_CALL_LOCAL || d->op == BPF_CALLX || is_open(p, slot))
        return rest | reads;
    if (d->op == BPF_EXIT)
        return f->entry < 0 ? reads : 0;
    if (bpf_op_is_jcc(d->op))
        return ahead ? rest | reads : rest;
    if (d->op == BPF_ST || d->op == BPF_STX || bpf_op_is_atomic(d->op)) {
        bool matters = bitset_test(p->goals->to_stack, slot) || (behind & writes);
        return matters ? behind | reads : behind;
    }
    return behind & writes ? rest | reads : rest;
}

/* Goes over a block backwards. With `note`, for each instruction what is live and what matters. */
static uint16_t go_over(struct planning *p, uint32_t block, bool note) {
    const struct cfg_block *b = &p->cfg->blocks[block];
    bool ahead = p->plan->flags[b->start] & SLOT_AHEAD;
    uint16_t matter = 0, live = 1u << BPF_R10, reads, writes;
    for (uint32_t i = 0; i < b->nsucc; i++) {
        matter |= p->matter[b->succ[i]];
        live |= p->cfg->blocks[b->succ[i]].live_in;
    }
    for (uint32_t slot = b->end; slot-- > b->start;) {
        if (insn(p, slot)->len == 0)
            continue;
        matter = matters_before(p, slot, matter, ahead);
        if (!note)
            continue;
        cfg_effects(p->a->program, slot, p->a->live_args, &reads, &writes);
        live = (uint16_t)((live & ~writes) | reads);
        p->plan->live[slot] = live;
        p->plan->keep[slot] = matter;
    }
    return matter;
}

static void find_matter(struct planning *p) {
    const struct cfg *cfg = p->cfg;
    p->matter = arena_alloc_array(p->a->arena, cfg->nblocks, sizeof(*p->matter));
    struct bitset *todo = bitset_new(p->a->arena, cfg->nblocks);
    bitset_set_all(todo);
    while (!bitset_empty(todo)) {
        /* The last block first: what it needs flows backwards. */
        for (uint32_t b = cfg->nblocks; b-- > 0;) {
            if (!bitset_test(todo, b))
                continue;
            bitset_clear(todo, b);
            uint16_t matter = go_over(p, b, false);
            if (matter == p->matter[b])
                continue;
            p->matter[b] = matter;
            for (uint32_t i = 0; i < cfg->blocks[b].npreds; i++)
                bitset_set(todo, cfg->blocks[b].preds[i]);
        }
    }
    for (uint32_t b = 0; b < cfg->nblocks; b++)
        go_over(p, b, true);
}

/* ---- All */

static void plan_blocks(struct planning *p) {
    for (uint32_t i = 0; i < p->cfg->nblocks; i++) {
        const struct cfg_block *b = &p->cfg->blocks[i];
        bool header = p->fp->header_loop[p->cfg->func][i] != CFG_NONE;
        p->plan->flags[b->start] |= (uint8_t)(SLOT_BLOCK | (header ? SLOT_HEADER | SLOT_VISIT : 0) |
                                              (b->npreds > 1 ? SLOT_VISIT : 0));
        for (uint32_t slot = b->start; slot < b->end; slot += insn(p, slot)->len) {
            const struct bpf_decoded *d = insn(p, slot);
            bool result = d->op == BPF_EXIT && p->goals->result_open[p->cfg->func];
            if (bitset_test(p->goals->open, slot) || result)
                p->plan->flags[slot] |= SLOT_OPEN;
            if (d->op == BPF_CALL_LOCAL || d->op == BPF_CALLX)
                p->plan->flags[slot + d->len] |= SLOT_VISIT;
        }
    }
}

/* What the flags of a slot behind a call say of goals: a block's start has its own already. */
static void plan_calls(struct planning *p) {
    for (uint32_t i = 0; i < p->cfg->nblocks; i++) {
        const struct cfg_block *b = &p->cfg->blocks[i];
        for (uint32_t slot = b->start; slot < b->end; slot += insn(p, slot)->len) {
            const struct bpf_decoded *d = insn(p, slot);
            bool call = d->op == BPF_CALL_LOCAL || d->op == BPF_CALLX;
            if (call && ahead_behind(p, b, slot + d->len))
                p->plan->flags[slot + d->len] |= SLOT_AHEAD;
        }
    }
}

struct plan *plan_new(struct fixpoint *fp, const struct explore_goals *goals) {
    const struct analysis *a = fp->a;
    const struct program *program = a->program;
    struct plan *plan = arena_alloc(a->arena, sizeof(*plan));
    struct planning p = {.a = a, .fp = fp, .goals = goals, .plan = plan};
    plan->flags = arena_alloc_array(a->arena, program->ninsns + 1, sizeof(*plan->flags));
    plan->live = arena_alloc_array(a->arena, program->ninsns, sizeof(*plan->live));
    plan->keep = arena_alloc_array(a->arena, program->ninsns, sizeof(*plan->keep));
    plan->wants = arena_alloc_array(a->arena, program->nfuncs, sizeof(*plan->wants));
    plan->loop_wants = arena_alloc_array(a->arena, program->nfuncs, sizeof(*plan->loop_wants));
    for (uint32_t i = 0; i < program->nfuncs; i++) { /* callees first */
        uint32_t func = a->result->order[i];
        plan->loop_wants[func] = arena_alloc_array(a->arena, a->cfgs[func].nloops, sizeof(bool));
        p.cfg = &a->cfgs[a->result->order[i]];
        plan_blocks(&p);
        mark_ahead(&p);
        plan_calls(&p);
        find_matter(&p);
    }
    return plan;
}
