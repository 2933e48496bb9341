/* SPDX-License-Identifier: MIT */
/* Numbers of w bits: how the three descriptions of a num become one, and the lattice. See num.h. */
#include "verifier/num.h"

#include <assert.h>

#define THRESHOLDS_USED 16

/* ---------------------------------------------------------------------------------- known bits */

/* Moves *v up to the next member of t; false if there is none. Where v differs from t's known
 * bits, the highest difference decides: v is either below all members that begin as it does,
 * then the rest is the least that t allows, or above, then the lowest unknown 0 in front becomes
 * 1. */
static inline bool move_up(struct tnum t, uint64_t *v) {
    uint64_t wrong = (*v ^ t.value) & ~t.mask;
    if (wrong == 0)
        return true;
    uint64_t rest = UINT64_MAX >> __builtin_clzll(wrong);
    uint64_t carry = 0;
    if (*v & (rest ^ rest >> 1)) {
        carry = t.mask & ~*v & ~rest;
        if (carry == 0)
            return false;
        carry &= -carry;
        rest = carry | (carry - 1);
    }
    *v = (*v & ~rest) | carry | (t.value & rest & ~carry);
    return true;
}

/* The same, down: it is going up with all bits inverted. */
static inline bool move_down(unsigned w, struct tnum t, uint64_t *v) {
    if (((*v ^ t.value) & ~t.mask) == 0)
        return true;
    uint64_t inverse = ~*v & num_limit(w);
    struct tnum inverted = {~(t.value | t.mask) & num_limit(w), t.mask};
    bool found = move_up(inverted, &inverse);
    *v = ~inverse & num_limit(w);
    return found;
}

/* The known bits of what is in t and in the piece, whose ends are members of t: those in front of
 * the first bit in which the ends differ. Behind it, all that t leaves open occurs. */
static inline struct tnum piece_tnum(struct tnum t, struct piece p) {
    uint64_t differ = p.lo ^ p.hi;
    uint64_t mask = differ ? t.mask & UINT64_MAX >> __builtin_clzll(differ) : 0;
    return (struct tnum){p.lo & ~mask, mask};
}

static inline struct tnum tnum_join(struct tnum a, struct tnum b) {
    uint64_t mask = a.mask | b.mask | (a.value ^ b.value);
    return (struct tnum){a.value & ~mask, mask};
}

/* -------------------------------------------------------------------------------------- pieces */

static void from_piece(struct num *out, unsigned w, struct tnum t, struct piece p) {
    t = piece_tnum(t, p);
    *out = (struct num){t.value, t.mask, p.lo, p.hi, num_extend(w, p.lo), num_extend(w, p.hi)};
}

bool num_build(struct num *out, unsigned w, struct tnum t, const struct pieces *pieces) {
    struct piece half[2];
    bool some[2];
    for (unsigned i = 0; i < 2; i++) {
        struct piece p = pieces->half[i];
        some[i] = p.lo <= p.hi && move_up(t, &p.lo) && move_down(w, t, &p.hi) && p.lo <= p.hi;
        half[i] = p;
    }
    if (!some[0] || !some[1]) {
        if (some[0] || some[1])
            from_piece(out, w, t, half[some[1]]);
        return some[0] || some[1];
    }
    t = tnum_join(piece_tnum(t, half[0]), piece_tnum(t, half[1]));
    *out = (struct num){
        t.value, t.mask, half[0].lo, half[1].hi, num_extend(w, half[1].lo), (int64_t)half[0].hi};
    return true;
}

bool num_reduce(struct num *n, unsigned w) {
    struct pieces p = num_split(w, n);
    return num_build(n, w, num_tnum(n), &p);
}

/* ------------------------------------------------------------------------------ making, asking */

bool num_contains(unsigned w, const struct num *n, uint64_t v) {
    int64_t s = num_extend(w, v);
    return ((v ^ n->value) & ~n->mask) == 0 && v >= n->umin && v <= n->umax && s >= n->smin &&
           s <= n->smax;
}

bool num_equal(const struct num *a, const struct num *b) {
    return a->value == b->value && a->mask == b->mask && a->umin == b->umin && a->umax == b->umax &&
           a->smin == b->smin && a->smax == b->smax;
}

bool num_subset(const struct num *a, const struct num *b) {
    return ((a->mask | (a->value ^ b->value)) & ~b->mask) == 0 && a->umin >= b->umin &&
           a->umax <= b->umax && a->smin >= b->smin && a->smax <= b->smax;
}

/* ------------------------------------------------------------------------------------- lattice */

/* Reduced if a and b are: each end of the result is a member of one of them. */
struct num num_join(const struct num *a, const struct num *b) {
    struct tnum t = tnum_join(num_tnum(a), num_tnum(b));
    return (struct num){t.value,
                        t.mask,
                        num_least(a->umin, b->umin),
                        num_most(a->umax, b->umax),
                        a->smin < b->smin ? a->smin : b->smin,
                        a->smax > b->smax ? a->smax : b->smax};
}

bool num_meet(struct num *a, unsigned w, const struct num *b) {
    if ((a->value ^ b->value) & ~a->mask & ~b->mask)
        return false;
    a->value |= b->value;
    a->mask &= b->mask;
    a->umin = num_most(a->umin, b->umin);
    a->umax = num_least(a->umax, b->umax);
    a->smin = a->smin > b->smin ? a->smin : b->smin;
    a->smax = a->smax < b->smax ? a->smax : b->smax;
    return a->umin <= a->umax && a->smin <= a->smax && num_reduce(a, w);
}

bool num_exclude(unsigned w, struct num *n, uint64_t v) {
    struct pieces p = num_split(w, n);
    struct piece *half = &p.half[v >= num_sign(w)];
    if (half->lo > half->hi || (v != half->lo && v != half->hi))
        return true;
    if (half->lo == half->hi)
        *half = pieces_none().half[0];
    else if (v == half->lo)
        half->lo++;
    else
        half->hi--;
    return num_build(n, w, num_tnum(n), &p);
}

/* Bits that a widening makes unknown beyond those that differ. A bit that changes next to one that
 * has changed before is the carry of something that counts: it would go on bit by bit. Below the
 * lowest changed bit all stays as it is: that is the alignment of a counter. When eight bits have
 * changed one by one, this limit goes down in steps that double. */
static uint64_t widened_mask(unsigned w, uint64_t old, uint64_t joined) {
    uint64_t lost = joined & ~old;
    bool many = __builtin_popcountll(old) >= 8;
    if (lost == 0 || !(lost & old << 1 || many))
        return joined;
    unsigned low = (unsigned)__builtin_ctzll(joined);
    if (many && lost >> low & 1)
        low = low < 4 ? low : low < 8 ? 4 : low < 16 ? 8 : low < 32 ? 16 : 32;
    return (joined | UINT64_MAX << low) & num_limit(w);
}

/* Takes the bounds that grew from `old` to the next of the thresholds. Those count, for the
 * unsigned interval as for the signed one, that fit in w bits by some reading. */
static void widen_bounds(struct num *n, unsigned w, const struct num *old,
                         const struct thresholds *t) {
    struct num far = num_unknown(w);
    uint32_t count = t ? t->count : 0;
    uint32_t step = (count + THRESHOLDS_USED - 1) / THRESHOLDS_USED;
    for (uint32_t i = step; i - step < count; i += step) {
        int64_t item = t->items[(i < count ? i : count) - 1];
        uint64_t u = (uint64_t)item & num_limit(w);
        int64_t s = num_extend(w, u);
        if (s != item && u != (uint64_t)item)
            continue;
        if (u <= n->umin && u > far.umin)
            far.umin = u;
        if (u >= n->umax && u < far.umax)
            far.umax = u;
        if (s <= n->smin && s > far.smin)
            far.smin = s;
        if (s >= n->smax && s < far.smax)
            far.smax = s;
    }
    n->umin = n->umin < old->umin ? far.umin : n->umin;
    n->umax = n->umax > old->umax ? far.umax : n->umax;
    n->smin = n->smin < old->smin ? far.smin : n->smin;
    n->smax = n->smax > old->smax ? far.smax : n->smax;
}

struct num num_widen(unsigned w, const struct num *old, const struct num *new_,
                     const struct thresholds *t) {
    struct num n = num_join(old, new_);
    n.mask = widened_mask(w, old->mask, n.mask);
    n.value &= ~n.mask;
    widen_bounds(&n, w, old, t);
    return n;
}

/* --------------------------------------------------------------------------------- other widths */

struct num num_trunc(unsigned w, unsigned to, const struct num *n) {
    uint64_t limit = num_limit(to);
    struct tnum t = {n->value & limit, n->mask & limit};
    struct pieces all = num_split(w, n), p = pieces_none();
    for (unsigned i = 0; i < 2; i++) {
        struct piece from = all.half[i];
        if (from.lo > from.hi)
            continue;
        if (from.hi - from.lo >= limit)
            p = pieces_all(to);
        else
            pieces_add(&p, to, from.lo & limit, from.hi & limit);
    }
    struct num out;
    bool some = num_build(&out, to, t, &p);
    assert(some);
    (void)some;
    return out;
}

struct num num_zext(unsigned w, unsigned to, const struct num *n) {
    if (w == to)
        return *n;
    return (struct num){n->value, n->mask, n->umin, n->umax, (int64_t)n->umin, (int64_t)n->umax};
}

/* Sign extension keeps both orders; the unknown sign fills the new bits of the mask. */
struct num num_sext(unsigned w, unsigned to, const struct num *n) {
    uint64_t limit = num_limit(to);
    return (struct num){(uint64_t)num_extend(w, n->value) & limit,
                        (uint64_t)num_extend(w, n->mask) & limit,
                        (uint64_t)num_extend(w, n->umin) & limit,
                        (uint64_t)num_extend(w, n->umax) & limit,
                        n->smin,
                        n->smax};
}
