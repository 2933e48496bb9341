/* SPDX-License-Identifier: MIT */
/*
 * Critical edges: from a block with two successors to one with several predecessors. Copies for phis
 * have no place on such an edge, so it gets a block of its own.
 */
#include "thumb2/isel.h"

#include <assert.h>

/* Puts a block with a jump on the edge; it takes the edge's place among the target's predecessors,
 * so that phi arguments stay where they are. */
static void split(struct ir_fn *fn, struct ir_block *from, int side) {
    struct ir_block *to = from->target[side], *middle = ir_block_new(fn);
    uint32_t slot = 0;
    while (to->preds[slot] != from)
        slot++;
    ir_append(middle, ir_inst_new(fn, IR_JUMP, IR_VOID, 0, NULL, 0, IR_VOID));
    middle->last->insn = from->last->insn;
    middle->target[0] = to;
    middle->preds = arena_alloc_array(fn->arena, 1, sizeof(*middle->preds));
    middle->preds[0] = from;
    middle->npreds = middle->preds_room = 1;
    to->preds[slot] = middle;
    from->target[side] = middle;
}

void split_critical_edges(struct ir_fn *fn) {
    uint32_t n = fn->nblocks;
    for (uint32_t i = 0; i < n; i++) {
        struct ir_block *b = fn->blocks[i];
        if (!b || !b->target[1])
            continue;
        for (int side = 0; side < 2; side++)
            if (b->target[side]->npreds > 1)
                split(fn, b, side);
    }
}
