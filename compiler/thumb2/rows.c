/* SPDX-License-Identifier: MIT */
/*
 * Parses the rows of thumb2.def, once, at the first use: the diagram into fixed bits and fields,
 * the rules into register classes, ties and words, the assembly into the index mode. A row that
 * breaks the grammar is our own error, so everything here is asserted.
 */
#include "thumb2/encoding.h"

#include <assert.h>
#include <string.h>

static const struct source {
    const char *name;
    enum t2_op op;
    const char *assembly, *diagram;
    enum t2_imm imm;
    const char *rules;
} sources[T2_ENC_COUNT] = {
#define T2(encoding, op, assembly, diagram, imm, rules)                                            \
    [T2_##encoding] = {#encoding, T2_OP_##op, assembly, diagram, T2_IMM_##imm, rules},
#include "thumb2/thumb2.def"
};

static const struct op {
    const char *name;
    uint8_t flags, traits;
} ops[T2_OP_COUNT] = {
#define T2_OP(name, flags, traits) [T2_OP_##name] = {#name, flags, traits},
#include "thumb2/thumb2.def"
};

static const struct {
    const char *word;
    uint32_t rule;
} words[] = {
    {"flags", T2_SETS_OUTSIDE_IT},
    {"flags!", T2_ALWAYS_SETS},
    {"no-it", T2_NOT_IN_IT},
    {"al", T2_RULE_AL},
    {"sp-adjust", T2_RULE_SP_ADJUST},
    {"mov-32", T2_RULE_MOV_32},
    {"high", T2_RULE_HIGH},
    {"not-both-pc", T2_RULE_NOT_BOTH_PC},
    {"asr", T2_RULE_ASR},
    {"it", T2_RULE_IT},
    {"ldm-16", T2_RULE_LDM_16},
    {"stm-16", T2_RULE_STM_16},
    {"pc-aligned", T2_RULE_PC_ALIGNED},
    {"no-cond", T2_NO_COND},
    {"unused", T2_RULE_UNUSED},
};

static bool ready;
static struct t2_row rows[T2_ENC_COUNT];
/* All encodings, with an end mark after those of each op, and where each op begins. */
static enum t2_enc forms[T2_ENC_COUNT + T2_OP_COUNT];
static uint16_t first_form[T2_OP_COUNT];

static struct t2_bits *field_of(struct t2_row *row, char letter) {
    for (unsigned i = 0; i < row->field_count; i++)
        if (row->field[i].letter == letter)
            return &row->field[i];
    assert(row->field_count < sizeof(row->field) / sizeof(row->field[0]));
    struct t2_bits *field = &row->field[row->field_count++];
    field->letter = letter;
    row->letters |= t2_letter(letter);
    return field;
}

static void parse_diagram(struct t2_row *row, const char *diagram) {
    unsigned length = (unsigned)strlen(diagram);

    assert(length == 16 || length == 32);
    row->halfwords = (uint8_t)(length / 16);
    for (unsigned i = 0; i < length; i++) {
        unsigned bit = length - 1 - i;
        if (diagram[i] == '0' || diagram[i] == '1') {
            row->mask |= 1u << bit;
            row->value |= (uint32_t)(diagram[i] - '0') << bit;
            continue;
        }
        struct t2_bits *field = field_of(row, diagram[i]);
        if (i == 0 || diagram[i - 1] != diagram[i])
            field->part_count++;
        assert(field->part_count <= sizeof(field->part) / sizeof(field->part[0]));
        field->part[field->part_count - 1].shift = (uint8_t)bit;
        field->part[field->part_count - 1].width++;
        field->width++;
    }
}

/* "n:sp", "n=d", "d=sp" or "l!h"; false for anything else. */
static bool parse_relation(struct t2_row *row, const char *rule, size_t length) {
    if (length < 3 || !strchr(":=!", rule[1]))
        return false;
    const char *right = rule + 2;
    bool sp = length == 4 && !strncmp(right, "sp", 2), pc = length == 4 && !strncmp(right, "pc", 2);
    if (rule[1] == ':') {
        if (right[0] == 's')
            row->sp_allowed |= t2_letter(rule[0]);
        if (right[length - 3] == 'p')
            row->pc_allowed |= t2_letter(rule[0]);
        return true;
    }
    assert(row->tie_count < sizeof(row->tie) / sizeof(row->tie[0]));
    row->tie[row->tie_count++] = (struct t2_tie){rule[0], rule[1],
                                                 sp   ? T2_SP
                                                 : pc ? T2_PC
                                                      : right[0]};
    return true;
}

static void parse_rule(struct t2_row *row, const char *rule, size_t length) {
    if (parse_relation(row, rule, length))
        return;
    if (length == 3 && !strncmp(rule, "pre", length)) {
        row->index = T2_PRE;
        return;
    }
    if (length == 4 && !strncmp(rule, "post", length)) {
        row->index = T2_POST;
        return;
    }
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i].word) == length && !strncmp(words[i].word, rule, length)) {
            row->rules |= words[i].rule;
            return;
        }
    assert(!"a word in the rules of thumb2.def that rows.c does not know");
}

static void parse_row(struct t2_row *row, const struct source *source) {
    *row = (struct t2_row){
        .op = source->op, .name = source->name, .assembly = source->assembly, .imm = source->imm};
    parse_diagram(row, source->diagram);
    if (strstr(source->assembly, "]!"))
        row->index = T2_PRE;
    else if (strstr(source->assembly, "], i"))
        row->index = T2_POST;
    for (const char *rule = source->rules; *rule; rule += strspn(rule, " ")) {
        size_t length = strcspn(rule, " ");
        parse_rule(row, rule, length);
        rule += length;
    }
    if (row->imm != T2_IMM_NONE)
        row->form = T2_IMM;
    else if (t2_has(row, 'm'))
        row->form = T2_REG;
}

/* Where all encodings of an op have one form, the caller does not need to name it. */
static void drop_single_form(const enum t2_enc *list) {
    for (unsigned i = 1; list[i] != T2_ENC_COUNT; i++)
        if (rows[list[i]].form != rows[list[0]].form)
            return;
    for (unsigned i = 0; list[i] != T2_ENC_COUNT; i++)
        rows[list[i]].form = T2_NONE;
}

static void parse_table(void) {
    unsigned count = 0;

    for (unsigned enc = 0; enc < T2_ENC_COUNT; enc++)
        parse_row(&rows[enc], &sources[enc]);
    for (unsigned op = 0; op < T2_OP_COUNT; op++) {
        first_form[op] = (uint16_t)count;
        for (unsigned halfwords = 1; halfwords <= 2; halfwords++)
            for (unsigned enc = 0; enc < T2_ENC_COUNT; enc++)
                if (rows[enc].op == op && rows[enc].halfwords == halfwords)
                    forms[count++] = (enum t2_enc)enc;
        assert(count > first_form[op] && "every op has an encoding");
        forms[count++] = T2_ENC_COUNT;
        drop_single_form(&forms[first_form[op]]);
    }
    ready = true;
}

const struct t2_row *t2_row(enum t2_enc enc) {
    if (!ready)
        parse_table();
    assert(enc < T2_ENC_COUNT);
    return &rows[enc];
}

const enum t2_enc *t2_forms(enum t2_op op) {
    if (!ready)
        parse_table();
    assert(op < T2_OP_COUNT);
    return &forms[first_form[op]];
}

const char *t2_op_name(enum t2_op op) {
    return ops[op].name;
}

unsigned t2_op_traits(enum t2_op op) {
    return ops[op].traits;
}

unsigned t2_op_flags(enum t2_op op) {
    return ops[op].flags;
}

uint8_t *t2_register(struct t2_fields *f, char letter) {
    switch (letter) {
    case 'd': return &f->d;
    case 'n': return &f->n;
    case 'm':
    case 'v': return &f->m;
    case 'a': return &f->a;
    case 't': return &f->t;
    case 'u': return &f->t2;
    case 'l': return &f->lo;
    case 'h': return &f->hi;
    default: return NULL;
    }
}
