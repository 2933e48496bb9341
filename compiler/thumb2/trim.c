/* SPDX-License-Identifier: MIT */
/*
 * Word trimming, after legalisation: finds the words that something needs, drops the rest (cyclic
 * dead phis too), and shrinks glued pair operations whose high word is dead to single ones. First
 * it narrows 64-bit branches whose high words decide nothing, because that is where high words die.
 *
 * This is where most 64-bit code that never needed 64 bits becomes 32-bit code: eBPF computes
 * addresses, counters and C ints in 64-bit registers.
 */
#include "thumb2/abi.h"

#include <assert.h>

/* --------------------------------------------------------------------------- 64-bit branches */

static void to_word_branch(struct ir_inst *br, enum ir_cond cond, ir_val a, ir_val b) {
    br->op = IR_BR;
    br->cond = (uint8_t)cond;
    br->nargs = 2;
    br->args[0] = a;
    br->args[1] = b;
}

static bool is_constant(const struct ir_fn *fn, ir_val v, uint64_t wanted) {
    uint64_t value;
    return ir_is_const(fn, v, &value) && value == wanted;
}

static bool same_word(const struct ir_fn *fn, ir_val a, ir_val b) {
    uint64_t va, vb;
    return a == b || (ir_is_const(fn, a, &va) && ir_is_const(fn, b, &vb) && va == vb);
}

/* With equal high words, a comparison orders the low words as unsigned numbers, a signed one, too. */
static void narrow_branch(struct ir_fn *fn, struct ir_inst *br) {
    enum ir_cond cond = (enum ir_cond)br->cond;
    ir_val alo = br->args[0], ahi = br->args[1], blo = br->args[2], bhi = br->args[3];
    if (cond == IR_COND_SET || cond == IR_COND_CLEAR) {
        if (is_constant(fn, ahi, 0) || is_constant(fn, bhi, 0))
            to_word_branch(br, cond, alo, blo);
        else if (is_constant(fn, alo, 0) || is_constant(fn, blo, 0))
            to_word_branch(br, cond, ahi, bhi);
        return;
    }
    if (same_word(fn, ahi, bhi)) {
        to_word_branch(br, ir_cond_unsigned(cond), alo, blo);
        return;
    }
    /* x < 0 and x >= 0 look at the sign alone; so do x <= -1 and x > -1. */
    bool zero = is_constant(fn, blo, 0) && is_constant(fn, bhi, 0);
    bool minus_one = is_constant(fn, blo, UINT32_MAX) && is_constant(fn, bhi, UINT32_MAX);
    if ((zero && (cond == IR_COND_SLT || cond == IR_COND_SGE)) ||
        (minus_one && (cond == IR_COND_SGT || cond == IR_COND_SLE)))
        to_word_branch(br, cond, ahi, bhi);
}

/* -------------------------------------------------------------------------------------- demand */

struct demand {
    struct ir_fn *fn;
    bool *needed; /* by value */
    ir_val *work;
    uint32_t nwork;
};

static void need(struct demand *d, ir_val v) {
    if (!v || d->needed[v])
        return;
    d->needed[v] = true;
    d->work[d->nwork++] = v;
}

static void need_all(struct demand *d, const struct ir_inst *inst) {
    for (uint32_t i = 0; i < inst->nargs; i++)
        need(d, inst->args[i]);
}

/* Arguments that the result v of inst depends on. */
static void need_args(struct demand *d, const struct ir_inst *inst, ir_val v) {
    bool low = v == inst->res[0];
    if ((inst->op == IR_ADD2 || inst->op == IR_SUB2) && low) {
        need(d, inst->args[0]);
        need(d, inst->args[2]);
    } else if (inst->op == IR_SHL2 && low) {
        need(d, inst->args[0]);
        need(d, inst->args[2]);
    } else if ((inst->op == IR_LSHR2 || inst->op == IR_ASHR2) && !low) {
        need(d, inst->args[1]);
        need(d, inst->args[2]);
    } else {
        need_all(d, inst);
    }
}

static bool has_effect(const struct ir_inst *inst) {
    return ir_ops[inst->op].flags & (IR_WRITES | IR_TERM);
}

/* Turns a pair operation of which only the low word is needed into a single one. */
static void shrink(struct ir_fn *fn, struct ir_inst *inst) {
    switch (inst->op) {
    case IR_ADD2:
    case IR_SUB2:
        inst->op = inst->op == IR_ADD2 ? IR_ADD : IR_SUB;
        inst->args[1] = inst->args[2];
        inst->nargs = 2;
        break;
    case IR_UMULL:
    case IR_SMULL: inst->op = IR_MUL; break;
    default: return;
    }
    fn->values[inst->res[1]].def = NULL;
    inst->res[1] = 0;
}

/* A pair operation that stays has all its arguments defined, needed or not: the unneeded ones are
 * made equal to a needed one, so that what computed them can go. */
static void patch_args(const struct demand *d, struct ir_inst *inst) {
    ir_val any = 0;
    for (uint32_t i = 0; i < inst->nargs; i++)
        if (inst->args[i] && d->needed[inst->args[i]])
            any = inst->args[i];
    for (uint32_t i = 0; i < inst->nargs; i++)
        if (inst->args[i] && !d->needed[inst->args[i]])
            inst->args[i] = any;
}

static void sweep_block(struct demand *d, struct ir_block *block) {
    for (struct ir_inst *inst = block->first, *next; inst; inst = next) {
        next = inst->next;
        bool lo = inst->res[0] && d->needed[inst->res[0]];
        bool hi = inst->res[1] && d->needed[inst->res[1]];
        if (!lo && !hi && !has_effect(inst)) {
            ir_remove(d->fn, inst);
            continue;
        }
        if (inst->res[1] && lo && !hi)
            shrink(d->fn, inst);
        if (inst->res[0] && !has_effect(inst))
            patch_args(d, inst);
    }
}

void trim_words(struct ir_fn *fn) {
    assert(fn->level == IR_LEVEL_32);
    struct demand d = {
        .fn = fn,
        .needed = arena_alloc_array(fn->arena, fn->nvalues, sizeof(bool)),
        .work = arena_alloc_array(fn->arena, fn->nvalues, sizeof(ir_val)),
    };
    for (uint32_t i = 0; i < fn->nblocks; i++)
        for (struct ir_inst *inst = fn->blocks[i] ? fn->blocks[i]->first : NULL; inst;
             inst = inst->next) {
            if (inst->op == IR_BR2)
                narrow_branch(fn, inst);
            if (has_effect(inst))
                need_all(&d, inst);
        }
    while (d.nwork) {
        ir_val v = d.work[--d.nwork];
        need_args(&d, fn->values[v].def, v);
    }
    for (uint32_t i = 0; i < fn->nblocks; i++)
        if (fn->blocks[i])
            sweep_block(&d, fn->blocks[i]);
}
