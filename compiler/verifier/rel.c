/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic of relations to the header of a loop. Sums are exact modulo 2^64 or 2^32 whatever the
 * operands are; that nothing wraps is for rank.c to prove, which knows values. A 64-bit sum is one of
 * the low halves, too, so forms only ever lose.
 */
#include "verifier/rel.h"

/* Sums and numbers within this add up without thinking of overflow. */
#define SMALL (INT64_C(1) << 40)
#define U32_MAX ((int64_t)UINT32_MAX)

struct rel rel_number(int64_t lo, int64_t hi) {
    return (struct rel){
        .kind = REL_NUMBER, .loc = REL_NO_LOC, .loc2 = REL_NO_LOC, .lo = lo, .hi = hi};
}

struct rel rel_unknown(void) {
    return rel_number(INT64_MIN, INT64_MAX);
}

struct rel rel_of_loc(uint16_t loc) {
    return (struct rel){.kind = REL_SUM, .form = REL_64, .loc = loc, .loc2 = REL_NO_LOC};
}

bool rel_equal(struct rel a, struct rel b) {
    return a.kind == b.kind && a.form == b.form && a.sign2 == b.sign2 && a.loc == b.loc &&
           a.loc2 == b.loc2 && a.lo == b.lo && a.hi == b.hi;
}

/* loc itself or its low half, nothing added. */
static bool is_plain(struct rel r) {
    return r.kind == REL_SUM && r.loc2 == REL_NO_LOC && r.lo == 0 && r.hi == 0;
}

bool rel_is_loc(struct rel r, uint16_t loc) {
    return is_plain(r) && r.form == REL_64 && r.loc == loc;
}

static bool is_constant(struct rel r) {
    return r.kind == REL_NUMBER && r.lo == r.hi;
}

struct rel rel_memory(unsigned bits, bool signed_) {
    if (bits >= 64)
        return rel_unknown();
    int64_t range = INT64_C(1) << bits;
    return signed_ ? rel_number(-range / 2, range / 2 - 1) : rel_number(0, range - 1);
}

/* What is left if only the size of a value is kept. */
static struct rel as_number(struct rel r) {
    if (r.kind == REL_NUMBER)
        return r;
    if (r.kind == REL_QUOTIENT)
        return rel_number(0, r.form == REL_ZEXT ? U32_MAX / r.lo : INT64_MAX);
    if (r.kind == REL_LOW_BIT)
        return r.form == REL_ZEXT ? rel_memory(32, false) : rel_unknown();
    if (r.form == REL_ZEXT || r.form == REL_SEXT)
        return rel_memory(32, r.form == REL_SEXT);
    return rel_unknown();
}

/* A sum, or what is left of it. */
static struct rel checked(struct rel r) {
    bool none = r.lo == -REL_INF && r.hi == REL_INF;
    bool far = (r.lo != -REL_INF && (r.lo < -SMALL || r.lo > SMALL)) ||
               (r.hi != REL_INF && (r.hi < -SMALL || r.hi > SMALL));
    return none || far ? as_number(r) : r;
}

/* ------------------------------------------------------------------------------------- lattice */

/* The form of a value that has either. */
static enum rel_form join_form(struct rel a, struct rel b) {
    if (a.form == b.form)
        return (enum rel_form)a.form;
    if (a.form == REL_HIGH || b.form == REL_HIGH)
        return REL_HIGH; /* not both: the caller looks */
    bool a_zext =
        a.form == REL_ZEXT || a.form == REL_SAME_ZEXT || (is_plain(a) && a.form == REL_64);
    bool b_zext =
        b.form == REL_ZEXT || b.form == REL_SAME_ZEXT || (is_plain(b) && b.form == REL_64);
    return a_zext && b_zext ? REL_SAME_ZEXT : REL_LOW;
}

static struct rel join_numbers(struct rel a, struct rel b) {
    a = as_number(a);
    b = as_number(b);
    return rel_number(a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi);
}

struct rel rel_join(struct rel a, struct rel b) {
    if (rel_equal(a, b))
        return a;
    if (a.kind == REL_NUMBER || a.kind != b.kind || a.loc != b.loc || a.loc2 != b.loc2 ||
        a.sign2 != b.sign2 || (a.form == REL_HIGH) != (b.form == REL_HIGH))
        return join_numbers(a, b);
    if (a.kind == REL_SUM) {
        a.form = join_form(a, b);
        a.lo = a.lo < b.lo ? a.lo : b.lo;
        a.hi = a.hi > b.hi ? a.hi : b.hi;
        return checked(a);
    }
    if (a.form != b.form || a.kind == REL_LOW_BIT)
        return join_numbers(a, b);
    a.lo = a.lo < b.lo ? a.lo : b.lo;
    return a;
}

struct rel rel_widen(struct rel a, struct rel b) {
    struct rel r = rel_join(a, b);
    if (rel_equal(r, a))
        return a;
    if (r.kind == REL_QUOTIENT)
        return as_number(r);
    bool same_kind = r.kind == a.kind;
    bool sum = r.kind == REL_SUM;
    if (same_kind && r.lo < a.lo)
        r.lo = sum ? -REL_INF : INT64_MIN;
    if (same_kind && r.hi > a.hi)
        r.hi = sum ? REL_INF : INT64_MAX;
    return sum ? checked(r) : r;
}

/* ------------------------------------------------------------------------------- widths of values */

static struct rel constant_of_low(int64_t v, bool signed_) {
    int64_t low = signed_ ? (int64_t)(int32_t)(uint32_t)v : (int64_t)(uint32_t)v;
    return rel_number(low, low);
}

static struct rel low_half(struct rel r, bool signed_) {
    struct rel all = rel_memory(32, signed_);
    switch (r.kind) {
    case REL_NUMBER:
        if (is_constant(r))
            return constant_of_low(r.lo, signed_);
        return r.lo >= all.lo && r.hi <= all.hi ? r : all;
    case REL_SUM:
        if (r.form == REL_HIGH)
            return rel_number(0, 0);
        r.form = signed_ ? REL_SEXT : REL_ZEXT;
        return r;
    case REL_QUOTIENT: return signed_ ? all : r; /* not more than it was */
    default: return r.form == REL_ZEXT && !signed_ ? r : all;
    }
}

struct rel rel_zext32(struct rel r) {
    return low_half(r, false);
}

struct rel rel_sext32(struct rel r) {
    return low_half(r, true);
}

/* ------------------------------------------------------------------------------------- addition */

static bool add_small(int64_t a, int64_t b, int64_t *sum) {
    return !__builtin_add_overflow(a, b, sum);
}

static struct rel add_numbers(struct rel a, struct rel b) {
    int64_t lo, hi;
    if (!add_small(a.lo, b.lo, &lo) || !add_small(a.hi, b.hi, &hi))
        return rel_unknown();
    return rel_number(lo, hi);
}

/* Bounds of a sum, or infinite ones. */
static int64_t add_bound(int64_t a, int64_t b) {
    if (a == REL_INF || b == REL_INF)
        return REL_INF;
    return a == -REL_INF || b == -REL_INF ? -REL_INF : a + b; /* both small */
}

static bool is_small(struct rel r) {
    return r.lo >= -SMALL && r.hi <= SMALL;
}

/* The weaker of the forms in which the terms of a sum of 64 bits are known. */
static enum rel_form sum_form(enum rel_form a) {
    return a == REL_64 ? REL_64 : REL_LOW;
}

static struct rel add_number(struct rel sum, struct rel n) {
    if (!is_small(n) || sum.form == REL_HIGH)
        return rel_unknown();
    if (n.lo == 0 && n.hi == 0)
        return sum;
    sum.form = sum_form((enum rel_form)sum.form);
    sum.lo = add_bound(sum.lo, n.lo);
    sum.hi = add_bound(sum.hi, n.hi);
    return checked(sum);
}

/* One more term of a sum: sign * loc. False if there is no room. */
static bool add_term(struct rel *sum, uint16_t loc, int sign) {
    if (sum->loc2 == loc && sum->sign2 == -sign) {
        sum->loc2 = REL_NO_LOC;
        sum->sign2 = 0;
    } else if (sum->loc == loc && sign < 0) {
        if (sum->sign2 < 0)
            return false;
        sum->loc = sum->loc2; /* which may be none */
        sum->loc2 = REL_NO_LOC;
        sum->sign2 = 0;
    } else if (sum->loc == REL_NO_LOC && sign > 0) {
        sum->loc = loc;
    } else if (sum->loc2 == REL_NO_LOC && sum->loc != REL_NO_LOC) {
        sum->loc2 = loc;
        sum->sign2 = (int8_t)sign;
    } else {
        return false;
    }
    return true;
}

/* a + sign * b, both sums. */
static struct rel add_sums(struct rel a, struct rel b, int sign) {
    struct rel r = a;
    if (a.form == REL_HIGH || b.form == REL_HIGH || !add_term(&r, b.loc, sign) ||
        (b.sign2 && !add_term(&r, b.loc2, sign * b.sign2)))
        return rel_unknown();
    r.form = a.form == REL_64 && b.form == REL_64 ? REL_64 : REL_LOW;
    r.lo = add_bound(a.lo, sign > 0 ? b.lo : -b.hi);
    r.hi = add_bound(a.hi, sign > 0 ? b.hi : -b.lo);
    if (r.loc != REL_NO_LOC)
        return checked(r);
    /* A difference of one location's values: the number itself, if nothing is infinite. */
    bool exact = r.form == REL_64 && r.lo != -REL_INF && r.hi != REL_INF;
    return exact ? rel_number(r.lo, r.hi) : rel_unknown();
}

static struct rel negated(struct rel r) {
    r = as_number(r);
    return r.lo == INT64_MIN ? rel_unknown() : rel_number(-r.hi, -r.lo);
}

static struct rel add(struct rel a, struct rel b) {
    if (a.kind == REL_SUM && b.kind == REL_SUM)
        return add_sums(a, b, 1);
    if (a.kind == REL_SUM)
        return add_number(a, as_number(b));
    if (b.kind == REL_SUM)
        return add_number(b, as_number(a));
    return add_numbers(as_number(a), as_number(b));
}

static struct rel sub(struct rel a, struct rel b) {
    if (a.kind == REL_SUM && b.kind == REL_SUM)
        return add_sums(a, b, -1);
    if (b.kind == REL_SUM)
        return rel_unknown();
    return add(a, negated(b));
}

/* --------------------------------------------------------------------------- other operations */

/* The smallest 2^k - 1 that is not below v. */
static int64_t ones_up_to(int64_t v) {
    return v == 0 ? 0 : (int64_t)(UINT64_MAX >> __builtin_clzll((uint64_t)v));
}

/* x & (x - 1), or x & (y - 1): compilers keep x in two registers. */
static bool clears_low_bit(struct rel a, struct rel b) {
    return is_plain(a) && b.kind == REL_SUM && b.loc2 == REL_NO_LOC && b.loc != REL_NO_LOC &&
           b.lo == -1 && b.hi == -1 && a.form == b.form && (a.form == REL_64 || a.form == REL_ZEXT);
}

static struct rel bit_and(struct rel a, struct rel b) {
    if (!clears_low_bit(a, b) && clears_low_bit(b, a))
        return bit_and(b, a);
    if (clears_low_bit(a, b))
        return (struct rel){.kind = REL_LOW_BIT,
                            .form = a.form,
                            .loc = a.loc,
                            .loc2 = b.loc == a.loc ? REL_NO_LOC : b.loc};
    if (a.kind == REL_QUOTIENT)
        return a;
    a = as_number(a);
    b = as_number(b);
    if (a.lo < 0 && b.lo < 0)
        return rel_unknown();
    int64_t hi = a.lo < 0 || (b.lo >= 0 && b.hi < a.hi) ? b.hi : a.hi;
    return rel_number(0, hi);
}

static struct rel or_xor(struct rel a, struct rel b) {
    a = as_number(a);
    b = as_number(b);
    if (a.lo < 0 || b.lo < 0)
        return rel_unknown();
    return rel_number(0, ones_up_to(a.hi | b.hi));
}

/* Unsigned division by a constant from 2 up. */
static struct rel divided(struct rel a, int64_t by) {
    if (is_plain(a) && (a.form == REL_64 || a.form == REL_ZEXT)) {
        a.kind = REL_QUOTIENT;
        a.lo = by;
        a.hi = 0;
        return a;
    }
    if (a.kind == REL_QUOTIENT) {
        a.lo = a.lo < SMALL && by < (1 << 20) ? a.lo * by : a.lo;
        return a;
    }
    a = as_number(a);
    if (a.lo < 0)
        return rel_number(0, (int64_t)(UINT64_MAX / (uint64_t)by));
    return rel_number(a.lo / by, a.hi / by);
}

static struct rel shifted_left(struct rel a, unsigned k) {
    if (k == 0)
        return a;
    if (k == 32 && a.kind == REL_SUM && a.form != REL_HIGH) {
        a.form = REL_HIGH;
        return a;
    }
    a = as_number(a);
    if (a.lo < 0 || a.hi > INT64_MAX >> k)
        return rel_unknown();
    return rel_number(a.lo << k, a.hi << k);
}

static struct rel shifted_right(struct rel a, unsigned k) {
    if (k == 0)
        return a;
    if (a.kind == REL_SUM && a.form == REL_HIGH && k == 32) {
        a.form = REL_ZEXT;
        return a;
    }
    return k < 63 ? divided(a, INT64_C(1) << k) : rel_number(0, 1);
}

static struct rel shifted_arithmetically(struct rel a, unsigned k) {
    if (a.kind == REL_SUM && a.form == REL_HIGH && k == 32) {
        a.form = REL_SEXT;
        return a;
    }
    if (k == 0)
        return a;
    a = as_number(a);
    return rel_number(a.lo >> k, a.hi >> k);
}

static struct rel multiplied(struct rel a, struct rel b) {
    int64_t hi;
    a = as_number(a);
    b = as_number(b);
    if (a.lo < 0 || b.lo < 0 || __builtin_mul_overflow(a.hi, b.hi, &hi))
        return rel_unknown();
    return rel_number(a.lo * b.lo, hi);
}

/* b is a constant, of the operation's width and not negative. */
static struct rel by_constant(enum bpf_op op, unsigned width, struct rel a, int64_t b) {
    unsigned shift = (unsigned)b & (width - 1);
    switch (op) {
    case BPF_DIV: return b >= 2 ? divided(a, b) : rel_unknown();
    case BPF_MOD: return b >= 1 ? rel_number(0, b - 1) : rel_unknown();
    case BPF_LSH: return shifted_left(a, shift);
    case BPF_RSH: return shifted_right(a, shift);
    case BPF_ARSH: return width == 64 ? shifted_arithmetically(a, shift) : rel_unknown();
    default: return rel_unknown();
    }
}

/* At 32 bits the operands are zero-extended here, but constants to be added signed, so that -1 is one
 * step down; the caller extends the result. */
static struct rel at_width(enum bpf_op op, unsigned width, struct rel a, struct rel b) {
    switch (op) {
    case BPF_MOV: return b;
    case BPF_ADD: return add(a, b);
    case BPF_SUB: return sub(a, b);
    case BPF_AND: return bit_and(a, b);
    case BPF_OR:
    case BPF_XOR: return or_xor(a, b);
    case BPF_MUL: return multiplied(a, b);
    case BPF_NEG: return negated(a);
    default: return is_constant(b) && b.lo >= 0 ? by_constant(op, width, a, b.lo) : rel_unknown();
    }
}

struct rel rel_alu(enum bpf_op op, unsigned width, struct rel a, struct rel b) {
    if (width == 64)
        return at_width(op, 64, a, b);
    bool signed_ = (op == BPF_ADD || op == BPF_SUB) && is_constant(b);
    a = rel_zext32(a);
    b = signed_ ? rel_sext32(b) : rel_zext32(b);
    return rel_zext32(at_width(op, 32, a, b));
}

/* ---------------------------------------------------------------------------------- comparisons */

static const uint8_t inverses[BPF_OP_COUNT] = {
#define BPF_JCC(NAME, code, mnemonic, symbol, INVERSE, ...) [BPF_##NAME] = BPF_##INVERSE,
#include "bpf/insn.def"
};

static const uint8_t swaps[BPF_OP_COUNT] = {
#define BPF_JCC(NAME, code, mnemonic, symbol, INVERSE, SWAPPED, ...) [BPF_##NAME] = BPF_##SWAPPED,
#include "bpf/insn.def"
};

enum bpf_op rel_inverse(enum bpf_op op) {
    return (enum bpf_op)inverses[op];
}

enum bpf_op rel_swapped(enum bpf_op op) {
    return (enum bpf_op)swaps[op];
}

bool rel_refine(enum bpf_op op, unsigned width, bool holds, struct rel *a, int64_t b) {
    int64_t max = width == 64 ? INT64_MAX : INT32_MAX;
    /* Where signed and unsigned, 32 and 64 bits are the same. */
    if (a->kind != REL_NUMBER || a->lo < 0 || a->hi > max || b < 0 || b > max || op == BPF_JSET)
        return true;
    switch (holds ? op : rel_inverse(op)) {
    case BPF_JEQ:
        if (b < a->lo || b > a->hi)
            return false;
        a->lo = a->hi = b;
        break;
    case BPF_JNE:
        a->lo += a->lo == b;
        a->hi -= a->hi == b;
        break;
    case BPF_JGT:
    case BPF_JSGT: a->lo = b >= a->lo ? b + (b < max) : a->lo; break;
    case BPF_JGE:
    case BPF_JSGE: a->lo = b > a->lo ? b : a->lo; break;
    case BPF_JLT:
    case BPF_JSLT: a->hi = b <= a->hi ? b - 1 : a->hi; break;
    case BPF_JLE:
    case BPF_JSLE: a->hi = b < a->hi ? b : a->hi; break;
    default: break;
    }
    return a->lo <= a->hi;
}
