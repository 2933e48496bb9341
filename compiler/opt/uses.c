/* SPDX-License-Identifier: MIT */
/* Collecting uses: counted, then placed, in two walks over the function. */
#include "opt/uses.h"

void uses_collect(struct uses *uses, const struct ir_fn *fn, struct arena *arena) {
    uint32_t n = fn->nvalues, total = 0;
    uses->start = arena_alloc_array(arena, n + 1, sizeof(uint32_t));
    for (uint32_t i = 0; i < fn->norder; i++)
        for (const struct ir_inst *inst = fn->order[i]->first; inst; inst = inst->next)
            for (uint32_t k = 0; k < inst->nargs; k++)
                uses->start[inst->args[k]]++;
    for (uint32_t v = 0; v <= n; v++) { /* now the end of each list */
        total += v < n ? uses->start[v] : 0;
        uses->start[v] = total;
    }
    uses->list = arena_alloc_array(arena, total + 1, sizeof(struct use));
    for (uint32_t i = fn->norder; i-- > 0;)
        for (struct ir_inst *inst = fn->order[i]->last; inst; inst = inst->prev)
            for (uint32_t k = inst->nargs; k-- > 0;)
                uses->list[--uses->start[inst->args[k]]] = (struct use){inst, k};
}
