/* SPDX-License-Identifier: MIT */
/*
 * Sparse conditional constant propagation: values of which all bits are known become constants,
 * branches that can only go one way jumps, and blocks that control cannot reach are removed.
 */
#include "opt/known.h"
#include "opt/opt.h"

/* The first instruction of the block behind inst that is no phi, or inst itself if it is none. */
static struct ir_inst *place_for(struct ir_inst *inst) {
    while (inst->op == IR_PHI)
        inst = inst->next;
    return inst;
}

static void use_constants(struct ir_fn *fn, const struct solution *s, struct ir_inst *inst) {
    if (inst->op == IR_CONST || !(inst->op == IR_PHI || ir_ops[inst->op].flags & IR_PURE))
        return;
    bool all = true;
    for (int i = 0; i < 2; i++) {
        ir_val v = inst->res[i];
        if (!v)
            continue;
        if (!known_constant(&s->known[v])) {
            all = false;
            continue;
        }
        enum ir_type type = (enum ir_type)fn->values[v].type;
        ir_replace(fn, v, ir_const_before(fn, place_for(inst), type, (int64_t)s->known[v].ones));
    }
    if (all)
        ir_remove(fn, inst);
}

/* Drops the edges into a block that are never taken. */
static void drop_dead_edges(const struct solution *s, struct ir_block *block) {
    const bool *live = s->edge_live + s->edge_base[block->id];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < block->npreds; i++) {
        if (!live[i])
            continue;
        for (struct ir_inst *phi = block->first; phi->op == IR_PHI; phi = phi->next)
            phi->args[kept] = phi->args[i];
        block->preds[kept++] = block->preds[i];
    }
    for (struct ir_inst *phi = block->first; phi->op == IR_PHI; phi = phi->next)
        phi->nargs = kept;
    block->npreds = kept;
}

static bool edge_is_live(const struct solution *s, const struct ir_block *block, unsigned side) {
    const struct ir_block *to = block->target[side];
    return s->edge_live[s->edge_base[to->id] + s->edge[block->id][side]];
}

/* Of a branch with one side that is never taken; the edge itself is dropped by its target. */
static void jump_instead(const struct solution *s, struct ir_block *block) {
    if (!block->target[1])
        return;
    bool taken = edge_is_live(s, block, 0), other = edge_is_live(s, block, 1);
    if (taken && other)
        return;
    block->target[0] = block->target[!taken];
    block->target[1] = NULL;
    block->last->op = IR_JUMP;
    block->last->type = IR_VOID;
    block->last->nargs = 0;
}

static void remove_block(struct ir_fn *fn, struct ir_block *block) {
    while (block->first)
        ir_remove(fn, block->first);
    fn->blocks[block->id] = NULL;
}

void opt_sccp(struct ir_fn *fn) {
    struct arena *arena = arena_new();
    struct solution s;
    known_solve(fn, arena, &s);
    for (uint32_t i = 0; i < fn->norder; i++) {
        struct ir_block *block = fn->order[i];
        if (!s.block_live[block->id]) {
            remove_block(fn, block);
            continue;
        }
        for (struct ir_inst *inst = block->first, *next; inst; inst = next) {
            next = inst->next;
            use_constants(fn, &s, inst);
        }
    }
    for (uint32_t i = 0; i < fn->norder; i++)
        if (s.block_live[fn->order[i]->id])
            jump_instead(&s, fn->order[i]);
    for (uint32_t i = 0; i < fn->norder; i++)
        if (s.block_live[fn->order[i]->id])
            drop_dead_edges(&s, fn->order[i]);
    ir_resolve(fn);
    arena_free(arena);
}
