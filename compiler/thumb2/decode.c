/* SPDX-License-Identifier: MIT */
/*
 * From halfwords back to operands, and what an instruction reads and writes. A row matches if its
 * fixed bits do and if encoding the operands again gives the same word: so the decoder accepts
 * exactly what the encoder produces, and everything that the encoder refuses is refused here by the
 * same code. No word fits two rows (tests/encoder), so their order does not matter.
 */
#include "thumb2/encoding.h"

#include <assert.h>

/* The bits of a field as one number. */
static uint32_t gather(const struct t2_bits *field, uint32_t word) {
    uint32_t raw = 0;

    for (unsigned i = 0; i < field->part_count; i++)
        raw = raw << field->part[i].width |
              (word >> field->part[i].shift & ((1u << field->part[i].width) - 1));
    return raw;
}

/* The bits of a letter, 0 if the diagram does not have it. */
static uint32_t bits(const struct t2_row *row, char letter, uint32_t word) {
    for (unsigned i = 0; i < row->field_count; i++)
        if (row->field[i].letter == letter)
            return gather(&row->field[i], word);
    return 0;
}

static int32_t sign_extend(uint32_t value, unsigned width) {
    uint32_t sign = 1u << (width - 1);

    return (int32_t)((value ^ sign) - sign);
}

static int32_t unpack_imm(const struct t2_row *row, uint32_t word) {
    uint32_t i = bits(row, 'i', word), sign = bits(row, 'X', word);
    uint32_t j1 = bits(row, 'J', word), j2 = bits(row, 'K', word);
    int32_t direction = bits(row, 'U', word) ? 1 : -1;

    switch (row->imm) {
    case T2_IMM_U1:
    case T2_IMM_SH31: return (int32_t)i;
    case T2_IMM_U2: return (int32_t)i * 2;
    case T2_IMM_U4: return (int32_t)i * 4;
    case T2_IMM_N1: return -(int32_t)i;
    case T2_IMM_S1: return direction * (int32_t)i;
    case T2_IMM_S4: return direction * (int32_t)i * 4;
    case T2_IMM_EXPAND: return (int32_t)t2_expand_imm(i);
    case T2_IMM_W16: return (int32_t)(bits(row, 'j', word) << 12 | i);
    case T2_IMM_SH32: return i ? (int32_t)i : 32;
    case T2_IMM_BR: /* 8 or 11 bits */ return sign_extend(i, t2_has(row, 'c') ? 8 : 11) * 2;
    case T2_IMM_BR3: return sign_extend(sign << 19 | j2 << 18 | j1 << 17 | i, 20) * 2;
    case T2_IMM_BR4:
        return sign_extend(sign << 23 | (j1 ^ sign ^ 1) << 22 | (j2 ^ sign ^ 1) << 21 | i, 24) * 2;
    case T2_IMM_ZERO:
    case T2_IMM_NONE: return 0;
    }
    return 0;
}

/* DecodeImmShift (A7.4.2) where there is a kind; a rotation; or LSL. */
static void unpack_shift(const struct t2_row *row, uint32_t word, struct t2_fields *f) {
    uint32_t rotation = bits(row, 'r', word);

    f->amount = (uint8_t)bits(row, 'k', word);
    if (row->rules & T2_RULE_ASR || bits(row, 'Y', word))
        f->shift = T2_ASR;
    else if (t2_has(row, 'y'))
        f->shift = (uint8_t)bits(row, 'y', word);
    if (rotation) {
        f->shift = T2_ROR;
        f->amount = (uint8_t)(rotation * 8);
    } else if (f->amount == 0 && f->shift == T2_ROR) {
        f->shift = T2_RRX;
    } else if (f->amount == 0 && f->shift != T2_LSL && !t2_has(row, 'Y')) {
        f->amount = 32;
    }
}

static void unpack_ties(const struct t2_row *row, struct t2_fields *f) {
    for (unsigned i = 0; i < row->tie_count; i++) {
        const struct t2_tie *tie = &row->tie[i];
        const uint8_t *right = t2_register(f, tie->right);
        if (tie->relation == '=')
            *t2_register(f, tie->left) = right ? *right : (uint8_t)tie->right;
    }
}

static bool sets_flags(const struct t2_row *row, bool s, bool in_it) {
    return (t2_has(row, 'S') && s) || row->rules & T2_ALWAYS_SETS ||
           (row->rules & T2_SETS_OUTSIDE_IT && !in_it) || t2_op_traits(row->op) & T2_COMPARE;
}

struct t2_fields t2_unpack(enum t2_enc enc, uint32_t word, bool in_it) {
    const struct t2_row *row = t2_row(enc);
    struct t2_fields f = {.form = row->form, .index = row->index};

    for (unsigned i = 0; i < row->field_count; i++) {
        char letter = row->field[i].letter;
        uint8_t *reg = t2_register(&f, letter);
        if (reg && letter != 'v')
            *reg = (uint8_t)gather(&row->field[i], word);
    }
    unpack_ties(row, &f);
    unpack_shift(row, word, &f);
    f.imm = unpack_imm(row, word);
    f.setflags = sets_flags(row, bits(row, 'S', word), in_it);
    f.cond = row->rules & T2_RULE_AL ? T2_AL : (uint8_t)bits(row, 'c', word);
    f.reglist = (uint16_t)(bits(row, 'p', word) | bits(row, 'L', word) << T2_LR |
                           bits(row, 'P', word) << T2_PC);
    if (row->rules & T2_RULE_LDM_16)
        f.index = f.reglist >> f.n & 1 ? T2_OFFSET : T2_POST;
    f.lsb = (uint8_t)bits(row, 'b', word);
    if (t2_has(row, 'e'))
        f.width = (uint8_t)(bits(row, 'e', word) + 1 - f.lsb);
    else
        f.width = (uint8_t)(t2_has(row, 'w') ? bits(row, 'w', word) + 1 : bits(row, 'W', word));
    return f;
}

/* True if the row encodes these very operands as this word. */
static bool is_canonical(enum t2_enc enc, const struct t2_fields *f, uint32_t word) {
    uint16_t out[2];

    if (!t2_encodable(enc, f))
        return false;
    return t2_encode(enc, f, out) == 1 ? out[0] == word : ((uint32_t)out[0] << 16 | out[1]) == word;
}

bool t2_decode(const uint16_t *code, size_t halfwords, bool in_it, enum t2_enc *enc,
               struct t2_fields *f, unsigned *len) {
    *len = 0;
    if (halfwords == 0)
        return false;
    /* 0b11101, 0b11110 and 0b11111 on top begin a 32-bit instruction (A5.1). */
    unsigned length = code[0] >> 11 >= 0x1d ? 2 : 1;
    if (halfwords < length)
        return false;
    *len = length;
    uint32_t word = length == 1 ? code[0] : (uint32_t)code[0] << 16 | code[1];
    for (unsigned e = 0; e < T2_ENC_COUNT; e++) {
        const struct t2_row *row = t2_row((enum t2_enc)e);
        if (row->halfwords != length || (word & row->mask) != row->value ||
            (in_it && row->rules & T2_NOT_IN_IT))
            continue;
        *f = t2_unpack((enum t2_enc)e, word, in_it);
        if (is_canonical((enum t2_enc)e, f, word)) {
            *enc = (enum t2_enc)e;
            return true;
        }
    }
    return false;
}

/* ---- Effects --------------------------------------------------------------------------------- */

unsigned t2_cond_flags(enum t2_cond cond) {
    static const uint8_t flags[] = {
        [T2_EQ / 2] = T2_Z,
        [T2_CS / 2] = T2_C,
        [T2_MI / 2] = T2_N,
        [T2_VS / 2] = T2_V,
        [T2_HI / 2] = T2_C | T2_Z,
        [T2_GE / 2] = T2_N | T2_V,
        [T2_GT / 2] = T2_N | T2_Z | T2_V,
        [T2_AL / 2] = 0,
    };

    assert(cond <= T2_AL);
    return flags[cond / 2];
}

unsigned t2_flags_read(enum t2_enc enc, const struct t2_fields *f) {
    const struct t2_row *row = t2_row(enc);
    bool carry = t2_op_traits(row->op) & T2_READS_C || (t2_has(row, 'y') && f->shift == T2_RRX);

    return (carry ? T2_C : 0) | (t2_has(row, 'c') ? t2_cond_flags((enum t2_cond)f->cond) : 0);
}

unsigned t2_flags_written(enum t2_enc enc, const struct t2_fields *f, bool in_it) {
    const struct t2_row *row = t2_row(enc);

    return sets_flags(row, f->setflags, in_it) ? t2_op_flags(row->op) : 0;
}

/* The registers of those letters that the row has, in its diagram or by a tie. */
static uint32_t registers(const struct t2_row *row, const struct t2_fields *f,
                          const char *letters) {
    struct t2_fields copy = *f;
    uint32_t mask = 0;

    for (; *letters; letters++) {
        bool has = t2_has(row, *letters);
        for (unsigned i = 0; i < row->tie_count; i++)
            has |= row->tie[i].relation == '=' && row->tie[i].left == *letters;
        if (has)
            mask |= 1u << *t2_register(&copy, *letters);
    }
    return mask;
}

uint32_t t2_regs_read(enum t2_enc enc, const struct t2_fields *f) {
    const struct t2_row *row = t2_row(enc);
    unsigned traits = t2_op_traits(row->op);
    uint32_t mask = registers(row, f, "nma");

    if (traits & T2_STORE)
        mask |= registers(row, f, "tu") | (t2_has(row, 'p') ? f->reglist : 0);
    if (traits & T2_READS_D)
        mask |= registers(row, f, "dlh");
    return mask;
}

uint32_t t2_regs_written(enum t2_enc enc, const struct t2_fields *f) {
    const struct t2_row *row = t2_row(enc);
    unsigned traits = t2_op_traits(row->op);
    uint32_t mask = registers(row, f, "dlh");

    if (traits & T2_LOAD)
        mask |= registers(row, f, "tu") | (t2_has(row, 'p') ? f->reglist : 0);
    if (f->index != T2_OFFSET)
        mask |= registers(row, f, "n");
    if (traits & T2_BRANCH)
        mask |= 1u << T2_PC;
    if (traits & T2_CALL)
        mask |= 1u << T2_LR;
    return mask;
}
