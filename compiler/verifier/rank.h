/* SPDX-License-Identifier: MIT */
/*
 * Bounds of loops. What a loop does to registers and stack cells in one iteration is found once per
 * function without values (loop_shapes); what follows from it for values known at the loop's entry, or
 * everywhere in it, is then a question that the analysis of values asks as often as it likes
 * (rank_loop). The arguments why the answers hold are at the head of rank.c.
 */
#ifndef VERIFIER_RANK_H
#define VERIFIER_RANK_H

#include "verifier/cfg.h"
#include "verifier/rel.h"
#include "verifier/scalar.h"

/* ------------------------------------------------------------------------------------- shapes */

/* A register, or 4 or 8 bytes of the function's own frame. The value of 4 bytes is their number
 * zero-extended. */
struct rank_loc {
    uint8_t size; /* 0: register */
    uint8_t reg;
    int16_t off; /* from r10 */
};

/* A comparison that is made once in every iteration, and that holds whenever there is another one. */
struct rank_test {
    uint32_t slot; /* of the jump */
    uint8_t op; /* enum bpf_op, a BPF_J*, inverted if the loop goes on when the jump is not taken.
                      JSET that must not hold is left out */
    uint8_t width;
    uint8_t reg[2];    /* operands; [1] BPF_NREGS: an immediate */
    struct rel rel[2]; /* what the operands are then */
    bool is_next[2];   /* nothing happens to the register until the next iteration */
};

/* An addition in a loop to what is a sum of a location that changes by an unknown number of them. */
struct rank_add {
    uint32_t slot;
    uint8_t reg; /* that holds the sum before */
    bool other;  /* another location has been added as well: not followed */
    uint16_t loc;
    int64_t lo, hi; /* what is added */
};

struct loop_shape {
    bool known; /* false: too large to be looked at; the rest is empty */
    uint32_t nlocs;
    const struct rank_loc *locs; /* r0 to r10, then cells; rel.loc and rel.loc2 are indices of it */
    const struct rel *change; /* by location: its value at the end of any iteration that is followed
                                    by another one */
    uint32_t ntests;
    const struct rank_test *tests;
    uint32_t nadds;
    /* All of the locations whose change is a sum with an infinite end. */
    const struct rank_add *adds;
};

/* By loop; everything on the arena. `live_args` as of cfg_build(). */
struct loop_shape *loop_shapes(struct arena *arena, const struct program *program,
                               const struct cfg *cfg, const uint16_t *live_args);

/* ------------------------------------------------------------------------------------- ranking */

/* A number, or a pointer: then `scalar` is its offset in the object, as a signed number. The objects
 * of two pointers are the same number (not 0) only if they are the same piece of memory whenever the
 * question is about one run of the loop; its address plus 2^31 is below 2^64. */
struct rank_value {
    struct scalar scalar;
    uint32_t object; /* 0: a number */
};

/* The values known. Each answers false if it is neither number nor pointer, or not known. */
struct rank_query {
    void *arg;
    /* On all edges into the header from outside of the loop. */
    bool (*entry)(void *arg, struct rank_loc loc, struct rank_value *out);
    /* Whether two locations are equal on all edges into the header from outside. NULL: not known. */
    bool (*same)(void *arg, struct rank_loc a, struct rank_loc b);
    /* At the header, whenever it is executed. NULL: not known. */
    bool (*header)(void *arg, struct rank_loc loc, struct rank_value *out);
    /* Of a register before a slot of the loop, whenever it is executed. NULL: not known. */
    bool (*at)(void *arg, uint32_t slot, unsigned reg, struct rank_value *out);
};

enum rank_form {
    RANK_NONE,      /* no bound is proven */
    RANK_LESS,      /* steps towards a limit that a <, <=, >, >= compares with */
    RANK_NOT_EQUAL, /* steps that meet a limit exactly */
    RANK_QUOTIENT,  /* divided until it is 0 */
    RANK_LOW_BIT,   /* loses a bit until it is 0 */
    RANK_RANGE,     /* steps within what values are known at the header */
};

struct rank_invariant {
    struct rank_loc loc;
    struct rank_value value;
};

struct rank_result {
    uint64_t bound; /* most executions of the header each time the loop is entered; UINT64_MAX: none
                       proven, or more than that */
    enum rank_form form;
    struct rank_loc loc; /* what is counted */
    uint32_t slot;       /* of the test, or CFG_NONE (RANK_RANGE) */
    /* What holds of locations whenever the header is executed, whether a bound is proven or not; of
     * one location several may hold. */
    uint32_t ninvariants;
    struct rank_invariant *invariants;
};

/* The answer is on the arena. It holds for any values that those of the query's answers include; ask
 * again when they grow. */
void rank_loop(struct arena *arena, const struct loop_shape *shape, const struct rank_query *query,
               struct rank_result *out);

#endif
