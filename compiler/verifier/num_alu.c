/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic on numbers of w bits. Known bits and intervals are computed apart from each other and
 * put together by num_build(). Each operation on intervals is a function of two pieces (num.h) that
 * adds to the pieces of the result; each_pair() calls it for all pairs.
 */
#include "verifier/num.h"

#include <assert.h>

uint64_t num_eval(enum bpf_op op, unsigned w, uint64_t a, uint64_t b) {
    int64_t sa = num_extend(w, a), sb = num_extend(w, b);
    uint64_t result;
    (void)sa, (void)sb;
    switch (op) {
/* clang-format off */
#define BPF_ALU(NAME, code, off, group, widths, mnemonic, symbol, expr)                            \
    case BPF_##NAME: result = expr; break;
#define BPF_ALU1(NAME, code, off, group, widths, mnemonic, symbol, expr)                           \
    case BPF_##NAME: result = expr; break;
#include "bpf/insn.def"
    /* clang-format on */
    default: assert(!"an ALU operation"); return 0;
    }
    return result & num_limit(w);
}

/* ---------------------------------------------------------------------------------- known bits */

static inline uint64_t ones(struct tnum t) {
    return t.value | t.mask; /* bits that may be 1 */
}

/* a + b + carry. The carry into a bit grows with the operands: it is known where it is the same in
 * the least sum and in the greatest. */
static inline struct tnum tnum_add(struct tnum a, struct tnum b, uint64_t carry) {
    uint64_t least = a.value + b.value + carry, most = ones(a) + ones(b) + carry;
    uint64_t carries = (least ^ a.value ^ b.value) ^ (most ^ ones(a) ^ ones(b));
    uint64_t mask = a.mask | b.mask | carries;
    return (struct tnum){least & ~mask, mask};
}

static inline struct tnum tnum_cut(unsigned w, struct tnum t) {
    return (struct tnum){t.value & num_limit(w), t.mask & num_limit(w)};
}

static inline struct tnum tnum_not(struct tnum t) {
    return (struct tnum){~ones(t), t.mask};
}

/* Known bits of t below bit n; nothing of the others. */
static inline struct tnum tnum_below(unsigned w, struct tnum t, unsigned n) {
    uint64_t high = n < 64 ? UINT64_MAX << n & num_limit(w) : 0;
    return (struct tnum){t.value & ~high, t.mask | high};
}

static inline unsigned trailing(uint64_t v) {
    return v ? (unsigned)__builtin_ctzll(v) : 64;
}

/* Long multiplication by the operand that has fewer bits that may be 1. When both have many, only
 * the low bits are known that no unknown bit reaches. */
static struct tnum tnum_mul(unsigned w, struct tnum a, struct tnum b) {
    if (__builtin_popcountll(ones(a)) > __builtin_popcountll(ones(b))) {
        struct tnum t = a;
        a = b;
        b = t;
    }
    if (__builtin_popcountll(ones(a)) > 12) {
        unsigned from_a = trailing(a.mask) + trailing(ones(b));
        unsigned from_b = trailing(b.mask) + trailing(ones(a));
        struct tnum product = {a.value * b.value & num_limit(w), 0};
        return tnum_below(w, product, from_a < from_b ? from_a : from_b);
    }
    struct tnum sum = {0, 0};
    for (uint64_t left = ones(a); left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        struct tnum row = {b.value << i, b.mask << i};
        if (a.mask >> i & 1)
            row = (struct tnum){0, ones(row)};
        sum = tnum_add(sum, row, 0);
    }
    return tnum_cut(w, sum);
}

static struct tnum tnum_bitwise(enum bpf_op op, struct tnum a, struct tnum b) {
    uint64_t value, mask;
    switch (op) {
    case BPF_AND:
        value = a.value & b.value;
        mask = ones(a) & ones(b) & ~value;
        break;
    case BPF_OR:
        value = a.value | b.value;
        mask = (a.mask | b.mask) & ~value;
        break;
    default: mask = a.mask | b.mask; value = (a.value ^ b.value) & ~mask;
    }
    return (struct tnum){value, mask};
}

static struct tnum tnum_unknown(unsigned w) {
    return (struct tnum){0, num_limit(w)};
}

/* -------------------------------------------------------------------------------------- pieces */

static const struct num zero; /* of all widths */

typedef void pair_op(struct pieces *out, unsigned w, struct piece p, struct piece q);

static struct num finish(unsigned w, struct tnum t, const struct pieces *p) {
    struct num out;
    bool some = num_build(&out, w, t, p);
    assert(some); /* some concrete result is in both */
    (void)some;
    return out;
}

static void add_pairs(struct pieces *out, unsigned w, const struct num *a, const struct num *b,
                      pair_op *op) {
    struct pieces p = num_split(w, a), q = num_split(w, b);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned j = 0; j < 2; j++) {
            if (!piece_is_empty(p.half[i]) && !piece_is_empty(q.half[j]))
                op(out, w, p.half[i], q.half[j]);
        }
    }
}

static struct num each_pair(unsigned w, struct tnum t, const struct num *a, const struct num *b,
                            pair_op *op) {
    struct pieces out = pieces_none();
    add_pairs(&out, w, a, b, op);
    return finish(w, t, &out);
}

/* -------------------------------------------------------------------- sums, products, quotients */

static void add_arc(struct pieces *out, unsigned w, uint64_t start, uint64_t end) {
    pieces_add(out, w, start & num_limit(w), end & num_limit(w));
}

/* A piece has at most half of all numbers: the arcs never go all the way round. */
static void pair_add(struct pieces *out, unsigned w, struct piece p, struct piece q) {
    add_arc(out, w, p.lo + q.lo, p.hi + q.hi);
}

static void pair_sub(struct pieces *out, unsigned w, struct piece p, struct piece q) {
    add_arc(out, w, p.lo - q.hi, p.hi - q.lo);
}

static struct num add(unsigned w, const struct num *a, const struct num *b) {
    struct tnum t = tnum_add(num_tnum(a), num_tnum(b), 0);
    return each_pair(w, tnum_cut(w, t), a, b, pair_add);
}

/* a - b = a + ~b + 1 */
static struct num sub(unsigned w, const struct num *a, const struct num *b) {
    struct tnum t = tnum_add(num_tnum(a), tnum_not(num_tnum(b)), 1);
    return each_pair(w, tnum_cut(w, t), a, b, pair_sub);
}

/* The signed operations work on magnitudes: at most 2^(w - 1), which is no positive number of w
 * bits, but as the end of an arc it is right (INT_MIN / -1 = INT_MIN). */
static bool is_negative(unsigned w, struct piece p) {
    return p.lo >= num_sign(w);
}

static struct piece magnitude(unsigned w, struct piece p) {
    if (!is_negative(w, p))
        return p;
    return (struct piece){-p.hi & num_limit(w), -p.lo & num_limit(w)};
}

static void add_signed(struct pieces *out, unsigned w, bool negative, uint64_t lo, uint64_t hi) {
    add_arc(out, w, negative ? -hi : lo, negative ? -lo : hi);
}

static void pair_mul(struct pieces *out, unsigned w, struct piece p, struct piece q) {
    bool negative = is_negative(w, p) != is_negative(w, q);
    p = magnitude(w, p);
    q = magnitude(w, q);
    unsigned __int128 lo = (unsigned __int128)p.lo * q.lo, hi = (unsigned __int128)p.hi * q.hi;
    if (hi - lo >= num_limit(w))
        *out = pieces_all(w);
    else
        add_signed(out, w, negative, (uint64_t)lo, (uint64_t)hi);
}

static struct num mul(unsigned w, const struct num *a, const struct num *b) {
    return each_pair(w, tnum_mul(w, num_tnum(a), num_tnum(b)), a, b, pair_mul);
}

/* each_pair() for divisors other than 0; what division by 0 gives is in `by_zero`. */
static struct num each_quotient(unsigned w, struct tnum t, const struct num *a, const struct num *b,
                                const struct num *by_zero, pair_op *op) {
    struct pieces out = pieces_none();
    struct num divisor = *b;
    bool may_be_zero = num_contains(w, b, 0);
    if (may_be_zero)
        out = num_split(w, by_zero);
    if (!may_be_zero || num_exclude(w, &divisor, 0))
        add_pairs(&out, w, a, &divisor, op);
    return finish(w, t, &out);
}

static void pair_div(struct pieces *out, unsigned w, struct piece p, struct piece q) {
    pieces_add(out, w, p.lo / q.hi, p.hi / q.lo);
}

static void pair_sdiv(struct pieces *out, unsigned w, struct piece p, struct piece q) {
    bool negative = is_negative(w, p) != is_negative(w, q);
    p = magnitude(w, p);
    q = magnitude(w, q);
    add_signed(out, w, negative, p.lo / q.hi, p.hi / q.lo);
}

static bool is_power_of_2(const struct num *n) {
    return num_is_const(n) && n->value && (n->value & (n->value - 1)) == 0;
}

static struct num divu(unsigned w, const struct num *a, const struct num *b) {
    struct tnum t = tnum_unknown(w);
    if (is_power_of_2(b))
        t = (struct tnum){a->value >> trailing(b->value), a->mask >> trailing(b->value)};
    return each_quotient(w, t, a, b, &zero, pair_div);
}

static struct num sdiv(unsigned w, const struct num *a, const struct num *b) {
    return each_quotient(w, tnum_unknown(w), a, b, &zero, pair_sdiv);
}

/* p and q are magnitudes; the sign is that of p. With one quotient for all pairs, the remainder
 * is a difference. */
static void remain(struct pieces *out, unsigned w, bool negative, struct piece p, struct piece q) {
    uint64_t quotient = p.lo / q.hi;
    if (quotient == p.hi / q.lo)
        add_signed(out, w, negative, p.lo - quotient * q.hi, p.hi - quotient * q.lo);
    else
        add_signed(out, w, negative, 0, p.hi < q.hi - 1 ? p.hi : q.hi - 1);
}

static void pair_mod(struct pieces *out, unsigned w, struct piece p, struct piece q) {
    remain(out, w, false, p, q);
}

static void pair_smod(struct pieces *out, unsigned w, struct piece p, struct piece q) {
    remain(out, w, is_negative(w, p), magnitude(w, p), magnitude(w, q));
}

/* If n low bits of b are 0, n low bits of the remainder are those of a, as the remainder is a minus
 * a multiple of b; this holds for b = 0 too. */
static struct tnum remainder_bits(unsigned w, const struct num *a, const struct num *b) {
    return tnum_below(w, num_tnum(a), trailing(ones(num_tnum(b))));
}

static struct num modu(unsigned w, const struct num *a, const struct num *b) {
    if (a->umax < b->umin)
        return *a;
    if (is_power_of_2(b)) {
        struct num low = num_const(w, b->value - 1);
        return num_alu(BPF_AND, w, a, &low);
    }
    return each_quotient(w, remainder_bits(w, a, b), a, b, a, pair_mod);
}

static struct num smod(unsigned w, const struct num *a, const struct num *b) {
    return each_quotient(w, remainder_bits(w, a, b), a, b, a, pair_smod);
}

/* ----------------------------------------------------------------------------- bitwise operations
 *
 * The least x | y of two intervals has x and y as small as can be, except that x may grow where y
 * has a bit anyway: if y has the bit and x does not, x may take it over and have 0 below it, which
 * is smaller as soon as it is in x's interval. The highest such bit counts. For the greatest, a bit
 * that both have is needed once only: one of them may drop it and have 1 below it. With xor, such a
 * change of the one operand pays off again for each bit below. And what is left, follows from
 * De Morgan's rules. (The problem is that of Warren, Hacker's Delight, 4-3.)
 */

static uint64_t top_bit(uint64_t v) {
    return (uint64_t)1 << (63 - __builtin_clzll(v));
}

/* v with the bit, and 0 below it. */
static uint64_t raised(uint64_t v, uint64_t bit) {
    return (v | bit) & -bit;
}

/* Bits that an end can change without leaving its interval: from the first in which two ends
 * differ. */
static uint64_t free_bits(struct piece p, struct piece q) {
    uint64_t differ = (p.lo ^ p.hi) | (q.lo ^ q.hi);
    return differ ? UINT64_MAX >> __builtin_clzll(differ) : 0;
}

static uint64_t least_or(struct piece p, struct piece q) {
    for (uint64_t left = (p.lo ^ q.lo) & free_bits(p, q); left; left &= ~top_bit(left)) {
        uint64_t bit = top_bit(left);
        struct piece *from = p.lo & bit ? &q : &p;
        if (raised(from->lo, bit) <= from->hi) {
            from->lo = raised(from->lo, bit);
            break;
        }
    }
    return p.lo | q.lo;
}

static uint64_t most_or(struct piece p, struct piece q) {
    for (uint64_t left = p.hi & q.hi & free_bits(p, q); left; left &= ~top_bit(left)) {
        uint64_t bit = top_bit(left);
        uint64_t x = (p.hi - bit) | (bit - 1), y = (q.hi - bit) | (bit - 1);
        if (x >= p.lo || y >= q.lo)
            return p.hi | q.hi | (bit - 1); /* the other one has the bit */
    }
    return p.hi | q.hi;
}

static uint64_t least_xor(struct piece p, struct piece q) {
    uint64_t below = free_bits(p, q);
    while ((p.lo ^ q.lo) & below) {
        uint64_t bit = top_bit((p.lo ^ q.lo) & below);
        struct piece *from = p.lo & bit ? &q : &p;
        if (raised(from->lo, bit) <= from->hi)
            from->lo = raised(from->lo, bit);
        below = bit - 1;
    }
    return p.lo ^ q.lo;
}

static struct piece inverted(unsigned w, struct piece p) {
    return (struct piece){~p.hi & num_limit(w), ~p.lo & num_limit(w)};
}

static void pair_or(struct pieces *out, unsigned w, struct piece p, struct piece q) {
    pieces_add(out, w, least_or(p, q), most_or(p, q));
}

static void pair_and(struct pieces *out, unsigned w, struct piece p, struct piece q) {
    p = inverted(w, p);
    q = inverted(w, q);
    pieces_add(out, w, ~most_or(p, q) & num_limit(w), ~least_or(p, q) & num_limit(w));
}

static void pair_xor(struct pieces *out, unsigned w, struct piece p, struct piece q) {
    pieces_add(out, w, least_xor(p, q), ~least_xor(p, inverted(w, q)) & num_limit(w));
}

/* The intervals say nothing that the known bits do not: then the known bits of the result are all
 * that there is to say of it. */
static bool bits_say_all(unsigned w, const struct num *n) {
    uint64_t sign = num_sign(w), greatest = n->value | n->mask;
    if (n->umin != n->value || n->umax != greatest)
        return false;
    return !(n->mask & sign) ||
           (n->smin == num_extend(w, n->value | sign) && n->smax == (int64_t)(greatest & ~sign));
}

static struct num bitwise(enum bpf_op op, unsigned w, const struct num *a, const struct num *b,
                          pair_op *pair) {
    struct tnum t = tnum_bitwise(op, num_tnum(a), num_tnum(b));
    if (!bits_say_all(w, a) || !bits_say_all(w, b))
        return each_pair(w, t, a, b, pair);
    struct pieces all = pieces_all(w);
    return finish(w, t, &all);
}

/* -------------------------------------------------------------------------------------- shifts */

static struct tnum shifted_bits(enum bpf_op op, unsigned w, struct tnum t, unsigned by) {
    switch (op) {
    case BPF_LSH: return tnum_cut(w, (struct tnum){t.value << by, t.mask << by});
    case BPF_RSH: return (struct tnum){t.value >> by, t.mask >> by};
    default:
        t.value = (uint64_t)(num_extend(w, t.value) >> by);
        t.mask = (uint64_t)(num_extend(w, t.mask) >> by);
        return tnum_cut(w, t);
    }
}

/* A piece, shifted left. Where it wraps around, the upper end is no multiple of 2^by: then the
 * multiple below it is the end. */
static void shift_left(struct pieces *out, unsigned w, struct piece p, unsigned by) {
    struct pieces one = pieces_none();
    if (p.hi - p.lo > num_limit(w) >> by)
        one = pieces_all(w);
    else
        add_arc(&one, w, p.lo << by, p.hi << by);
    for (unsigned i = 0; i < 2; i++) {
        if (!piece_is_empty(one.half[i]))
            pieces_add(out, w, one.half[i].lo, one.half[i].hi >> by << by);
    }
}

static bool counts_have(const struct num *counts, unsigned by) {
    return ((by ^ counts->value) & ~counts->mask) == 0;
}

/* A piece, shifted by all counts. To the right, a number comes nearer to 0, or to -1, with each.
 * To the left, it does not, once it wraps around. */
static void shift_piece(enum bpf_op op, struct pieces *out, unsigned w, struct piece p,
                        const struct num *counts) {
    unsigned first = (unsigned)counts->umin, last = (unsigned)counts->umax;
    if (op == BPF_ARSH && p.lo >= num_sign(w))
        add_arc(out, w, (uint64_t)(num_extend(w, p.lo) >> first),
                (uint64_t)(num_extend(w, p.hi) >> last));
    else if (op != BPF_LSH)
        pieces_add(out, w, p.lo >> last, p.hi >> first);
    else if (p.hi <= num_limit(w) >> last)
        pieces_add(out, w, p.lo << first, p.hi << last);
    else
        for (unsigned by = first; by <= last; by++) {
            if (counts_have(counts, by))
                shift_left(out, w, p, by);
        }
}

/* If nothing is known of a, a lower count allows all that a higher one does. */
static struct num shift(enum bpf_op op, unsigned w, const struct num *a, const struct num *b) {
    struct num counts = num_const(w, w - 1), unknown = num_unknown(w);
    counts = num_alu(BPF_AND, w, b, &counts);
    if (num_equal(a, &unknown))
        counts = num_const(w, counts.umin);
    unsigned first = (unsigned)counts.umin, last = (unsigned)counts.umax;
    struct tnum t = shifted_bits(op, w, num_tnum(a), first);
    for (unsigned by = first + 1; by <= last && t.mask != num_limit(w); by++) {
        if (!counts_have(&counts, by))
            continue;
        struct tnum bits = shifted_bits(op, w, num_tnum(a), by);
        t.mask |= bits.mask | (t.value ^ bits.value);
        t.value &= ~t.mask;
    }
    struct pieces p = num_split(w, a), out = pieces_none();
    for (unsigned i = 0; i < 2; i++) {
        if (!piece_is_empty(p.half[i]))
            shift_piece(op, &out, w, p.half[i], &counts);
    }
    return finish(w, t, &out);
}

/* ------------------------------------------------------------------------------------ dispatch */

struct num num_alu(enum bpf_op op, unsigned w, const struct num *a, const struct num *b) {
    if ((num_is_const(a) || op == BPF_MOV) && (num_is_const(b) || op == BPF_NEG))
        return num_const(w, num_eval(op, w, a->value, b->value));
    switch (op) {
    case BPF_ADD: return add(w, a, b);
    case BPF_SUB: return sub(w, a, b);
    case BPF_NEG: return sub(w, &zero, a);
    case BPF_MUL: return mul(w, a, b);
    case BPF_DIV: return divu(w, a, b);
    case BPF_SDIV: return sdiv(w, a, b);
    case BPF_MOD: return modu(w, a, b);
    case BPF_SMOD: return smod(w, a, b);
    case BPF_AND: return bitwise(op, w, a, b, pair_and);
    case BPF_OR: return bitwise(op, w, a, b, pair_or);
    case BPF_XOR: return bitwise(op, w, a, b, pair_xor);
    case BPF_LSH:
    case BPF_RSH:
    case BPF_ARSH: return shift(op, w, a, b);
    case BPF_MOV: return *b;
    default: assert(!"an ALU operation"); return num_unknown(w);
    }
}
