/* SPDX-License-Identifier: MIT */
/* Conditions on numbers of w bits: whether they hold, and what follows if they do or do not. Each
 * of the eleven is brought to one of the forms < <= (unsigned, signed), ==, != and & first. */
#include "verifier/num.h"

#include <assert.h>

enum relation { BELOW, BELOW_EQ, LESS, LESS_EQ, EQUAL, DIFFERENT, COMMON_BIT, NO_COMMON_BIT };

struct comparison {
    enum relation relation;
    bool swapped; /* of b and a */
};

/* The relation that holds if op's outcome is `holds`. */
static struct comparison comparison_of(enum bpf_op op, bool holds) {
    static const enum bpf_op inverse[BPF_OP_COUNT] = {
#define BPF_JCC(NAME, code, mnemonic, symbol, INVERSE, SWAPPED, expr) [BPF_##NAME] = BPF_##INVERSE,
#include "bpf/insn.def"
    };
    if (op == BPF_JSET)
        return (struct comparison){holds ? COMMON_BIT : NO_COMMON_BIT, false};
    switch (holds ? op : inverse[op]) {
    case BPF_JLT: return (struct comparison){BELOW, false};
    case BPF_JLE: return (struct comparison){BELOW_EQ, false};
    case BPF_JGT: return (struct comparison){BELOW, true};
    case BPF_JGE: return (struct comparison){BELOW_EQ, true};
    case BPF_JSLT: return (struct comparison){LESS, false};
    case BPF_JSLE: return (struct comparison){LESS_EQ, false};
    case BPF_JSGT: return (struct comparison){LESS, true};
    case BPF_JSGE: return (struct comparison){LESS_EQ, true};
    case BPF_JEQ: return (struct comparison){EQUAL, false};
    case BPF_JNE: return (struct comparison){DIFFERENT, false};
    default: assert(!"a conditional jump"); return (struct comparison){EQUAL, false};
    }
}

/* --------------------------------------------------------------------------------- conditions */

static int equal(unsigned w, const struct num *a, const struct num *b) {
    if (num_is_const(a) && num_is_const(b))
        return a->value == b->value;
    struct num both = *a;
    return num_meet(&both, w, b) ? -1 : 0;
}

static int common_bit(unsigned w, const struct num *a, const struct num *b) {
    struct num both = num_alu(BPF_AND, w, a, b);
    return both.umin > 0 ? 1 : both.umax == 0 ? 0 : -1;
}

/* From whether the relation holds for the ends that fulfil it worst and best. */
static int between(bool always, bool sometimes) {
    return always ? 1 : sometimes ? -1 : 0;
}

int num_cond(enum bpf_op op, unsigned w, const struct num *a, const struct num *b) {
    struct comparison c = comparison_of(op, true);
    if (c.swapped) {
        const struct num *t = a;
        a = b;
        b = t;
    }
    switch (c.relation) {
    case BELOW: return between(a->umax < b->umin, a->umin < b->umax);
    case BELOW_EQ: return between(a->umax <= b->umin, a->umin <= b->umax);
    case LESS: return between(a->smax < b->smin, a->smin < b->smax);
    case LESS_EQ: return between(a->smax <= b->smin, a->smin <= b->smax);
    case EQUAL: return equal(w, a, b);
    case DIFFERENT: {
        int same = equal(w, a, b);
        return same < 0 ? same : !same;
    }
    case COMMON_BIT: return common_bit(w, a, b);
    case NO_COMMON_BIT: break; /* of a condition that does not hold only */
    }
    assert(!"a relation");
    return -1;
}

/* --------------------------------------------------------------------------------- refinement */

/* a + gap <= b, unsigned. */
static bool refine_below(unsigned w, uint64_t gap, struct num *a, struct num *b) {
    if (b->umax < gap || a->umin > num_limit(w) - gap)
        return false;
    a->umax = a->umax < b->umax - gap ? a->umax : b->umax - gap;
    b->umin = b->umin > a->umin + gap ? b->umin : a->umin + gap;
    return a->umin <= a->umax && b->umin <= b->umax && num_reduce(a, w) && num_reduce(b, w);
}

/* a + gap <= b, signed. */
static bool refine_less(unsigned w, int64_t gap, struct num *a, struct num *b) {
    int64_t most = (int64_t)(num_sign(w) - 1);
    if (b->smax < -most - 1 + gap || a->smin > most - gap)
        return false;
    a->smax = a->smax < b->smax - gap ? a->smax : b->smax - gap;
    b->smin = b->smin > a->smin + gap ? b->smin : a->smin + gap;
    return a->smin <= a->smax && b->smin <= b->smax && num_reduce(a, w) && num_reduce(b, w);
}

static bool refine_different(unsigned w, struct num *a, struct num *b) {
    struct num before = *a;
    return (!num_is_const(b) || num_exclude(w, a, b->value)) &&
           (!num_is_const(&before) || num_exclude(w, b, before.value));
}

/* n has one of these bits, which may be 1 in it. An end that has none moves to the next number with
 * the lowest of them, from which on those that have one alternate with those that have none. */
static bool has_bit_of(unsigned w, struct num *n, uint64_t bits) {
    struct tnum t = num_tnum(n);
    if ((bits & (bits - 1)) == 0) {
        t.value |= bits;
        t.mask &= ~bits;
    }
    struct pieces p = num_split(w, n);
    for (unsigned i = 0; i < 2; i++) {
        struct piece *half = &p.half[i];
        uint64_t lowest = bits & -bits;
        if (!(half->lo & bits))
            half->lo = (half->lo | lowest) & -lowest;
        if (!(half->hi & bits) && half->hi >= lowest)
            half->hi = (half->hi & -lowest) - 1;
    }
    return num_build(n, w, t, &p);
}

static bool refine_common_bit(unsigned w, struct num *a, struct num *b) {
    uint64_t bits = (a->value | a->mask) & (b->value | b->mask);
    return bits != 0 && has_bit_of(w, a, bits) && has_bit_of(w, b, bits);
}

static bool refine_no_common_bit(unsigned w, struct num *a, struct num *b) {
    if (a->value & b->value)
        return false;
    a->mask &= ~b->value;
    b->mask &= ~a->value;
    return num_reduce(a, w) && num_reduce(b, w);
}

bool num_refine(enum bpf_op op, unsigned w, bool holds, struct num *a, struct num *b) {
    struct comparison c = comparison_of(op, holds);
    if (c.swapped) {
        struct num *t = a;
        a = b;
        b = t;
    }
    switch (c.relation) {
    case BELOW: return refine_below(w, 1, a, b);
    case BELOW_EQ: return refine_below(w, 0, a, b);
    case LESS: return refine_less(w, 1, a, b);
    case LESS_EQ: return refine_less(w, 0, a, b);
    case EQUAL:
        if (!num_meet(a, w, b))
            return false;
        *b = *a;
        return true;
    case DIFFERENT: return refine_different(w, a, b);
    case COMMON_BIT: return refine_common_bit(w, a, b);
    case NO_COMMON_BIT: return refine_no_common_bit(w, a, b);
    }
    assert(!"a relation");
    return true;
}
