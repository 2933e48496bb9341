/* SPDX-License-Identifier: MIT */
/*
 * Random operands by what the letters of a diagram mean; shares nothing with encoder and decoder.
 */
#include "encoder/fields.h"

#include <assert.h>

uint32_t random_next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ z >> 31) >> 32);
}

uint32_t random_below(uint64_t *state, uint32_t limit) {
    return (uint32_t)((uint64_t)random_next(state) * limit >> 32);
}

/* In [0, max]; one in three at an end. */
static int32_t edgy(uint64_t *state, int32_t max) {
    switch (random_below(state, 9)) {
    case 0: return 0;
    case 1: return max;
    case 2: return max ? max - 1 : 0;
    default: return (int32_t)random_below(state, (uint32_t)max + 1);
    }
}

/* The kinds of ThumbExpandImm (A5.3.2). */
static int32_t random_modified(uint64_t *state) {
    uint32_t byte = random_below(state, 256);

    switch (random_below(state, 5)) {
    case 0: return (int32_t)byte;
    case 1: return (int32_t)(byte << 16 | byte);
    case 2: return (int32_t)(byte << 24 | byte << 8);
    case 3: return (int32_t)(byte << 24 | byte << 16 | byte << 8 | byte);
    default: return (int32_t)((byte | 0x80) << random_below(state, 25));
    }
}

static int32_t random_signed(uint64_t *state, int32_t max) {
    return random_below(state, 2) ? -edgy(state, max) : edgy(state, max);
}

/* An even offset in [-2^bits, 2^bits - 2]. */
static int32_t random_branch(uint64_t *state, unsigned bits) {
    return edgy(state, (1 << bits) - 1) * 2 - (1 << bits);
}

static unsigned imm_width(const struct t2_row *row) {
    for (unsigned i = 0; i < row->field_count; i++)
        if (row->field[i].letter == 'i')
            return row->field[i].width;
    return 0;
}

static int32_t random_imm(const struct t2_row *row, uint64_t *state) {
    int32_t max = (1 << imm_width(row)) - 1;

    switch (row->imm) {
    case T2_IMM_U1: return edgy(state, max);
    case T2_IMM_U2: return edgy(state, max) * 2;
    case T2_IMM_U4: return edgy(state, max) * 4;
    case T2_IMM_N1: return -1 - edgy(state, max - 1);
    case T2_IMM_S1: return random_signed(state, max);
    case T2_IMM_S4: return random_signed(state, max) * 4;
    case T2_IMM_EXPAND: return random_modified(state);
    case T2_IMM_W16: return edgy(state, 65535);
    case T2_IMM_SH31: return 1 + edgy(state, 30);
    case T2_IMM_SH32: return 1 + edgy(state, 31);
    case T2_IMM_BR: return random_branch(state, t2_has(row, 'c') ? 8 : 11);
    case T2_IMM_BR3: return random_branch(state, 20);
    case T2_IMM_BR4: return random_branch(state, 24);
    case T2_IMM_ZERO:
    case T2_IMM_NONE: return 0;
    }
    return 0;
}

static void random_shift(const struct t2_row *row, struct t2_fields *f, uint64_t *state) {
    if (row->rules & T2_RULE_ASR)
        f->shift = T2_ASR;
    else if (t2_has(row, 'y'))
        f->shift = (uint8_t)random_below(state, 5);
    else if (t2_has(row, 'Y'))
        f->shift = random_below(state, 2) ? T2_ASR : T2_LSL;
    if (t2_has(row, 'r')) {
        f->amount = (uint8_t)(8 * random_below(state, 4));
        f->shift = f->amount ? T2_ROR : T2_LSL;
    } else if (t2_has(row, 'k') && f->shift != T2_RRX) {
        int32_t max = row->op == T2_OP_ADD || row->op == T2_OP_SUB || t2_has(row, 'd') ? 32 : 3;
        f->amount = (uint8_t)(random_below(state, 3) ? edgy(state, max) : 0);
    }
}

struct t2_fields fields_random(enum t2_enc enc, bool in_it, uint64_t *state) {
    const struct t2_row *row = t2_row(enc);
    struct t2_fields f = {.form = row->form, .index = row->index};

    for (unsigned i = 0; i < row->field_count; i++) {
        char letter = row->field[i].letter;
        uint8_t *reg = t2_register(&f, letter);
        if (reg && letter != 'v')
            *reg = (uint8_t)random_below(state, 1u << row->field[i].width);
    }
    for (unsigned i = 0; i < row->tie_count; i++) {
        const uint8_t *right = t2_register(&f, row->tie[i].right);
        if (row->tie[i].relation == '=')
            *t2_register(&f, row->tie[i].left) = right ? *right : (uint8_t)row->tie[i].right;
    }
    random_shift(row, &f, state);
    f.imm = random_imm(row, state);
    if (t2_has(row, 'S'))
        f.setflags = random_below(state, 2);
    else
        f.setflags = (row->rules & T2_SETS_OUTSIDE_IT && !in_it) || row->rules & T2_ALWAYS_SETS ||
                     t2_op_traits(row->op) & T2_COMPARE;
    if (t2_has(row, 'c'))
        f.cond = (uint8_t)random_below(state, 15);
    if (row->rules & T2_RULE_AL)
        f.cond = T2_AL;
    if (t2_has(row, 'p')) { /* sparse lists are as likely as full ones */
        f.reglist = (uint16_t)random_next(state);
        if (random_below(state, 2))
            f.reglist &= (uint16_t)random_next(state);
        f.reglist &= (uint16_t)(row->halfwords == 2 ? 0xdfff : 0xc0ff);
        f.reglist &= (uint16_t)(0x3fff | (t2_has(row, 'P') << 15) | (t2_has(row, 'L') << 14));
    }
    if (row->rules & T2_RULE_LDM_16)
        f.index = random_below(state, 2) ? T2_OFFSET : T2_POST;
    if (t2_has(row, 'b'))
        f.lsb = (uint8_t)edgy(state, 31);
    if (t2_has(row, 'w') || t2_has(row, 'e'))
        f.width = (uint8_t)(1 + edgy(state, 31 - f.lsb));
    if (t2_has(row, 'W'))
        f.width = (uint8_t)edgy(state, 31);
    return f;
}

struct t2_fields fields_encodable(enum t2_enc enc, bool in_it, uint64_t *state) {
    for (unsigned tries = 0; tries < 100000; tries++) {
        struct t2_fields f = fields_random(enc, in_it, state);
        if (t2_encodable(enc, &f))
            return f;
    }
    assert(!"an encoding that no operands fit");
    return (struct t2_fields){0};
}

bool fields_equal(const struct t2_fields *a, const struct t2_fields *b) {
    return a->form == b->form && a->d == b->d && a->n == b->n && a->m == b->m && a->a == b->a &&
           a->t == b->t && a->t2 == b->t2 && a->lo == b->lo && a->hi == b->hi &&
           a->shift == b->shift && a->amount == b->amount && a->cond == b->cond &&
           a->index == b->index && a->lsb == b->lsb && a->width == b->width &&
           a->setflags == b->setflags && a->reglist == b->reglist && a->imm == b->imm;
}
