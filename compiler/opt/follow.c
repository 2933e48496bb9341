/* SPDX-License-Identifier: MIT */
/*
 * Induction variables that do not overlap: where next = phi + step is there already, what needs the phi
 * is rewritten in terms of next. Otherwise both live at once, need two registers, and a copy from one
 * to the other in every iteration.
 *
 *     next = add phi, 1                    next = add phi, 1
 *     br ult phi, 128, loop, exit          br ult next, 129, loop, exit
 *
 * Equality always follows; an order does where neither side can wrap around.
 */
#include "opt/known.h"

struct follower {
    struct ir_fn *fn;
    const struct solution *s;
    bool *passed; /* by value: defined on the way here */
};

/* The variable whose phi v is, if its next value is known at `inst`. */
static bool is_behind_next(const struct follower *f, ir_val v, const struct ir_inst *inst,
                           struct induction *var) {
    const struct ir_inst *phi = f->fn->values[v].def;
    return phi->op == IR_PHI && induction_find(f->fn, phi, var) && f->passed[var->next] &&
           var->next != inst->res[0] &&
           ir_dominates(f->fn->values[var->next].def->block, inst->block);
}

/* Whether phi cond constant is the same as phi + step cond constant + step. */
static bool keeps_order(const struct follower *f, enum ir_cond cond, const struct induction *var,
                        uint32_t constant) {
    switch (cond) {
    case IR_COND_EQ:
    case IR_COND_NE: return true;
    case IR_COND_SET:
    case IR_COND_CLEAR: return false;
    default: break;
    }
    bool is_signed = cond >= IR_COND_SLT && cond <= IR_COND_SLE;
    uint64_t max = is_signed ? INT32_MAX : UINT32_MAX, step = (uint64_t)var->step;
    return var->step > 0 && known_max(&f->s->known[var->phi]) + step <= max &&
           constant + step <= max;
}

static ir_val word(struct follower *f, struct ir_inst *place, uint32_t value) {
    return ir_const_before(f->fn, place, IR_I32, value);
}

static void follow_branch(struct follower *f, struct ir_inst *br) {
    struct induction var;
    uint64_t constant;
    if (!ir_is_const(f->fn, br->args[1], &constant) || !is_behind_next(f, br->args[0], br, &var) ||
        !keeps_order(f, (enum ir_cond)br->cond, &var, (uint32_t)constant))
        return;
    br->args[0] = var.next;
    br->args[1] = word(f, br, (uint32_t)constant + (uint32_t)var.step);
}

static void follow_sum(struct follower *f, struct ir_inst *add) {
    struct induction var;
    uint64_t constant;
    if (!ir_is_const(f->fn, add->args[1], &constant) || !is_behind_next(f, add->args[0], add, &var))
        return;
    add->args[0] = var.next;
    add->args[1] = word(f, add, (uint32_t)constant - (uint32_t)var.step);
}

static void follow_access(struct follower *f, struct ir_inst *inst) {
    struct induction var;
    if (!is_behind_next(f, inst->args[0], inst, &var))
        return;
    int64_t imm = inst->imm - var.step;
    if (imm < -255 || imm > 4095) /* what loads and stores can add */
        return;
    inst->args[0] = var.next;
    inst->imm = imm;
}

void induction_follow(struct ir_fn *fn, struct arena *arena, const struct solution *s) {
    struct follower f = {fn, s, arena_alloc_array(arena, fn->nvalues, sizeof(bool))};
    uint32_t nvalues = fn->nvalues;
    for (uint32_t i = 0; i < fn->norder; i++)
        for (struct ir_inst *inst = fn->order[i]->first; inst; inst = inst->next) {
            if (inst->op == IR_BR)
                follow_branch(&f, inst);
            else if (inst->op == IR_ADD)
                follow_sum(&f, inst);
            else if (inst->op == IR_LOAD || inst->op == IR_STORE)
                follow_access(&f, inst);
            for (int k = 0; k < 2 && inst->res[k]; k++)
                if (inst->res[k] < nvalues)
                    f.passed[inst->res[k]] = true;
        }
}
