/* SPDX-License-Identifier: MIT */
/*
 * Algebraic simplification: rules that look at an instruction and the definitions of its arguments
 * and replace it by something smaller. One walk in reverse post-order; what a rule makes is looked at
 * in turn, so rules need not foresee each other. They end because each replaces an operation by
 * fewer or cheaper ones.
 *
 * Forms that the rules (and instruction selection) may rely on afterwards: constants are the second
 * argument of commutative operations and of branches; a subtracted constant is added; constant
 * offsets stand in loads and stores.
 *
 * Nothing here narrows 64-bit arithmetic of which only the low word is used: words are independent
 * after legalisation, and what nobody needs dies there.
 */
#include "opt/simplify.h"

#include "opt/opt.h"

/* -------------------------------------------------------------------------- looking and making */

struct ir_inst *simplify_is(const struct simplifier *s, ir_val v, enum ir_op op) {
    struct ir_inst *def = simplify_def(s, v);
    return def->op == op && def->type == s->inst->type ? def : NULL;
}

struct ir_inst *simplify_is_with(const struct simplifier *s, ir_val v, enum ir_op op, uint64_t *c) {
    struct ir_inst *def = simplify_is(s, v, op);
    return def && ir_is_const(s->fn, def->args[1], c) ? def : NULL;
}

bool simplify_used_once(const struct simplifier *s, ir_val v) {
    return v >= s->ncounted || s->uses[v] <= 1;
}

ir_val simplify_const(struct simplifier *s, uint64_t value) {
    return ir_const_before(s->fn, s->inst, (enum ir_type)s->inst->type, (int64_t)value);
}

ir_val simplify_unary(struct simplifier *s, enum ir_op op, ir_val a) {
    return ir_unary_before(s->fn, s->inst, op, (enum ir_type)s->inst->type, a);
}

ir_val simplify_binary(struct simplifier *s, enum ir_op op, ir_val a, ir_val b) {
    return ir_binary_before(s->fn, s->inst, op, (enum ir_type)s->inst->type, a, b);
}

ir_val simplify_with(struct simplifier *s, enum ir_op op, ir_val a, uint64_t b) {
    return simplify_binary(s, op, a, simplify_const(s, b));
}

/* ---------------------------------------------------------------------------------------- driver */

static void count_uses(struct simplifier *s, struct arena *arena) {
    const struct ir_fn *fn = s->fn;
    s->ncounted = fn->nvalues;
    s->uses = arena_alloc_array(arena, fn->nvalues, sizeof(uint32_t));
    s->addresses = arena_alloc_array(arena, fn->nvalues, sizeof(uint32_t));
    for (uint32_t i = 0; i < fn->norder; i++)
        for (const struct ir_inst *inst = fn->order[i]->first; inst; inst = inst->next) {
            for (uint32_t k = 0; k < inst->nargs; k++)
                s->uses[inst->args[k]]++;
            if (inst->size) /* a memory operation */
                s->addresses[inst->args[0]]++;
        }
}

/* Constant second: commutative operations, and comparisons, which turn around. */
static void order_arguments(const struct simplifier *s) {
    struct ir_inst *inst = s->inst;
    uint64_t value;
    bool branch = inst->op == IR_BR;
    if (!(ir_ops[inst->op].flags & IR_COMMUTES || branch) || inst->nargs != 2)
        return;
    if (!ir_is_const(s->fn, inst->args[0], &value) || ir_is_const(s->fn, inst->args[1], &value))
        return;
    ir_val first = inst->args[0];
    inst->args[0] = inst->args[1];
    inst->args[1] = first;
    if (branch)
        inst->cond = (uint8_t)ir_cond_swapped((enum ir_cond)inst->cond);
}

/* The constant that a single-result operation on constants is, or 0. */
static ir_val folded(struct simplifier *s) {
    const struct ir_inst *inst = s->inst;
    uint64_t values[4], result[2];
    if (!(ir_ops[inst->op].flags & IR_PURE) || inst->nargs == 0 || inst->res[1])
        return 0;
    for (uint32_t i = 0; i < inst->nargs; i++)
        if (!ir_is_const(s->fn, inst->args[i], &values[i]))
            return 0;
    if (!ir_fold((enum ir_op)inst->op, (enum ir_type)inst->type, values, inst->nargs, result))
        return 0;
    return simplify_const(s, result[0]);
}

static ir_val replacement(struct simplifier *s) {
    enum ir_op op = (enum ir_op)s->inst->op;
    ir_val v = folded(s);
    if (v)
        return v;
    if (op >= IR_ADD && op <= IR_XOR)
        return simplify_arithmetic(s);
    if (op >= IR_SHL && op <= IR_ASHR)
        return simplify_shift(s);
    if (op >= IR_TRUNC && op <= IR_BSWAP64)
        return simplify_width(s);
    return 0;
}
_Static_assert(IR_ADD < IR_XOR && IR_XOR + 1 == IR_SHL && IR_ASHR + 1 == IR_TRUNC,
               "the order of ir.def's arithmetic");

/* Simplifies the instruction in hand; returns the next one to look at. */
static struct ir_inst *step(struct simplifier *s) {
    struct ir_inst *inst = s->inst, *next = inst->next, *before = inst->prev;
    struct ir_block *block = inst->block;
    if (inst->op == IR_PHI)
        return next;
    for (uint32_t i = 0; i < inst->nargs; i++)
        inst->args[i] = ir_forwarded(s->fn, inst->args[i]);
    order_arguments(s);
    bool changed = false;
    if (inst->op == IR_BR) {
        changed = simplify_branch(s);
    } else if (inst->size) {
        changed = simplify_memory(s);
    } else if (inst->res[0]) {
        ir_val v = replacement(s);
        if (!v)
            return next;
        ir_replace(s->fn, inst->res[0], v);
        next = inst->next;
        struct ir_inst *fresh = before ? before->next : block->first;
        ir_remove(s->fn, inst);
        return fresh == inst ? next : fresh;
    }
    if (!changed)
        return next;
    return before ? before->next : block->first;
}

void opt_simplify(struct ir_fn *fn) {
    struct arena *arena = arena_new();
    struct simplifier s = {.fn = fn};
    count_uses(&s, arena);
    for (uint32_t i = 0; i < fn->norder; i++)
        for (s.inst = fn->order[i]->first; s.inst;)
            s.inst = step(&s);
    ir_resolve(fn);
    arena_free(arena);
}
