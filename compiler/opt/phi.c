/* SPDX-License-Identifier: MIT */
/*
 * Phis that are not needed: those that merge one value only (ir/phi.c), and those that merge the same
 * values as another one of their block does. Compilers make such twins where they count in a loop what
 * another variable counts already; as long as there are two, neither is known to be a counter.
 */
#include "opt/opt.h"

/* Twins are looked for among so many phis with so many arguments: loop headers have few of both. */
#define PHIS_MAX 16
#define ARGS_MAX 4

static bool same_value(const struct ir_fn *fn, ir_val a, ir_val b) {
    uint64_t x, y;
    return a == b || (ir_is_const(fn, a, &x) && ir_is_const(fn, b, &y) && x == y);
}

static bool are_twins(const struct ir_fn *fn, const struct ir_inst *a, const struct ir_inst *b) {
    bool same = a->type == b->type;
    for (uint32_t i = 0; i < a->nargs && same; i++)
        same = same_value(fn, a->args[i], b->args[i]);
    return same;
}

static bool merge_twins(struct ir_fn *fn, struct ir_block *block) {
    const struct ir_inst *seen[PHIS_MAX];
    unsigned count = 0;
    bool changed = false;
    if (block->npreds > ARGS_MAX)
        return false;
    for (struct ir_inst *phi = block->first, *next; phi->op == IR_PHI && count < PHIS_MAX;
         phi = next) {
        unsigned twin = 0;
        next = phi->next;
        while (twin < count && !are_twins(fn, seen[twin], phi))
            twin++;
        if (twin == count) {
            seen[count++] = phi;
            continue;
        }
        ir_replace(fn, phi->res[0], seen[twin]->res[0]);
        ir_remove(fn, phi);
        changed = true;
    }
    return changed;
}

void opt_phi(struct ir_fn *fn) {
    bool changed = false;
    ir_simplify_phis(fn);
    for (uint32_t i = 0; i < fn->norder; i++)
        changed |= merge_twins(fn, fn->order[i]);
    if (changed)
        ir_resolve(fn);
}
