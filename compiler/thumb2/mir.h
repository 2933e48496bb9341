/* SPDX-License-Identifier: MIT */
/*
 * Machine IR: what instruction selection makes and register allocation rewrites. Instructions are
 * Thumb-2 operations (enum t2_op of thumb2.def) or the pseudo operations below, over virtual
 * registers that may be assigned more than once (no SSA, no phis: isel has put copies in). Glued
 * pseudo operations become several instructions after allocation, when expand.c turns the function
 * into linear code; encodings, branch lengths and literal pools are chosen after that.
 *
 * Flags never live from one machine instruction to the next: compare-and-branch is one instruction.
 * Only if-conversion, after allocation, makes instructions that depend on a comparison in front of them.
 */
#ifndef THUMB2_MIR_H
#define THUMB2_MIR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util/arena.h"

/* 0..15 are the machine's registers, MREG_VIRTUAL and above virtual ones. */
typedef uint32_t mreg;
#define MREG_R9 9u
#define MREG_R12 12u
#define MREG_SP 13u
#define MREG_LR 14u
#define MREG_VIRTUAL 16u
#define MREG_NONE UINT32_MAX

/* MOP(NAME, text): pseudo operations. d = dst, s = src, in order. */
#define MIR_PSEUDO_OPS(_)                                                                          \
    _(COPY, "copy")         /* d = s; either may be a machine register (calls, entry, return) */   \
    _(MOVI, "movi")         /* d = imm, any 32-bit constant */                                     \
    _(FRAME, "frame")       /* d = address of the eBPF stack: r10 + imm */                         \
    _(LDFRAME, "ldframe")   /* like LDR* of size `index`, at r10 + imm */                          \
    _(STFRAME, "stframe")   /* s to r10 + imm */                                                   \
    _(CODEADDR, "codeaddr") /* d = start of all read-only data + imm, pc-relative */               \
    _(FUNCADDR, "funcaddr") /* d = code pointer of function `index` (pc-relative) */               \
    _(RELOAD, "reload")     /* d = spill slot imm */                                               \
    _(SPILL, "spill")       /* spill slot imm = s */                                               \
    _(STARG, "starg")       /* outgoing stack argument word imm = s */                             \
    _(LDARG, "ldarg")       /* d = incoming stack argument word imm */                             \
    _(ADD2, "add2")         /* (d0, d1) = (s0, s1) + (s2, s3); low words first */                  \
    _(SUB2, "sub2")                                                                                \
    _(RSB2, "rsb2")   /* (d0, d1) = 0 - (s0, s1) */                                                \
    _(SHL2, "shl2")   /* (d1, d0) = (s0, s1) << s2: d0 is the HIGH word; d2 = scratch */           \
    _(LSHR2, "lshr2") /* (d0, d1) = (s0, s1) >> s2; d2 = scratch */                                \
    _(ASHR2, "ashr2")                                                                              \
    _(UMOD, "umod") /* d1 = s0 % s1; d0 = scratch for the quotient */                              \
    _(SMOD, "smod")                                                                                \
    _(CALL, "call")         /* direct: function `index` */                                         \
    _(CALLSLOT, "callslot") /* helper through arena slot at r9 + imm */                            \
    _(CALLREG, "callreg")   /* s0 = code pointer */                                                \
    _(TAILJUMP, "tailjump") /* if s0 is not 0: r0 = s1, epilogue, bx s0; else go on */             \
    _(CMPBR, "cmpbr")       /* compare s0 with s1 or imm; cond -> target[0], else target[1] */     \
    _(CMPBR2, "cmpbr2")     /* the same for s0:s1 and s2:s3; d0 = scratch */                       \
    _(CMPIT, "cmpit")       /* the same without targets, for the instructions behind it that */    \
    _(CMPIT2, "cmpit2")     /* have a predicate; after allocation only (ifconvert.c) */            \
    _(JUMP, "jump")         /* target[0] */                                                        \
    _(RET, "ret")           /* epilogue and return; result words are in r0, r1 */                  \
    _(TRAP, "trap")
enum mir_op {
    MIR_PSEUDO = 0x1000, /* below: enum t2_op */
#define MIR_OP_ENUM(NAME, text) MIR_##NAME,
    MIR_PSEUDO_OPS(MIR_OP_ENUM)
#undef MIR_OP_ENUM
};

/* Whether an instruction depends on the CMPIT in front of it: that its condition holds, or does not. */
enum mir_predicate { MIR_ALWAYS, MIR_THEN, MIR_ELSE };

#define MIR_MAX_DST 3
#define MIR_MAX_SRC 4

struct mir_inst {
    struct mir_inst *prev, *next;
    uint16_t op; /* enum t2_op or enum mir_op */
    /* Operands; MREG_NONE where there is none. All sources are read before any destination is
     * written, except those in `late`. A register that an operation both reads and writes (umlal,
     * bfi, post-indexed base) stands in both lists, as the same virtual register. All
     * destinations of an instruction are different registers. */
    mreg dst[MIR_MAX_DST];
    mreg src[MIR_MAX_SRC];
    uint8_t late;  /* bit i: src[i] is read after dst[0] (and dst[2]) are written, so they differ */
    uint8_t cond;  /* CMPBR, CMPIT and their like: enum ir_cond */
    uint8_t shift; /* of the last register source: enum t2_shift, */
    uint8_t shift_amount; /* 0 = none */
    uint8_t form;         /* enum t2_form: whether imm or a register is the last operand */
    bool remat;           /* cheap and free of sources that vary: recompute rather than spill */
    bool is_signed;       /* LDFRAME */
    uint8_t predicate;    /* enum mir_predicate */
    uint16_t uses;        /* calls, RET: machine registers read besides src */
    uint16_t clobbers;    /* calls: machine registers overwritten, results included */
    int32_t imm, imm2;    /* pairs: where src[2] (src[3]) is MREG_NONE, imm (imm2) stands for it */
    uint32_t index;       /* loads and stores: enum t2_index; others as above */
    struct mir_block *target[2];
    uint32_t insn; /* eBPF instruction, for lines; IR_NO_INSN if none */
};

struct mir_block {
    uint32_t id;                   /* = position in mir_fn.blocks */
    struct mir_inst *first, *last; /* the last is CMPBR, CMPBR2, JUMP, RET or TRAP */
    struct mir_block **preds;
    uint32_t npreds;
    uint32_t loop_depth;
};

struct mir_fn {
    struct arena *arena;
    const char *name;
    struct mir_block **blocks; /* in layout order, blocks[0] is the entry */
    uint32_t nblocks;
    uint32_t nregs;       /* virtual registers are below this number */
    uint16_t allocatable; /* machine registers that allocation may use, a mask */
    uint32_t bpf_stack;   /* bytes below r10, a multiple of 8 */
    uint32_t out_args;    /* words of outgoing stack arguments */
    /* Results of allocation. */
    uint32_t spill_slots;                /* words */
    uint16_t used;                       /* machine registers written anywhere, a mask */
    uint32_t ncopies, nspills, nreloads; /* what is left, for --stats */
};

#define MIR_CALLER_SAVED 0x500fu /* r0-r3, r12, lr: what an AAPCS call may overwrite */
#define MIR_CALLEE_SAVED 0x0ff0u /* r4-r11 */

struct mir_inst *mir_inst_new(struct mir_fn *fn, unsigned op);
void mir_append(struct mir_block *block, struct mir_inst *inst);
void mir_insert_before(struct mir_block *block, struct mir_inst *place, struct mir_inst *inst);
void mir_remove(struct mir_block *block, struct mir_inst *inst);
static inline mreg mir_reg_new(struct mir_fn *fn) {
    return fn->nregs++;
}
/* Fills preds and npreds of every block from the targets; a block may stand twice. */
void mir_compute_preds(struct mir_fn *fn);
void mir_print(const struct mir_fn *fn, FILE *out);

/*
 * Register allocation (regalloc.c): replaces every virtual register by a machine register,
 * spilling to slots where there are not enough (RELOAD, SPILL), recomputing `remat` values, and
 * removes copies that became empty. Whole function, graph colouring with coalescing; near-linear.
 */
void regalloc(struct mir_fn *fn);

#endif
