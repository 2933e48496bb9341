/* SPDX-License-Identifier: MIT */
/* Dead code: marks what effects and branches need, directly or not, and removes the rest. */
#include "opt/opt.h"

#include "util/vec.h"

struct marker {
    struct ir_fn *fn;
    struct arena *arena;
    VEC(struct ir_inst *) work;
};

static void mark(struct marker *m, struct ir_inst *inst) {
    if (inst->visited)
        return;
    inst->visited = true;
    vec_push(m->arena, &m->work, inst);
}

void opt_dce(struct ir_fn *fn) {
    struct arena *arena = arena_new();
    struct marker m = {.fn = fn, .arena = arena};
    for (uint32_t i = 0; i < fn->norder; i++)
        for (struct ir_inst *inst = fn->order[i]->first; inst; inst = inst->next)
            inst->visited = false;
    for (uint32_t i = 0; i < fn->norder; i++)
        for (struct ir_inst *inst = fn->order[i]->first; inst; inst = inst->next)
            if (ir_ops[inst->op].flags & (IR_WRITES | IR_TERM))
                mark(&m, inst);
    while (m.work.count) {
        const struct ir_inst *inst = vec_pop(&m.work);
        for (uint32_t i = 0; i < inst->nargs; i++)
            if (inst->args[i])
                mark(&m, fn->values[inst->args[i]].def);
    }
    for (uint32_t i = 0; i < fn->norder; i++)
        for (struct ir_inst *inst = fn->order[i]->first, *next; inst; inst = next) {
            next = inst->next;
            if (!inst->visited)
                ir_remove(fn, inst);
        }
    arena_free(arena);
}
