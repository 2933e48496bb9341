/* SPDX-License-Identifier: MIT */
/*
 * Instruction selection, shared by its files: isel.c (driver, values, control flow, calls),
 * isel_arith.c, isel_memory.c.
 */
#ifndef THUMB2_ISEL_H
#define THUMB2_ISEL_H

#include "thumb2/abi.h"
#include "thumb2/encoding.h"
#include "thumb2/layout.h"
#include "thumb2/mir.h"

struct hoisted; /* constants and addresses kept in a register over a region, see isel.c */

struct isel {
    struct ir_fn *fn;
    struct mir_fn *out;
    const struct fn_abi *own;
    const struct arena_layout *layout;
    uint32_t *uses;            /* by value: uses not yet folded into their user */
    mreg *reg;                 /* by value: its virtual register, MREG_NONE until someone asks */
    struct mir_block **block;  /* by IR block id */
    struct ir_block *ir_block; /* being selected */
    struct mir_block *here;
    struct mir_inst *place;   /* new instructions go before this one, NULL: to the end of here */
    uint32_t insn;            /* eBPF instruction of what is being selected */
    struct hoisted **hoisted; /* hash table */
    uint8_t *nhoisted;        /* by home block id */
};

/* Thumb-2 code for a function at IR level 32, with critical edges split. Virtual registers. */
struct mir_fn *isel(struct arena *arena, struct ir_fn *fn, const struct fn_abi *own,
                    const struct arena_layout *layout);

/* edges.c: gives every critical edge a block, where copies for phis find room. */
void split_critical_edges(struct ir_fn *fn);

/* ---- between the files of isel */

/* A new instruction at s->place. */
struct mir_inst *isel_emit(struct isel *s, unsigned op);
/* The register of a value; constants and addresses are made on the spot or taken from a hoisted
 * copy outside the loop. */
mreg isel_use(struct isel *s, ir_val v);
/* The register that a value's definition writes. */
mreg isel_def(struct isel *s, ir_val v);
bool isel_const(const struct isel *s, ir_val v, uint32_t *value);
/* The definition of v if it stands in this block, has operation op, and v has no other use left:
 * then the user may do its work as well. */
const struct ir_inst *isel_fold(const struct isel *s, ir_val v, enum ir_op op);
/* The user of v has done v's work itself: v loses a use, v's arguments gain one. */
void isel_folded(struct isel *s, ir_val v);
/* d = n op imm; imm must be encodable. */
struct mir_inst *isel_binary_imm(struct isel *s, enum t2_op op, mreg d, mreg n, uint32_t imm);
/* Moves a value into a given register: a machine register of a call, a phi's, one that is read and
 * written. */
void isel_use_into(struct isel *s, mreg d, ir_val v);
/* A new virtual register. */
mreg isel_temp(struct isel *s);

/* Emits d = imm as one rematerialisable instruction. */
void isel_movi(struct isel *s, mreg d, uint32_t imm);

/* Selects inst if it is one of theirs. */
bool isel_arith(struct isel *s, const struct ir_inst *inst);
bool isel_memory(struct isel *s, const struct ir_inst *inst);
void isel_branch(struct isel *s, const struct ir_inst *inst);

#endif
