/* SPDX-License-Identifier: MIT */
/* Scalars: a number of w = 64 bits and the intervals of its low half. See num.h; the functions of
 * scalar.h are at the end. */
#include "verifier/num.h"

#include <assert.h>

#define ROUNDS 3 /* of deduction between a number and its low half; the third rarely finds any */

static inline struct scalar pack(const struct num *x, const struct num *low) {
    return (struct scalar){*x, (uint32_t)low->umin, (uint32_t)low->umax, (int32_t)low->smin,
                           (int32_t)low->smax};
}

struct num scalar_low_at(unsigned w, const struct scalar *s) {
    uint64_t limit = num_limit(w / 2);
    return (struct num){s->x.value & limit, s->x.mask & limit, s->umin32,
                        s->umax32,          s->smin32,         s->smax32};
}

/* ---------------------------------------------------------------- a number and its low half */

/* Whether a number is also one of the low half, with its sign: then so are its descriptions. */
static inline bool is_small(unsigned w, const struct num *n) {
    return n->umax <= num_limit(w / 2) >> 1;
}

/* Moves *v up to the next number whose low half is in one of the pieces; false if there is none. */
static bool move_up(unsigned w, const struct pieces *low, uint64_t *v) {
    uint64_t limit = num_limit(w / 2), word = *v & limit;
    for (unsigned i = 0; i < 2; i++) {
        struct piece p = low->half[i];
        if (!piece_is_empty(p) && word <= p.hi) {
            *v = (*v & ~limit) | (word > p.lo ? word : p.lo);
            return true;
        }
    }
    if (*v > num_limit(w) - limit - 1) /* in the last block */
        return false;
    *v = ((*v | limit) + 1) | low->half[piece_is_empty(low->half[0])].lo;
    return true;
}

static bool move_down(unsigned w, const struct pieces *inverted_low, uint64_t *v) {
    uint64_t inverse = ~*v & num_limit(w);
    bool found = move_up(w, inverted_low, &inverse);
    *v = ~inverse & num_limit(w);
    return found;
}

static struct pieces inverted(unsigned w, const struct pieces *p) {
    uint64_t limit = num_limit(w);
    return (struct pieces){{{~p->half[1].hi & limit, ~p->half[1].lo & limit},
                            {~p->half[0].hi & limit, ~p->half[0].lo & limit}}};
}

static inline bool says_nothing(unsigned w, const struct num *n) {
    struct num unknown = num_unknown(w);
    return num_subset(&unknown, n);
}

enum narrowed { NOTHING, SOMETHING, EMPTY };

/* Takes from x the numbers whose low half is not in `low`, as far as its ends and bits show. */
static enum narrowed narrow_by_low(unsigned w, struct num *x, const struct num *low) {
    struct pieces words = num_split(w / 2, low), reversed = inverted(w / 2, &words);
    struct pieces p = num_split(w, x);
    uint64_t limit = num_limit(w / 2);
    bool changed = x->mask & limit & ~low->mask;
    for (unsigned i = 0; i < 2; i++) {
        struct piece *half = &p.half[i], before = *half;
        if (piece_is_empty(before))
            continue;
        if (!move_up(w, &words, &half->lo) || !move_down(w, &reversed, &half->hi))
            *half = pieces_none().half[0];
        changed |= half->lo != before.lo || half->hi != before.hi;
    }
    if (!changed)
        return NOTHING;
    struct tnum t = {(x->value & ~limit) | low->value, (x->mask & ~limit) | low->mask};
    return num_build(x, w, t, &p) ? SOMETHING : EMPTY;
}

bool scalar_make_at(unsigned w, struct scalar *out, const struct num *x, const struct num *low) {
    struct num n = *x, l = *low;
    if (says_nothing(w, x) && says_nothing(w / 2, low)) {
        *out = pack(x, low);
        return true;
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct num truncated = is_small(w, &n) ? n : num_trunc(w, w / 2, &n);
        if (!num_subset(&l, &truncated) && !num_meet(&l, w / 2, &truncated))
            return false;
        enum narrowed narrowed = narrow_by_low(w, &n, &l);
        if (narrowed == EMPTY)
            return false;
        if (narrowed == NOTHING)
            break;
    }
    *out = pack(&n, &l);
    return true;
}

/* The result of an operation. Operands that look consistent, but are empty, may give an empty one;
 * then whatever is said of it is true. */
static struct scalar made(unsigned w, const struct num *x, const struct num *low) {
    struct scalar out;
    return scalar_make_at(w, &out, x, low) ? out : scalar_unknown_at(w);
}

static struct scalar made_of(unsigned w, const struct num *x) {
    struct num low = num_unknown(w / 2);
    return is_small(w, x) ? pack(x, x) : made(w, x, &low);
}

static struct scalar constant(unsigned w, uint64_t v) {
    struct num x = num_const(w, v), low = num_const(w / 2, v & num_limit(w / 2));
    return pack(&x, &low);
}

/* A zero-extended low half. */
static struct scalar zero_extended(unsigned w, const struct num *low) {
    struct num x = num_zext(w / 2, w, low);
    return pack(&x, low);
}

struct scalar scalar_unknown_at(unsigned w) {
    struct num x = num_unknown(w), low = num_unknown(w / 2);
    return pack(&x, &low);
}

bool scalar_contains_at(unsigned w, const struct scalar *s, uint64_t v) {
    struct num low = scalar_low_at(w, s);
    return num_contains(w, &s->x, v) && num_contains(w / 2, &low, v & num_limit(w / 2));
}

/* ------------------------------------------------------------------------------------- lattice */

bool scalar_meet_at(unsigned w, struct scalar *a, const struct scalar *b) {
    struct num x = a->x, low = scalar_low_at(w, a), low_b = scalar_low_at(w, b);
    return num_meet(&x, w, &b->x) && num_meet(&low, w / 2, &low_b) &&
           scalar_make_at(w, a, &x, &low);
}

bool scalar_meet_low_at(unsigned w, struct scalar *a, const struct scalar *b) {
    struct num x = a->x, low = scalar_low_at(w, a), low_b = scalar_low_at(w, b);
    return num_meet(&low, w / 2, &low_b) && scalar_make_at(w, a, &x, &low);
}

/* Deduction between the halves is not the best possible, and may find for a greater set what it did
 * not find for a smaller one: joining once more makes the result greater in every description. */
struct scalar scalar_widen_at(unsigned w, const struct scalar *old, const struct scalar *new_,
                              const struct thresholds *t) {
    struct num old_low = scalar_low_at(w, old), new_low = scalar_low_at(w, new_);
    struct num x = num_widen(w, &old->x, &new_->x, t);
    struct num low = num_widen(w / 2, &old_low, &new_low, t);
    struct scalar joined = scalar_join(old, new_), wide = scalar_unknown_at(w);
    if (num_reduce(&x, w) && num_reduce(&low, w / 2))
        wide = made(w, &x, &low);
    return scalar_join(&wide, &joined);
}

/* ---------------------------------------------------------------------------------- operations */

/* The low half of the result depends on the low halves of the operands alone. */
static bool works_from_below(enum bpf_op op) {
    switch (op) {
    case BPF_ADD:
    case BPF_SUB:
    case BPF_NEG:
    case BPF_MUL:
    case BPF_AND:
    case BPF_OR:
    case BPF_XOR: return true;
    default: return false;
    }
}

/* a << count, for a known count. With one of w / 2 or more, only the low half of a counts (`<<=
 * 32`, then `s>>= 32` or `>>= 32`, is how compilers extend what has 32 bits). */
static struct scalar shifted_left(unsigned w, const struct scalar *a, uint64_t count) {
    struct num by = num_const(w, count), low = scalar_low_at(w, a);
    if (count >= w / 2) {
        struct num x = num_sext(w / 2, w, &low), none = num_const(w / 2, 0);
        x = num_alu(BPF_LSH, w, &x, &by);
        return made(w, &x, &none);
    }
    struct num x = num_alu(BPF_LSH, w, &a->x, &by);
    by = num_const(w / 2, (uint64_t)1 << count); /* a shift would cut the count by half the width */
    low = num_alu(BPF_MUL, w / 2, &low, &by);
    return made(w, &x, &low);
}

/* a >> w / 2: the high half, whose signed interval outlives the shift. */
static struct scalar high_half(unsigned w, const struct num *a) {
    unsigned by = w / 2;
    struct num high = {a->value >> by, a->mask >> by, a->umin >> by,
                       a->umax >> by,  a->smin >> by, a->smax >> by};
    return num_reduce(&high, by) ? zero_extended(w, &high) : scalar_unknown_at(w);
}

struct scalar scalar_alu_at(unsigned w, enum bpf_op op, unsigned width, const struct scalar *a,
                            const struct scalar *b) {
    if (op == BPF_NEG)
        b = a;
    if (op == BPF_MOV)
        a = b;
    if (width != w) {
        struct num low_a = scalar_low_at(w, a), low_b = scalar_low_at(w, b);
        low_a = num_alu(op, w / 2, &low_a, &low_b);
        return zero_extended(w, &low_a);
    }
    if (op == BPF_MOV)
        return *b;
    if (num_is_const(&a->x) && num_is_const(&b->x))
        return constant(w, num_eval(op, w, a->x.value, b->x.value));
    if (op == BPF_LSH && num_is_const(&b->x))
        return shifted_left(w, a, b->x.value & (w - 1));
    if (op == BPF_RSH && num_is_const(&b->x) && (b->x.value & (w - 1)) == w / 2)
        return high_half(w, &a->x);
    struct num x = num_alu(op, w, &a->x, &b->x);
    if (is_small(w, &x) && is_small(w, &a->x) && is_small(w, &b->x))
        return pack(&x, &x);
    if (!works_from_below(op))
        return made_of(w, &x);
    struct num low_a = scalar_low_at(w, a), low_b = scalar_low_at(w, b);
    low_a = num_alu(op, w / 2, &low_a, &low_b);
    return made(w, &x, &low_a);
}

struct scalar scalar_sext_at(unsigned w, unsigned from, unsigned width, const struct scalar *b) {
    struct num n = scalar_low_at(w, b);
    if (from < w / 2)
        n = num_trunc(w / 2, from, &n);
    struct num low = num_sext(from, w / 2, &n);
    if (width != w)
        return zero_extended(w, &low);
    n = num_sext(from, w, &n);
    return pack(&n, &low);
}

/* --------------------------------------------------------------------------- conditional jumps */

/* That low halves differ or have a common bit, decides for the whole. */
static bool low_decides(enum bpf_op op, int low) {
    return op == BPF_JEQ ? low == 0 : (op == BPF_JNE || op == BPF_JSET) && low == 1;
}

int scalar_cond_at(unsigned w, enum bpf_op op, unsigned width, const struct scalar *a,
                   const struct scalar *b) {
    int result = -1;
    if (width == w)
        result = num_cond(op, w, &a->x, &b->x);
    if (result >= 0 || (width == w && op != BPF_JEQ && op != BPF_JNE && op != BPF_JSET))
        return result;
    struct num low_a = scalar_low_at(w, a), low_b = scalar_low_at(w, b);
    int low = num_cond(op, w / 2, &low_a, &low_b);
    return width != w || low_decides(op, low) ? low : -1;
}

bool scalar_refine_at(unsigned w, enum bpf_op op, unsigned width, bool holds, struct scalar *a,
                      struct scalar *b) {
    struct num low_a = scalar_low_at(w, a), low_b = scalar_low_at(w, b);
    if (width != w)
        return num_refine(op, w / 2, holds, &low_a, &low_b) &&
               scalar_make_at(w, a, &a->x, &low_a) && scalar_make_at(w, b, &b->x, &low_b);
    if (op == (holds ? BPF_JEQ : BPF_JNE)) {
        if (!scalar_meet_at(w, a, b))
            return false;
        *b = *a;
        return true;
    }
    struct num xa = a->x, xb = b->x;
    return num_refine(op, w, holds, &xa, &xb) &&
           (num_equal(&xa, &a->x) || scalar_make_at(w, a, &xa, &low_a)) &&
           (num_equal(&xb, &b->x) || scalar_make_at(w, b, &xb, &low_b));
}

/* ------------------------------------------------------------------------------------ 64 bits */

struct scalar scalar_unknown(void) {
    return scalar_unknown_at(64);
}

struct scalar scalar_const(uint64_t v) {
    return constant(64, v);
}

struct scalar scalar_urange(uint64_t min, uint64_t max) {
    assert(min <= max);
    struct num x = num_unknown(64);
    x.umin = min;
    x.umax = max;
    num_reduce(&x, 64);
    return made_of(64, &x);
}

struct scalar scalar_srange(int64_t min, int64_t max) {
    assert(min <= max);
    struct num x = num_unknown(64);
    x.smin = min;
    x.smax = max;
    num_reduce(&x, 64);
    return made_of(64, &x);
}

struct scalar scalar_zext(unsigned bits) {
    return scalar_urange(0, num_limit(bits));
}

struct scalar scalar_sext(unsigned bits) {
    int64_t most = (int64_t)(num_limit(bits) >> 1);
    return scalar_srange(-most - 1, most);
}

bool scalar_is_const(const struct scalar *s) {
    return num_is_const(&s->x);
}

bool scalar_contains(const struct scalar *s, uint64_t v) {
    return scalar_contains_at(64, s, v);
}

bool scalar_equal(const struct scalar *a, const struct scalar *b) {
    return num_equal(&a->x, &b->x) && a->umin32 == b->umin32 && a->umax32 == b->umax32 &&
           a->smin32 == b->smin32 && a->smax32 == b->smax32;
}

bool scalar_subset(const struct scalar *a, const struct scalar *b) {
    return num_subset(&a->x, &b->x) && a->umin32 >= b->umin32 && a->umax32 <= b->umax32 &&
           a->smin32 >= b->smin32 && a->smax32 <= b->smax32;
}

struct scalar scalar_join(const struct scalar *a, const struct scalar *b) {
    struct scalar s = {num_join(&a->x, &b->x), a->umin32, a->umax32, a->smin32, a->smax32};
    s.umin32 = b->umin32 < s.umin32 ? b->umin32 : s.umin32;
    s.umax32 = b->umax32 > s.umax32 ? b->umax32 : s.umax32;
    s.smin32 = b->smin32 < s.smin32 ? b->smin32 : s.smin32;
    s.smax32 = b->smax32 > s.smax32 ? b->smax32 : s.smax32;
    return s;
}

bool scalar_meet(struct scalar *a, const struct scalar *b) {
    return scalar_meet_at(64, a, b);
}

bool scalar_meet_low32(struct scalar *a, const struct scalar *b) {
    return scalar_meet_low_at(64, a, b);
}

struct scalar scalar_widen(const struct scalar *old, const struct scalar *new_,
                           const struct thresholds *t) {
    return scalar_widen_at(64, old, new_, t);
}

struct scalar scalar_alu(enum bpf_op op, unsigned width, const struct scalar *a,
                         const struct scalar *b) {
    return scalar_alu_at(64, op, width, a, b);
}

struct scalar scalar_movsx(enum bpf_op op, unsigned width, const struct scalar *b) {
    switch (op) {
/* clang-format off */
#define BPF_MOVSX(NAME, bits, widths, mnemonic, expr)                                              \
    case BPF_##NAME: return scalar_sext_at(64, bits, width, b);
#include "bpf/insn.def"
    /* clang-format on */
    default: assert(!"a sign-extending move"); return scalar_unknown();
    }
}

/* What the known bits of n, of `width` bits, are with the bytes in reverse order. */
static struct num swapped(unsigned width, const struct num *n) {
    struct tnum t = {__builtin_bswap64(n->value) >> (64 - width),
                     __builtin_bswap64(n->mask) >> (64 - width)};
    struct pieces all = pieces_all(width);
    struct num out;
    num_build(&out, width, t, &all);
    return out;
}

struct scalar scalar_end(enum bpf_op op, unsigned width, const struct scalar *a) {
    static const bool swaps[BPF_OP_COUNT] = {
#define BPF_END(NAME, class, source, mnemonic, swap) [BPF_##NAME] = swap,
#include "bpf/insn.def"
    };
    if (width == 64 && !swaps[op])
        return *a;
    struct num n = width == 64 ? a->x : scalar_low_at(64, a);
    if (width == 16)
        n = num_trunc(32, 16, &n);
    if (swaps[op])
        n = swapped(width, &n);
    if (width == 64)
        return made_of(64, &n);
    n = num_zext(width, 32, &n);
    return zero_extended(64, &n);
}

int scalar_cond(enum bpf_op op, unsigned width, const struct scalar *a, const struct scalar *b) {
    return scalar_cond_at(64, op, width, a, b);
}

bool scalar_refine(enum bpf_op op, unsigned width, bool holds, struct scalar *a, struct scalar *b) {
    return scalar_refine_at(64, op, width, holds, a, b);
}
