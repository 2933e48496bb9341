/* SPDX-License-Identifier: MIT */
/*
 * Thumb-2 table: encodings against words worked out by hand, what does not fit, width selection
 * against a search, decoding as the inverse of encoding. tests/encoder compares all rows with the
 * GNU tools.
 */
#include "encoder/fields.h"

#include <criterion/criterion.h>
#include <string.h>

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

Test(encode, what_does_not_fit) {
    static const struct {
        enum t2_enc enc;
        struct t2_fields bad;
    } cases[] = {
        {T2_ADD_IMM_T1, {.form = T2_IMM, .imm = 8}},
        {T2_ADD_IMM_T1, {.form = T2_IMM, .d = 8, .imm = 1}},
        {T2_ADD_IMM_T1, {.form = T2_REG, .imm = 1}},
        {T2_ADD_IMM_T2, {.form = T2_IMM, .d = 1, .n = 2, .imm = 1}},
        {T2_ADD_IMM_T3, {.form = T2_IMM, .imm = 0x101}},
        {T2_ADD_IMM_T3, {.form = T2_IMM, .d = 13, .n = 1, .imm = 4}},
        {T2_ADD_IMM_T4, {.form = T2_IMM, .imm = 4096}},
        {T2_ADD_IMM_T4, {.form = T2_IMM, .imm = -1}},
        {T2_ADD_IMM_T4, {.form = T2_IMM, .imm = 1, .setflags = true}},
        {T2_ADD_REG_T1, {.form = T2_REG, .amount = 1}},
        {T2_ADD_REG_T2, {.form = T2_REG, .d = 15, .n = 15, .m = 15}},
        {T2_ADD_REG_T3, {.form = T2_REG, .amount = 32}},
        {T2_ADD_REG_T3, {.form = T2_REG, .shift = T2_LSR, .amount = 0}},
        {T2_ADD_REG_T3, {.form = T2_REG, .shift = T2_LSR, .amount = 33}},
        {T2_ADD_REG_T3, {.form = T2_REG, .shift = T2_ROR, .amount = 32}},
        {T2_ADD_REG_T3, {.form = T2_REG, .d = 13, .n = 13, .amount = 4}},
        {T2_SUB_REG_T2, {.form = T2_REG, .m = 13}},
        {T2_SUB_REG_T1, {.form = T2_REG, .d = 1, .n = 9, .m = 1}},
        {T2_SUB_SP_T1, {.form = T2_IMM, .d = 13, .n = 13, .imm = 512}},
        {T2_SUB_SP_T1, {.form = T2_IMM, .d = 13, .n = 13, .imm = 6}},
        {T2_RSB_IMM_T1, {.form = T2_IMM, .imm = 1}},
        {T2_MOV_IMM_T3, {.form = T2_IMM, .imm = 65536}},
        {T2_MOV_IMM_T3, {.form = T2_IMM, .imm = -1}},
        {T2_MOV_REG_T3, {.form = T2_REG, .d = 13, .m = 13}},
        {T2_MOV_REG_T3, {.form = T2_REG, .d = 13, .m = 1, .setflags = true}},
        {T2_LSL_IMM_T1, {.form = T2_IMM, .imm = 0}},
        {T2_LSL_IMM_T1, {.form = T2_IMM, .imm = 32}},
        {T2_LSR_IMM_T2, {.form = T2_IMM, .imm = 33}},
        {T2_CMP_REG_T2, {.form = T2_REG, .n = 1, .m = 2}},
        {T2_UMULL_T1, {.lo = 1, .hi = 1}},
        {T2_UXTB_T2, {.shift = T2_ROR, .amount = 4}},
        {T2_UBFX_T1, {.lsb = 16, .width = 17}},
        {T2_BFI_T1, {.lsb = 16, .width = 0}},
        {T2_SSAT_T1, {.width = 0}},
        {T2_USAT_T1, {.width = 32}},
        {T2_SSAT_T1, {.width = 1, .shift = T2_ASR, .amount = 32}},
        {T2_LDR_IMM_T1, {.form = T2_IMM, .imm = 128}},
        {T2_LDR_IMM_T1, {.form = T2_IMM, .imm = 2}},
        {T2_LDR_IMM_T3, {.form = T2_IMM, .imm = 4096}},
        {T2_LDR_IMM_T3, {.form = T2_IMM, .imm = -4}},
        {T2_LDR_IMM_T3, {.form = T2_IMM, .n = 15}},
        {T2_LDR_NEG_T4, {.form = T2_IMM, .imm = -256}},
        {T2_LDR_NEG_T4, {.form = T2_IMM, .imm = 0}},
        {T2_LDR_PRE_T4, {.form = T2_IMM, .t = 3, .n = 3, .imm = 4, .index = T2_PRE}},
        {T2_LDR_PRE_T4, {.form = T2_IMM, .t = 3, .n = 4, .imm = 4, .index = T2_POST}},
        {T2_LDR_REG_T2, {.form = T2_REG, .amount = 4}},
        {T2_LDR_LIT_T2, {.form = T2_IMM, .t = 15, .n = 15, .imm = 2}},
        {T2_LDRB_IMM_T2, {.form = T2_IMM, .t = 15}},
        {T2_STR_IMM_T3, {.form = T2_IMM, .t = 15}},
        {T2_LDRD_OFF_T1, {.t = 1, .t2 = 1}},
        {T2_LDRD_OFF_T1, {.t2 = 1, .imm = 1024}},
        {T2_LDRD_OFF_T1, {.t2 = 1, .imm = 6}},
        {T2_STRD_POST_T1, {.t2 = 1, .n = 1, .imm = 8, .index = T2_POST}},
        {T2_LDMIA_WB_T2, {.n = 1, .reglist = 0x0006, .index = T2_POST}},
        {T2_LDMIA_T2, {.n = 1, .reglist = 0xc000}},
        {T2_LDMIA_T2, {.n = 1, .reglist = 0x0001}},
        {T2_LDMIA_T2, {.n = 1, .reglist = 0x2001}},
        {T2_STMIA_T2, {.n = 1, .reglist = 0x8001}},
        {T2_LDMIA_T1, {.n = 1, .reglist = 0x0002, .index = T2_POST}},
        {T2_STMIA_T1, {.n = 1, .reglist = 0x0003, .index = T2_POST}},
        {T2_PUSH_T1, {.n = 13, .reglist = 0x0100, .index = T2_PRE}},
        {T2_PUSH_T1, {.n = 13, .reglist = 0x8000, .index = T2_PRE}},
        {T2_PUSH_T1, {.n = 13, .reglist = 0, .index = T2_PRE}},
        {T2_STREX_T1, {.d = 1, .t = 1, .n = 2}},
        {T2_B_T1, {.imm = 256, .cond = T2_EQ}},
        {T2_B_T1, {.imm = -258, .cond = T2_EQ}},
        {T2_B_T1, {.imm = 0, .cond = T2_AL}},
        {T2_B_T2, {.imm = 0, .cond = T2_EQ}},
        {T2_B_T2, {.imm = 2048, .cond = T2_AL}},
        {T2_B_T3, {.imm = 1048576, .cond = T2_EQ}},
        {T2_B_T3, {.imm = -1048578, .cond = T2_EQ}},
        {T2_B_T4, {.imm = 16777216, .cond = T2_AL}},
        {T2_BL_T1, {.imm = -16777218}},
        {T2_BL_T1, {.imm = 1}},
        {T2_CBZ_T1, {.imm = 128}},
        {T2_CBZ_T1, {.imm = -2}},
        {T2_BX_T1, {.m = 15}},
        {T2_TBB_T1, {.n = 13}},
        {T2_IT_T1, {.imm = 0}},
        {T2_IT_T1, {.cond = T2_AL, .imm = 12}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_not(t2_encodable(cases[i].enc, &cases[i].bad), "%s, case %zu",
                      t2_row(cases[i].enc)->name, i);
}

/* sp and pc where the manual allows them, and the far end of every range. */
Test(encode, what_fits) {
    static const struct {
        enum t2_enc enc;
        struct t2_fields good;
    } cases[] = {
        {T2_MOV_REG_T1, {.form = T2_REG, .d = 15, .m = 14}},
        {T2_MOV_REG_T1, {.form = T2_REG, .d = 13, .m = 13}},
        {T2_MOV_REG_T3, {.form = T2_REG, .d = 13, .m = 1}},
        {T2_MOV_REG_T3, {.form = T2_REG, .d = 1, .m = 13}},
        {T2_ADD_REG_T2, {.form = T2_REG, .d = 15, .n = 15, .m = 13}},
        {T2_ADD_REG_T2, {.form = T2_REG, .d = 13, .n = 13, .m = 15}},
        {T2_ADD_IMM_T3, {.form = T2_IMM, .d = 13, .n = 13, .imm = 0x1000, .setflags = true}},
        {T2_ADD_IMM_T4, {.form = T2_IMM, .d = 13, .n = 13, .imm = 4095}},
        {T2_ADD_REG_T3, {.form = T2_REG, .d = 13, .n = 13, .m = 1, .amount = 3}},
        {T2_ADD_REG_T3, {.form = T2_REG, .d = 1, .n = 13, .m = 1, .shift = T2_ASR, .amount = 32}},
        {T2_SUB_IMM_T3, {.form = T2_IMM, .d = 13, .n = 13, .imm = 0x1000}},
        {T2_SUB_IMM_T4, {.form = T2_IMM, .d = 13, .n = 13, .imm = 4095}},
        {T2_SUB_REG_T2, {.form = T2_REG, .d = 13, .n = 13, .m = 1}},
        {T2_CMP_REG_T2, {.form = T2_REG, .n = 13, .m = 13}},
        {T2_CMP_IMM_T2, {.form = T2_IMM, .n = 13, .imm = 4}},
        {T2_CMP_REG_T3, {.form = T2_REG, .n = 13, .m = 4}},
        {T2_CMN_IMM_T1, {.form = T2_IMM, .n = 13, .imm = 4}},
        {T2_CMN_REG_T2, {.form = T2_REG, .n = 13, .m = 4}},
        {T2_LDR_IMM_T3, {.form = T2_IMM, .t = 15, .n = 13, .imm = 4095}},
        {T2_LDR_IMM_T3, {.form = T2_IMM, .t = 13, .n = 1}},
        {T2_LDR_NEG_T4, {.form = T2_IMM, .t = 15, .n = 13, .imm = -255}},
        {T2_LDR_NEG_T4, {.form = T2_IMM, .t = 13, .n = 1, .imm = -1}},
        {T2_LDR_PRE_T4, {.form = T2_IMM, .t = 15, .n = 13, .imm = -255, .index = T2_PRE}},
        {T2_LDR_POST_T4, {.form = T2_IMM, .t = 15, .n = 13, .imm = 255, .index = T2_POST}},
        {T2_LDR_POST_T4, {.form = T2_IMM, .t = 13, .n = 1, .imm = 255, .index = T2_POST}},
        {T2_LDR_REG_T2, {.form = T2_REG, .t = 15, .n = 13, .amount = 3}},
        {T2_LDR_REG_T2, {.form = T2_REG, .t = 13, .n = 1}},
        {T2_LDR_LIT_T2, {.form = T2_IMM, .t = 15, .n = 15, .imm = -4092}},
        {T2_LDR_LIT_T2, {.form = T2_IMM, .t = 13, .n = 15, .imm = 4095}},
        {T2_STR_IMM_T3, {.form = T2_IMM, .t = 13, .n = 13, .imm = 4095}},
        {T2_STR_NEG_T4, {.form = T2_IMM, .t = 13, .n = 13, .imm = -255}},
        {T2_STR_PRE_T4, {.form = T2_IMM, .t = 13, .n = 1, .imm = -255, .index = T2_PRE}},
        {T2_STR_POST_T4, {.form = T2_IMM, .t = 13, .n = 1, .imm = 255, .index = T2_POST}},
        {T2_STR_REG_T2, {.form = T2_REG, .t = 13, .n = 13, .amount = 3}},
        {T2_STRD_OFF_T1, {.t = 1, .t2 = 1, .n = 13, .imm = -1020}},
        {T2_LDMIA_WB_T2, {.n = 13, .reglist = 0x8001, .index = T2_POST}},
        {T2_STMDB_WB_T1, {.n = 13, .reglist = 0x5fff, .index = T2_PRE}},
        {T2_STREX_T1, {.d = 1, .t = 2, .n = 13, .imm = 1020}},
        {T2_TBB_T1, {.n = 15, .m = 1}},
        {T2_TBH_T1, {.n = 15, .m = 1}},
        {T2_BL_T1, {.imm = -16777216}},
        {T2_B_T4, {.imm = 16777214, .cond = T2_AL}},
        {T2_CBZ_T1, {.imm = 126}},
        {T2_UBFX_T1, {.lsb = 0, .width = 32}},
        {T2_SSAT_T1, {.width = 32, .shift = T2_ASR, .amount = 31}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect(t2_encodable(cases[i].enc, &cases[i].good), "%s, case %zu",
                  t2_row(cases[i].enc)->name, i);
    for (unsigned e = 0; e < T2_ENC_COUNT; e++) { /* sp is a base register everywhere */
        const struct t2_row *row = t2_row((enum t2_enc)e);
        if (t2_op_traits(row->op) & (T2_LOAD | T2_STORE) && row->halfwords == 2 && !row->tie_count)
            cr_expect(row->sp_allowed & t2_letter('n'), "%s", row->name);
    }
}

/* Of the rows that decode this word: exactly one, so the order of rows does not matter. */
static unsigned count_rows(const uint16_t code[2], unsigned length) {
    uint32_t value = length == 1 ? code[0] : (uint32_t)code[0] << 16 | code[1];
    unsigned count = 0;

    for (unsigned e = 0; e < T2_ENC_COUNT; e++) {
        const struct t2_row *row = t2_row((enum t2_enc)e);
        if (row->halfwords != length || (value & row->mask) != row->value)
            continue;
        struct t2_fields f = t2_unpack((enum t2_enc)e, value, false);
        count += t2_encodable((enum t2_enc)e, &f);
    }
    return count;
}

Test(encode, decoding_gives_back_row_and_operands) {
    uint64_t state = 42;

    for (unsigned e = 0; e < T2_ENC_COUNT; e++)
        for (unsigned i = 0; i < 600; i++) {
            bool in_it = i % 2 && !(t2_row((enum t2_enc)e)->rules & T2_NOT_IN_IT);
            struct t2_fields f = fields_encodable((enum t2_enc)e, in_it, &state), back;
            uint16_t code[2];
            unsigned length = t2_encode((enum t2_enc)e, &f, code), decoded;
            enum t2_enc enc;

            cr_assert(t2_decode(code, length, in_it, &enc, &back, &decoded), "%s: %04x %04x",
                      t2_row((enum t2_enc)e)->name, code[0], code[1]);
            cr_assert_eq(enc, e, "%s: %04x is decoded as %s", t2_row((enum t2_enc)e)->name, code[0],
                         t2_row(enc)->name);
            cr_assert_eq(decoded, length);
            cr_assert(fields_equal(&f, &back), "%s: %04x", t2_row(enc)->name, code[0]);
            cr_assert_eq(count_rows(code, length), 1, "%s: %04x %04x", t2_row(enc)->name, code[0],
                         code[1]);
        }
}

Test(encode, every_16_bit_word_encodes_to_itself_or_is_refused) {
    unsigned decoded = 0;

    for (uint32_t w = 0; w <= 0xffff; w++) {
        uint16_t code[2] = {(uint16_t)w, 0}, again[2];
        enum t2_enc enc;
        struct t2_fields f;
        unsigned length;

        if (w >= 0xe800) {
            cr_assert_not(t2_decode(code, 1, false, &enc, &f, &length), "half of a 32-bit one");
            cr_assert_eq(length, 0);
            continue;
        }
        cr_assert(count_rows(code, 1) <= 1, "%04x", w);
        if (!t2_decode(code, 1, false, &enc, &f, &length))
            continue;
        cr_assert_eq(t2_encode(enc, &f, again), 1);
        cr_assert_eq(again[0], w);
        decoded++;
    }
    cr_expect_eq(decoded, 57410);
}

/* The selection rules by search: right flags first, then the shortest. 0 if nothing fits. */
static unsigned shortest(enum t2_op op, const struct t2_fields *f, bool flags_dead, bool in_it) {
    unsigned best = 0;

    for (unsigned e = 0; e < T2_ENC_COUNT; e++) {
        const struct t2_row *row = t2_row((enum t2_enc)e);
        bool sets = t2_flags_written((enum t2_enc)e, f, in_it);
        bool compare = t2_op_traits(op) & T2_COMPARE;
        if (row->op != op || !t2_encodable((enum t2_enc)e, f) ||
            (in_it && row->rules & T2_NOT_IN_IT))
            continue;
        if (!compare && (f->setflags ? !sets : sets && !flags_dead))
            continue;
        if (best == 0 || row->halfwords < best)
            best = row->halfwords;
    }
    return best;
}

Test(encode, select_agrees_with_a_search) {
    uint64_t state = 7;

    for (unsigned i = 0; i < 200000; i++) {
        enum t2_enc from = (enum t2_enc)random_below(&state, T2_ENC_COUNT), enc, back;
        enum t2_op op = t2_row(from)->op;
        bool in_it = random_below(&state, 2), flags_dead = random_below(&state, 2);
        struct t2_fields f = fields_random(from, in_it, &state), decoded;
        uint16_t code[2];
        unsigned length;

        if (random_below(&state, 2))
            f.setflags = random_below(&state, 2);
        if (random_below(&state, 4) == 0 && t2_has(t2_row(from), 'm'))
            f.m = f.d;
        unsigned expected = shortest(op, &f, flags_dead, in_it);
        bool selected = t2_select(op, &f, flags_dead, in_it, &enc);
        cr_assert_eq(selected, expected != 0, "%s", t2_row(from)->name);
        if (!selected)
            continue;
        cr_assert_eq(t2_row(enc)->op, op);
        cr_assert_eq(t2_encode(enc, &f, code), expected, "%s", t2_row(enc)->name);
        cr_assert(t2_decode(code, expected, in_it, &back, &decoded, &length));
        cr_assert_eq(back, enc);
        cr_assert(decoded.setflags || !f.setflags);
        cr_assert(f.setflags || !decoded.setflags || flags_dead || t2_op_traits(op) & T2_COMPARE);
        decoded.setflags = f.setflags;
        if (decoded.n != f.n && t2_op_traits(op) & T2_COMMUTES) {
            decoded.m = decoded.n;
            decoded.n = f.n;
        }
        cr_assert(fields_equal(&decoded, &f), "%s %04x", t2_row(enc)->name, code[0]);
    }
}

Test(encode, forms_are_ordered_by_length) {
    for (unsigned op = 0; op < T2_OP_COUNT; op++) {
        unsigned length = 1;
        for (const enum t2_enc *form = t2_forms((enum t2_op)op); *form != T2_ENC_COUNT; form++) {
            cr_expect_eq(t2_row(*form)->op, op);
            cr_expect(t2_row(*form)->halfwords >= length, "%s", t2_op_name((enum t2_op)op));
            length = t2_row(*form)->halfwords;
        }
    }
}

/* A second list, so that a slip in the table needs a twin here. */
static void expect_ops(unsigned trait, const char *names) {
    char found[256] = "";

    for (unsigned op = 0; op < T2_OP_COUNT; op++)
        if (t2_op_traits((enum t2_op)op) & trait) {
            strcat(found, t2_op_name((enum t2_op)op));
            strcat(found, " ");
        }
    cr_expect_str_eq(found, names);
}

Test(encode, traits) {
    expect_ops(T2_COMMUTES, "ADD ADC AND ORR EOR CMN TST TEQ MUL MLA MLS UMULL SMULL UMLAL SMLAL "
                            "UMAAL SMULBB SMULTT SMLABB SMLATT SMMUL SMMULR SMMLA SMMLS ");
    expect_ops(T2_READS_C, "ADC SBC RRX ");
    expect_ops(T2_COMPARE, "CMP CMN TST TEQ ");
    expect_ops(T2_READS_D, "MOVT UMLAL SMLAL UMAAL BFC BFI ");
    expect_ops(T2_BRANCH, "B BL BX BLX CBZ CBNZ TBB TBH ");
    expect_ops(T2_CALL, "BL BLX ");
    expect_ops(T2_LOAD, "LDR LDRB LDRH LDRSB LDRSH LDRD LDMIA LDMDB LDREX LDREXB LDREXH ");
    expect_ops(T2_STORE, "STR STRB STRH STRD STMIA STMDB STREX STREXB STREXH ");
}

Test(encode, effects) {
    cr_expect_eq(t2_flags_written(T2_ADD_REG_T1, F(.form = T2_REG), false), T2_NZCV);
    cr_expect_eq(t2_flags_written(T2_ADD_REG_T1, F(.form = T2_REG), true), 0);
    cr_expect_eq(t2_flags_written(T2_AND_REG_T2, F(.form = T2_REG), false), 0);
    cr_expect_eq(t2_flags_written(T2_AND_REG_T2, F(.setflags = true), true), T2_NZC);
    cr_expect_eq(t2_flags_written(T2_CMP_IMM_T1, F(.imm = 1), true), T2_NZCV);
    cr_expect_eq(t2_flags_written(T2_MUL_T1, F(.d = 1), false), T2_NZ);
    cr_expect_eq(t2_flags_read(T2_ADC_REG_T1, F(.d = 1)), T2_C);
    cr_expect_eq(t2_flags_read(T2_AND_REG_T2, F(.shift = T2_RRX)), T2_C);
    cr_expect_eq(t2_flags_read(T2_B_T1, F(.cond = T2_LE)), T2_N | T2_Z | T2_V);
    cr_expect_eq(t2_flags_read(T2_B_T2, F(.cond = T2_AL)), 0);

    cr_expect_eq(t2_regs_read(T2_ADD_REG_T2, F(.d = 9, .n = 9, .m = 2)), 1 << 9 | 1 << 2);
    cr_expect_eq(t2_regs_written(T2_ADD_REG_T2, F(.d = 9, .n = 9, .m = 2)), 1 << 9);
    cr_expect_eq(t2_regs_written(T2_CMP_REG_T1, F(.n = 1, .m = 2)), 0);
    cr_expect_eq(t2_regs_read(T2_STRD_POST_T1, F(.t = 1, .t2 = 2, .n = 3, .index = T2_POST)), 0xe);
    cr_expect_eq(t2_regs_written(T2_STRD_POST_T1, F(.t = 1, .t2 = 2, .n = 3, .index = T2_POST)), 8);
    cr_expect_eq(t2_regs_read(T2_UMLAL_T1, F(.lo = 1, .hi = 2, .n = 3, .m = 4)), 0x1e);
    cr_expect_eq(t2_regs_read(T2_UMULL_T1, F(.lo = 1, .hi = 2, .n = 3, .m = 4)), 0x18);
    cr_expect_eq(t2_regs_written(T2_UMULL_T1, F(.lo = 1, .hi = 2, .n = 3, .m = 4)), 6);
    cr_expect_eq(t2_regs_read(T2_BFI_T1, F(.d = 1, .n = 2, .width = 1)), 6);
    cr_expect_eq(t2_regs_written(T2_POP_T1, F(.n = 13, .reglist = 0x8001, .index = T2_POST)),
                 0xa001);
    cr_expect_eq(t2_regs_read(T2_PUSH_T1, F(.n = 13, .reglist = 0x4001, .index = T2_PRE)), 0x6001);
    cr_expect_eq(t2_regs_written(T2_STREX_T1, F(.d = 1, .t = 2, .n = 3)), 2);
    cr_expect_eq(t2_regs_read(T2_STREX_T1, F(.d = 1, .t = 2, .n = 3)), 0xc);
    cr_expect_eq(t2_regs_written(T2_BL_T1, F(.imm = 0)), 0xc000);
    cr_expect_eq(t2_regs_read(T2_LDR_LIT_T1, F(.t = 1, .n = 15)), 0x8000);
}

Test(encode, it_state) {
    struct t2_fields f = {.cond = T2_GE, .imm = 0x6}; /* ite: mask 0110 with firstcond bit 0 = 0 */
    char text[32];

    t2_disasm(text, sizeof(text), 0, T2_IT_T1, &f, T2_AL);
    cr_expect_str_eq(text, "itte\tge");
    uint8_t state = t2_it_start(&f);
    cr_expect_eq(t2_it_cond(state), T2_GE);
    cr_expect_not(t2_it_last(state));
    state = t2_it_next(state);
    cr_expect_eq(t2_it_cond(state), T2_GE);
    state = t2_it_next(state);
    cr_expect_eq(t2_it_cond(state), T2_LT);
    cr_expect(t2_it_last(state));
    cr_expect_eq(t2_it_next(state), 0);
    cr_expect_eq(t2_it_cond(0), T2_AL);
}

Test(encode, text_is_cut_to_the_buffer) {
    struct t2_fields f = {.n = 13, .index = T2_POST, .reglist = 0x80f0};
    const char *full = "pop\t{r4, r5, r6, r7, pc}";
    char text[32];

    cr_expect_eq(t2_disasm(text, sizeof(text), 0, T2_POP_T1, &f, T2_AL), strlen(full));
    cr_expect_str_eq(text, full);
    cr_expect_eq(t2_disasm(text, 8, 0, T2_POP_T1, &f, T2_AL), strlen(full));
    cr_expect_str_eq(text, "pop\t{r4");
    cr_expect_eq(t2_disasm(NULL, 0, 0, T2_POP_T1, &f, T2_AL), strlen(full));
    t2_disasm(text, sizeof(text), 0x100, T2_LDR_LIT_T1, F(.t = 1, .n = 15, .imm = 8), T2_NE);
    cr_expect_str_eq(text, "ldrne\tr1, [pc, #8]\t@ 0x10c");
    t2_disasm(text, sizeof(text), 0x100, T2_B_T1, F(.cond = T2_CC, .imm = -8), T2_AL);
    cr_expect_str_eq(text, "bcc.n\t0xfc");
}
