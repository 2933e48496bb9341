/* SPDX-License-Identifier: MIT */
/*
 * What is known of the values of a function without looking at ranges: bits that are always 0 or
 * always 1, and whether a 64-bit value is the sign extension of its low word. A value of which every
 * bit is known is a constant; so this is conditional constant propagation (Wegman and Zadeck,
 * "Constant propagation with conditional branches", TOPLAS 1991) over a finer lattice, and optimistic
 * as that is: values in loops are taken to be what enters the loop until that is refuted.
 */
#ifndef OPT_KNOWN_H
#define OPT_KNOWN_H

#include "ir/ir.h"

/* Nothing reached it yet: zeros & ones != 0. Bits above an i32 are known to be 0. */
struct known {
    uint64_t zeros, ones; /* bits that are 0, that are 1 */
    bool sext;            /* i64: bits 31 to 63 are all equal */
};

#define KNOWN_NOTHING_YET ((struct known){UINT64_MAX, UINT64_MAX, true})

static inline bool known_unreached(const struct known *k) {
    return (k->zeros & k->ones) != 0;
}
static inline bool known_constant(const struct known *k) {
    return (k->zeros ^ k->ones) == UINT64_MAX;
}
/* The high word is 0. */
static inline bool known_zext(const struct known *k) {
    return k->zeros >> 32 == UINT32_MAX;
}
/* Greatest unsigned value; the least is k->ones. */
static inline uint64_t known_max(const struct known *k) {
    return ~k->zeros;
}

/* What holds of results 0 and 1 of inst, given what holds of its arguments: not of phis. */
void known_transfer(const struct ir_inst *inst, const struct known *args, struct known result[2]);
/* Whether cond holds: 1 or 0, -1 if that is not known. */
int known_cond(enum ir_cond cond, enum ir_type type, const struct known *a, const struct known *b);

struct solution {
    struct known *known; /* by value */
    bool *block_live;    /* by block id: control may get there */
    bool *edge_live;     /* of edge i into block b: edge_live[edge_base[b->id] + i] */
    uint32_t *edge_base; /* by block id */
    uint32_t (*edge)[2]; /* by block id: index of the edge from target[k] in that block's preds */
};

/* Solves for the whole function (solve.c). Everything lives in `arena`. */
void known_solve(const struct ir_fn *fn, struct arena *arena, struct solution *out);

/* An induction variable: a phi of a loop header with one way in (init) and one back edge, which brings
 * next = phi + step. */
struct induction {
    const struct ir_block *header, *entry, *latch;
    ir_val phi, init, next;
    int64_t step; /* not 0, 32 bits */
    enum ir_type type;
};
bool induction_find(const struct ir_fn *fn, const struct ir_inst *phi, struct induction *var);

/* Adds what the bounds of induction variables say (induction.c), and what follows from that. */
void known_induction(const struct ir_fn *fn, struct solution *s);

/* Uses `next` for tests and addresses behind it that have the phi (follow.c), so that the two can be in
 * one register. At IR_LEVEL_32. */
void induction_follow(struct ir_fn *fn, struct arena *arena, const struct solution *s);

#endif
