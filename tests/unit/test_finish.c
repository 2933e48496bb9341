/* SPDX-License-Identifier: MIT */
/*
 * What is done after register allocation: if-conversion, order of blocks and addressing with write-back, as
 * text before and after. What the result computes is for the random programs and the conformance vectors to see.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "ir/ir.h"
#include "thumb2/encoding.h"
#include "thumb2/finish.h"

struct maker {
    struct mir_fn fn;
    struct mir_block *block[8];
};

static struct mir_block *start_block(struct maker *m, uint32_t id) {
    cr_assert(id == m->fn.nblocks);
    struct mir_block *b = arena_alloc(m->fn.arena, sizeof(*b));
    b->id = id;
    m->fn.blocks = m->block;
    return m->block[m->fn.nblocks++] = b;
}

static struct maker *make(uint32_t nblocks) {
    struct arena *arena = arena_new();
    struct maker *m = arena_alloc(arena, sizeof(*m));
    m->fn.arena = arena;
    m->fn.name = "f";
    for (uint32_t i = 0; i < nblocks; i++)
        start_block(m, i);
    return m;
}

static struct mir_inst *add(struct maker *m, uint32_t block, unsigned op, mreg d, mreg n) {
    struct mir_inst *inst = mir_inst_new(&m->fn, op);
    inst->dst[0] = d;
    inst->src[0] = n;
    mir_append(m->block[block], inst);
    return inst;
}

static void add_imm(struct maker *m, uint32_t block, unsigned op, mreg d, mreg n, int32_t imm) {
    struct mir_inst *inst = add(m, block, op, d, n);
    inst->form = T2_IMM;
    inst->imm = imm;
}

static void store(struct maker *m, uint32_t block, mreg value, mreg base, int32_t imm) {
    add_imm(m, block, T2_OP_STR, MREG_NONE, value, imm);
    m->block[block]->last->src[1] = base;
}

static void branch(struct maker *m, uint32_t block, enum ir_cond cond, uint32_t to,
                   uint32_t other) {
    struct mir_inst *br = add(m, block, MIR_CMPBR, MREG_NONE, 0);
    br->src[1] = 1;
    br->form = T2_REG;
    br->cond = (uint8_t)cond;
    br->target[0] = m->block[to];
    br->target[1] = m->block[other];
}

static void jump(struct maker *m, uint32_t block, uint32_t to) {
    add(m, block, MIR_JUMP, MREG_NONE, MREG_NONE)->target[0] = m->block[to];
}

static void ret(struct maker *m, uint32_t block) {
    add(m, block, MIR_RET, MREG_NONE, MREG_NONE);
}

static void expect(struct maker *m, void (*pass)(struct mir_fn *), const char *expected) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    mir_compute_preds(&m->fn);
    pass(&m->fn);
    mir_print(&m->fn, out);
    fclose(out);
    cr_assert_str_eq(text, expected, "got:\n%s", text);
    free(text);
    arena_free(m->fn.arena);
}

/* ----------------------------------------------------------------------------- if-conversion */

/* b0 to b1 or straight to b2, which b1 goes on to. */
static struct maker *triangle(void) {
    struct maker *m = make(3);
    branch(m, 0, IR_COND_ULT, 1, 2);
    ret(m, 2);
    return m;
}

Test(finish, triangle) {
    struct maker *m = triangle();
    add(m, 1, MIR_COPY, 2, 3);
    add_imm(m, 1, T2_OP_ADD, 4, 4, 1);
    jump(m, 1, 2);
    expect(m, if_convert,
           "function f\n"
           "b0:\n"
           "    cmpit.ult r0, r1\n"
           "    r2 = copy r3 if\n"
           "    r4 = ADD r4, #1 if\n"
           "    ret\n");
}

Test(finish, diamond) {
    struct maker *m = make(4);
    branch(m, 0, IR_COND_EQ, 1, 2);
    add_imm(m, 1, MIR_MOVI, 2, MREG_NONE, -2);
    jump(m, 1, 3);
    store(m, 2, 2, 3, 4);
    add(m, 2, MIR_COPY, 2, 0);
    jump(m, 2, 3);
    ret(m, 3);
    expect(m, if_convert,
           "function f\n"
           "b0:\n"
           "    cmpit.eq r0, r1\n"
           "    r2 = movi #-2 if\n"
           "    STR r2, r3, #4 else\n"
           "    r2 = copy r0 else\n"
           "    ret\n");
}

Test(finish, same_comparison_shares_flags) {
    struct maker *m = make(5);
    branch(m, 0, IR_COND_ULT, 1, 2);
    add(m, 1, MIR_COPY, 2, 3);
    jump(m, 1, 2);
    branch(m, 2, IR_COND_UGE, 3, 4);
    add(m, 3, MIR_COPY, 0, 3);
    jump(m, 3, 4);
    ret(m, 4);
    expect(m, if_convert,
           "function f\n"
           "b0:\n"
           "    cmpit.ult r0, r1\n"
           "    r2 = copy r3 if\n"
           "    r0 = copy r3 else\n"
           "    ret\n");
}

Test(finish, changed_operand_is_compared_again) {
    struct maker *m = make(5);
    branch(m, 0, IR_COND_ULT, 1, 2);
    add(m, 1, MIR_COPY, 0, 3);
    jump(m, 1, 2);
    branch(m, 2, IR_COND_ULT, 3, 4);
    add(m, 3, MIR_COPY, 2, 3);
    jump(m, 3, 4);
    ret(m, 4);
    expect(m, if_convert,
           "function f\n"
           "b0:\n"
           "    cmpit.ult r0, r1\n"
           "    r0 = copy r3 if\n"
           "    cmpit.ult r0, r1\n"
           "    r2 = copy r3 if\n"
           "    ret\n");
}

/* Five instructions; IT holds four. */
Test(finish, no_room_for_both) {
    struct maker *m = make(6);
    branch(m, 0, IR_COND_ULT, 1, 2);
    for (mreg r = 2; r < 4; r++)
        add(m, 1, MIR_COPY, r, 4);
    jump(m, 1, 2);
    branch(m, 2, IR_COND_ULT, 3, 4);
    for (mreg r = 5; r < 7; r++)
        add(m, 3, MIR_COPY, r, 4);
    add(m, 4, MIR_COPY, 5, 7);
    jump(m, 3, 5);
    jump(m, 4, 5);
    ret(m, 5);
    expect(m, if_convert,
           "function f\n"
           "b0:\n"
           "    cmpit.ult r0, r1\n"
           "    r2 = copy r4 if\n"
           "    r3 = copy r4 if\n"
           "    cmpit.ult r0, r1\n"
           "    r5 = copy r4 if\n"
           "    r6 = copy r4 if\n"
           "    r5 = copy r7 else\n"
           "    ret\n");
}

static void expect_unchanged_triangle(struct maker *m, const char *side) {
    char expected[400];
    snprintf(expected, sizeof(expected),
             "function f\n"
             "b0:\n"
             "    cmpbr.ult r0, r1 -> b1, b2\n"
             "b1:\n"
             "%s"
             "    jump -> b2\n"
             "b2:\n"
             "    ret\n",
             side);
    jump(m, 1, 2);
    expect(m, if_convert, expected);
}

Test(finish, long_sides_stay) {
    struct maker *m = triangle();
    for (mreg r = 2; r < 5; r++)
        add(m, 1, MIR_COPY, r, 5);
    expect_unchanged_triangle(m, "    r2 = copy r5\n    r3 = copy r5\n    r4 = copy r5\n");
}

Test(finish, what_takes_two_instructions_stays) {
    struct maker *m = triangle();
    add_imm(m, 1, MIR_MOVI, 2, MREG_NONE, 0x12345678);
    expect_unchanged_triangle(m, "    r2 = movi #305419896\n");
    m = triangle();
    add(m, 1, MIR_CALLSLOT, MREG_NONE, MREG_NONE)->imm = 4;
    expect_unchanged_triangle(m, "    callslot #4\n");
}

/* The jump behind the side would be taken on both ways. */
Test(finish, far_join_stays) {
    struct maker *m = make(4);
    branch(m, 0, IR_COND_ULT, 1, 3);
    add(m, 1, MIR_COPY, 2, 3);
    jump(m, 1, 3);
    add(m, 2, MIR_COPY, 2, 4);
    jump(m, 2, 3);
    ret(m, 3);
    expect(m, if_convert,
           "function f\n"
           "b0:\n"
           "    cmpbr.ult r0, r1 -> b1, b3\n"
           "b1:\n"
           "    r2 = copy r3\n"
           "    jump -> b3\n"
           "b2:\n"
           "    r2 = copy r4\n"
           "    jump -> b3\n"
           "b3:\n"
           "    ret\n");
}

/* ------------------------------------------------------------------------------------- order */

Test(finish, latch_moves_into_its_loop) {
    struct maker *m = make(4);
    jump(m, 0, 1);
    branch(m, 1, IR_COND_ULT, 3, 2);
    ret(m, 2);
    add(m, 3, MIR_COPY, 0, 2);
    jump(m, 3, 1);
    m->block[1]->loop_depth = m->block[3]->loop_depth = 1;
    expect(m, order_latches,
           "function f\n"
           "b0:\n"
           "    jump -> b1\n"
           "b1:  ; loop depth 1\n"
           "    cmpbr.ult r0, r1 -> b2, b3\n"
           "b2:  ; loop depth 1\n"
           "    r0 = copy r2\n"
           "    jump -> b1\n"
           "b3:\n"
           "    ret\n");
}

/* --------------------------------------------------------------------------------- write-back */

Test(finish, addition_behind_access) {
    struct maker *m = make(1);
    add_imm(m, 0, T2_OP_LDRB, 2, 0, 0);
    add_imm(m, 0, T2_OP_LDRB, 3, 0, 1);
    add_imm(m, 0, T2_OP_ADD, 0, 0, 2);
    store(m, 0, 2, 1, 0);
    add_imm(m, 0, T2_OP_SUB, 1, 1, 4);
    ret(m, 0);
    expect(m, write_back,
           "function f\n"
           "b0:\n"
           "    r2, r0 = LDRB r0, #2 [2]\n"
           "    r3 = LDRB r0, #-1\n"
           "    r1 = STR r2, r1, #-4 [2]\n"
           "    ret\n");
}

Test(finish, addition_in_front_of_access) {
    struct maker *m = make(1);
    add_imm(m, 0, T2_OP_ADD, 0, 0, 4);
    add_imm(m, 0, T2_OP_LDR, 2, 0, 0);
    add_imm(m, 0, T2_OP_ADD, 1, 1, 4);
    add_imm(m, 0, T2_OP_LDR, 3, 1, -4);
    ret(m, 0);
    expect(m, write_back,
           "function f\n"
           "b0:\n"
           "    r2, r0 = LDR r0, #4 [1]\n"
           "    r3, r1 = LDR r1, #4 [2]\n"
           "    ret\n");
}

/* Another use in between, a value that is the base, a step that is too far, another offset. */
Test(finish, additions_that_stay) {
    struct maker *m = make(1);
    add_imm(m, 0, T2_OP_LDR, 2, 0, 0);
    add(m, 0, MIR_COPY, 3, 0);
    add_imm(m, 0, T2_OP_ADD, 0, 0, 4);
    add(m, 0, MIR_COPY, 4, 0);
    store(m, 0, 1, 1, 0);
    add_imm(m, 0, T2_OP_ADD, 1, 1, 4);
    store(m, 0, 1, 1, 0);
    add_imm(m, 0, T2_OP_LDR, 2, 5, 0);
    add_imm(m, 0, T2_OP_ADD, 5, 5, 256);
    add_imm(m, 0, T2_OP_LDR, 2, 5, 8);
    store(m, 0, 6, 7, 0);
    store(m, 0, 7, 8, 0);
    add_imm(m, 0, T2_OP_ADD, 7, 7, 4);
    ret(m, 0);
    expect(m, write_back,
           "function f\n"
           "b0:\n"
           "    r2 = LDR r0, #0\n"
           "    r3 = copy r0\n"
           "    r0 = ADD r0, #4\n"
           "    r4 = copy r0\n"
           "    STR r1, r1, #0\n"
           "    r1 = ADD r1, #4\n"
           "    STR r1, r1, #0\n"
           "    r2 = LDR r5, #0\n"
           "    r5 = ADD r5, #256\n"
           "    r2 = LDR r5, #8\n"
           "    STR r6, r7, #0\n"
           "    STR r7, r8, #0\n"
           "    r7 = ADD r7, #4\n"
           "    ret\n");
}

/* An access and a step that only happen on a condition; a base that is loaded in between. */
Test(finish, additions_under_it_stay) {
    struct maker *m = make(1);
    for (int i = 0; i < 2; i++) {
        add_imm(m, 0, MIR_CMPIT, MREG_NONE, 0, 7);
        add_imm(m, 0, i ? T2_OP_LDR : T2_OP_ADD, i ? 3 : 1, 1, i ? 0 : 4);
        m->block[0]->last->predicate = MIR_THEN;
        add_imm(m, 0, i ? T2_OP_ADD : T2_OP_LDR, i ? 1 : 2, 1, i ? 4 : 0);
    }
    add_imm(m, 0, T2_OP_LDR, 2, 4, 0);
    add_imm(m, 0, T2_OP_LDR, 4, 5, 8);
    add_imm(m, 0, T2_OP_ADD, 4, 4, 4);
    ret(m, 0);
    expect(m, write_back,
           "function f\n"
           "b0:\n"
           "    cmpit.eq r0, #7\n"
           "    r1 = ADD r1, #4 if\n"
           "    r2 = LDR r1, #0\n"
           "    cmpit.eq r0, #7\n"
           "    r3 = LDR r1, #0 if\n"
           "    r1 = ADD r1, #4\n"
           "    r2 = LDR r4, #0\n"
           "    r4 = LDR r5, #8\n"
           "    r4 = ADD r4, #4\n"
           "    ret\n");
}
