/* SPDX-License-Identifier: MIT */
/*
 * Narrowing by known bits.
 *
 * At the 64-bit level, a value whose high word is known to be 0 (or to be the sign of its low word)
 * is written as such: every use gets zext(trunc v). Legalisation then has a constant for the high
 * word, and what computed it dies. Division and comparison, which are not made of independent words,
 * are rewritten to their 32-bit form here. At both levels, masks and sign extensions that change
 * nothing go.
 */
#include "opt/known.h"
#include "opt/opt.h"
#include "util/vec.h"

struct wrapped {
    struct ir_inst *trunc;
    ir_val value;
};

struct narrower {
    struct ir_fn *fn;
    struct arena *arena;
    struct solution s;
    uint32_t nknown; /* values that the solution speaks of: later ones are made here */
    VEC(struct wrapped) wrapped;
};

static bool is_zext(const struct narrower *n, ir_val v) {
    return known_zext(&n->s.known[v]);
}

static bool is_sext(const struct narrower *n, ir_val v) {
    return n->s.known[v].sext;
}

static ir_val low(struct narrower *n, struct ir_inst *place, ir_val v) {
    return ir_unary_before(n->fn, place, IR_TRUNC, IR_I32, v);
}

/* ---------------------------------------------------------------------------- single operations */

static void replace(struct narrower *n, struct ir_inst *inst, ir_val v) {
    ir_replace(n->fn, inst->res[0], v);
    ir_remove(n->fn, inst);
}

/* The 32-bit form of a division, if its operands allow it. INT_MIN / -1 does not fit 32 bits, so a
 * signed quotient needs a divisor that is known not to be -1. */
static bool narrow_division(struct narrower *n, struct ir_inst *inst) {
    ir_val a = inst->args[0], b = inst->args[1];
    enum ir_op op = (enum ir_op)inst->op, extend = IR_ZEXT;
    if (is_zext(n, a) && is_zext(n, b))
        op = op == IR_SDIV ? IR_UDIV : op == IR_SMOD ? IR_UMOD : op;
    else if (is_sext(n, a) && is_sext(n, b) &&
             (op == IR_SMOD || (op == IR_SDIV && n->s.known[b].zeros)))
        extend = IR_SEXT;
    else
        return false;
    ir_val la = low(n, inst, a), lb = low(n, inst, b);
    ir_val result = ir_binary_before(n->fn, inst, op, IR_I32, la, lb);
    replace(n, inst, ir_unary_before(n->fn, inst, extend, IR_I64, result));
    return true;
}

/* Zero-extended values are never negative: they compare as unsigned words. Sign extension keeps the
 * signed and the unsigned order, and whether two values have a bit in common. */
static bool narrow_branch(struct narrower *n, struct ir_inst *br) {
    ir_val a = br->args[0], b = br->args[1];
    bool bits = br->cond == IR_COND_SET || br->cond == IR_COND_CLEAR;
    if ((is_zext(n, a) && is_zext(n, b)) || (bits && (is_zext(n, a) || is_zext(n, b))))
        br->cond = (uint8_t)ir_cond_unsigned((enum ir_cond)br->cond);
    else if (!is_sext(n, a) || !is_sext(n, b))
        return false;
    br->args[0] = low(n, br, a);
    br->args[1] = low(n, br, b);
    br->type = IR_I32;
    return true;
}

/* A product of two sign-extended words is one smull; legalisation looks for sext operands. */
static void narrow_product(struct narrower *n, struct ir_inst *inst) {
    ir_val a = inst->args[0], b = inst->args[1];
    if (!is_sext(n, a) || !is_sext(n, b) || is_zext(n, a) || is_zext(n, b))
        return;
    for (int i = 0; i < 2; i++) {
        ir_val v = ir_forwarded(n->fn, inst->args[i]);
        if (n->fn->values[v].def->op == IR_SEXT)
            continue;
        ir_val word = low(n, inst, v);
        inst->args[i] = ir_unary_before(n->fn, inst, IR_SEXT, IR_I64, word);
    }
}

/* Bits that the operand may have set but the mask clears: if none, the mask does nothing. */
static bool drop_mask(struct narrower *n, struct ir_inst *inst) {
    for (int i = 0; i < 2; i++) {
        const struct known *mask = &n->s.known[inst->args[i]];
        const struct known *k = &n->s.known[inst->args[!i]];
        if (known_max(k) & ~mask->ones)
            continue;
        replace(n, inst, inst->args[!i]);
        return true;
    }
    return false;
}

static bool drop_extension(struct narrower *n, struct ir_inst *inst) {
    const struct known *k = &n->s.known[inst->args[0]];
    unsigned sign = inst->op == IR_SEXT8 ? 7 : inst->op == IR_SEXT16 ? 15 : 31;
    if (known_max(k) >> sign)
        return false;
    if (inst->op == IR_SEXT)
        inst->op = IR_ZEXT;
    else
        replace(n, inst, inst->args[0]);
    return true;
}

/* ------------------------------------------------------------------------------------ high words */

/* Whether legalisation sees the high word of inst's result without our help. */
static bool is_plain(const struct ir_inst *inst) {
    switch (inst->op) {
    case IR_CONST:
    case IR_ZEXT:
    case IR_SEXT:
    case IR_FRAME:
    case IR_DATA:
    case IR_MAP:
    case IR_FUNC: return true;
    default: return false;
    }
}

static void wrap(struct narrower *n, struct ir_inst *inst) {
    ir_val v = inst->res[0];
    const struct known *k = &n->s.known[v];
    bool sext_phi = inst->op == IR_PHI && k->sext;
    if (is_plain(inst) || !(known_zext(k) || sext_phi))
        return;
    struct ir_inst *place = inst->next;
    while (place->op == IR_PHI)
        place = place->next;
    ir_val word = low(n, place, v);
    ir_val whole = ir_unary_before(n->fn, place, known_zext(k) ? IR_ZEXT : IR_SEXT, IR_I64, word);
    vec_push(n->arena, &n->wrapped, (struct wrapped){n->fn->values[word].def, v});
    ir_replace(n->fn, v, whole);
}

static void narrow(struct narrower *n, struct ir_inst *inst) {
    bool wide = inst->type == IR_I64;
    switch (inst->op) {
    case IR_UDIV:
    case IR_UMOD:
    case IR_SDIV:
    case IR_SMOD:
        if (wide && narrow_division(n, inst))
            return;
        break;
    case IR_BR:
        if (wide)
            narrow_branch(n, inst);
        return;
    case IR_MUL:
        if (wide)
            narrow_product(n, inst);
        break;
    case IR_AND:
        if (drop_mask(n, inst))
            return;
        break;
    case IR_SEXT:
    case IR_SEXT8:
    case IR_SEXT16:
        if (drop_extension(n, inst))
            return;
        break;
    default: break;
    }
    if (wide && inst->res[0])
        wrap(n, inst);
}

void opt_narrow(struct ir_fn *fn) {
    struct arena *arena = arena_new();
    struct narrower n = {.fn = fn, .arena = arena, .nknown = fn->nvalues};
    known_solve(fn, arena, &n.s);
    known_induction(fn, &n.s);
    if (fn->level == IR_LEVEL_32)
        induction_follow(fn, arena, &n.s);
    for (uint32_t i = 0; i < fn->norder; i++) {
        struct ir_block *block = fn->order[i];
        if (!n.s.block_live[block->id])
            continue;
        for (struct ir_inst *inst = block->first, *next; inst; inst = next) {
            next = inst->next;
            if (inst->res[0] < n.nknown)
                narrow(&n, inst);
        }
    }
    ir_resolve(fn);
    /* Resolving made these truncate what they are part of. */
    vec_for_each(struct wrapped, w, &n.wrapped)
        w->trunc->args[0] = w->value;
    arena_free(arena);
}
