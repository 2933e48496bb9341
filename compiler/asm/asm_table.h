/* SPDX-License-Identifier: MIT */
/*
 * Mnemonics, from bpf/insn.def: a row per operation and the suffixes that give its width. Private to
 * asm/.
 */
#ifndef ASM_ASM_TABLE_H
#define ASM_ASM_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/insn.h"

/* Operand forms. */
enum asm_form {
    ASM_ALU,       /* dst, src or imm */
    ASM_ALU1,      /* dst */
    ASM_MOVSX,     /* dst, src */
    ASM_END,       /* dst */
    ASM_JCC,       /* dst, src or imm, target */
    ASM_LOAD,      /* dst, [src+off] */
    ASM_STORE_IMM, /* [dst+off], imm */
    ASM_STORE_REG, /* [dst+off], src */
    ASM_ATOMIC,    /* after `lock`: [dst+off], src */
    ASM_CTRL,      /* each its own */
};

struct asm_row {
    const char *name; /* mnemonic without the width suffix */
    enum bpf_op op;
    enum asm_form form;
    uint8_t widths; /* the widths it has, added up: they are distinct powers of two */
};

struct asm_suffix {
    const char *text;
    uint8_t width;
};

extern const struct asm_row asm_rows[];
extern const size_t asm_row_count;

/* Suffixes of a form, the one that is printed first for each width; ends with text NULL. */
const struct asm_suffix *asm_suffixes(enum asm_form form);

/* Row and width of a mnemonic; NULL if there is none. Atomic operations have their own names. */
const struct asm_row *asm_find(const char *mnemonic, size_t length, bool atomic, uint8_t *width);

/* Row of an operation. */
const struct asm_row *asm_row_of(enum bpf_op op);

/* The suffix that is printed for a width. */
const char *asm_suffix_of(enum asm_form form, uint8_t width);

/* The mnemonic nearest to a misspelt one, written to out; false if none is near. */
bool asm_suggest(const char *mnemonic, size_t length, bool atomic, char *out, size_t size);

#endif
