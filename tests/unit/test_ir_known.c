/* SPDX-License-Identifier: MIT */
/* Soundness of the known-bits transfer functions: whatever values the operands have within what is
 * known of them, the folder's result lies within what is known of the result. */
#include "opt/known.h"

#include <criterion/criterion.h>
#include <inttypes.h>

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

/* ------------------------------------------------------------------------- induction variables */

/* A loop with one variable, and what it does with a concrete bound. */
struct loop {
    uint64_t init, bound;
    int64_t step;
    enum ir_cond cond;
    bool of_next, low_word, variable_bound, variable_init, guarded, at_header;
};

static const char *const conds[] = {
#define TEXT(NAME, text, INVERSE, SWAPPED) text,
    IR_CONDS(TEXT)
#undef TEXT
};

/* v3 is the phi, v4 is next; v12 and v13 the operands of the test. */
static struct ir_fn *loop_text(struct arena *arena, const struct loop *l, struct diag *diag) {
    const char *init = l->variable_init ? "v5 = param.64 1\n v6 = trunc.32 v5\n v1 = zext.64 v6"
                                        : arena_printf(arena, "v1 = const.64 %" PRId64, l->init);
    const char *bound = l->variable_bound ? "v7 = param.64 2\n v8 = trunc.32 v7\n v2 = zext.64 v8"
                                          : arena_printf(arena, "v2 = const.64 %" PRId64, l->bound);
    const char *guard =
        l->guarded ? arena_printf(arena, "br.64 eq v%d, v9, b3, b1", l->variable_init ? 1 : 2)
                   : "jump b1";
    const char *test =
        l->low_word
            ? arena_printf(arena, " v12 = trunc.32 v%d\n v13 = trunc.32 v2\n br.32 %s v12, v13",
                           l->of_next ? 4 : 3, conds[l->cond])
            : arena_printf(arena, " br.64 %s v%d, v2", conds[l->cond], l->of_next ? 4 : 3);
    const char *add = arena_printf(arena, " v4 = add.64 v3, v10\n");
    const char *body =
        l->at_header && !l->of_next
            ? arena_printf(arena, "b1:\n v3 = phi.64 b0: v1, b2: v4\n%s, b2, b3\nb2:\n%s jump b1\n",
                           test, add)
            : arena_printf(arena, "b1:\n v3 = phi.64 b0: v1, b1: v4\n%s%s, b1, b3\n", add, test);
    const char *text = arena_printf(arena,
                                    "func 0 f\nb0:\n %s\n %s\n v9 = const.64 0\n"
                                    " v10 = const.64 %" PRId64 "\n %s\n%sb3:\n ret.64 v9\n",
                                    init, bound, l->step, guard, body);
    struct ir_fn *fn = ir_parse(arena, text, "loop", diag);
    if (!fn)
        diag_print(diag, stderr, false);
    return fn;
}

static bool continues(const struct loop *l, uint64_t phi, uint64_t next_value) {
    uint64_t tested = l->of_next ? next_value : phi;
    return ir_fold_cond(l->cond, l->low_word ? IR_I32 : IR_I64, tested, l->bound);
}

static void expect_loop_within(const struct loop *l, const struct known *k, uint64_t v,
                               const char *what) {
    bool sext = v == (uint64_t)(int64_t)(int32_t)v;
    cr_assert(!(v & k->zeros) && !(~v & k->ones) && (!k->sext || sext),
              "%s %" PRIx64 ": init %" PRIx64 " step %" PRId64 " %s bound %" PRIx64
              ", of_next %d low_word %d variable %d %d guarded %d at_header %d",
              what, v, l->init, l->step, conds[l->cond], l->bound, l->of_next, l->low_word,
              l->variable_init, l->variable_bound, l->guarded, l->at_header);
}

/* Counts the loops about which something was said. */
static bool check_loop(const struct loop *l) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct ir_fn *fn = loop_text(arena, l, diag);
    cr_assert(fn);
    ir_analyze(fn);
    struct solution s;
    known_solve(fn, arena, &s);
    known_induction(fn, &s);
    uint64_t phi = l->init;
    bool entered = !l->guarded || (l->variable_init ? l->init : l->bound) != 0;
    for (int i = 0; entered && i < 40; i++) {
        expect_loop_within(l, &s.known[3], phi, "phi");
        uint64_t next_value = phi + (uint64_t)l->step;
        bool more = continues(l, phi, next_value);
        if (!l->at_header || l->of_next || more)
            expect_loop_within(l, &s.known[4], next_value, "next");
        if (!more)
            break;
        phi = next_value;
    }
    bool said = s.block_live[1] && (known_zext(&s.known[3]) || known_zext(&s.known[4]));
    diag_free(diag);
    arena_free(arena);
    return said;
}

Test(ir_known, induction_is_sound) {
    static const uint64_t bases[] = {0,           0x7fffffff,         0x80000000, 0xffffffff,
                                     0x100000000, 0x7fffffffffffffff, UINT64_MAX, 1000};
    int said = 0;
    for (int round = 0; round < 60000; round++) {
        struct loop l = {
            .init = bases[next() % 8] + next() % 13 - 6,
            .step = next() % 3 ? 1 - 2 * (int64_t)(next() % 2) : (int64_t)(next() % 9) - 4,
            .cond = (enum ir_cond)(next() % 3 ? next() % IR_COND_COUNT : IR_COND_NE),
            .of_next = next() % 2,
            .low_word = next() % 3 == 0,
            .variable_bound = next() % 2,
            .variable_init = next() % 4 == 0,
            .guarded = next() % 2,
            .at_header = next() % 2,
        };
        l.bound = next() % 8 ? l.init + next() % 33 - 16 : next() % 5 - 2;
        if (l.variable_init)
            l.init = (uint32_t)l.init;
        if (l.variable_bound)
            l.bound = (uint32_t)l.bound;
        said += l.step && check_loop(&l);
    }
    cr_expect_gt(said, 6000, "%d", said);
}
