/* SPDX-License-Identifier: MIT */
/*
 * The intermediate representation: SSA over basic blocks, one function at a time.
 *
 * It has two levels. At IR_LEVEL_64 values are i64 or i32, as the builder makes them from eBPF.
 * Legalisation (thumb2/legalize.c) rewrites the function to IR_LEVEL_32, where every value is one
 * 32-bit word and a 64-bit value is two independent words (architecture.md 4). Passes that need
 * not care (folding, numbering, dead code) run at both levels.
 *
 * Values are numbers (ir_val); 0 is "no value". Instructions are in doubly linked lists per block;
 * a terminator comes last, phis first. Everything of a function lives in its arena.
 *
 * Text form (ir_print, ir_parse; tests/ir):
 *
 *     func 0 main level=64 stack=16
 *     b0:
 *         v1 = param.64 1
 *         v2 = load.32 v1, 4 size=2            ; address v1 + 4
 *         v3 = zext.64 v2 @7                   ; from eBPF slot 7
 *         br.64 ult v3, v1, b1, b2
 *     b1:  ; preds b0
 *         v4 = phi.64 b0: v3, b2: v9
 *         ret.64 v4
 *
 * Arguments (`_` is a hole in a legalised call), then imm, then what is not 0 (align: not 1) of
 * size=, align=, signed and index=, then the slot. A value's number is its name: v4 is ir_val 4.
 */
#ifndef IR_IR_H
#define IR_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "program/facts.h"
#include "program/program.h"
#include "util/arena.h"

typedef uint32_t ir_val;

enum ir_type { IR_VOID, IR_I32, IR_I64 };
enum ir_level { IR_LEVEL_64, IR_LEVEL_32 };

enum ir_op {
#define IR(NAME, ...) IR_##NAME,
#include "ir/ir.def"
    IR_OP_COUNT
};

enum ir_flags {
    IR_PURE = 1,
    IR_READS = 2,
    IR_WRITES = 4,
    IR_TERM = 8,
    IR_COMMUTES = 16,
};

/* IR_COND(NAME, text, INVERSE, SWAPPED); SET and CLEAR test bits: (a & b) != 0, == 0. */
#define IR_CONDS(_)                                                                                \
    _(EQ, "eq", NE, EQ)                                                                            \
    _(NE, "ne", EQ, NE)                                                                            \
    _(ULT, "ult", UGE, UGT)                                                                        \
    _(UGE, "uge", ULT, ULE)                                                                        \
    _(UGT, "ugt", ULE, ULT)                                                                        \
    _(ULE, "ule", UGT, UGE)                                                                        \
    _(SLT, "slt", SGE, SGT)                                                                        \
    _(SGE, "sge", SLT, SLE)                                                                        \
    _(SGT, "sgt", SLE, SLT)                                                                        \
    _(SLE, "sle", SGT, SGE)                                                                        \
    _(SET, "set", CLEAR, SET)                                                                      \
    _(CLEAR, "clear", SET, CLEAR)
enum ir_cond {
#define IR_COND_ENUM(NAME, text, INVERSE, SWAPPED) IR_COND_##NAME,
    IR_CONDS(IR_COND_ENUM)
#undef IR_COND_ENUM
        IR_COND_COUNT
};

struct ir_op_info {
    const char *text;
    int8_t nargs, nresults;
    uint8_t level;
    uint8_t flags; /* enum ir_flags */
};
extern const struct ir_op_info ir_ops[IR_OP_COUNT];

struct ir_inst {
    struct ir_inst *prev, *next;
    struct ir_block *block;
    uint8_t op;     /* enum ir_op */
    uint8_t type;   /* enum ir_type: width of the operation; IR_VOID where there is none */
    uint8_t cond;   /* BR, BR2: enum ir_cond */
    uint8_t size;   /* memory operations: bytes */
    uint8_t align;  /* memory operations: proven alignment of the address in bytes */
    bool is_signed; /* LOAD: sign-extends to 32 bits */
    bool visited;   /* scratch of the running pass */
    uint32_t nargs;
    ir_val *args;  /* nargs values; 0 only for holes in legalised calls */
    ir_val res[2]; /* 0 where there is none */
    int64_t imm;
    uint32_t index; /* table index, helper id, enum bpf_op: see ir.def */
    uint32_t insn;  /* eBPF instruction it stems from (slot in the program), IR_NO_INSN if none */
};
#define IR_NO_INSN UINT32_MAX

struct ir_value {
    struct ir_inst *def; /* NULL: removed */
    uint8_t type;        /* enum ir_type, never IR_VOID */
};

struct ir_block {
    uint32_t id;
    struct ir_inst *first, *last; /* last is the terminator */
    struct ir_block **preds;      /* a block that branches here on both sides stands twice, with
                                     equal phi arguments */
    uint32_t npreds, preds_room;
    struct ir_block
        *target[2]; /* successors: BR, BR2 taken / not taken; JUMP target[0]; else NULL */
    /* By ir_analyze(): */
    struct ir_block *idom;        /* NULL for the entry */
    uint32_t rpo;                 /* index in fn->order */
    uint32_t dom_first, dom_last; /* interval of the dominator tree's preorder below this block */
    uint32_t loop_depth;          /* 0 outside loops */
    struct ir_block *loop_header; /* of the innermost loop, NULL outside */
    uint32_t scratch;
};

struct ir_fn {
    struct arena *arena;
    const struct program *prog; /* may be NULL in tests */
    uint32_t func;              /* index into prog->funcs */
    const char *name;
    enum ir_level level;
    struct ir_block **blocks; /* by id; NULL where removed. blocks[0] is the entry, without preds */
    uint32_t nblocks, blocks_room;
    struct ir_value *values; /* by ir_val; values[0] unused */
    uint32_t nvalues, values_room;
    uint32_t stack;          /* bytes of eBPF stack this function uses below r10 */
    struct ir_block **order; /* reverse post-order of the reachable blocks, by ir_analyze() */
    uint32_t norder;
    ir_val *forward; /* replacements not yet applied, see ir_replace(); NULL if none */
};

/* --- build (ir.c) */
struct ir_fn *ir_fn_new(struct arena *arena, const struct program *prog, uint32_t func,
                        const char *name);
struct ir_block *ir_block_new(struct ir_fn *fn);
/* A new instruction, in no block, with nargs arguments (copied from args when not NULL) and
 * fresh result values: nresults of them, of result_type. */
struct ir_inst *ir_inst_new(struct ir_fn *fn, enum ir_op op, enum ir_type type, uint32_t nargs,
                            const ir_val *args, uint32_t nresults, enum ir_type result_type);
void ir_append(struct ir_block *block, struct ir_inst *inst);
void ir_insert_before(struct ir_inst *place, struct ir_inst *inst);
void ir_insert_after(struct ir_inst *place, struct ir_inst *inst);
/* Unlinks inst; its results must have no uses left (or be replaced). */
void ir_remove(struct ir_fn *fn, struct ir_inst *inst);
/* Gives a block without successors its edges; `other` may be NULL. Arguments for phis that the targets have
 * already are the caller's to add; ir_add_pred() takes them with the edge. */
void ir_set_targets(struct ir_fn *fn, struct ir_block *block, struct ir_block *taken,
                    struct ir_block *other);
/* Adds pred, one of whose targets block has become, to block's predecessors, with its arguments for
 * the phis, in their order. */
void ir_add_pred(struct ir_fn *fn, struct ir_block *block, struct ir_block *pred,
                 const ir_val *phi_args);
/* Drops one edge from -> to, with the phi arguments of that edge. target[0] is what is left; the
 * caller mends the terminator. */
void ir_remove_edge(struct ir_fn *fn, struct ir_block *from, struct ir_block *to);
/* Shorthands; all insert before `place`. */
ir_val ir_const_before(struct ir_fn *fn, struct ir_inst *place, enum ir_type type, int64_t value);
ir_val ir_unary_before(struct ir_fn *fn, struct ir_inst *place, enum ir_op op, enum ir_type type,
                       ir_val a);
ir_val ir_binary_before(struct ir_fn *fn, struct ir_inst *place, enum ir_op op, enum ir_type type,
                        ir_val a, ir_val b);

/* Every use of old becomes new once ir_resolve() sweeps the function. Chains are followed. */
void ir_replace(struct ir_fn *fn, ir_val old, ir_val replacement);
void ir_resolve(struct ir_fn *fn);
/* What v stands for while replacements are pending. */
ir_val ir_forwarded(const struct ir_fn *fn, ir_val v);
/* Numbers blocks and values densely from 1 (blocks from 0) in reverse post-order. */
void ir_renumber(struct ir_fn *fn);

/* --- look */
bool ir_is_const(const struct ir_fn *fn, ir_val v, uint64_t *value);
enum ir_cond ir_cond_inverse(enum ir_cond cond);
enum ir_cond ir_cond_swapped(enum ir_cond cond);
enum ir_cond ir_cond_unsigned(enum ir_cond cond); /* the same order, of numbers without a sign */
/* The folder: result of a PURE op on constants, by RFC 9669; false if op cannot be folded. */
bool ir_fold(enum ir_op op, enum ir_type type, const uint64_t *args, uint32_t nargs,
             uint64_t result[2]);
bool ir_fold_cond(enum ir_cond cond, enum ir_type type, uint64_t a, uint64_t b);

/* --- analyse (analyze.c): removes unreachable blocks, fills order, rpo, idom, loops. */
void ir_analyze(struct ir_fn *fn);
bool ir_dominates(const struct ir_block *a, const struct ir_block *b);

/* --- text and checks */
void ir_print(const struct ir_fn *fn, FILE *out);
/* Parses one function; NULL and a message with the line on error. */
struct ir_fn *ir_parse(struct arena *arena, const char *text, const char *file, struct diag *diag);
/* Well-formedness: SSA dominance, types, levels, phis, edges. Our own bugs: prints the function and
 * the defect to stderr and aborts. `after` names the pass, for the message. */
void ir_check(struct ir_fn *fn, const char *after);

/* --- phi.c: replaces phis that merge one value only, until there are none. */
void ir_simplify_phis(struct ir_fn *fn);

/*
 * --- eBPF to IR (build.c). The program has passed verify(): its instructions decode, branches stay
 * inside the function, helper ids exist. Registers never written are 0; a call keeps r1 to r5.
 * Helper results below 64 bits are zext or sext of a trunc of the call's result, so that every pass
 * knows their high word; so are r1, and r2 of a raw program, at a program's entry, and values of which
 * the verifier's facts say so (NULL: there are none). `stack`: bytes of eBPF stack that the function uses.
 */
struct ir_fn *ir_build(struct arena *arena, const struct program *prog, uint32_t func,
                       uint32_t stack, const struct facts *facts);

#endif
