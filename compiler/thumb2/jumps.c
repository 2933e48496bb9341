/* SPDX-License-Identifier: MIT */
/*
 * Jump threading on machine IR, after register allocation: blocks that only jump on are left out. Most
 * of them held the copies for phis on a critical edge, which coalescing has made empty; in a loop such
 * a block costs a branch on each turn.
 */
#include "thumb2/mir.h"

#include <assert.h>

static bool only_jumps(const struct mir_block *b) {
    return b->first == b->last && b->last->op == MIR_JUMP;
}

/* Where control arrives that goes to b. An empty endless loop stays what it is. */
static struct mir_block *destination(struct mir_block *b, uint32_t nblocks) {
    for (uint32_t steps = 0; steps < nblocks && only_jumps(b); steps++)
        b = b->last->target[0];
    return b;
}

static void retarget(struct mir_fn *fn, struct mir_inst *last) {
    for (int t = 0; t < 2 && last->target[t]; t++)
        last->target[t] = destination(last->target[t], fn->nblocks);
    if (!last->target[1] || last->target[0] != last->target[1])
        return;
    /* Both ways lead to one place: what is compared no longer matters. */
    last->op = MIR_JUMP;
    last->target[1] = NULL;
    for (int i = 0; i < MIR_MAX_DST; i++)
        last->dst[i] = MREG_NONE;
    for (int i = 0; i < MIR_MAX_SRC; i++)
        last->src[i] = MREG_NONE;
}

void mir_thread_jumps(struct mir_fn *fn) {
    for (uint32_t i = 0; i < fn->nblocks; i++)
        retarget(fn, fn->blocks[i]->last);
    mir_compute_preds(fn);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < fn->nblocks; i++) {
        struct mir_block *b = fn->blocks[i];
        if (i > 0 && only_jumps(b) && b->npreds == 0)
            continue;
        b->id = kept;
        fn->blocks[kept++] = b;
    }
    fn->nblocks = kept;
    mir_compute_preds(fn);
}
