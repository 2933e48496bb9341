/* SPDX-License-Identifier: MIT */
/* The IR's text form, analyses and folder. */
#include "ir/ir.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static struct diag *diag;

static void setup(void) {
    arena = arena_new();
    diag = diag_new();
}

static void teardown(void) {
    arena_free(arena);
    diag_free(diag);
}

TestSuite(ir, .init = setup, .fini = teardown);

static char *text_of(const struct ir_fn *fn) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ir_print(fn, out);
    fclose(out);
    return text;
}

static struct ir_fn *parse(const char *text) {
    struct ir_fn *fn = ir_parse(arena, text, "test", diag);
    if (!fn)
        diag_print(diag, stderr, false);
    cr_assert(fn);
    ir_check(fn, "parse");
    return fn;
}

static const char nest[] = "func 3 nest level=64 stack=16\n"
                           "b0:\n"
                           "    v1 = param.64 1\n"
                           "    v2 = const.64 0\n"
                           "    jump b1\n"
                           "b1:  ; preds b3, b0\n"
                           "    v3 = phi.64 b3: v9, b0: v2\n"
                           "    v11 = phi.64 b3: v3, b0: v1\n"
                           "    jump b2\n"
                           "b2:  ; preds b1, b2\n"
                           "    v4 = load.32 v1, -4 size=2 align=2 signed @7\n"
                           "    v5 = trunc.32 v3\n"
                           "    br.32 slt v4, v5, b2, b3\n"
                           "b3:  ; preds b2\n"
                           "    v8 = const.64 0xffffffff80000000\n"
                           "    v9 = add.64 v3, v8\n"
                           "    br.64 set v9, v1, b1, b4\n"
                           "b4:  ; preds b3\n"
                           "    v10 = call.helper.64 v9 index=5\n"
                           "    ret.64 v10\n";

Test(ir, text_round_trip) {
    char *text = text_of(parse(nest));
    cr_expect_str_eq(text, nest);
    free(text);
}

Test(ir, dominators_and_loops) {
    struct ir_fn *fn = parse(nest);
    ir_analyze(fn);
    static const int depth[] = {0, 1, 2, 1, 0}, idom[] = {-1, 0, 1, 2, 3};
    static const int header[] = {-1, 1, 2, 1, -1};
    for (int i = 0; i < 5; i++) {
        const struct ir_block *block = fn->blocks[i];
        cr_expect_eq(block->loop_depth, depth[i], "b%d", i);
        cr_expect_eq(block->idom ? (int)block->idom->id : -1, idom[i], "b%d", i);
        cr_expect_eq(block->loop_header ? (int)block->loop_header->id : -1, header[i], "b%d", i);
        for (int k = 0; k < 5; k++)
            cr_expect_eq(ir_dominates(block, fn->blocks[k]), i <= k, "b%d b%d", i, k);
    }
}

Test(ir, unreachable_blocks_go_with_their_phi_arguments) {
    struct ir_fn *fn = parse("func 0 f\n"
                             "b0:\n v1 = const.64 1\n jump b2\n"
                             "b1:\n v2 = const.64 2\n jump b2\n"
                             "b2:\n v3 = phi.64 b1: v2, b0: v1\n ret.64 v3\n");
    ir_analyze(fn);
    cr_assert_null(fn->blocks[1]);
    cr_assert_eq(fn->blocks[2]->npreds, 1);
    cr_expect_eq(fn->blocks[2]->first->args[0], 1);
}

/* Dominators of random graphs against their definition: a dominates b if b cannot be reached
 * without a. */
static void reach(const struct ir_block *block, const struct ir_block *without, bool *seen) {
    if (!block || block == without || seen[block->id])
        return;
    seen[block->id] = true;
    reach(block->target[0], without, seen);
    reach(block->target[1], without, seen);
}

static struct ir_inst *append(struct ir_fn *fn, struct ir_block *block, enum ir_op op,
                              enum ir_type type, uint32_t nargs, const ir_val *args) {
    struct ir_inst *inst =
        ir_inst_new(fn, op, type, nargs, args, (uint32_t)(ir_ops[op].nresults == 1), type);
    ir_append(block, inst);
    return inst;
}

/* Blocks that branch on v1 at random, back and forth: most graphs are irreducible. */
static struct ir_fn *random_graph(uint32_t n) {
    struct ir_fn *fn = ir_fn_new(arena, NULL, 0, "random");
    for (uint32_t i = 0; i < n; i++)
        ir_block_new(fn);
    append(fn, fn->blocks[0], IR_PARAM, IR_I64, 0, NULL)->imm = 1;
    ir_val args[] = {1, 1};
    for (uint32_t i = 0; i < n; i++) {
        if (rand() % 8 == 0) {
            append(fn, fn->blocks[i], IR_RET, IR_I64, 1, args);
            continue;
        }
        append(fn, fn->blocks[i], IR_BR, IR_I64, 2, args);
        ir_set_targets(fn, fn->blocks[i], fn->blocks[1 + (uint32_t)rand() % (n - 1)],
                       fn->blocks[1 + (uint32_t)rand() % (n - 1)]);
    }
    return fn;
}

Test(ir, dominators_of_random_graphs) {
    srand(1);
    for (int round = 0; round < 300; round++) {
        uint32_t n = 2 + (uint32_t)rand() % 20;
        struct ir_fn *fn = random_graph(n);
        ir_check(fn, "random_graph");
        for (uint32_t a = 0; a < n; a++) {
            bool seen[32] = {0};
            if (!fn->blocks[a])
                continue;
            reach(fn->blocks[0], fn->blocks[a], seen);
            for (uint32_t b = 0; b < n; b++)
                if (fn->blocks[b])
                    cr_assert_eq(ir_dominates(fn->blocks[a], fn->blocks[b]), !seen[b],
                                 "round %d: b%u b%u", round, a, b);
        }
    }
}

Test(ir, replacement_follows_chains) {
    struct ir_fn *fn = parse("func 0 f\nb0:\n v1 = const.64 1\n v2 = const.64 2\n v3 = const.64 3\n"
                             " v4 = add.64 v1, v2\n ret.64 v4\n");
    ir_replace(fn, 1, 2);
    ir_replace(fn, 2, 3);
    cr_expect_eq(ir_forwarded(fn, 1), 3);
    ir_resolve(fn);
    struct ir_inst *add = fn->values[4].def;
    cr_expect_eq(add->args[0], 3);
    cr_expect_eq(add->args[1], 3);
}

Test(ir, one_edge_is_removed_with_its_phi_argument) {
    struct ir_fn *fn = parse("func 0 f\nb0:\n v1 = const.64 1\n br.64 eq v1, v1, b1, b1\n"
                             "b1:\n v2 = phi.64 b0: v1, b0: v1\n ret.64 v2\n");
    ir_remove_edge(fn, fn->blocks[0], fn->blocks[1]);
    fn->blocks[0]->last->op = IR_JUMP;
    fn->blocks[0]->last->type = IR_VOID;
    fn->blocks[0]->last->nargs = 0;
    ir_check(fn, "ir_remove_edge");
    cr_expect_eq(fn->blocks[1]->npreds, 1);
}

Test(ir, parser_names_the_line_of_an_error) {
    static const struct {
        unsigned line;
        const char *text;
    } bad[] = {
        {1, "b0:\n"},
        {2, "func 0 f\n v1 = const.64 1\n"},
        {3, "func 0 f\nb0:\n v1 = constant.64 1\n"},
        {3, "func 0 f\nb0:\n v1 = const.64 x\n"},
        {3, "func 0 f\nb0:\n br.64 lt v1, v1, b1, b2\n"},
        {4, "func 0 f\nb0:\n v1 = const.64 1\n v1 = const.64 1\n"},
        {3, "func 0 f\nb0:\n v1 = const.64 1 2\n"},
        {5, "func 0 f\nb0:\n jump b1\nb1:\n v1 = phi.64 b2: v1\n"},
        {4, "func 0 f\nb0:\n jump b1\n"},
        {5, "func 0 f\nb0:\n jump b0\n ret.64 v1\n"},
        {3, "func 0 f\nb99999999:\n"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct diag *own = diag_new();
        cr_expect_null(ir_parse(arena, bad[i].text, "test", own), "%zu", i);
        cr_assert(diag_has_errors(own));
        unsigned line = diag_get(own, 0)->loc.line;
        cr_expect(line == bad[i].line || line + 1 == bad[i].line, "%zu: line %u", i, line);
        diag_free(own);
    }
}

/* --------------------------------------------------------------------------------------- folder */

static uint64_t fold2(enum ir_op op, enum ir_type type, uint64_t a, uint64_t b) {
    uint64_t args[] = {a, b}, result[2];
    cr_assert(ir_fold(op, type, args, 2, result));
    return result[0];
}

static uint64_t fold1(enum ir_op op, enum ir_type type, uint64_t a) {
    uint64_t result[2];
    cr_assert(ir_fold(op, type, &a, 1, result));
    return result[0];
}

Test(ir, folds_as_rfc_9669_says) {
    const uint64_t min64 = UINT64_C(1) << 63, min32 = UINT64_C(1) << 31;
    cr_expect_eq(fold2(IR_ADD, IR_I32, UINT32_MAX, 2), 1);
    cr_expect_eq(fold2(IR_UDIV, IR_I64, 7, 0), 0);
    cr_expect_eq(fold2(IR_UMOD, IR_I64, 7, 0), 7);
    cr_expect_eq(fold2(IR_SMOD, IR_I32, 0xfffffff9, 0), 0xfffffff9);
    cr_expect_eq(fold2(IR_SDIV, IR_I64, min64, UINT64_MAX), min64);
    cr_expect_eq(fold2(IR_SMOD, IR_I64, min64, UINT64_MAX), 0);
    cr_expect_eq(fold2(IR_SDIV, IR_I32, min32, UINT32_MAX), min32);
    cr_expect_eq(fold2(IR_SDIV, IR_I32, 0xfffffff9, 2), 0xfffffffd);
    cr_expect_eq(fold2(IR_SHL, IR_I32, 1, 33), 2);
    cr_expect_eq(fold2(IR_ASHR, IR_I32, min32, 31), UINT32_MAX);
    cr_expect_eq(fold2(IR_LSHR, IR_I64, min64, 63), 1);
    cr_expect_eq(fold1(IR_TRUNC, IR_I32, 0x123456789), 0x23456789);
    cr_expect_eq(fold1(IR_SEXT, IR_I64, min32), UINT64_C(0xffffffff80000000));
    cr_expect_eq(fold1(IR_SEXT8, IR_I32, 0x180), 0xffffff80);
    cr_expect_eq(fold1(IR_SEXT16, IR_I64, 0x8000), UINT64_C(0xffffffffffff8000));
    cr_expect_eq(fold1(IR_BSWAP16, IR_I32, 0x12345678), 0x7856);
    cr_expect_eq(fold1(IR_BSWAP32, IR_I64, UINT64_C(0xff00000012345678)), 0x78563412);
    cr_expect_eq(fold1(IR_BSWAP64, IR_I64, 1), UINT64_C(1) << 56);
}

Test(ir, folds_word_pairs) {
    uint64_t args[] = {0xffffffff, 1, 1, 2}, result[2];
    cr_assert(ir_fold(IR_ADD2, IR_I32, args, 4, result));
    cr_expect(result[0] == 0 && result[1] == 4);
    cr_assert(ir_fold(IR_SUB2, IR_I32, (uint64_t[]){0, 0, 1, 0}, 4, result));
    cr_expect(result[0] == UINT32_MAX && result[1] == UINT32_MAX);
    cr_assert(ir_fold(IR_SHL2, IR_I32, (uint64_t[]){1, 0, 32}, 3, result));
    cr_expect(result[0] == 0 && result[1] == 1);
    cr_assert(ir_fold(IR_ASHR2, IR_I32, (uint64_t[]){0, 0x80000000, 63}, 3, result));
    cr_expect(result[0] == UINT32_MAX && result[1] == UINT32_MAX);
    cr_assert(ir_fold(IR_SMULL, IR_I32, (uint64_t[]){0xffffffff, 2}, 2, result));
    cr_expect(result[0] == 0xfffffffe && result[1] == UINT32_MAX);
    cr_assert(ir_fold(IR_UMULL, IR_I32, (uint64_t[]){0xffffffff, 2}, 2, result));
    cr_expect(result[0] == 0xfffffffe && result[1] == 1);
    cr_expect_not(ir_fold(IR_LOAD, IR_I32, args, 1, result));
}

Test(ir, conditions_and_their_inverses) {
    static const uint64_t values[] = {0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff};
    for (int cond = 0; cond < IR_COND_COUNT; cond++)
        for (int i = 0; i < 6; i++)
            for (int k = 0; k < 6; k++) {
                uint64_t a = values[i], b = values[k];
                bool holds = ir_fold_cond((enum ir_cond)cond, IR_I32, a, b);
                enum ir_cond inverse = ir_cond_inverse((enum ir_cond)cond);
                cr_expect_neq(holds, ir_fold_cond(inverse, IR_I32, a, b));
                enum ir_cond swapped = ir_cond_swapped((enum ir_cond)cond);
                cr_expect_eq(holds, ir_fold_cond(swapped, IR_I32, b, a));
            }
    cr_expect(ir_fold_cond(IR_COND_SLT, IR_I32, 0x80000000, 0));
    cr_expect_not(ir_fold_cond(IR_COND_SLT, IR_I64, 0x80000000, 0));
    cr_expect(ir_fold_cond(IR_COND_ULT, IR_I32, 1, 0x80000000));
    cr_expect(ir_fold_cond(IR_COND_CLEAR, IR_I64, 4, 3));
}
