/* SPDX-License-Identifier: MIT */
/* Random functions in machine IR, and a checker that an allocation kept their meaning. */
#ifndef TESTS_REGALLOC_H
#define TESTS_REGALLOC_H

#include "thumb2/mir.h"

struct random_mir {
    uint64_t seed;
    uint32_t nvars;        /* variables that live across blocks: the register pressure */
    uint32_t ninsts;       /* about */
    uint32_t call_percent; /* of the instructions */
    uint16_t allocatable;
};

struct mir_fn *random_mir(struct arena *arena, const struct random_mir *options);

/* What a function was before allocation. Taking it numbers the instructions in `insn`. */
struct mir_original;
struct mir_original *mir_original_take(struct arena *arena, struct mir_fn *fn);

/* NULL if `fn`, allocated in place, computes what the original did; else what is wrong. */
const char *mir_allocation_error(struct arena *arena, const struct mir_original *original,
                                 const struct mir_fn *fn);

#endif
