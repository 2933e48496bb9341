/* SPDX-License-Identifier: MIT */
/* Transfer functions of known.h: each is right for every value that its arguments may have. */
#include "opt/known.h"

#include <assert.h>

static uint64_t mask_of(enum ir_type type) {
    return type == IR_I32 ? UINT32_MAX : UINT64_MAX;
}

static unsigned width_of(enum ir_type type) {
    return type == IR_I32 ? 32 : 64;
}

/* Bits that v can need: 0 for 0, else the position of the highest 1, plus 1. */
static unsigned bits_of(uint64_t v) {
    return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

static uint64_t low_bits(unsigned n) {
    return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

/* Known to be below 2^n. */
static struct known within(unsigned n) {
    return (struct known){.zeros = ~low_bits(n)};
}

static struct known constant(uint64_t v) {
    return (struct known){.zeros = ~v, .ones = v};
}

/* Bits above the type are 0, and sext follows from the bits if they say so. */
static struct known finished(struct known k, enum ir_type type) {
    if (type == IR_I32) {
        k.zeros |= ~(uint64_t)UINT32_MAX;
        k.ones &= UINT32_MAX;
        k.sext = false;
        return k;
    }
    const uint64_t signs = ~(uint64_t)INT32_MAX;
    k.sext |= (k.zeros & signs) == signs || (k.ones & signs) == signs;
    return k;
}

/* ---------------------------------------------------------------------------------- arithmetic */

/* a + b + carry. A bit of the sum is known where both operands' bits and the carry into it are.
 * The carries are least if every unknown bit is 0 and greatest if it is 1: where these two sums,
 * with the operands' bits taken out again, agree on a carry, it is known. */
static struct known add(struct known a, struct known b, uint64_t carry) {
    uint64_t least = a.ones + b.ones + carry, greatest = ~a.zeros + ~b.zeros + carry;
    uint64_t carries_always = least ^ a.ones ^ b.ones;
    uint64_t carries_ever = greatest ^ ~a.zeros ^ ~b.zeros;
    uint64_t known = (a.zeros | a.ones) & (b.zeros | b.ones) & ~(carries_always ^ carries_ever);
    return (struct known){.zeros = known & ~least, .ones = known & least};
}

static struct known sub(struct known a, struct known b) {
    return add(a, (struct known){.zeros = b.ones, .ones = b.zeros}, 1);
}

static struct known mul(struct known a, struct known b) {
    struct known k = within(bits_of(known_max(&a)) + bits_of(known_max(&b)));
    unsigned low = (unsigned)(~a.zeros ? __builtin_ctzll(~a.zeros) : 64) +
                   (unsigned)(~b.zeros ? __builtin_ctzll(~b.zeros) : 64);
    k.zeros |= low_bits(low);
    return k;
}

/* The quotient is at most the dividend; with a known least divisor, less. x / 0 = 0. */
static struct known udiv(struct known a, struct known b) {
    return within(bits_of(known_max(&a) / (b.ones ? b.ones : 1)));
}

/* The remainder is at most the dividend, and below a divisor that is not 0. x % 0 = x. */
static struct known umod(struct known a, struct known b) {
    unsigned n = bits_of(known_max(&a));
    if (b.ones && bits_of(known_max(&b) - 1) < n)
        n = bits_of(known_max(&b) - 1);
    return within(n);
}

static struct known shift_constant(enum ir_op op, struct known a, unsigned count, unsigned width) {
    struct known k = {0};
    uint64_t mask = low_bits(width);
    switch (op) {
    case IR_SHL:
        k.zeros = a.zeros << count | low_bits(count);
        k.ones = a.ones << count & mask;
        break;
    case IR_LSHR:
        k.zeros = (a.zeros & mask) >> count | ~(mask >> count);
        k.ones = a.ones >> count;
        break;
    default: /* the sign bit, known or not, is drawn down */
        k.zeros = (uint64_t)((int64_t)(a.zeros << (64 - width)) >> count) >> (64 - width);
        k.ones = (uint64_t)((int64_t)(a.ones << (64 - width)) >> count) >> (64 - width);
        k.sext = a.sext || count >= 32;
        break;
    }
    return k;
}

static struct known shift(enum ir_op op, struct known a, struct known b, unsigned width) {
    if (known_constant(&b))
        return shift_constant(op, a, (unsigned)b.ones & (width - 1), width);
    struct known k = {.sext = op == IR_ASHR && a.sext};
    bool positive = a.zeros >> (width - 1) & 1;
    if (op == IR_SHL)
        k.zeros = low_bits(~a.zeros ? (unsigned)__builtin_ctzll(~a.zeros) : 64);
    else if (op == IR_LSHR || positive)
        k.zeros = within(bits_of(known_max(&a))).zeros;
    return k;
}

static struct known sign_extended(struct known a, unsigned from) {
    struct known k = {.zeros = (uint64_t)((int64_t)(a.zeros << (64 - from)) >> (64 - from)),
                      .ones = (uint64_t)((int64_t)(a.ones << (64 - from)) >> (64 - from)),
                      .sext = true};
    return k;
}

static struct known swapped(struct known a, unsigned bytes) {
    struct known k = within(8 * bytes);
    for (unsigned i = 0; i < bytes; i++) {
        unsigned to = 8 * (bytes - 1 - i);
        k.zeros |= (a.zeros >> (8 * i) & 0xff) << to;
        k.ones |= (a.ones >> (8 * i) & 0xff) << to;
    }
    return k;
}

static struct known binary(enum ir_op op, struct known a, struct known b, enum ir_type type) {
    unsigned width = width_of(type);
    bool both_sext = a.sext && b.sext;
    switch (op) {
    case IR_ADD: return add(a, b, 0);
    case IR_SUB: return sub(a, b);
    case IR_MUL: return mul(a, b);
    case IR_UDIV: return udiv(a, b);
    case IR_UMOD: return umod(a, b);
    case IR_SDIV:
    case IR_SMOD: /* as unsigned if neither is negative */
        if (a.zeros & b.zeros & UINT64_C(1) << (width - 1))
            return op == IR_SDIV ? udiv(a, b) : umod(a, b);
        return (struct known){.sext = op == IR_SMOD && both_sext};
    case IR_AND: return (struct known){a.zeros | b.zeros, a.ones & b.ones, both_sext};
    case IR_OR: return (struct known){a.zeros & b.zeros, a.ones | b.ones, both_sext};
    case IR_XOR:
        return (struct known){(a.zeros & b.zeros) | (a.ones & b.ones),
                              (a.zeros & b.ones) | (a.ones & b.zeros), both_sext};
    default: assert(op == IR_SHL || op == IR_LSHR || op == IR_ASHR); return shift(op, a, b, width);
    }
}

/* ------------------------------------------------------------------------------- instructions */

static struct known joined(struct known lo, struct known hi) {
    return (struct known){(lo.zeros & UINT32_MAX) | hi.zeros << 32,
                          (lo.ones & UINT32_MAX) | hi.ones << 32, false};
}

static void pair(const struct ir_inst *inst, const struct known *args, struct known result[2]) {
    struct known k = {0};
    switch (inst->op) {
    case IR_ADD2: k = add(joined(args[0], args[1]), joined(args[2], args[3]), 0); break;
    case IR_SUB2: k = sub(joined(args[0], args[1]), joined(args[2], args[3])); break;
    case IR_SHL2: k = shift(IR_SHL, joined(args[0], args[1]), args[2], 64); break;
    case IR_LSHR2: k = shift(IR_LSHR, joined(args[0], args[1]), args[2], 64); break;
    case IR_ASHR2: k = shift(IR_ASHR, joined(args[0], args[1]), args[2], 64); break;
    case IR_UMULL: k = mul(args[0], args[1]); break;
    default: break;
    }
    result[0] = finished(k, IR_I32);
    result[1] = finished((struct known){k.zeros >> 32, k.ones >> 32, false}, IR_I32);
}

static struct known single(const struct ir_inst *inst, const struct known *args) {
    struct known k = {0};
    switch (inst->op) {
    case IR_CONST: return constant((uint64_t)inst->imm);
    case IR_FRAME:
    case IR_DATA:
    case IR_MAP:
    case IR_FUNC: return within(32); /* addresses of the board */
    case IR_LOAD: return inst->size < 4 && !inst->is_signed ? within(8u * inst->size) : k;
    case IR_TRUNC: return args[0];
    case IR_ZEXT: return (struct known){args[0].zeros, args[0].ones, false};
    case IR_SEXT: return sign_extended(args[0], 32);
    case IR_SEXT8: return sign_extended(args[0], 8);
    case IR_SEXT16: return sign_extended(args[0], 16);
    case IR_BSWAP16: return swapped(args[0], 2);
    case IR_BSWAP32: return swapped(args[0], 4);
    case IR_BSWAP64: return swapped(args[0], 8);
    default: break;
    }
    if (inst->nargs == 2 && (ir_ops[inst->op].flags & IR_PURE))
        return binary((enum ir_op)inst->op, args[0], args[1], (enum ir_type)inst->type);
    return k;
}

static bool folds(const struct ir_inst *inst, const struct known *args, struct known result[2]) {
    uint64_t values[4], folded[2];
    if (!(ir_ops[inst->op].flags & IR_PURE) || !inst->nargs)
        return false;
    for (uint32_t i = 0; i < inst->nargs; i++) {
        if (!known_constant(&args[i]))
            return false;
        values[i] = args[i].ones;
    }
    if (!ir_fold((enum ir_op)inst->op, (enum ir_type)inst->type, values, inst->nargs, folded))
        return false;
    for (int i = 0; i < 2; i++)
        result[i] = finished(constant(folded[i]), (enum ir_type)inst->type);
    return true;
}

void known_transfer(const struct ir_inst *inst, const struct known *args, struct known result[2]) {
    assert(inst->op != IR_PHI);
    if (folds(inst, args, result))
        return;
    if (inst->res[1]) {
        pair(inst, args, result);
        return;
    }
    result[0] = finished(single(inst, args), (enum ir_type)inst->type);
}

/* ---------------------------------------------------------------------------------- conditions */

static int64_t signed_min(const struct known *k, enum ir_type type) {
    uint64_t sign = (mask_of(type) >> 1) + 1;
    uint64_t v = k->ones | (k->zeros & sign ? 0 : sign);
    return type == IR_I32 ? (int32_t)v : (int64_t)v;
}

static int64_t signed_max(const struct known *k, enum ir_type type) {
    uint64_t sign = (mask_of(type) >> 1) + 1;
    uint64_t v = known_max(k) & ~(k->ones & sign ? 0 : sign);
    return type == IR_I32 ? (int32_t)v : (int64_t)v;
}

static int less(const struct known *a, const struct known *b) {
    return known_max(a) < b->ones ? 1 : a->ones >= known_max(b) ? 0 : -1;
}

static int signed_less(const struct known *a, const struct known *b, enum ir_type type) {
    return signed_max(a, type) < signed_min(b, type)    ? 1
           : signed_min(a, type) >= signed_max(b, type) ? 0
                                                        : -1;
}

static int inverted(int holds) {
    return holds < 0 ? holds : !holds;
}

int known_cond(enum ir_cond cond, enum ir_type type, const struct known *a, const struct known *b) {
    if (known_constant(a) && known_constant(b))
        return ir_fold_cond(cond, type, a->ones, b->ones);
    switch (cond) {
    case IR_COND_EQ: return (a->ones & b->zeros) | (a->zeros & b->ones) ? 0 : -1;
    case IR_COND_ULT: return less(a, b);
    case IR_COND_UGT: return less(b, a);
    case IR_COND_SLT: return signed_less(a, b, type);
    case IR_COND_SGT: return signed_less(b, a, type);
    case IR_COND_SET: return a->ones & b->ones ? 1 : known_max(a) & known_max(b) ? -1 : 0;
    default: return inverted(known_cond(ir_cond_inverse(cond), type, a, b));
    }
}
