/* SPDX-License-Identifier: MIT */
/* What the files of the simplifier share; simplify.c describes it. */
#ifndef OPT_SIMPLIFY_H
#define OPT_SIMPLIFY_H

#include "ir/ir.h"

struct simplifier {
    struct ir_fn *fn;
    struct ir_inst *inst; /* the one in hand: its arguments are up to date, new ones go before it */
    uint32_t *uses;       /* by value, of all that existed at the start: how often it is used */
    uint32_t *addresses;  /* of these, how often as the address of a load or store */
    uint32_t ncounted;    /* values below this are counted; later ones are taken as used once */
};

/* Rules: each returns the value that the instruction in hand can be replaced by, or 0. */
ir_val simplify_arithmetic(struct simplifier *s); /* ADD to XOR */
ir_val simplify_shift(struct simplifier *s);      /* SHL, LSHR, ASHR */
ir_val simplify_width(struct simplifier *s);      /* TRUNC to BSWAP64 */
/* These change the instruction in hand and say whether they did. */
bool simplify_branch(struct simplifier *s);
bool simplify_memory(struct simplifier *s);

/* --- looking at values */
static inline struct ir_inst *simplify_def(const struct simplifier *s, ir_val v) {
    return s->fn->values[v].def;
}
/* Its definition if that is an `op` of the type in hand, else NULL. */
struct ir_inst *simplify_is(const struct simplifier *s, ir_val v, enum ir_op op);
/* The definition of v if it is an `op` with a constant as argument 1; its value in *c. */
struct ir_inst *simplify_is_with(const struct simplifier *s, ir_val v, enum ir_op op, uint64_t *c);
bool simplify_used_once(const struct simplifier *s, ir_val v);

/* --- making values, before the instruction in hand, of its type */
ir_val simplify_const(struct simplifier *s, uint64_t value);
ir_val simplify_unary(struct simplifier *s, enum ir_op op, ir_val a);
ir_val simplify_binary(struct simplifier *s, enum ir_op op, ir_val a, ir_val b);
ir_val simplify_with(struct simplifier *s, enum ir_op op, ir_val a, uint64_t b);

static inline unsigned simplify_width_of(const struct simplifier *s) {
    return s->inst->type == IR_I32 ? 32 : 64;
}
static inline uint64_t simplify_ones(const struct simplifier *s) {
    return s->inst->type == IR_I32 ? UINT32_MAX : UINT64_MAX;
}

#endif
