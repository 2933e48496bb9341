/* SPDX-License-Identifier: MIT */
/* Mnemonics of the assembler and their look-up, generated from bpf/insn.def. */
#include "asm/asm_table.h"

#include <stdio.h>
#include <string.h>

/* LDX, LDXS, ST and STX are told apart by class and mode in insn.def; here by operand form. */
#define FORM_LDX ASM_LOAD
#define FORM_LDXS ASM_LOAD
#define FORM_ST ASM_STORE_IMM
#define FORM_STX ASM_STORE_REG
#define WIDTHS_LDX (8 + 16 + 32 + 64)
#define WIDTHS_LDXS (8 + 16 + 32) /* RFC 9669 5.2: no 64-bit form */
#define WIDTHS_ST (8 + 16 + 32 + 64)
#define WIDTHS_STX (8 + 16 + 32 + 64)

const struct asm_row asm_rows[] = {
#define BPF_ALU(NAME, code, off, group, widths, mnemonic, symbol, expr)                            \
    {mnemonic, BPF_##NAME, ASM_ALU, widths},
#define BPF_ALU1(NAME, code, off, group, widths, mnemonic, symbol, expr)                           \
    {mnemonic, BPF_##NAME, ASM_ALU1, widths},
#define BPF_MOVSX(NAME, off, widths, mnemonic, expr) {mnemonic, BPF_##NAME, ASM_MOVSX, widths},
#define BPF_END(NAME, class, source, mnemonic, swaps) {mnemonic, BPF_##NAME, ASM_END, 16 + 32 + 64},
#define BPF_JCC(NAME, code, mnemonic, symbol, INVERSE, SWAPPED, expr)                              \
    {mnemonic, BPF_##NAME, ASM_JCC, 32 + 64},
#define BPF_MEM(NAME, class, mode, mnemonic) {mnemonic, BPF_##NAME, FORM_##NAME, WIDTHS_##NAME},
#define BPF_ATOMIC(NAME, imm, fetches, mnemonic, expr) {mnemonic, BPF_##NAME, ASM_ATOMIC, 32 + 64},
#define BPF_CTRL(NAME, mnemonic) {mnemonic, BPF_##NAME, ASM_CTRL, 32 + 64},
#include "bpf/insn.def"
    {"swap", BPF_BSWAP, ASM_END, 16 + 32 + 64}, /* the suite's other name of bswap */
};
const size_t asm_row_count = sizeof(asm_rows) / sizeof(asm_rows[0]);

static const struct asm_suffix none_32_64[] = {{"", 64}, {"32", 32}, {"64", 64}, {NULL, 0}};
static const struct asm_suffix numbers[] = {{"16", 16}, {"32", 32}, {"64", 64}, {NULL, 0}};
static const struct asm_suffix none_32[] = {{"", 64}, {"32", 32}, {NULL, 0}};
static const struct asm_suffix letters[] = {
#define BPF_SIZE(NAME, code, bytes, letter) {letter, 8 * bytes},
#include "bpf/insn.def"
    {NULL, 0},
};

const struct asm_suffix *asm_suffixes(enum asm_form form) {
    switch (form) {
    case ASM_ALU:
    case ASM_ALU1:
    case ASM_JCC:
    case ASM_ATOMIC: return none_32_64;
    case ASM_MOVSX:
    case ASM_END: return numbers;
    case ASM_LOAD:
    case ASM_STORE_IMM:
    case ASM_STORE_REG: return letters;
    case ASM_CTRL: break;
    }
    return none_32;
}

const struct asm_row *asm_find(const char *mnemonic, size_t length, bool atomic, uint8_t *width) {
    for (size_t i = 0; i < asm_row_count; i++) {
        const struct asm_row *row = &asm_rows[i];
        size_t stem = strlen(row->name);

        if ((row->form == ASM_ATOMIC) != atomic || stem > length ||
            memcmp(row->name, mnemonic, stem) != 0)
            continue;
        for (const struct asm_suffix *s = asm_suffixes(row->form); s->text; s++) {
            if (!(row->widths & s->width) || strlen(s->text) != length - stem ||
                memcmp(s->text, mnemonic + stem, length - stem) != 0)
                continue;
            if (row->form == ASM_CTRL && s->width == 32 && row->op != BPF_JA)
                continue; /* of these only ja has a 32-bit form (gotol) */
            *width = s->width;
            return row;
        }
    }
    return NULL;
}

const struct asm_row *asm_row_of(enum bpf_op op) {
    /* The rows stand in the order of enum bpf_op: both are expanded from the same lists. */
    return &asm_rows[op];
}

const char *asm_suffix_of(enum asm_form form, uint8_t width) {
    const struct asm_suffix *s = asm_suffixes(form);

    while (s->text && s->width != width)
        s++;
    return s->text ? s->text : "?";
}

/* Edit distance (insert, delete, replace) of two short words. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb) {
    size_t row[32];

    if (na >= 32 || nb >= 32)
        return 32;
    for (size_t k = 0; k <= nb; k++)
        row[k] = k;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= nb; k++) {
            size_t best = diagonal + (a[i - 1] != b[k - 1]);
            if (row[k] + 1 < best)
                best = row[k] + 1;
            if (row[k - 1] + 1 < best)
                best = row[k - 1] + 1;
            diagonal = row[k];
            row[k] = best;
        }
    }
    return row[nb];
}

bool asm_suggest(const char *mnemonic, size_t length, bool atomic, char *out, size_t size) {
    size_t nearest = 3; /* further away is no help */

    for (size_t i = 0; i < asm_row_count; i++) {
        const struct asm_row *row = &asm_rows[i];

        if ((row->form == ASM_ATOMIC) != atomic)
            continue;
        for (const struct asm_suffix *s = asm_suffixes(row->form); s->text; s++) {
            char name[32];
            uint8_t width;
            snprintf(name, sizeof(name), "%s%s", row->name, s->text);
            size_t d = distance(mnemonic, length, name, strlen(name));
            if (d < nearest && d < length && asm_find(name, strlen(name), atomic, &width)) {
                nearest = d;
                snprintf(out, size, "%s", name);
            }
        }
    }
    return nearest < 3;
}
