/* SPDX-License-Identifier: MIT */
/*
 * What is known of a number: the verifier's abstract domain of scalars.
 *
 * A struct num describes a set of w-bit numbers by three descriptions that all hold: known bits
 * (tristate number), an unsigned interval and a signed interval. A struct scalar is a num of 64
 * bits and intervals of its low 32 bits. Each function keeps the descriptions consistent with each
 * other ("reduced"): what one says, the others say as well, as far as they can.
 *
 * Soundness: with a in A and b in B, op(a, b) is in scalar_alu(op, A, B), by RFC 9669 as insn.def
 * has it. tests/unit/test_scalar.c holds this exhaustively at 4 to 6 bits (num.h has the functions
 * with the number of bits as a parameter for that reason) and at random at 64.
 */
#ifndef VERIFIER_SCALAR_H
#define VERIFIER_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/insn.h"

struct num {
    uint64_t value, mask; /* bits in mask are unknown; value & mask == 0; from bit w up 0 in both */
    uint64_t umin, umax;  /* umin <= umax < 2^w */
    int64_t smin, smax;   /* smin <= smax, sign-extended from w bits */
};

struct scalar {
    struct num x;            /* all 64 bits */
    uint32_t umin32, umax32; /* the low 32 bits; their known bits are those of x */
    int32_t smin32, smax32;
};

/* Limits that widening goes through: sorted, as signed numbers; owned by the caller. At most 16 of
 * them are used, evenly chosen; so give those that the loop at hand compares with. */
struct thresholds {
    const int64_t *items;
    uint32_t count;
};

/* --- making */
struct scalar scalar_unknown(void);
struct scalar scalar_const(uint64_t v);
struct scalar scalar_urange(uint64_t min, uint64_t max); /* unsigned interval */
struct scalar scalar_srange(int64_t min, int64_t max);   /* signed interval */
struct scalar scalar_zext(unsigned bits);                /* 1 to 64 bits, zero-extended */
struct scalar scalar_sext(unsigned bits);                /* the same, sign-extended */

/* --- asking */
bool scalar_is_const(const struct scalar *s); /* its value is then s->x.value */
bool scalar_contains(const struct scalar *s, uint64_t v);
bool scalar_equal(const struct scalar *a, const struct scalar *b);
bool scalar_subset(const struct scalar *a, const struct scalar *b); /* in every description */

/* --- lattice */
struct scalar scalar_join(const struct scalar *a, const struct scalar *b);
/* False if nothing is in both; *a is then unspecified. Else *a becomes the intersection. */
bool scalar_meet(struct scalar *a, const struct scalar *b);
/* The low 32 bits of *a are those of some number in b. False as above. */
bool scalar_meet_low32(struct scalar *a, const struct scalar *b);
/* An upper bound of old and new, in every description: each bound that grew goes to the next
 * threshold, in the end to the limit of its type; bits that differ become unknown. A chain of
 * widenings is finite (a few dozen steps at most per scalar, whatever the thresholds). */
struct scalar scalar_widen(const struct scalar *old, const struct scalar *new_,
                           const struct thresholds *t);

/* --- operations; width 32 (the result is zero-extended) or 64. NEG ignores b, MOV ignores a. */
struct scalar scalar_alu(enum bpf_op op, unsigned width, const struct scalar *a,
                         const struct scalar *b);
struct scalar scalar_movsx(enum bpf_op op, unsigned width, const struct scalar *b);
struct scalar scalar_end(enum bpf_op op, unsigned width, const struct scalar *a); /* 16, 32, 64 */

/* --- conditional jumps (BPF_J*), width 32 or 64 */
/* 1: the condition holds for all pairs; 0: for none; -1: not known. */
int scalar_cond(enum bpf_op op, unsigned width, const struct scalar *a, const struct scalar *b);
/* Narrows both operands by the outcome; false if it cannot be, and then both are unspecified. a and
 * b may be of one register: the caller passes two copies and meets them afterwards. */
bool scalar_refine(enum bpf_op op, unsigned width, bool holds, struct scalar *a, struct scalar *b);

#endif
