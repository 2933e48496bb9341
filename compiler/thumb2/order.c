/* SPDX-License-Identifier: MIT */
/*
 * Order of blocks, after register allocation: what a back edge has to copy stands in a block of its own,
 * which comes last in reverse post-order, behind the loop's exit. It moves to where it is come from, so
 * that an iteration takes one branch and not two.
 *
 *     b1: ... br -> b3, b2        b1: ... br -> b2, b3
 *     b2: (exit)                  b3: (copies) jump b1
 *     b3: (copies) jump b1        b2: (exit)
 */
#include "thumb2/finish.h"

/* Whether `to`, where `from` branches, goes back to a block in front of it, and `other` out of the loop. */
static bool is_latch(const struct mir_block *from, const struct mir_block *to,
                     const struct mir_block *other) {
    return to->npreds == 1 && to->last->op == MIR_JUMP && to->last->target[0]->id <= from->id &&
           other->loop_depth < to->loop_depth && to->id > from->id;
}

static struct mir_block *latch_of(const struct mir_block *from) {
    const struct mir_inst *br = from->last;
    for (int k = 0; k < 2 && br->target[1]; k++)
        if (is_latch(from, br->target[k], br->target[!k]))
            return br->target[k];
    return NULL;
}

void order_latches(struct mir_fn *fn) {
    struct arena *arena = arena_new();
    struct mir_block **old = arena_alloc_array(arena, fn->nblocks, sizeof(*old));
    bool *placed = arena_alloc_array(arena, fn->nblocks, sizeof(*placed));
    uint32_t n = 0;
    for (uint32_t i = 0; i < fn->nblocks; i++)
        old[i] = fn->blocks[i];
    for (uint32_t i = 0; i < fn->nblocks; i++) {
        if (placed[i])
            continue;
        fn->blocks[n++] = old[i];
        struct mir_block *latch = latch_of(old[i]);
        if (latch && !placed[latch->id]) {
            placed[latch->id] = true;
            fn->blocks[n++] = latch;
        }
    }
    for (uint32_t i = 0; i < n; i++)
        fn->blocks[i]->id = i;
    arena_free(arena);
}
