/* SPDX-License-Identifier: MIT */
/* Rules of the simplifier for ADD to XOR and for shifts; each is a line of algebra modulo 2^width. */
#include <assert.h>

#include "opt/simplify.h"

static bool is_power_of_2(uint64_t v) {
    return v && !(v & (v - 1));
}

static unsigned log2_of(uint64_t v) {
    return (unsigned)__builtin_ctzll(v);
}

/* ---------------------------------------------------------------------------- one is a constant */

/* An address of something plus a constant. Offsets stay far from what could wrap an address. */
static ir_val offset_address(struct simplifier *s, ir_val a, uint64_t c) {
    const struct ir_inst *def = simplify_def(s, a);
    if (def->op != IR_FRAME && def->op != IR_DATA && def->op != IR_MAP)
        return 0;
    int64_t off = def->imm + (s->inst->type == IR_I32 ? (int32_t)c : (int64_t)c);
    if (off < -0x10000 || off > 0x10000)
        return 0;
    struct ir_inst *inst = ir_inst_new(s->fn, (enum ir_op)def->op, (enum ir_type)def->type, 0, NULL,
                                       1, (enum ir_type)def->type);
    inst->imm = off;
    inst->index = def->index;
    inst->insn = s->inst->insn;
    ir_insert_before(s->inst, inst);
    return inst->res[0];
}

static ir_val add_constant(struct simplifier *s, ir_val a, uint64_t c) {
    uint64_t inner;
    if (c == 0)
        return a;
    const struct ir_inst *add = simplify_is_with(s, a, IR_ADD, &inner);
    if (add)
        return simplify_with(s, IR_ADD, add->args[0], inner + c);
    return offset_address(s, a, c);
}

static ir_val mul_constant(struct simplifier *s, ir_val a, uint64_t c) {
    if (c == 0)
        return s->inst->args[1];
    if (c == 1)
        return a;
    if (is_power_of_2(c))
        return simplify_with(s, IR_SHL, a, log2_of(c));
    if (c == simplify_ones(s))
        return simplify_binary(s, IR_SUB, simplify_const(s, 0), a);
    /* One add or subtract with a shifted operand; a 64-bit shift is three operations. */
    if (s->fn->level == IR_LEVEL_64)
        return 0;
    if (is_power_of_2(c - 1))
        return simplify_binary(s, IR_ADD, a, simplify_with(s, IR_SHL, a, log2_of(c - 1)));
    if (c != UINT32_MAX && is_power_of_2(c + 1))
        return simplify_binary(s, IR_SUB, simplify_with(s, IR_SHL, a, log2_of(c + 1)), a);
    return 0;
}

/* a plus 2^n - 1 if a is negative: then shifting right rounds towards 0, as division does. */
static ir_val biased(struct simplifier *s, ir_val a, unsigned n) {
    unsigned width = simplify_width_of(s);
    ir_val sign = simplify_with(s, IR_ASHR, a, width - 1);
    return simplify_binary(s, IR_ADD, a, simplify_with(s, IR_LSHR, sign, width - n));
}

static ir_val divide_constant(struct simplifier *s, ir_val a, uint64_t c) {
    enum ir_op op = (enum ir_op)s->inst->op;
    bool quotient = op == IR_UDIV || op == IR_SDIV, is_signed = op == IR_SDIV || op == IR_SMOD;
    if (c == 0)
        return quotient ? simplify_const(s, 0) : a;
    if (c == 1)
        return quotient ? a : simplify_const(s, 0);
    if (is_signed && c == simplify_ones(s))
        return quotient ? simplify_binary(s, IR_SUB, simplify_const(s, 0), a)
                        : simplify_const(s, 0);
    /* The least number is a power of 2 as well, but a negative one. */
    if (!is_power_of_2(c) || (is_signed && c == simplify_ones(s) / 2 + 1))
        return 0;
    unsigned n = log2_of(c);
    switch (op) {
    case IR_UDIV: return simplify_with(s, IR_LSHR, a, n);
    case IR_UMOD: return simplify_with(s, IR_AND, a, c - 1);
    case IR_SDIV: return simplify_with(s, IR_ASHR, biased(s, a, n), n);
    default: {
        ir_val multiple = simplify_with(s, IR_AND, biased(s, a, n), ~(c - 1));
        return simplify_binary(s, IR_SUB, a, multiple);
    }
    }
}

static ir_val logic_constant(struct simplifier *s, ir_val a, uint64_t c) {
    enum ir_op op = (enum ir_op)s->inst->op;
    uint64_t inner, ones = simplify_ones(s);
    if (c == 0)
        return op == IR_AND ? s->inst->args[1] : a;
    if (c == ones && op != IR_XOR)
        return op == IR_AND ? a : s->inst->args[1];
    const struct ir_inst *same = simplify_is_with(s, a, op, &inner);
    if (same)
        return simplify_with(s, op, same->args[0],
                             op == IR_AND  ? inner & c
                             : op == IR_OR ? inner | c
                                           : inner ^ c);
    if (op != IR_AND)
        return 0;
    /* Bits that are set, flipped or summed above the mask do not count. */
    const struct ir_inst *def = simplify_is_with(s, a, IR_OR, &inner);
    if (!def)
        def = simplify_is_with(s, a, IR_XOR, &inner);
    return def && !(inner & c) ? simplify_with(s, IR_AND, def->args[0], c) : 0;
}

static ir_val with_constant(struct simplifier *s, ir_val a, uint64_t c) {
    switch (s->inst->op) {
    case IR_ADD: return add_constant(s, a, c);
    case IR_SUB: return c == 0 ? a : simplify_with(s, IR_ADD, a, 0 - c);
    case IR_MUL: return mul_constant(s, a, c);
    case IR_UDIV:
    case IR_SDIV:
    case IR_UMOD:
    case IR_SMOD: return divide_constant(s, a, c);
    default: return logic_constant(s, a, c);
    }
}

/* ----------------------------------------------------------------------------------- variables */

/* x if v is 0 - x, else 0. */
static ir_val negated(const struct simplifier *s, ir_val v) {
    const struct ir_inst *def = simplify_is(s, v, IR_SUB);
    uint64_t c;
    return def && ir_is_const(s->fn, def->args[0], &c) && c == 0 ? def->args[1] : 0;
}

static ir_val add_or_sub(struct simplifier *s, ir_val a, ir_val b) {
    ir_val x;
    if (s->inst->op == IR_SUB) {
        if (a == b)
            return simplify_const(s, 0);
        x = negated(s, b);
        return x ? simplify_binary(s, IR_ADD, a, x) : 0;
    }
    if ((x = negated(s, b)))
        return simplify_binary(s, IR_SUB, a, x);
    return (x = negated(s, a)) ? simplify_binary(s, IR_SUB, b, x) : 0;
}

ir_val simplify_arithmetic(struct simplifier *s) {
    ir_val a = s->inst->args[0], b = s->inst->args[1];
    uint64_t c;
    if (ir_is_const(s->fn, b, &c))
        return with_constant(s, a, c);
    switch (s->inst->op) {
    case IR_ADD:
    case IR_SUB: return add_or_sub(s, a, b);
    case IR_AND:
    case IR_OR: return a == b ? a : 0;
    case IR_XOR: return a == b ? simplify_const(s, 0) : 0;
    default: return 0;
    }
}

/* -------------------------------------------------------------------------------------- shifts */

/* A shift left and back: the low `bits` bits, extended. Fields at other places are for instruction
 * selection, which has one instruction for the two shifts. */
static ir_val extension(struct simplifier *s, ir_val x, unsigned bits) {
    bool is_signed = s->inst->op == IR_ASHR;
    if (bits == 32 && s->inst->type == IR_I64) {
        ir_val word = ir_unary_before(s->fn, s->inst, IR_TRUNC, IR_I32, x);
        return simplify_unary(s, is_signed ? IR_SEXT : IR_ZEXT, word);
    }
    if (bits != 8 && bits != 16)
        return 0;
    if (is_signed)
        return simplify_unary(s, bits == 8 ? IR_SEXT8 : IR_SEXT16, x);
    return simplify_with(s, IR_AND, x, bits == 8 ? 0xff : 0xffff);
}

static ir_val shift_of_shift(struct simplifier *s, const struct ir_inst *inner, unsigned first,
                             unsigned count) {
    enum ir_op op = (enum ir_op)s->inst->op;
    unsigned width = simplify_width_of(s);
    if (inner->op == op) {
        unsigned sum = first + count;
        if (sum < width)
            return simplify_with(s, op, inner->args[0], sum);
        return op == IR_ASHR ? simplify_with(s, op, inner->args[0], width - 1)
                             : simplify_const(s, 0);
    }
    if (first != count)
        return 0;
    if (inner->op == IR_SHL)
        return extension(s, inner->args[0], width - count);
    if (op == IR_SHL) /* right and back: clears low bits */
        return simplify_with(s, IR_AND, inner->args[0], ~((UINT64_C(1) << count) - 1));
    return 0;
}

ir_val simplify_shift(struct simplifier *s) {
    ir_val a = s->inst->args[0];
    unsigned width = simplify_width_of(s);
    uint64_t c, first;
    if (!ir_is_const(s->fn, s->inst->args[1], &c))
        return 0;
    if (c >= width)
        return simplify_with(s, (enum ir_op)s->inst->op, a, c & (width - 1));
    if (c == 0)
        return a;
    for (int op = IR_SHL; op <= IR_ASHR; op++) {
        const struct ir_inst *inner = simplify_is_with(s, a, (enum ir_op)op, &first);
        if (inner && first > 0 && first < width)
            return shift_of_shift(s, inner, (unsigned)first, (unsigned)c);
    }
    return 0;
}
