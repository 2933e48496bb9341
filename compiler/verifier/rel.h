/* SPDX-License-Identifier: MIT */
/*
 * What a value in an iteration of a loop has to do with the values at the loop's header: the domain of
 * the analysis that finds the shapes of loops (rank_shape.c). A location is a register or a cell of
 * the frame; "at the header" means at the beginning of the same iteration.
 */
#ifndef VERIFIER_REL_H
#define VERIFIER_REL_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/insn.h"

#define REL_NO_LOC UINT16_MAX
#define REL_INF INT64_MAX /* of a sum's hi; -REL_INF of its lo */

enum rel_kind {
    REL_NUMBER, /* a 64-bit number, signed, in [lo, hi]; may be anything if that is all of them */
    REL_SUM, /* loc + sign2 * loc2 + d with some d in [lo, hi], in the sense of `form`. Where lo or
                   hi is infinite, d is the sum of what was added on the way, not modulo anything */
    REL_QUOTIENT, /* unsigned, not above loc / lo, rounded down; lo >= 2. Of all of loc or (form
                     REL_ZEXT) its low 32 bits */
    REL_LOW_BIT,  /* loc & (loc - 1), or, with a loc2, loc & (loc2 - 1); form as of QUOTIENT: low 32
                     bits of them, zero-extended */
};

/* What of a value is a sum, and modulo what. */
enum rel_form {
    REL_64,        /* the value is it, modulo 2^64 */
    REL_ZEXT,      /* it modulo 2^32, zero-extended */
    REL_SAME_ZEXT, /* the low 32 bits are, modulo 2^32; the value is below 2^32 if loc is */
    REL_SEXT,      /* it modulo 2^32, sign-extended */
    REL_HIGH,      /* it modulo 2^32, times 2^32: between << 32 and >> 32 */
    REL_LOW,       /* the low 32 bits are; of the others nothing is known */
};

struct rel {
    uint8_t kind, form; /* enum rel_kind, enum rel_form */
    int8_t sign2;       /* 1 or -1; 0: no loc2 */
    uint16_t loc, loc2; /* indices of locations; REL_NO_LOC where there is none */
    int64_t lo, hi;
};

struct rel rel_unknown(void);
struct rel rel_number(int64_t lo, int64_t hi);
struct rel rel_of_loc(uint16_t loc);
struct rel rel_zext32(struct rel r);                /* as a 32-bit move leaves it */
struct rel rel_sext32(struct rel r);                /* as movsx32 leaves it */
struct rel rel_memory(unsigned bits, bool signed_); /* what a load of so many bits gives */

bool rel_equal(struct rel a, struct rel b);
/* Exactly one location's value, in all 64 bits. */
bool rel_is_loc(struct rel r, uint16_t loc);
struct rel rel_join(struct rel a, struct rel b);
/* An upper bound of both, reached from any chain of b's after a few steps. */
struct rel rel_widen(struct rel a, struct rel b);

struct rel rel_alu(enum bpf_op op, unsigned width, struct rel a, struct rel b);
/* The comparison that holds when this one does not (JSET has none: itself), or with operands exchanged. */
enum bpf_op rel_inverse(enum bpf_op op);
enum bpf_op rel_swapped(enum bpf_op op);
/* A number in the light of a comparison with a constant; false if it cannot be. Others stay as they are. */
bool rel_refine(enum bpf_op op, unsigned width, bool holds, struct rel *a, int64_t b);

#endif
