/* SPDX-License-Identifier: MIT */
/* Thumb-2 table: encodings against words worked out by hand, width selection, decoding. */
#include "thumb2/encoding.h"

#include <criterion/criterion.h>

#define F(...) (&(struct t2_fields){__VA_ARGS__})

/* The encoding that select() takes, or T2_ENC_COUNT. */
static enum t2_enc choose(enum t2_op op, const struct t2_fields *f, bool flags_dead, bool in_it) {
    enum t2_enc enc;

    return t2_select(op, f, flags_dead, in_it, &enc) ? enc : T2_ENC_COUNT;
}

static uint32_t word(enum t2_enc enc, const struct t2_fields *f) {
    uint16_t out[2];

    return t2_encode(enc, f, out) == 1 ? out[0] : (uint32_t)out[0] << 16 | out[1];
}

Test(encode, words_of_the_manual) {
    cr_expect_eq(word(T2_ADC_REG_T2, F(.form = T2_REG, .n = 10, .m = 11, .amount = 3)), 0xeb4a00cb);
    cr_expect_eq(word(T2_MOV_IMM_T2, F(.form = T2_IMM, .imm = -1)), 0xf04f30ff);
    cr_expect_eq(word(T2_MOV_IMM_T2, F(.form = T2_IMM, .imm = 0x12000000)), 0xf04f5090);
    cr_expect_eq(word(T2_MOV_IMM_T3, F(.form = T2_IMM, .imm = 0x1234)), 0xf2412034);
    cr_expect_eq(word(T2_BFI_T1, F(.n = 1, .lsb = 3, .width = 5)), 0xf36100c7);
    cr_expect_eq(word(T2_SSAT_T1, F(.width = 5, .n = 1, .shift = T2_ASR, .amount = 4)), 0xf3211004);
    cr_expect_eq(word(T2_LDRD_OFF_T1, F(.t2 = 1, .n = 2, .imm = -8)), 0xe9520102);
    cr_expect_eq(word(T2_BL_T1, F(.imm = 16)), 0xf000f808);
    cr_expect_eq(word(T2_B_T3, F(.imm = -1048576, .cond = T2_EQ)), 0xf4008000);
    cr_expect_eq(word(T2_POP_T1, F(.n = T2_SP, .index = T2_POST, .reglist = 0x8002)), 0xbd02);
}

Test(encode, select_takes_the_shortest_that_keeps_flags) {
    struct t2_fields add = {.form = T2_REG, .d = 0, .n = 1, .m = 2};
    cr_expect_eq(choose(T2_OP_ADD, &add, true, false), T2_ADD_REG_T1);
    cr_expect_eq(choose(T2_OP_ADD, &add, false, false), T2_ADD_REG_T3, "flags are live");
    cr_expect_eq(choose(T2_OP_ADD, &add, false, true), T2_ADD_REG_T1, "sets none inside IT");
    add.setflags = true;
    cr_expect_eq(choose(T2_OP_ADD, &add, false, false), T2_ADD_REG_T1);
    cr_expect_eq(choose(T2_OP_ADD, &add, false, true), T2_ADD_REG_T3);
    add = (struct t2_fields){.form = T2_REG, .d = 9, .n = 1, .m = 9};
    cr_expect_eq(choose(T2_OP_ADD, &add, false, false), T2_ADD_REG_T2, "operands are swapped");
    cr_expect_eq(word(T2_ADD_REG_T2, &add), 0x4489);
    add.amount = 1;
    cr_expect_eq(choose(T2_OP_ADD, &add, true, false), T2_ADD_REG_T3);

    struct t2_fields imm = {.form = T2_IMM, .d = 0, .n = 0, .imm = 255};
    cr_expect_eq(choose(T2_OP_ADD, &imm, true, false), T2_ADD_IMM_T2);
    cr_expect_eq(choose(T2_OP_ADD, &imm, false, false), T2_ADD_IMM_T3);
    imm.imm = 0x123;
    cr_expect_eq(choose(T2_OP_ADD, &imm, true, false), T2_ADD_IMM_T4);
    imm.setflags = true;
    cr_expect_eq(choose(T2_OP_ADD, &imm, true, false), T2_ENC_COUNT, "ADDW has no S");
    cr_expect_eq(choose(T2_OP_SUB, F(.form = T2_IMM, .d = 13, .n = 13, .imm = 508), false, false),
                 T2_SUB_SP_T1);

    cr_expect_eq(choose(T2_OP_MOV, F(.form = T2_REG, .m = 8), false, false), T2_MOV_REG_T1);
    cr_expect_eq(choose(T2_OP_MOV, F(.form = T2_IMM, .imm = 5), false, false), T2_MOV_IMM_T2);
    cr_expect_eq(choose(T2_OP_MOV, F(.form = T2_IMM, .imm = 0x1234567), true, false), T2_ENC_COUNT);
    cr_expect_eq(choose(T2_OP_MUL, F(.d = 3, .n = 5, .m = 3), true, false), T2_MUL_T1);
    cr_expect_eq(choose(T2_OP_MUL, F(.d = 3, .n = 5, .m = 3), false, false), T2_MUL_T2);
    cr_expect_eq(choose(T2_OP_CMP, F(.form = T2_REG, .n = 3, .m = 9), false, false), T2_CMP_REG_T2);
    cr_expect_eq(choose(T2_OP_LDR, F(.form = T2_IMM, .n = 13, .imm = 1020), false, false),
                 T2_LDR_SP_T2);
    cr_expect_eq(choose(T2_OP_LDR, F(.form = T2_IMM, .n = 1, .imm = 126), false, false),
                 T2_LDR_IMM_T3);
    cr_expect_eq(choose(T2_OP_B, F(.imm = -256, .cond = T2_NE), false, false), T2_B_T1);
    cr_expect_eq(choose(T2_OP_B, F(.imm = 256, .cond = T2_NE), false, false), T2_B_T3);
    cr_expect_eq(choose(T2_OP_B, F(.imm = 2048, .cond = T2_AL), false, false), T2_B_T4);
    cr_expect_eq(choose(T2_OP_STMDB, F(.n = 13, .index = T2_PRE, .reglist = 0x40f0), false, false),
                 T2_PUSH_T1);
}

Test(encode, modified_immediates_are_the_inverse_of_their_expansion) {
    for (uint32_t imm12 = 0, back; imm12 < 4096; imm12++) {
        uint32_t value = t2_expand_imm(imm12);
        bool unpredictable = imm12 >> 8 >= 1 && imm12 >> 8 <= 3 && !(imm12 & 0xff);
        cr_assert(t2_modified_imm(value, &back), "%#x", value);
        cr_assert_eq(back, unpredictable ? 0 : imm12, "%#x", value);
    }
    cr_expect_not(t2_modified_imm(0x101, &(uint32_t){0}));
    cr_expect_not(t2_modified_imm(0x80000001, &(uint32_t){0}));
    cr_expect_not(t2_modified_imm(0x1fe00001, &(uint32_t){0}));
}
