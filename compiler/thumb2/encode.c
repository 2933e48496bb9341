/* SPDX-License-Identifier: MIT */
/*
 * From operands to halfwords: does an encoding fit (ranges by the width of its fields, registers
 * and combinations by its rules), and which of an op's encodings is the shortest that fits. There
 * is one path: pack() both checks and encodes, so that the two cannot disagree.
 */
#include "thumb2/encoding.h"

#include <assert.h>

#define NO_RAW UINT32_MAX /* too wide for every field, so pack() refuses it */

/* ---- Immediates ------------------------------------------------------------------------------ */

uint32_t t2_expand_imm(uint32_t imm12) {
    uint32_t byte = imm12 & 0xff;
    unsigned rotation = imm12 >> 7 & 31;

    switch (imm12 >> 8) {
    case 0: return byte;
    case 1: return byte << 16 | byte;
    case 2: return byte << 24 | byte << 8;
    case 3: return byte * 0x01010101u;
    default: byte = 0x80 | (imm12 & 0x7f); return byte >> rotation | byte << (32 - rotation);
    }
}

bool t2_modified_imm(uint32_t value, uint32_t *imm12) {
    uint32_t low = value & 0xff, second = value >> 8 & 0xff;

    if (value < 256)
        *imm12 = value;
    else if (value == low * 0x00010001u)
        *imm12 = 0x100 | low;
    else if (value == second * 0x01000100u)
        *imm12 = 0x200 | second;
    else if (value == low * 0x01010101u)
        *imm12 = 0x300 | low;
    else {
        /* Eight bits from the highest one, and nothing below them: 1bcdefgh ROR rotation. */
        unsigned top = 31 - (unsigned)__builtin_clz(value);
        if (value & ((1u << (top - 7)) - 1))
            return false;
        unsigned rotation = 39 - top;
        *imm12 = rotation << 7 | (value >> (top - 7) & 0x7f);
    }
    return true;
}

/* A branch offset of `bits` bits with sign, in halfwords. */
static bool branch_fits(int32_t imm, unsigned bits) {
    return imm % 2 == 0 && imm >= -(1 << bits) && imm < 1 << bits;
}

/* Branches T3 and T4: the sign, J1 and J2 continue the immediate upwards (A7.7.12). */
static uint32_t long_branch_raw(const struct t2_row *row, const struct t2_bits *field,
                                int32_t imm) {
    unsigned low = row->imm == T2_IMM_BR3 ? 17 : 21;
    uint32_t half = (uint32_t)imm >> 1;
    uint32_t sign = (uint32_t)imm >> 31;

    if (!branch_fits(imm, low + 3))
        return NO_RAW;
    switch (field->letter) {
    case 'X': return sign;
    case 'J': /* T3 has J2 above J1; T4 has I1 = NOT(J1 EOR S) above I2 */
        return row->imm == T2_IMM_BR3 ? half >> low & 1 : ~(half >> (low + 1) ^ sign) & 1;
    case 'K': return row->imm == T2_IMM_BR3 ? half >> (low + 1) & 1 : ~(half >> low ^ sign) & 1;
    default: return half & ((1u << low) - 1);
    }
}

/* The bits of the letters i, j, U, X, J, K. */
static uint32_t imm_raw(const struct t2_row *row, const struct t2_bits *field, int32_t imm) {
    uint32_t value = (uint32_t)imm, magnitude = imm < 0 ? 0 - value : value, imm12;

    switch (row->imm) {
    case T2_IMM_U1: return value;
    case T2_IMM_U2: return value % 2 ? NO_RAW : value / 2;
    case T2_IMM_U4: return value % 4 ? NO_RAW : value / 4;
    case T2_IMM_N1: return imm < 0 ? magnitude : NO_RAW;
    case T2_IMM_S1: return field->letter == 'U' ? imm >= 0 : magnitude;
    case T2_IMM_S4:
        if (field->letter == 'U')
            return imm >= 0;
        return magnitude % 4 ? NO_RAW : magnitude / 4;
    case T2_IMM_EXPAND: return t2_modified_imm(value, &imm12) ? imm12 : NO_RAW;
    case T2_IMM_W16: return field->letter == 'j' ? value >> 12 : value & 0xfff;
    case T2_IMM_SH31: return value >= 1 && value <= 31 ? value : NO_RAW;
    case T2_IMM_SH32: return value >= 1 && value <= 32 ? value & 31 : NO_RAW;
    case T2_IMM_BR:
        return branch_fits(imm, field->width) ? value >> 1 & ((1u << field->width) - 1) : NO_RAW;
    case T2_IMM_BR3:
    case T2_IMM_BR4: return long_branch_raw(row, field, imm);
    default: assert(!"a diagram with an immediate that its row does not describe"); return NO_RAW;
    }
}

/* ---- Do the operands fit? -------------------------------------------------------------------- */

/* DecodeImmShift (A7.4.2), and the narrower shifts of instructions that have no kind field. */
static bool shift_fits(const struct t2_row *row, const struct t2_fields *f) {
    bool lsl = f->shift == T2_LSL && f->amount <= 31;
    bool asr = f->shift == T2_ASR && f->amount >= 1 && f->amount <= 32;

    if (row->rules & T2_RULE_ASR)
        return asr;
    if (t2_has(row, 'Y'))
        return lsl || (asr && f->amount <= 31);
    if (t2_has(row, 'y'))
        return lsl || asr || (f->shift == T2_LSR && f->amount >= 1 && f->amount <= 32) ||
               (f->shift == T2_ROR && f->amount >= 1 && f->amount <= 31) ||
               (f->shift == T2_RRX && f->amount == 0);
    if (t2_has(row, 'k'))
        return lsl;
    if (t2_has(row, 'r') && f->shift == T2_ROR)
        return f->amount == 8 || f->amount == 16 || f->amount == 24;
    return f->shift == T2_LSL && f->amount == 0;
}

static bool list_fits(const struct t2_row *row, const struct t2_fields *f) {
    const uint16_t lr_pc = 1 << T2_LR | 1 << T2_PC;

    if (!t2_has(row, 'p'))
        return true;
    if (row->rules & T2_RULE_STM_16 && f->reglist >> f->n & 1 && f->reglist & ((1u << f->n) - 1))
        return false;
    return __builtin_popcount(f->reglist) >= row->halfwords && (f->reglist & lr_pc) != lr_pc;
}

/* The base is written back as the row says, and is not transferred then. */
static bool index_fits(const struct t2_row *row, const struct t2_fields *f) {
    bool base_in_list = t2_has(row, 'p') && f->reglist >> f->n & 1;

    if (row->rules & T2_RULE_LDM_16)
        return f->index == (base_in_list ? T2_OFFSET : T2_POST);
    if (f->index != row->index)
        return false;
    if (f->index == T2_OFFSET || row->rules & T2_RULE_STM_16)
        return true;
    return !base_in_list && !(t2_has(row, 't') && f->t == f->n) &&
           !(t2_has(row, 'u') && f->t2 == f->n);
}

static bool ties_hold(const struct t2_row *row, struct t2_fields *f) {
    for (unsigned i = 0; i < row->tie_count; i++) {
        const struct t2_tie *tie = &row->tie[i];
        uint8_t *right = t2_register(f, tie->right);
        bool equal = *t2_register(f, tie->left) == (right ? *right : (uint8_t)tie->right);
        if (equal != (tie->relation == '='))
            return false;
    }
    return true;
}

static bool registers_fit(const struct t2_row *row, struct t2_fields *f) {
    for (unsigned i = 0; i < row->field_count; i++) {
        char letter = row->field[i].letter;
        const uint8_t *reg = t2_register(f, letter == 'v' ? 0 : letter);
        if (reg && ((*reg == T2_SP && !(row->sp_allowed & t2_letter(letter))) ||
                    (*reg == T2_PC && !(row->pc_allowed & t2_letter(letter)))))
            return false;
    }
    return true;
}

static bool condition_fits(const struct t2_row *row, const struct t2_fields *f) {
    if (row->rules & T2_RULE_AL)
        return f->cond == T2_AL;
    if (row->rules & T2_RULE_IT) /* an IT AL has no else */
        return f->imm > 0 && (f->cond < T2_AL || (f->cond == T2_AL && !(f->imm & (f->imm - 1))));
    return !t2_has(row, 'c') || f->cond < T2_AL;
}

static bool flags_fit(const struct t2_row *row, const struct t2_fields *f) {
    return !f->setflags || t2_has(row, 'S') || row->rules & (T2_SETS_OUTSIDE_IT | T2_ALWAYS_SETS) ||
           t2_op_traits(row->op) & T2_COMPARE;
}

/* The rules of single instructions. */
static bool rules_hold(const struct t2_row *row, const struct t2_fields *f) {
    if (row->rules & T2_RULE_SP_ADJUST && f->d == T2_SP)
        return f->n == T2_SP && f->shift == T2_LSL && f->amount <= 3;
    if (row->rules & T2_RULE_MOV_32)
        return f->setflags ? f->d != T2_SP && f->m != T2_SP : f->d != T2_SP || f->m != T2_SP;
    if (row->rules & T2_RULE_HIGH)
        return f->n > 7 || f->m > 7;
    if (row->rules & T2_RULE_NOT_BOTH_PC)
        return f->n != T2_PC || f->m != T2_PC;
    if (row->rules & T2_RULE_PC_ALIGNED)
        return f->t != T2_PC || f->imm % 4 == 0;
    if (t2_has(row, 'b'))
        return f->width >= 1 && f->lsb + f->width <= 32;
    return true;
}

static bool operands_fit(const struct t2_row *row, struct t2_fields *f) {
    if (row->form != T2_NONE && f->form != row->form)
        return false;
    if (row->imm == T2_IMM_ZERO && f->imm != 0)
        return false;
    return flags_fit(row, f) && ties_hold(row, f) && registers_fit(row, f) && shift_fits(row, f) &&
           list_fits(row, f) && index_fits(row, f) && condition_fits(row, f) && rules_hold(row, f);
}

/* ---- Packing --------------------------------------------------------------------------------- */

/* What the operands put into the bits of a letter; wider than the field if they do not fit. */
static uint32_t raw_value(const struct t2_row *row, const struct t2_bits *field,
                          struct t2_fields *f) {
    switch (field->letter) {
    case 'S': return f->setflags;
    case 'c': return f->cond;
    case 'k': return f->amount & 31;
    case 'y': return f->shift == T2_RRX ? T2_ROR : f->shift;
    case 'Y': return f->shift == T2_ASR;
    case 'r': return f->amount / 8;
    case 'b': return f->lsb;
    case 'w': return f->width - 1u;
    case 'W': return f->width;
    case 'e': return f->lsb + f->width - 1u;
    case 'p': /* with the list's bits that no letter of the diagram has, so that they do not fit */
        return f->reglist &
               ~((t2_has(row, 'L') ? 1u << T2_LR : 0) | (t2_has(row, 'P') ? 1u << T2_PC : 0));
    case 'L': return f->reglist >> T2_LR & 1;
    case 'P': return f->reglist >> T2_PC & 1;
    case 'i':
    case 'j':
    case 'U':
    case 'X':
    case 'J':
    case 'K': return imm_raw(row, field, f->imm);
    default: return *t2_register(f, field->letter);
    }
}

static uint32_t scatter(const struct t2_bits *field, uint32_t raw) {
    uint32_t word = 0;
    unsigned rest = field->width;

    for (unsigned i = 0; i < field->part_count; i++) {
        rest -= field->part[i].width;
        word |= (raw >> rest & ((1u << field->part[i].width) - 1)) << field->part[i].shift;
    }
    return word;
}

static bool pack(const struct t2_row *row, const struct t2_fields *given, uint32_t *word) {
    struct t2_fields f = *given;

    /* d = n op d is d = d op n where the op commutes: two-operand encodings have n = d. */
    if (row->form != T2_IMM && row->tie_count && row->tie[0].right == 'd' && f.n != f.d &&
        f.m == f.d && t2_op_traits(row->op) & T2_COMMUTES) {
        f.m = f.n;
        f.n = f.d;
    }
    if (!operands_fit(row, &f))
        return false;
    *word = row->value;
    for (unsigned i = 0; i < row->field_count; i++) {
        uint32_t raw = raw_value(row, &row->field[i], &f);
        if (raw >> row->field[i].width)
            return false;
        *word |= scatter(&row->field[i], raw);
    }
    return true;
}

bool t2_encodable(enum t2_enc enc, const struct t2_fields *f) {
    uint32_t word;

    return pack(t2_row(enc), f, &word);
}

unsigned t2_encode(enum t2_enc enc, const struct t2_fields *f, uint16_t out[2]) {
    const struct t2_row *row = t2_row(enc);
    uint32_t word;
    bool fits = pack(row, f, &word);

    assert(fits && "t2_encode() of operands that are not t2_encodable()");
    (void)fits;
    if (row->halfwords == 1) {
        out[0] = (uint16_t)word;
        return 1;
    }
    out[0] = (uint16_t)(word >> 16);
    out[1] = (uint16_t)word;
    return 2;
}

/* ---- Choosing -------------------------------------------------------------------------------- */

/* Does the row, here, set flags or leave them as asked for? */
static bool flags_allowed(const struct t2_row *row, const struct t2_fields *f, bool flags_dead,
                          bool in_it) {
    bool sets = row->rules & T2_ALWAYS_SETS || (row->rules & T2_SETS_OUTSIDE_IT && !in_it);

    if (sets)
        return f->setflags || flags_dead;
    return !f->setflags || t2_has(row, 'S') || t2_op_traits(row->op) & T2_COMPARE;
}

bool t2_select(enum t2_op op, const struct t2_fields *f, bool flags_dead, bool in_it,
               enum t2_enc *enc) {
    for (const enum t2_enc *form = t2_forms(op); *form != T2_ENC_COUNT; form++) {
        const struct t2_row *row = t2_row(*form);
        if (in_it && row->rules & T2_NOT_IN_IT)
            continue;
        if (flags_allowed(row, f, flags_dead, in_it) && t2_encodable(*form, f)) {
            *enc = *form;
            return true;
        }
    }
    return false;
}
