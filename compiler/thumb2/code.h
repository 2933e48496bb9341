/* SPDX-License-Identifier: MIT */
/*
 * Linear code: all functions of a blob as one list of items, between register allocation and bytes.
 * expand.c appends a function's items, literal.c decides about literal pools, assemble.c chooses
 * encodings, fixes branch lengths and addresses, and encodes.
 */
#ifndef THUMB2_CODE_H
#define THUMB2_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "thumb2/encoding.h"
#include "thumb2/mir.h"
#include "util/diag.h"
#include "util/vec.h"

enum code_kind {
    CODE_INSN,    /* op and fields, any encoding that fits */
    CODE_LABEL,   /* label */
    CODE_ALIGN,   /* pad to a multiple of 4 with a NOP (in front of functions) */
    CODE_BRANCH,  /* to label, if f.cond */
    CODE_CBZ,     /* to label, if f.n is zero (f.cond EQ) or not (NE) */
    CODE_CALL,    /* bl to label */
    CODE_ADDRESS, /* f.d = address of label + f.imm */
    CODE_CONST,   /* f.d = f.imm, 32 bits: from the pool at `label` if that is not CODE_NO_LABEL */
    CODE_WORD,    /* a literal, f.imm, 4-aligned; `label` marks it */
    CODE_BYTES,   /* read-only data, 8-aligned; `label` marks it */
};

#define CODE_NO_LABEL UINT32_MAX

struct code_item {
    uint8_t kind;    /* enum code_kind */
    uint8_t op;      /* CODE_INSN: enum t2_op */
    bool in_it;      /* CODE_INSN: executed under an IT in front of it, f.setflags means nothing */
    bool flags_live; /* flags written before are read after this instruction: keep them */
    uint8_t size;    /* bytes; assemble.c */
    uint16_t enc;    /* CODE_INSN: enum t2_enc; assemble.c */
    struct t2_fields f;
    uint32_t label;
    uint32_t insn;        /* eBPF instruction, IR_NO_INSN if none */
    uint32_t addr;        /* byte offset in the code; assemble.c */
    const uint8_t *bytes; /* CODE_BYTES, f.imm of them */
};

/* A function's extent and what it needs. */
struct code_func {
    const char *name;
    uint32_t label; /* its first instruction */
    uint32_t first_item, end_item;
    uint32_t addr, size; /* bytes; assemble.c */
    uint32_t stack;      /* bytes pushed and reserved while it runs, its callees not included */
};

struct code_line {
    uint32_t addr; /* byte offset in the code */
    uint32_t insn; /* eBPF instruction; IR_NO_INSN: none */
};

struct code_unit {
    struct arena *arena;
    VEC(struct code_item) items;
    VEC(struct code_func) funcs;
    uint32_t nlabels;
    bool optimize_size;    /* -Os: literal pools instead of movw and movt */
    uint32_t rodata_label; /* of the read-only data, CODE_NO_LABEL if there is none */
    uint32_t *func_label;  /* by function index of the program: what bl and code pointers name */
    /* Results of assemble(). */
    uint8_t *bytes;
    uint32_t size; /* a multiple of 8 */
    uint32_t *label_addr;
    VEC(struct code_line) lines; /* sorted by addr */
    VEC(struct code_line) data;  /* start of each stretch of data (insn 1) and of code (insn 0) */
};

uint32_t code_label_new(struct code_unit *unit);
struct code_item *code_add(struct code_unit *unit, enum code_kind kind);

/* Appends an allocated function under `label`. False, with a message, if its frame is too large to
 * be addressed. */
bool expand(struct code_unit *unit, const struct mir_fn *fn, uint32_t label, struct diag *diag);
/* Gives constants of the items [first, end of list) literal pools where that saves bytes. */
void literal_pools(struct code_unit *unit, uint32_t first);
/* Chooses encodings, lays out and encodes. */
void assemble(struct code_unit *unit);

#endif
