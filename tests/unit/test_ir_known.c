/* SPDX-License-Identifier: MIT */
/* Soundness of the known-bits transfer functions: whatever values the operands have within what is
 * known of them, the folder's result lies within what is known of the result. */
#include "opt/known.h"

#include <criterion/criterion.h>

static uint64_t state = 88172645463325252u;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Numbers with few bits, long runs, and any. */
static uint64_t number(void) {
    uint64_t v = next() * 0x2545f4914f6cdd1d;
    switch (next() % 6) {
    case 0: return v >> (next() % 64);
    case 1: return (uint64_t)((int64_t)v >> (next() % 64));
    case 2: return v & next() & next();
    case 3: return next() % 5;
    case 4: return (uint64_t)(int64_t)(int32_t)v;
    default: return v;
    }
}

static uint64_t masked(uint64_t v, enum ir_type type) {
    return type == IR_I32 ? (uint32_t)v : v;
}

/* Something that is known of a value, which is given. */
static struct known known_of(uint64_t v, enum ir_type type) {
    uint64_t hidden = next() % 3 ? number() : 0; /* bits that are not known */
    struct known k = {~v & ~hidden, v & ~hidden, false};
    if (type == IR_I32) {
        k.zeros |= ~(uint64_t)UINT32_MAX;
        k.ones &= UINT32_MAX;
    } else {
        k.sext = v == (uint64_t)(int64_t)(int32_t)v && next() % 2;
    }
    return k;
}

static void expect_within(const struct known *k, uint64_t v, enum ir_op op, enum ir_type type) {
    cr_assert_not(v & k->zeros, "%s.%d: %lx, zeros %lx", ir_ops[op].text, type, v, k->zeros);
    cr_assert_not(~v & k->ones, "%s.%d: %lx, ones %lx", ir_ops[op].text, type, v, k->ones);
    if (k->sext)
        cr_assert_eq(v, (uint64_t)(int64_t)(int32_t)v, "%s.%d: %lx is no sext", ir_ops[op].text,
                     type, v);
}

static bool narrows(enum ir_op op) {
    return op == IR_ZEXT || op == IR_SEXT;
}

static void check(enum ir_op op, enum ir_type type) {
    const struct ir_op_info *info = &ir_ops[op];
    struct ir_inst inst = {.op = (uint8_t)op,
                           .type = (uint8_t)type,
                           .nargs = (uint32_t)info->nargs,
                           .res = {1, info->nresults == 2 ? 2 : 0}};
    enum ir_type from = op == IR_TRUNC ? IR_I64 : narrows(op) ? IR_I32 : type;
    uint64_t values[4], folded[2];
    struct known args[4], result[2];
    for (int i = 0; i < info->nargs; i++) {
        values[i] = masked(number(), from);
        if (op >= IR_SHL2 && op <= IR_ASHR2 && i == 2)
            values[i] &= 63;
        args[i] = known_of(values[i], from);
    }
    cr_assert(ir_fold(op, type, values, inst.nargs, folded));
    known_transfer(&inst, args, result);
    for (int i = 0; i < info->nresults; i++)
        expect_within(&result[i], folded[i], op, type);
}

Test(ir_known, transfer_is_sound) {
    for (int op = IR_ADD; op <= IR_SMULL; op++) {
        if (!(ir_ops[op].flags & IR_PURE))
            continue;
        for (int round = 0; round < 40000; round++) {
            if (ir_ops[op].level != 32 && op != IR_TRUNC)
                check((enum ir_op)op, IR_I64);
            if (!narrows((enum ir_op)op) && op != IR_BSWAP64)
                check((enum ir_op)op, IR_I32);
        }
    }
}

Test(ir_known, conditions_are_sound) {
    int decided = 0;
    for (int round = 0; round < 400000; round++) {
        enum ir_type type = next() % 2 ? IR_I32 : IR_I64;
        enum ir_cond cond = (enum ir_cond)(next() % IR_COND_COUNT);
        uint64_t a = masked(number(), type), b = next() % 4 ? masked(number(), type) : a;
        struct known ka = known_of(a, type), kb = known_of(b, type);
        int holds = known_cond(cond, type, &ka, &kb);
        if (holds < 0)
            continue;
        decided++;
        cr_assert_eq(holds, ir_fold_cond(cond, type, a, b));
    }
    cr_expect_gt(decided, 40000);
}

Test(ir_known, is_exact_where_it_matters) {
    struct known args[2] = {{.zeros = ~UINT64_C(0xff)}, {.zeros = ~UINT64_C(0xffff)}}, result[2];
    struct ir_inst add = {.op = IR_ADD, .type = IR_I64, .nargs = 2, .res = {1}};
    known_transfer(&add, args, result);
    cr_expect_eq(result[0].zeros, ~UINT64_C(0x1ffff));
    struct ir_inst and = {.op = IR_AND, .type = IR_I64, .nargs = 2, .res = {1}};
    known_transfer(&and, args, result);
    cr_expect_eq(result[0].zeros, ~UINT64_C(0xff));
    struct ir_inst mul = {.op = IR_MUL, .type = IR_I64, .nargs = 2, .res = {1}};
    known_transfer(&mul, args, result);
    cr_expect_eq(result[0].zeros, ~UINT64_C(0xffffff));
    cr_expect(known_zext(&result[0]));
    struct known limit = {.zeros = ~UINT64_C(0x100), .ones = 0x100};
    cr_expect_eq(known_cond(IR_COND_ULT, IR_I64, &args[0], &limit), 1);
    cr_expect_eq(known_cond(IR_COND_ULT, IR_I64, &args[1], &limit), -1);
}
