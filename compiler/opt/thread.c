/* SPDX-License-Identifier: MIT */
/*
 * Jump threading: a block that only merges values and tests one of them against a constant knows the
 * outcome for a predecessor that brings a constant; that predecessor goes where the test leads. The
 * case that matters: a look-up that gives an address or 0, and the test for 0 behind it.
 *
 *     b3: v1 = phi b1: 0, b2: address          b1 goes to the block for 0 at once, b2 falls
 *         br eq v1, 0, b4, b5                  through to b5 with an address that is one
 *
 * A value of the block must not be needed where the block no longer dominates: its uses have to be in
 * the block, behind its other side, or in phis of the target for the edge from the block (which are
 * given what the predecessor brings).
 */
#include "opt/opt.h"

#include "opt/uses.h"

struct threader {
    struct ir_fn *fn;
    struct uses uses;
    bool *touched; /* by block id: changed in this round, what we know of it is stale */
    bool changed;
};

/* The block is phis, constants, and a branch on a phi against a constant. */
static bool is_candidate(const struct ir_fn *fn, const struct ir_block *b, uint64_t *constant) {
    const struct ir_inst *br = b->last;
    if (br->op != IR_BR || b->target[0] == b->target[1] || b->npreds < 2)
        return false;
    const struct ir_inst *tested = fn->values[br->args[0]].def;
    if (tested->op != IR_PHI || tested->block != b || !ir_is_const(fn, br->args[1], constant))
        return false;
    for (const struct ir_inst *inst = b->first; inst != br; inst = inst->next)
        if (inst->op != IR_PHI && inst->op != IR_CONST)
            return false;
    return true;
}

/* Whether v, defined in b, is used only where going past b to `target` leaves it defined. */
static bool uses_allow(const struct threader *t, const struct ir_block *b, ir_val v,
                       const struct ir_block *target, const struct ir_block *other) {
    bool is_phi = t->fn->values[v].def->op == IR_PHI;
    uses_for_each(use, &t->uses, v) {
        const struct ir_inst *inst = use->inst;
        if (inst->op == IR_PHI) {
            const struct ir_block *from = inst->block->preds[use->arg];
            if (inst->block == target && from == b) {
                if (!is_phi)
                    return false;
                continue;
            }
            if (from == b || (other->npreds == 1 && ir_dominates(other, from)))
                continue;
            return false;
        }
        if (inst->block != b && !(other->npreds == 1 && ir_dominates(other, inst->block)))
            return false;
    }
    return true;
}

static bool all_uses_allow(const struct threader *t, const struct ir_block *b,
                           const struct ir_block *target, const struct ir_block *other) {
    for (const struct ir_inst *inst = b->first; inst != b->last; inst = inst->next)
        if (!uses_allow(t, b, inst->res[0], target, other))
            return false;
    return true;
}

static uint32_t pred_index(const struct ir_block *b, const struct ir_block *pred) {
    uint32_t i = 0;
    while (b->preds[i] != pred)
        i++;
    return i;
}

/* Edge number `which` into b goes to target instead. */
static void redirect(struct ir_fn *fn, struct ir_block *b, uint32_t which,
                     struct ir_block *target) {
    struct ir_block *pred = b->preds[which];
    uint32_t from_b = pred_index(target, b), n = 0;
    ir_val brought[64]; /* for the target's phis, in order */
    for (const struct ir_inst *phi = target->first; phi->op == IR_PHI; phi = phi->next) {
        const struct ir_inst *def = fn->values[phi->args[from_b]].def;
        bool ours = def->block == b && def->op == IR_PHI;
        brought[n++] = ours ? def->args[which] : phi->args[from_b];
    }
    bool taken = pred->target[0] == b;
    ir_remove_edge(fn, pred, b); /* leaves the other target, if there is one, in target[0] */
    struct ir_block *kept = pred->target[0];
    pred->target[0] = taken ? target : kept;
    pred->target[1] = taken ? kept : target;
    if (!kept) {
        pred->target[0] = target;
        pred->target[1] = NULL;
    }
    ir_add_pred(fn, target, pred, brought);
}

static uint32_t count_phis(const struct ir_block *b) {
    uint32_t n = 0;
    for (const struct ir_inst *inst = b->first; inst->op == IR_PHI; inst = inst->next)
        n++;
    return n;
}

static void thread_block(struct threader *t, struct ir_block *b) {
    struct ir_fn *fn = t->fn;
    uint64_t constant, brought;
    if (t->touched[b->id] || !is_candidate(fn, b, &constant))
        return;
    const struct ir_inst *br = b->last, *tested = fn->values[br->args[0]].def;
    for (uint32_t i = 0; i < b->npreds; i++) {
        if (!ir_is_const(fn, tested->args[i], &brought))
            continue;
        bool holds =
            ir_fold_cond((enum ir_cond)br->cond, (enum ir_type)br->type, brought, constant);
        struct ir_block *target = b->target[!holds], *other = b->target[holds], *pred = b->preds[i];
        bool twice = pred->target[0] == pred->target[1] || pred->target[0] == target ||
                     pred->target[1] == target;
        if (target == b || pred == b || twice || t->touched[pred->id] || t->touched[target->id] ||
            count_phis(target) > 64 || !all_uses_allow(t, b, target, other))
            continue;
        t->touched[b->id] = t->touched[pred->id] = t->touched[target->id] = true;
        redirect(fn, b, i, target);
        t->changed = true;
        return;
    }
}

#define ROUNDS 8 /* each look-up takes one; what is left after them is left */

void opt_thread(struct ir_fn *fn) {
    for (int round = 0; round < ROUNDS; round++) {
        struct arena *scratch = arena_new();
        struct threader t = {.fn = fn};
        t.touched = arena_alloc_array(scratch, fn->nblocks, sizeof(bool));
        uses_collect(&t.uses, fn, scratch);
        for (uint32_t i = 0; i < fn->norder; i++)
            thread_block(&t, fn->order[i]);
        arena_free(scratch);
        if (!t.changed)
            return;
        ir_analyze(fn);
    }
}
