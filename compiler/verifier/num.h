/* SPDX-License-Identifier: MIT */
/*
 * Numbers of w bits: what scalar.c is made of, and the functions of scalar.h for scalars of w bits
 * with a low half of w / 2, which the exhaustive tests use.
 *
 * The two intervals of a num say no more and no less than two pieces do, one of the numbers
 * without the sign bit and one of those with it. Within a piece, unsigned and signed order are the
 * same: so each operation on intervals is defined on pieces, for all pairs of them, and never has
 * to think of wrap-around in its operands. Its results are arcs (intervals modulo 2^w);
 * pieces_add() cuts these at 0 and at the sign bit. num_build() then makes the ends of the pieces
 * members of the known bits and takes known bits from the ends. One round of this gives the best
 * description that there is of the numbers that have these known bits and lie in these pieces.
 */
#ifndef VERIFIER_NUM_H
#define VERIFIER_NUM_H

#include "verifier/scalar.h"

/* Known bits alone; as in struct num. */
struct tnum {
    uint64_t value, mask;
};

struct piece {
    uint64_t lo, hi; /* unsigned; empty if lo > hi */
};

struct pieces {
    struct piece half[2]; /* [0]: sign bit clear, [1]: set */
};

/* All w bits. */
static inline uint64_t num_limit(unsigned w) {
    return UINT64_MAX >> (64 - w);
}

static inline uint64_t num_sign(unsigned w) {
    return (uint64_t)1 << (w - 1);
}

/* v, sign-extended from w bits. */
static inline int64_t num_extend(unsigned w, uint64_t v) {
    return (int64_t)(v << (64 - w)) >> (64 - w);
}

static inline struct tnum num_tnum(const struct num *n) {
    return (struct tnum){n->value, n->mask};
}

static inline bool num_is_const(const struct num *n) {
    return n->mask == 0;
}

static inline struct num num_unknown(unsigned w) {
    int64_t most = (int64_t)(num_limit(w) >> 1);
    return (struct num){0, num_limit(w), 0, num_limit(w), -most - 1, most};
}

static inline struct num num_const(unsigned w, uint64_t v) {
    int64_t s = num_extend(w, v);
    return (struct num){v, 0, v, v, s, s};
}

/* --- pieces: here because each operation calls them several times */
static inline struct pieces pieces_none(void) {
    return (struct pieces){{{UINT64_MAX, 0}, {UINT64_MAX, 0}}};
}

static inline struct pieces pieces_all(unsigned w) {
    return (struct pieces){{{0, num_sign(w) - 1}, {num_sign(w), num_limit(w)}}};
}

static inline bool piece_is_empty(struct piece p) {
    return p.lo > p.hi;
}

static inline void piece_add(struct piece *p, uint64_t lo, uint64_t hi) {
    p->lo = lo < p->lo ? lo : p->lo;
    p->hi = hi > p->hi ? hi : p->hi;
}

/* Without wrap-around at 0. */
static inline void pieces_add_interval(struct pieces *p, uint64_t sign, uint64_t lo, uint64_t hi) {
    if (lo < sign)
        piece_add(&p->half[0], lo, hi < sign ? hi : sign - 1);
    if (hi >= sign)
        piece_add(&p->half[1], lo < sign ? sign : lo, hi);
}

/* Adds the numbers from start up to end, modulo 2^w. */
static inline void pieces_add(struct pieces *p, unsigned w, uint64_t start, uint64_t end) {
    if (start <= end) {
        pieces_add_interval(p, num_sign(w), start, end);
        return;
    }
    pieces_add_interval(p, num_sign(w), start, num_limit(w));
    pieces_add_interval(p, num_sign(w), 0, end);
}

static inline uint64_t num_least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static inline uint64_t num_most(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* Also of a num that is not reduced: then the pieces are what is in both intervals. */
static inline struct pieces num_split(unsigned w, const struct num *n) {
    struct pieces p = pieces_none();
    uint64_t limit = num_limit(w);
    if (n->smax >= 0) {
        p.half[0].lo = num_most(n->umin, n->smin > 0 ? (uint64_t)n->smin : 0);
        p.half[0].hi = num_least(n->umax, (uint64_t)n->smax);
    }
    if (n->smin < 0) {
        p.half[1].lo = num_most(n->umin, (uint64_t)n->smin & limit);
        p.half[1].hi = num_least(n->umax, n->smax < 0 ? (uint64_t)n->smax & limit : limit);
    }
    return p;
}

/* --- num.c: numbers of w bits, 2 <= w <= 64 */
/* False if no number is in t and in a piece. */
bool num_build(struct num *out, unsigned w, struct tnum t, const struct pieces *p);
/* Makes descriptions that all hold, but do not know of each other, consistent. False if empty. */
bool num_reduce(struct num *n, unsigned w);

bool num_contains(unsigned w, const struct num *n, uint64_t v);
bool num_equal(const struct num *a, const struct num *b);
bool num_subset(const struct num *a, const struct num *b);
struct num num_join(const struct num *a, const struct num *b);
bool num_meet(struct num *a, unsigned w, const struct num *b);
/* Takes v away where it is an end of a piece. False if nothing is left. */
bool num_exclude(unsigned w, struct num *n, uint64_t v);
/* Not reduced: reducing may take back what is not an upper bound of old and new in every part. */
struct num num_widen(unsigned w, const struct num *old, const struct num *new_,
                     const struct thresholds *t);

/* From w bits to the low `to` of them; from w bits to more. */
struct num num_trunc(unsigned w, unsigned to, const struct num *n);
struct num num_zext(unsigned w, unsigned to, const struct num *n);
struct num num_sext(unsigned w, unsigned to, const struct num *n);

/* --- num_alu.c */
/* What insn.def says of op; a, b and the result have w bits. */
uint64_t num_eval(enum bpf_op op, unsigned w, uint64_t a, uint64_t b);
struct num num_alu(enum bpf_op op, unsigned w, const struct num *a, const struct num *b);

/* --- num_jump.c; results as in scalar.h */
int num_cond(enum bpf_op op, unsigned w, const struct num *a, const struct num *b);
bool num_refine(enum bpf_op op, unsigned w, bool holds, struct num *a, struct num *b);

/* --- scalar.c: scalar.h for scalars of w bits; the fields named 32 are those of w / 2 bits. The
 * width of an operation is w or w / 2. */
struct scalar scalar_unknown_at(unsigned w);
/* The numbers in x whose low half is in low (of w / 2 bits). False if none is found. */
bool scalar_make_at(unsigned w, struct scalar *out, const struct num *x, const struct num *low);
struct num scalar_low_at(unsigned w, const struct scalar *s);
bool scalar_contains_at(unsigned w, const struct scalar *s, uint64_t v);
bool scalar_meet_at(unsigned w, struct scalar *a, const struct scalar *b);
bool scalar_meet_low_at(unsigned w, struct scalar *a, const struct scalar *b);
struct scalar scalar_widen_at(unsigned w, const struct scalar *old, const struct scalar *new_,
                              const struct thresholds *t);
struct scalar scalar_alu_at(unsigned w, enum bpf_op op, unsigned width, const struct scalar *a,
                            const struct scalar *b);
/* Sign-extends the low `from` bits, at most half of w, to the width. */
struct scalar scalar_sext_at(unsigned w, unsigned from, unsigned width, const struct scalar *b);
int scalar_cond_at(unsigned w, enum bpf_op op, unsigned width, const struct scalar *a,
                   const struct scalar *b);
bool scalar_refine_at(unsigned w, enum bpf_op op, unsigned width, bool holds, struct scalar *a,
                      struct scalar *b);

#endif
