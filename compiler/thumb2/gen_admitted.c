/* SPDX-License-Identifier: MIT */
/*
 * Writes admitted.h, the loader's table of instructions (bpf/scan.h), from the compiler's (thumb2.def), so
 * that the board admits what the compiler emits and nothing else. Run by the build.
 *
 * Each row that is not `unused` becomes a pattern, its exceptions patterns as well: operands that the
 * encoder refuses, and besides them those that it could encode but the compiler never has:
 *
 *   - pc as an operand, but in add d, pc;
 *   - sp other than as a base, as the source of ADD, SUB or a comparison, and as a destination of ADD and
 *     SUB with sp and a constant;
 *   - PUSH and POP (LDM, STM) with another base than sp;
 *   - an IT block that is always executed.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bpf/scan.h"
#include "thumb2/encoding.h"

#define PATTERNS_MAX 32 /* of struct bpf_admitted.excluded */
#define BUCKETS 256     /* by the first byte of the first halfword */

static struct bpf_pattern patterns[PATTERNS_MAX];
static unsigned pattern_count;

static uint32_t pattern(uint32_t mask, uint32_t value) {
    unsigned i = 0;
    while (i < pattern_count && (patterns[i].mask != mask || patterns[i].value != value))
        i++;
    if (i == pattern_count) {
        assert(pattern_count < PATTERNS_MAX);
        patterns[pattern_count++] = (struct bpf_pattern){mask, value};
    }
    return UINT32_C(1) << i;
}

/* Bits of a field, with a number in them. */
static uint32_t place(const struct t2_bits *field, uint32_t number) {
    uint32_t word = 0;
    unsigned rest = field->width;
    for (unsigned i = 0; i < field->part_count; i++) {
        rest -= field->part[i].width;
        word |= (number >> rest & ((1u << field->part[i].width) - 1)) << field->part[i].shift;
    }
    return word;
}

static uint32_t bits_of(const struct t2_bits *field) {
    return place(field, UINT32_MAX);
}

static const struct t2_bits *field_of(const struct t2_row *row, char letter) {
    for (unsigned i = 0; i < row->field_count; i++)
        if (row->field[i].letter == letter)
            return &row->field[i];
    return NULL;
}

static uint32_t letter_bits(const struct t2_row *row, char letter) {
    const struct t2_bits *field = field_of(row, letter);
    return field ? bits_of(field) : 0;
}

/* A letter is never the number. */
static uint32_t never(const struct t2_row *row, char letter, uint32_t number) {
    const struct t2_bits *field = field_of(row, letter);
    return field ? pattern(bits_of(field), place(field, number)) : 0;
}

/* ---- Operands -------------------------------------------------------------------------------- */

static bool is_list(const struct t2_row *row) {
    return t2_has(row, 'p');
}

static bool may_be_sp(const struct t2_row *row, char letter) {
    if (!(row->sp_allowed & t2_letter(letter)))
        return false;
    if (letter == 'd')
        return row->rules & T2_RULE_SP_ADJUST && row->form == T2_IMM;
    if (letter == 'm')
        return row->rules & T2_RULE_NOT_BOTH_PC;
    return letter == 'n';
}

static uint32_t register_patterns(const struct t2_row *row) {
    static const char letters[] = "dnmatulh";
    uint32_t set = 0;
    for (const char *letter = letters; *letter; letter++) {
        const struct t2_bits *field = field_of(row, *letter);
        if (!field || field->width < 4)
            continue;
        if (!may_be_sp(row, *letter))
            set |= never(row, *letter, T2_SP);
        if (*letter != 'm' || !(row->rules & T2_RULE_NOT_BOTH_PC))
            set |= never(row, *letter, T2_PC);
    }
    return set;
}

static uint32_t immediate_patterns(const struct t2_row *row) {
    uint32_t i = letter_bits(row, 'i');
    switch (row->imm) {
    case T2_IMM_EXPAND: { /* 00000000 in two or more bytes is UNPREDICTABLE (A5.3.2) */
        const struct t2_bits *field = field_of(row, 'i');
        uint32_t mask = place(field, 0xcff); /* the two high bits, and the byte */
        return pattern(mask | place(field, 0x100), place(field, 0x100)) |
               pattern(mask | place(field, 0x200), place(field, 0x200));
    }
    case T2_IMM_N1:
    case T2_IMM_SH31: return pattern(i, 0);
    case T2_IMM_S1:
    case T2_IMM_S4: return pattern(i | letter_bits(row, 'U'), 0);
    default: return 0;
    }
}

static uint32_t condition_patterns(const struct t2_row *row) {
    uint32_t set = 0;
    if (t2_has(row, 'c'))
        set |= never(row, 'c', T2_AL) | never(row, 'c', T2_AL + 1);
    if (row->rules & T2_RULE_IT)
        set |= never(row, 'i', 0);
    return set;
}

static uint32_t list_patterns(const struct t2_row *row) {
    uint32_t lr_pc = letter_bits(row, 'L') | letter_bits(row, 'P');
    uint32_t set = 0;
    if (!is_list(row))
        return 0;
    if (t2_has(row, 'L') && t2_has(row, 'P'))
        set |= pattern(lr_pc, lr_pc);
    return set | pattern(letter_bits(row, 'p') | lr_pc, 0);
}

static uint32_t rule_patterns(const struct t2_row *row) {
    if (!(row->rules & T2_RULE_HIGH))
        return 0;
    uint32_t mask = place(field_of(row, 'n'), 8) | place(field_of(row, 'm'), 8);
    return pattern(mask, 0);
}

/* ---- Checks ---------------------------------------------------------------------------------- */

static bool at_nibble(const struct t2_row *row, char letter, unsigned shift) {
    return letter_bits(row, letter) == 15u << shift;
}

static unsigned differ(const struct t2_row *row, char left, char right) {
    assert(at_nibble(row, left, 12));
    if (at_nibble(row, right, 16))
        return BPF_SCAN_12_NOT_16;
    assert(at_nibble(row, right, 8));
    return BPF_SCAN_12_NOT_8;
}

static unsigned checks_of(const struct t2_row *row) {
    unsigned checks = row->rules & T2_NOT_IN_IT ? BPF_SCAN_NOT_IN_IT : 0;
    for (unsigned i = 0; i < row->tie_count; i++)
        if (row->tie[i].relation == '!')
            checks |= differ(row, row->tie[i].left, row->tie[i].right);
    if (row->index != T2_OFFSET && t2_has(row, 't'))
        checks |= differ(row, 't', 'n');
    if (t2_has(row, 'v')) {
        assert(at_nibble(row, 'v', 16) && at_nibble(row, 'm', 0));
        checks |= BPF_SCAN_16_IS_0;
    }
    if (row->rules & T2_RULE_SP_ADJUST && may_be_sp(row, 'd')) {
        assert(at_nibble(row, 'd', 8) && at_nibble(row, 'n', 16));
        checks |= BPF_SCAN_SP_FROM_SP;
    }
    if (is_list(row) && row->halfwords == 2)
        checks |= BPF_SCAN_TWO;
    if (t2_has(row, 'b')) {
        assert(t2_has(row, 'w') && letter_bits(row, 'b') == 0x70c0 && letter_bits(row, 'w') == 31);
        checks |= BPF_SCAN_FIELD;
    }
    return checks;
}

static enum bpf_flow flow_of(enum t2_enc enc) {
    switch (t2_row(enc)->op) {
    case T2_OP_B:
        return enc == T2_B_T1   ? BPF_FLOW_B8
               : enc == T2_B_T2 ? BPF_FLOW_B11
               : enc == T2_B_T3 ? BPF_FLOW_B20
                                : BPF_FLOW_B24;
    case T2_OP_BL: return BPF_FLOW_BL;
    case T2_OP_CBZ:
    case T2_OP_CBNZ: return BPF_FLOW_CBZ;
    case T2_OP_BX: return BPF_FLOW_BX;
    case T2_OP_BLX: return BPF_FLOW_BLX;
    case T2_OP_LDMIA: return BPF_FLOW_POP;
    case T2_OP_UDF: return BPF_FLOW_UDF;
    case T2_OP_IT: return BPF_FLOW_IT;
    case T2_OP_NOP: return BPF_FLOW_NOP;
    default: return enc == T2_LDR_LIT_T1 ? BPF_FLOW_LITERAL : BPF_FLOW_PLAIN;
    }
}

/* ---- Output ---------------------------------------------------------------------------------- */

static struct bpf_admitted row_of(enum t2_enc enc) {
    const struct t2_row *row = t2_row(enc);
    struct bpf_admitted out = {
        .pattern = {row->mask, row->value},
        .flow = (uint8_t)flow_of(enc),
        .checks = (uint8_t)checks_of(row),
    };
    if (is_list(row) && t2_has(row, 'n')) {
        assert(at_nibble(row, 'n', 16) && row->index != T2_OFFSET);
        out.pattern.mask |= 15u << 16;
        out.pattern.value |= (uint32_t)T2_SP << 16;
    }
    out.excluded = register_patterns(row) | immediate_patterns(row) | condition_patterns(row) |
                   list_patterns(row) | rule_patterns(row);
    return out;
}

/* Whether the first byte of an instruction can be that of the row. */
static bool in_bucket(const struct t2_row *row, unsigned bucket) {
    unsigned shift = row->halfwords == 1 ? 8 : 24;
    return ((bucket << shift ^ row->value) & row->mask & 0xffu << shift) == 0;
}

static void print_index(const enum t2_enc *encs, unsigned count) {
    unsigned members = 0;
    printf("/* By the first byte: where its rows begin in bpf_admitted_rows. */\n"
           "static const uint16_t bpf_admitted_first[%d] = {0",
           BUCKETS + 1);
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        for (unsigned i = 0; i < count; i++)
            members += in_bucket(t2_row(encs[i]), bucket);
        printf(", %u", members);
    }
    printf("};\nstatic const uint8_t bpf_admitted_rows[] = {");
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++)
        for (unsigned i = 0; i < count; i++)
            if (in_bucket(t2_row(encs[i]), bucket))
                printf("%u, ", i);
    printf("};\n");
}

int main(void) {
    enum t2_enc encs[T2_ENC_COUNT];
    unsigned count = 0;

    for (unsigned enc = 0; enc < T2_ENC_COUNT; enc++)
        if (!(t2_row((enum t2_enc)enc)->rules & T2_RULE_UNUSED))
            encs[count++] = (enum t2_enc)enc;
    assert(count <= 256);
    printf("/* SPDX-License-Identifier: MIT */\n"
           "/* What the loader admits. Generated from thumb2.def: do not edit. */\n"
           "static const struct bpf_admitted bpf_admitted[] = {\n");
    for (unsigned i = 0; i < count; i++) {
        struct bpf_admitted row = row_of(encs[i]);
        printf("    {{0x%08" PRIx32 ", 0x%08" PRIx32 "}, 0x%" PRIx32 ", %u, %u}, /* %s */\n",
               row.pattern.mask, row.pattern.value, row.excluded, row.flow, row.checks,
               t2_row(encs[i])->name);
    }
    printf("};\nstatic const struct bpf_pattern bpf_excluded[] = {\n");
    for (unsigned i = 0; i < pattern_count; i++)
        printf("    {0x%08" PRIx32 ", 0x%08" PRIx32 "},\n", patterns[i].mask, patterns[i].value);
    printf("};\n");
    print_index(encs, count);
    return 0;
}
