/* SPDX-License-Identifier: MIT */
/*
 * The verifier's numbers. Sets of numbers of up to 6 bits are words here, one bit for each member:
 * so each function is held against what it means, for all members of many abstract values; how
 * often the answer is the best possible is counted, and must not get worse. At 64 bits: random
 * members.
 */
#include "verifier/num.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_ELEMENTS 2048

static const enum bpf_op alu_ops[] = {BPF_ADD, BPF_SUB,  BPF_MUL, BPF_DIV, BPF_SDIV,
                                      BPF_OR,  BPF_AND,  BPF_LSH, BPF_RSH, BPF_NEG,
                                      BPF_MOD, BPF_SMOD, BPF_XOR, BPF_MOV, BPF_ARSH};
static const enum bpf_op jump_ops[] = {BPF_JEQ,  BPF_JGT, BPF_JGE, BPF_JSET, BPF_JNE, BPF_JSGT,
                                       BPF_JSGE, BPF_JLT, BPF_JLE, BPF_JSLT, BPF_JSLE};
static const char *const op_names[BPF_OP_COUNT] = {
#define BPF_ALU(NAME, ...) #NAME,
#define BPF_ALU1(NAME, ...) #NAME,
#define BPF_MOVSX(NAME, ...) #NAME,
#define BPF_END(NAME, ...) #NAME,
#define BPF_JCC(NAME, ...) #NAME,
#include "bpf/insn.def"
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static uint64_t state = 88172645463325252u;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1d;
}

/* -------------------------------------------------------------------- what operations really do */

static uint64_t concrete(enum bpf_op op, unsigned w, uint64_t a, uint64_t b) {
    uint64_t limit = w == 64 ? UINT64_MAX : ((uint64_t)1 << w) - 1, r;
    int64_t sa = (int64_t)(a << (64 - w)) >> (64 - w), sb = (int64_t)(b << (64 - w)) >> (64 - w);
    unsigned by = (unsigned)(b & (w - 1));
    switch (op) {
    case BPF_ADD: r = a + b; break;
    case BPF_SUB: r = a - b; break;
    case BPF_MUL: r = a * b; break;
    case BPF_DIV: r = b ? a / b : 0; break;
    case BPF_MOD: r = b ? a % b : a; break;
    case BPF_SDIV: r = !sb ? 0 : sb == -1 ? -a : (uint64_t)(sa / sb); break;
    case BPF_SMOD: r = !sb ? a : sb == -1 ? 0 : (uint64_t)(sa % sb); break;
    case BPF_OR: r = a | b; break;
    case BPF_AND: r = a & b; break;
    case BPF_XOR: r = a ^ b; break;
    case BPF_LSH: r = a << by; break;
    case BPF_RSH: r = a >> by; break;
    case BPF_ARSH: r = (uint64_t)(sa >> by); break;
    case BPF_NEG: r = -a; break;
    default: r = b; break;
    }
    return r & limit;
}

static bool taken(enum bpf_op op, unsigned w, uint64_t a, uint64_t b) {
    int64_t sa = (int64_t)(a << (64 - w)), sb = (int64_t)(b << (64 - w));
    a <<= 64 - w;
    b <<= 64 - w;
    switch (op) {
    case BPF_JEQ: return a == b;
    case BPF_JNE: return a != b;
    case BPF_JGT: return a > b;
    case BPF_JGE: return a >= b;
    case BPF_JLT: return a < b;
    case BPF_JLE: return a <= b;
    case BPF_JSGT: return sa > sb;
    case BPF_JSGE: return sa >= sb;
    case BPF_JSLT: return sa < sb;
    case BPF_JSLE: return sa <= sb;
    default: return (a & b) != 0;
    }
}

/* The same as tables: [a] is what holds for all b. */
static uint8_t results[64][64];
static uint64_t partners[2][64]; /* [outcome][a]: the b with that outcome */
static uint64_t partners_of_b[2][64];

static void tabulate_alu(enum bpf_op op, unsigned w) {
    for (uint64_t a = 0; a < 1u << w; a++) {
        for (uint64_t b = 0; b < 1u << w; b++)
            results[a][b] = (uint8_t)concrete(op, w, a, b);
    }
}

/* An operation on the low `width` bits. */
static void tabulate_jump(enum bpf_op op, unsigned w, unsigned width) {
    memset(partners, 0, sizeof partners);
    memset(partners_of_b, 0, sizeof partners_of_b);
    for (uint64_t a = 0; a < 1u << w; a++) {
        for (uint64_t b = 0; b < 1u << w; b++) {
            bool yes = taken(op, width, a, b);
            partners[yes][a] |= (uint64_t)1 << b;
            partners_of_b[yes][b] |= (uint64_t)1 << a;
        }
    }
}

/* --------------------------------------------------------------------------------- sets of bits */

#define FOR_EACH_MEMBER(v, set)                                                                    \
    for (uint64_t left_##v = (set), v;                                                             \
         left_##v && (v = (uint64_t)__builtin_ctzll(left_##v), true); left_##v &= left_##v - 1)

static uint64_t image(uint64_t a, uint64_t b) {
    uint64_t set = 0;
    FOR_EACH_MEMBER(x, a) {
        FOR_EACH_MEMBER(y, b)
        set |= (uint64_t)1 << results[x][y];
    }
    return set;
}

static uint64_t members(unsigned w, const struct num *n) {
    uint64_t set = 0;
    for (uint64_t v = 0; v < 1u << w; v++)
        set |= (uint64_t)num_contains(w, n, v) << v;
    return set;
}

/* The best description of a set that is not empty. */
static struct num best(unsigned w, uint64_t set) {
    struct num n = {0, 0, UINT64_MAX, 0, INT64_MAX, INT64_MIN};
    n.value = (uint64_t)__builtin_ctzll(set);
    FOR_EACH_MEMBER(v, set) {
        int64_t s = (int64_t)(v << (64 - w)) >> (64 - w);
        n.mask |= n.value ^ v;
        n.umin = v < n.umin ? v : n.umin;
        n.umax = v > n.umax ? v : n.umax;
        n.smin = s < n.smin ? s : n.smin;
        n.smax = s > n.smax ? s : n.smax;
    }
    n.value &= ~n.mask;
    return n;
}

static const char *shown(const struct num *n) {
    static char text[4][160];
    static unsigned turn;
    char *t = text[turn++ % 4];
    snprintf(t, sizeof text[0],
             "{bits %" PRIx64 "/%" PRIx64 ", u %" PRIx64 "..%" PRIx64 ", s %" PRId64 "..%" PRId64
             "}",
             n->value, n->mask, n->umin, n->umax, n->smin, n->smax);
    return t;
}

static void expect_valid(unsigned w, const struct num *n) {
    cr_assert((n->value & n->mask) == 0 && (n->value | n->mask) <= num_limit(w) &&
                  n->umin <= n->umax && n->umax <= num_limit(w) && n->smin <= n->smax &&
                  n->smin >= -(int64_t)(num_limit(w) / 2) - 1 &&
                  n->smax <= (int64_t)(num_limit(w) / 2),
              "%s has no %u bits", shown(n), w);
}

/* ----------------------------------------------------------------------------- abstract numbers */

struct element {
    struct num n;
    uint64_t set;
};

static struct element elements[MAX_ELEMENTS];
static unsigned element_count;

static void add_element(unsigned w, struct num n) {
    if (!num_reduce(&n, w))
        return;
    for (unsigned i = 0; i < element_count; i++) {
        if (num_equal(&elements[i].n, &n))
            return;
    }
    cr_assert_lt(element_count, MAX_ELEMENTS);
    elements[element_count++] = (struct element){n, members(w, &n)};
}

/* Each `step`-th pair of a tristate number and an interval, unsigned and signed. */
static void make_elements(unsigned w, unsigned step) {
    element_count = 0;
    unsigned number = 0;
    for (uint64_t mask = 0; mask < 1u << w; mask++) {
        for (uint64_t value = 0; value < 1u << w; value++) {
            for (uint64_t ends = 0; !(value & mask) && ends < 1u << 2 * w; ends++) {
                uint64_t lo = ends >> w, hi = ends & num_limit(w);
                if (lo > hi || number++ % step)
                    continue;
                struct num u = num_unknown(w);
                u.value = value;
                u.mask = mask;
                struct num s = u;
                u.umin = lo;
                u.umax = hi;
                s.smin = num_extend(w, lo ^ num_sign(w));
                s.smax = num_extend(w, hi ^ num_sign(w));
                add_element(w, u);
                add_element(w, s);
            }
        }
    }
}

/* How often in 1000 the unsigned interval must be the best possible: for all numbers of 4 bits,
 * for samples of scalars, and for 6 bits with a constant as the second operand. What wraps
 * around costs most; with 64 bits that is rare. */
static const struct {
    unsigned numbers, scalars, constants;
} wanted_best[BPF_OP_COUNT] = {
    [BPF_ADD] = {959, 960, 968},    [BPF_SUB] = {959, 960, 969},    [BPF_MUL] = {660, 420, 502},
    [BPF_DIV] = {1000, 955, 1000},  [BPF_SDIV] = {992, 965, 990},   [BPF_OR] = {993, 980, 988},
    [BPF_AND] = {993, 980, 986},    [BPF_LSH] = {873, 875, 1000},   [BPF_RSH] = {1000, 980, 1000},
    [BPF_NEG] = {1000, 1000, 1000}, [BPF_MOD] = {916, 650, 821},    [BPF_SMOD] = {904, 630, 759},
    [BPF_XOR] = {973, 950, 973},    [BPF_MOV] = {1000, 1000, 1000}, [BPF_ARSH] = {1000, 980, 1000},
    [BPF_JEQ] = {1000, 998},        [BPF_JNE] = {1000, 998},        [BPF_JSET] = {899, 920},
    [BPF_JLT] = {1000, 1000},       [BPF_JLE] = {1000, 1000},       [BPF_JGT] = {1000, 1000},
    [BPF_JGE] = {1000, 1000},       [BPF_JSLT] = {1000, 999},       [BPF_JSLE] = {1000, 999},
    [BPF_JSGT] = {1000, 999},       [BPF_JSGE] = {1000, 999},
};

/* How often an answer was the best one. */
struct score {
    unsigned best, all;
};

static void count_best(struct score *score, unsigned w, const struct num *n, uint64_t set) {
    struct num wanted = best(w, set);
    score->all++;
    score->best += n->umin == wanted.umin && n->umax == wanted.umax;
}

static void expect_score(const struct score *score, unsigned permille, const char *of) {
    unsigned got = score->all ? (unsigned)((uint64_t)score->best * 1000 / score->all) : 1000;
    if (getenv("SCORES"))
        fprintf(stderr, "%-12s %u of %u best: %u\n", of, score->best, score->all, got);
    cr_assert_geq(got, permille, "%s: %u of %u are the best possible, %u in 1000 were expected", of,
                  score->best, score->all, permille);
}

/* All that the three descriptions can say together comes out of one reduction. */
Test(scalar, reduction_gives_the_best_description) {
    const unsigned w = 4;
    for (uint64_t mask = 0; mask < 16; mask++) {
        for (uint64_t value = 0; value < 16; value++) {
            for (uint64_t ends = 0; !(value & mask) && ends < 0x10000; ends++) {
                struct num n = {value,
                                mask,
                                ends & 15,
                                ends >> 4 & 15,
                                num_extend(w, ends >> 8 & 15),
                                num_extend(w, ends >> 12)};
                if (n.umin > n.umax || n.smin > n.smax)
                    continue;
                uint64_t set = members(w, &n);
                struct num reduced = n;
                bool some = num_reduce(&reduced, w);
                cr_assert_eq(some, set != 0, "%s", shown(&n));
                if (!some)
                    continue;
                struct num wanted = best(w, set);
                cr_assert(num_equal(&reduced, &wanted), "%s: %s, not %s", shown(&n),
                          shown(&reduced), shown(&wanted));
            }
        }
    }
}

/* Join and meet are the best, and a subset is one. */
Test(scalar, lattice_of_numbers) {
    const unsigned w = 4;
    make_elements(w, 1);
    for (unsigned i = 0; i < element_count; i++) {
        for (unsigned j = 0; j < element_count; j++) {
            const struct element *a = &elements[i], *b = &elements[j];
            struct num joined = num_join(&a->n, &b->n), wanted = best(w, a->set | b->set);
            cr_assert(num_equal(&joined, &wanted), "%s join %s", shown(&a->n), shown(&b->n));
            struct num met = a->n;
            bool some = num_meet(&met, w, &b->n);
            cr_assert_eq(some, (a->set & b->set) != 0, "%s meet %s", shown(&a->n), shown(&b->n));
            if (some) {
                wanted = best(w, a->set & b->set);
                cr_assert(num_equal(&met, &wanted), "%s meet %s", shown(&a->n), shown(&b->n));
            }
            cr_assert_eq(num_subset(&a->n, &b->n), (a->set & ~b->set) == 0, "%s in %s",
                         shown(&a->n), shown(&b->n));
        }
    }
}

/* score may be NULL. */
static void check_alu(enum bpf_op op, unsigned w, const struct element *a, const struct element *b,
                      struct score *score) {
    struct num r = num_alu(op, w, &a->n, &b->n);
    uint64_t wanted = image(a->set, b->set);
    expect_valid(w, &r);
    cr_assert_eq(wanted & ~members(w, &r), 0, "%s.%u %s, %s: %s lacks some of %" PRIx64,
                 op_names[op], w, shown(&a->n), shown(&b->n), shown(&r), wanted);
    if (score)
        count_best(score, w, &r, wanted);
}

Test(scalar, arithmetic_of_4_bits) {
    make_elements(4, 1);
    for (unsigned o = 0; o < COUNT(alu_ops); o++) {
        struct score score = {0};
        tabulate_alu(alu_ops[o], 4);
        for (unsigned i = 0; i < element_count; i++) {
            for (unsigned j = 0; j < element_count; j++)
                check_alu(alu_ops[o], 4, &elements[i], &elements[j], &score);
        }
        expect_score(&score, wanted_best[alu_ops[o]].numbers, op_names[alu_ops[o]]);
    }
}

/* Fewer pairs, more bits; the count of shifts is cut by w - 1, whatever bits that has. */
Test(scalar, arithmetic_of_5_and_6_bits) {
    for (unsigned w = 5; w <= 6; w++) {
        make_elements(w, w == 5 ? 97 : 499);
        for (unsigned o = 0; o < COUNT(alu_ops); o++) {
            tabulate_alu(alu_ops[o], w);
            for (unsigned i = 0; i < 8000; i++)
                check_alu(alu_ops[o], w, &elements[next() % element_count],
                          &elements[next() % element_count], NULL);
        }
    }
}

/* Constants as the second operand; negation; other widths. */
Test(scalar, single_operands_of_6_bits) {
    const unsigned w = 6;
    make_elements(w, 499);
    for (unsigned o = 0; o < COUNT(alu_ops); o++) {
        struct score score = {0};
        tabulate_alu(alu_ops[o], w);
        for (uint64_t c = 0; c < 1u << w; c++) {
            struct element constant = {num_const(w, c), (uint64_t)1 << c};
            for (unsigned i = (unsigned)c % 4; i < element_count; i += 4)
                check_alu(alu_ops[o], w, &elements[i], &constant, &score);
        }
        expect_score(&score, wanted_best[alu_ops[o]].constants, op_names[alu_ops[o]]);
    }
}

static uint64_t converted(uint64_t set, uint64_t limit, unsigned extend_from) {
    uint64_t out = 0;
    FOR_EACH_MEMBER(v, set)
    out |= (uint64_t)1 << ((extend_from ? (uint64_t)num_extend(extend_from, v) : v) & limit);
    return out;
}

Test(scalar, numbers_of_other_widths) {
    make_elements(6, 499);
    for (unsigned i = 0; i < element_count; i++) {
        for (unsigned to = 2; to < 6; to++) {
            struct num n = num_trunc(6, to, &elements[i].n);
            expect_valid(to, &n);
            uint64_t set = converted(elements[i].set, num_limit(to), 0);
            cr_assert_eq(set & ~members(to, &n), 0, "%s to %u bits: %s", shown(&elements[i].n), to,
                         shown(&n));
        }
    }
    make_elements(4, 1);
    for (unsigned i = 0; i < element_count; i++) {
        for (unsigned to = 4; to <= 6; to++) {
            struct num z = num_zext(4, to, &elements[i].n), s = num_sext(4, to, &elements[i].n);
            struct num wanted_z = best(to, elements[i].set);
            struct num wanted_s = best(to, converted(elements[i].set, num_limit(to), 4));
            cr_assert(num_equal(&z, &wanted_z), "%s: %s", shown(&elements[i].n), shown(&z));
            cr_assert(num_equal(&s, &wanted_s), "%s: %s", shown(&elements[i].n), shown(&s));
        }
    }
}

/* ---------------------------------------------------------------------------- conditional jumps */

static int wanted_cond(const struct element *a, const struct element *b) {
    bool some[2] = {false, false};
    for (unsigned yes = 0; yes < 2; yes++) {
        FOR_EACH_MEMBER(x, a->set)
        some[yes] |= (partners[yes][x] & b->set) != 0;
    }
    return some[0] && some[1] ? -1 : some[1];
}

/* The members of `set` that have a partner among `others`. */
static uint64_t with_partner(uint64_t set, uint64_t others, const uint64_t *partner) {
    uint64_t out = 0;
    FOR_EACH_MEMBER(x, set)
    out |= (uint64_t)((partner[x] & others) != 0) << x;
    return out;
}

static void check_refine(enum bpf_op op, unsigned w, bool holds, const struct element *a,
                         const struct element *b, struct score *score) {
    uint64_t set_a = with_partner(a->set, b->set, partners[holds]);
    uint64_t set_b = with_partner(b->set, a->set, partners_of_b[holds]);
    struct num x = a->n, y = b->n;
    if (!num_refine(op, w, holds, &x, &y)) {
        cr_assert_eq(set_a, 0, "%s %d %s, %s: there are such pairs", op_names[op], holds,
                     shown(&a->n), shown(&b->n));
        return;
    }
    expect_valid(w, &x);
    expect_valid(w, &y);
    cr_assert((set_a & ~members(w, &x)) == 0 && (set_b & ~members(w, &y)) == 0,
              "%s %d %s, %s: not all in %s, %s", op_names[op], holds, shown(&a->n), shown(&b->n),
              shown(&x), shown(&y));
    cr_assert(num_subset(&x, &a->n) && num_subset(&y, &b->n), "%s grew", op_names[op]);
    if (set_a) {
        count_best(score, w, &x, set_a);
        count_best(score, w, &y, set_b);
    } else {
        score->all += 2;
    }
}

Test(scalar, conditions_of_4_bits) {
    const unsigned w = 4;
    make_elements(w, 1);
    for (unsigned o = 0; o < COUNT(jump_ops); o++) {
        enum bpf_op op = jump_ops[o];
        struct score known = {0}, refined = {0};
        tabulate_jump(op, w, w);
        for (unsigned i = 0; i < element_count; i++) {
            for (unsigned j = i % 3; j < element_count; j += 3) {
                const struct element *a = &elements[i], *b = &elements[j];
                int got = num_cond(op, w, &a->n, &b->n), wanted = wanted_cond(a, b);
                cr_assert(got == wanted || got == -1, "%s %s, %s is %d", op_names[op], shown(&a->n),
                          shown(&b->n), got);
                known.all++;
                known.best += got == wanted;
                check_refine(op, w, true, a, b, &refined);
                check_refine(op, w, false, a, b, &refined);
            }
        }
        expect_score(&known, op == BPF_JSET ? 997 : 1000, op_names[op]);
        expect_score(&refined, wanted_best[op].numbers, op_names[op]);
    }
}

/* ------------------------------------------------------------ scalars of w bits, low half w / 2 */

struct scalar_element {
    struct scalar s;
    uint64_t set;
};

static struct scalar_element scalars[MAX_ELEMENTS];
static unsigned scalar_count;

static uint64_t scalar_members(unsigned w, const struct scalar *s) {
    uint64_t set = 0;
    for (uint64_t v = 0; v < 1u << w; v++)
        set |= (uint64_t)scalar_contains_at(w, s, v) << v;
    return set;
}

static void expect_valid_scalar(unsigned w, const struct scalar *s) {
    struct num low = scalar_low_at(w, s);
    expect_valid(w, &s->x);
    expect_valid(w / 2, &low);
}

static struct scalar best_scalar(unsigned w, uint64_t set) {
    struct num x = best(w, set), low = best(w / 2, converted(set, num_limit(w / 2), 0));
    struct scalar s = {x, (uint32_t)low.umin, (uint32_t)low.umax, (int32_t)low.smin,
                       (int32_t)low.smax};
    return s;
}

static void count_best_scalar(struct score *score, unsigned w, const struct scalar *s,
                              uint64_t set) {
    score->all++;
    if (set == 0)
        return;
    struct scalar wanted = best_scalar(w, set);
    score->best += s->x.umin == wanted.x.umin && s->x.umax == wanted.x.umax;
}

static const char *shown_scalar(unsigned w, const struct scalar *s) {
    static char text[4][400];
    static unsigned turn;
    char *t = text[turn++ % 4];
    struct num low = scalar_low_at(w, s);
    snprintf(t, sizeof text[0], "%s low %s", shown(&s->x), shown(&low));
    return t;
}

/* Numbers whose low halves are restricted besides; `step` as in make_elements(). What comes out
 * must hold all members; how close it is to the best is counted. */
static void make_scalars(unsigned w, unsigned step, unsigned every, struct score *score) {
    static struct num lows[MAX_ELEMENTS];
    make_elements(w / 2, 1);
    unsigned low_count = element_count, number = 0;
    for (unsigned i = 0; i < low_count; i++)
        lows[i] = elements[i].n;
    make_elements(w, step);
    scalar_count = 0;
    for (unsigned i = 0; i < element_count * low_count; i++) {
        const struct element *x = &elements[i / low_count];
        const struct num *low = &lows[i % low_count];
        uint64_t set = 0;
        FOR_EACH_MEMBER(v, x->set)
        set |= (uint64_t)num_contains(w / 2, low, v & num_limit(w / 2)) << v;
        struct scalar s;
        if (!scalar_make_at(w, &s, &x->n, low)) {
            cr_assert_eq(set, 0, "%s, low %s", shown(&x->n), shown(low));
            continue;
        }
        expect_valid_scalar(w, &s);
        cr_assert_eq(set & ~scalar_members(w, &s), 0, "%s, low %s: %s", shown(&x->n), shown(low),
                     shown_scalar(w, &s));
        count_best_scalar(score, w, &s, set);
        if (number++ % every == 0 && scalar_count < MAX_ELEMENTS)
            scalars[scalar_count++] = (struct scalar_element){s, scalar_members(w, &s)};
    }
}

static void check_scalar_alu(enum bpf_op op, unsigned w, unsigned width,
                             const struct scalar_element *a, const struct scalar_element *b,
                             struct score *score) {
    struct scalar r = scalar_alu_at(w, op, width, &a->s, &b->s);
    uint64_t limit = num_limit(width);
    uint64_t wanted = image(converted(a->set, limit, 0), converted(b->set, limit, 0));
    expect_valid_scalar(w, &r);
    cr_assert_eq(wanted & ~scalar_members(w, &r), 0,
                 "%s.%u of %u: %s; %s: %s lacks some of %" PRIx64, op_names[op], width, w,
                 shown_scalar(w, &a->s), shown_scalar(w, &b->s), shown_scalar(w, &r), wanted);
    count_best_scalar(score, w, &r, wanted);
}

static void check_scalar_lattice(unsigned w, const struct scalar_element *a,
                                 const struct scalar_element *b) {
    struct scalar joined = scalar_join(&a->s, &b->s), met = a->s, low_met = a->s;
    cr_assert(scalar_subset(&a->s, &joined) && scalar_subset(&b->s, &joined));
    cr_assert_eq((a->set | b->set) & ~scalar_members(w, &joined), 0);
    if (scalar_subset(&a->s, &b->s))
        cr_assert_eq(a->set & ~b->set, 0);
    cr_assert_eq(scalar_equal(&a->s, &b->s),
                 scalar_subset(&a->s, &b->s) && scalar_subset(&b->s, &a->s));
    if (!scalar_meet_at(w, &met, &b->s)) {
        cr_assert_eq(a->set & b->set, 0);
    } else {
        expect_valid_scalar(w, &met);
        cr_assert_eq(a->set & b->set & ~scalar_members(w, &met), 0);
        cr_assert(scalar_subset(&met, &a->s) && scalar_subset(&met, &b->s));
    }
    uint64_t words = converted(b->set, num_limit(w / 2), 0), set = 0;
    FOR_EACH_MEMBER(v, a->set)
    set |= (words >> (v & num_limit(w / 2)) & 1) << v;
    if (!scalar_meet_low_at(w, &low_met, &b->s)) {
        cr_assert_eq(set, 0);
    } else {
        expect_valid_scalar(w, &low_met);
        cr_assert_eq(set & ~scalar_members(w, &low_met), 0);
        cr_assert(scalar_subset(&low_met, &a->s));
    }
}

static void check_scalar_refine(enum bpf_op op, unsigned w, unsigned width, bool holds,
                                const struct scalar_element *a, const struct scalar_element *b,
                                struct score *score) {
    uint64_t set_a = with_partner(a->set, b->set, partners[holds]);
    uint64_t set_b = with_partner(b->set, a->set, partners_of_b[holds]);
    struct scalar x = a->s, y = b->s;
    int known = scalar_cond_at(w, op, width, &a->s, &b->s);
    cr_assert(known != !holds || set_a == 0, "%s.%u %s; %s is %d", op_names[op], width,
              shown_scalar(w, &a->s), shown_scalar(w, &b->s), known);
    if (!scalar_refine_at(w, op, width, holds, &x, &y)) {
        cr_assert_eq(set_a, 0, "%s.%u %d %s; %s: there are such pairs", op_names[op], width, holds,
                     shown_scalar(w, &a->s), shown_scalar(w, &b->s));
        return;
    }
    expect_valid_scalar(w, &x);
    expect_valid_scalar(w, &y);
    cr_assert((set_a & ~scalar_members(w, &x)) == 0 && (set_b & ~scalar_members(w, &y)) == 0,
              "%s.%u %d %s; %s: not all in %s; %s", op_names[op], width, holds,
              shown_scalar(w, &a->s), shown_scalar(w, &b->s), shown_scalar(w, &x),
              shown_scalar(w, &y));
    cr_assert(scalar_subset(&x, &a->s) && scalar_subset(&y, &b->s), "%s grew", op_names[op]);
    count_best_scalar(score, w, &x, set_a);
    count_best_scalar(score, w, &y, set_b);
}

static void check_scalars(unsigned w, unsigned step, unsigned every, unsigned pairs) {
    struct score made = {0};
    make_scalars(w, step, every, &made);
    if (getenv("SCORES"))
        fprintf(stderr, "%u scalars of %u bits\n", scalar_count, w);
    expect_score(&made, 999, "make");
    for (unsigned i = 0; i < pairs; i++)
        check_scalar_lattice(w, &scalars[next() % scalar_count], &scalars[next() % scalar_count]);
    for (unsigned width = w / 2; width <= w; width += w / 2) {
        for (unsigned o = 0; o < COUNT(alu_ops); o++) {
            struct score score = {0};
            tabulate_alu(alu_ops[o], width);
            for (unsigned i = 0; i < pairs; i++)
                check_scalar_alu(alu_ops[o], w, width, &scalars[next() % scalar_count],
                                 &scalars[next() % scalar_count], &score);
            expect_score(&score, wanted_best[alu_ops[o]].scalars, op_names[alu_ops[o]]);
        }
        for (unsigned o = 0; o < COUNT(jump_ops); o++) {
            struct score score = {0};
            tabulate_jump(jump_ops[o], w, width);
            for (unsigned i = 0; i < pairs; i++)
                check_scalar_refine(jump_ops[o], w, width, i % 2, &scalars[next() % scalar_count],
                                    &scalars[next() % scalar_count], &score);
            expect_score(&score, wanted_best[jump_ops[o]].scalars, op_names[jump_ops[o]]);
        }
    }
}

Test(scalar, scalars_of_4_bits) {
    check_scalars(4, 1, 5, 12000);
}

Test(scalar, scalars_of_6_bits) {
    check_scalars(6, 499, 47, 8000);
}

Test(scalar, sign_extension_of_6_bits) {
    struct score made = {0};
    make_scalars(6, 499, 47, &made);
    for (unsigned i = 0; i < scalar_count; i++) {
        for (unsigned from = 2; from <= 3; from++) {
            for (unsigned width = 3; width <= 6; width += 3) {
                struct scalar s = scalar_sext_at(6, from, width, &scalars[i].s);
                uint64_t set = converted(scalars[i].set, num_limit(width), from);
                expect_valid_scalar(6, &s);
                cr_assert_eq(set & ~scalar_members(6, &s), 0, "%u to %u: %s: %s", from, width,
                             shown_scalar(6, &scalars[i].s), shown_scalar(6, &s));
            }
        }
    }
}

/* -------------------------------------------------------------------------------------- 64 bits */

#define SAMPLES 4

/* A scalar and numbers that must be in it. */
struct tracked {
    struct scalar s;
    uint64_t v[SAMPLES];
};

/* Around the boundaries of 32 and 64 bits, small, with few bits, with long runs, and any. */
static uint64_t number(void) {
    static const uint64_t ends[] = {0,          INT32_MAX,         (uint64_t)INT32_MIN,
                                    UINT32_MAX, INT64_MAX,         (uint64_t)INT64_MIN,
                                    0x80000000, 0x100000000u - 32, 0x7fffffff00000000};
    uint64_t v = next();
    switch (next() % 7) {
    case 0: return v >> (next() % 64);
    case 1: return (uint64_t)((int64_t)v >> (next() % 64));
    case 2: return v & next() & next();
    case 3: return next() % 70;
    case 4: return (uint64_t)(int64_t)(int32_t)v;
    case 5: return ends[next() % COUNT(ends)] + next() % 7 - 3;
    default: return v;
    }
}

static void expect_tracked(const struct tracked *t, const char *what) {
    expect_valid_scalar(64, &t->s);
    for (unsigned i = 0; i < SAMPLES; i++)
        cr_assert(scalar_contains(&t->s, t->v[i]), "%s: %" PRIx64 " is not in %s", what, t->v[i],
                  shown_scalar(64, &t->s));
}

/* The least scalar with some numbers, then one with more. */
static struct tracked fresh(void) {
    struct tracked t;
    uint64_t base = number(), spread = next() % 3 ? next() % 200 : UINT64_MAX;
    for (unsigned i = 0; i < SAMPLES; i++) {
        t.v[i] = spread == UINT64_MAX ? number() : base + next() % (spread + 1);
        struct scalar c = scalar_const(t.v[i]);
        t.s = i ? scalar_join(&t.s, &c) : c;
    }
    uint64_t hidden = next() % 2 ? number() : 0, low = number(), high = number();
    struct scalar range = next() % 2
                              ? scalar_urange(low < high ? low : high, low < high ? high : low)
                              : scalar_zext(1 + (unsigned)(next() % 64));
    struct scalar bits = {.x = num_unknown(64)};
    bits.x.mask = hidden;
    bits.x.value = t.v[0] & ~hidden;
    if (next() % 4 == 0)
        t.s = scalar_join(&t.s, &range);
    if (next() % 4 == 0) {
        struct num low_half = num_unknown(32);
        cr_assert(num_reduce(&bits.x, 64) && scalar_make_at(64, &bits, &bits.x, &low_half));
        t.s = scalar_join(&t.s, &bits);
    }
    return t;
}

static struct tracked random_alu(const struct tracked *a, const struct tracked *b) {
    enum bpf_op op = alu_ops[next() % COUNT(alu_ops)];
    unsigned width = next() % 2 ? 64 : 32;
    struct tracked t = {.s = scalar_alu(op, width, &a->s, &b->s)};
    for (unsigned i = 0; i < SAMPLES; i++)
        t.v[i] = concrete(op, width, a->v[i] & num_limit(width),
                          b->v[next() % SAMPLES] & num_limit(width));
    expect_tracked(&t, op_names[op]);
    return t;
}

static uint64_t end_of(enum bpf_op op, unsigned width, uint64_t v) {
    uint64_t out = 0;
    for (unsigned i = 0; i < width; i += 8)
        out |= (v >> i & 0xff) << (op == BPF_LE ? i : width - 8 - i);
    return out;
}

static struct tracked random_unary(const struct tracked *a) {
    enum bpf_op op = (enum bpf_op)(BPF_MOVSX8 + next() % 6);
    unsigned width = bpf_op_is_end(op) ? 16u << next() % 3 : 32u << next() % 2;
    if (op == BPF_MOVSX32)
        width = 64;
    struct tracked t;
    t.s = bpf_op_is_end(op) ? scalar_end(op, width, &a->s) : scalar_movsx(op, width, &a->s);
    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t v = a->v[i], limit = num_limit(width);
        t.v[i] = bpf_op_is_end(op)   ? end_of(op, width, v)
                 : op == BPF_MOVSX8  ? (uint64_t)(int8_t)v & limit
                 : op == BPF_MOVSX16 ? (uint64_t)(int16_t)v & limit
                                     : (uint64_t)(int32_t)v;
    }
    expect_tracked(&t, op_names[op]);
    return t;
}

/* By the outcome of one pair; the other samples become those of this pair. */
static void random_refine(struct tracked *a, struct tracked *b) {
    enum bpf_op op = jump_ops[next() % COUNT(jump_ops)];
    unsigned width = next() % 2 ? 64 : 32;
    bool holds = taken(op, width, a->v[0], b->v[0]);
    int known = scalar_cond(op, width, &a->s, &b->s);
    cr_assert(known == -1 || known == holds, "%s.%u", op_names[op], width);
    for (unsigned i = 1; i < SAMPLES; i++) {
        if (taken(op, width, a->v[i], b->v[i]) != holds) {
            a->v[i] = a->v[0];
            b->v[i] = b->v[0];
            cr_assert_eq(known, -1, "%s.%u", op_names[op], width);
        }
    }
    cr_assert(scalar_refine(op, width, holds, &a->s, &b->s), "%s.%u", op_names[op], width);
    expect_tracked(a, op_names[op]);
    expect_tracked(b, op_names[op]);
}

static void random_lattice(struct tracked *a, const struct tracked *b) {
    static const int64_t limits[] = {-1000, -1, 0, 1, 10, 255, 1000, UINT32_MAX};
    static const struct thresholds thresholds = {limits, COUNT(limits)};
    struct scalar joined = scalar_join(&a->s, &b->s);
    struct scalar wide = scalar_widen(&a->s, &b->s, &thresholds);
    cr_assert(scalar_subset(&joined, &wide) && scalar_subset(&a->s, &joined) &&
              scalar_subset(&b->s, &joined));
    struct tracked t = {next() % 2 ? joined : wide, {a->v[0], a->v[1], b->v[0], b->v[1]}};
    expect_tracked(&t, "join");
    struct scalar met = t.s;
    cr_assert(scalar_meet(&met, &a->s));
    cr_assert(scalar_subset(&met, &a->s), "%s, %s", shown_scalar(64, &met),
              shown_scalar(64, &a->s));
    struct scalar low = scalar_unknown();
    cr_assert(scalar_meet_low32(&low, &t.s));
    for (unsigned i = 0; i < SAMPLES; i++)
        cr_assert(scalar_contains(&low, t.v[i] ^ next() << 32));
    *a = t;
}

/* A pool of scalars that operations replace one by one. */
Test(scalar, random_members_of_64_bits) {
    struct tracked pool[16];
    for (unsigned i = 0; i < COUNT(pool); i++)
        pool[i] = fresh();
    for (unsigned i = 0; i < 400000; i++) {
        struct tracked *a = &pool[next() % COUNT(pool)], *b = &pool[next() % COUNT(pool)];
        struct tracked *out = &pool[next() % COUNT(pool)];
        switch (next() % 8) {
        case 0:
        case 1:
            *a = fresh();
            expect_tracked(a, "fresh");
            break;
        case 2: *out = random_unary(a); break;
        case 3:
            if (a != b)
                random_refine(a, b);
            break;
        case 4: random_lattice(a, b); break;
        default: *out = random_alu(a, b);
        }
    }
}

Test(scalar, making) {
    struct scalar s = scalar_unknown();
    cr_assert(scalar_contains(&s, 0) && scalar_contains(&s, UINT64_MAX) && !scalar_is_const(&s));
    s = scalar_const((uint64_t)-2);
    cr_assert(scalar_is_const(&s) && s.x.smin == -2 && s.umin32 == UINT32_MAX - 1 &&
              s.smax32 == -2);
    s = scalar_urange(3, 300);
    cr_assert(s.x.umin == 3 && s.x.smax == 300 && s.x.mask == 0x1ff && s.umax32 == 300);
    s = scalar_srange(-5, 7);
    cr_assert(s.x.smin == -5 && s.x.umax == UINT64_MAX && s.smin32 == -5 && s.smax32 == 7);
    for (unsigned bits = 1; bits <= 64; bits++) {
        s = scalar_zext(bits);
        cr_assert(s.x.umin == 0 && s.x.umax == num_limit(bits) && s.x.mask == num_limit(bits));
        s = scalar_sext(bits);
        cr_assert_eq(s.x.smax, (int64_t)(num_limit(bits) >> 1));
        cr_assert_eq(s.x.smin, -s.x.smax - 1);
    }
}

/* --------------------------------------------- what other verifiers got wrong, with a safe twin */

static struct scalar alu(enum bpf_op op, unsigned width, struct scalar a, struct scalar b) {
    return scalar_alu(op, width, &a, &b);
}

/* Any number whose low 32 bits are these. */
static struct scalar low_is(uint64_t v) {
    struct scalar s = scalar_unknown(), low = scalar_const(v);
    cr_assert(scalar_meet_low32(&s, &low));
    return s;
}

static bool is_const(struct scalar s, uint64_t v) {
    return scalar_is_const(&s) && s.x.value == v && s.umin32 == (uint32_t)v &&
           s.umax32 == (uint32_t)v;
}

/* A 32-bit move of an immediate was sign-extended. */
Test(scalar, cve_2017_16995_mov32_zero_extends) {
    struct scalar ones = scalar_const(UINT64_MAX), word = scalar_const(UINT32_MAX);
    struct scalar moved = alu(BPF_MOV, 32, ones, ones);
    cr_assert(is_const(moved, UINT32_MAX));
    cr_assert_eq(scalar_cond(BPF_JNE, 64, &moved, &ones), 1);
    cr_assert_eq(scalar_cond(BPF_JEQ, 64, &moved, &word), 1);
    cr_assert(is_const(alu(BPF_MOV, 64, ones, ones), UINT64_MAX));
}

/* A 32-bit shift to the right was computed on 64 bits. */
Test(scalar, cve_2018_18445_rsh32_cuts_first) {
    struct scalar a = scalar_urange(0x100000000, 0x180000000), by = scalar_const(31);
    struct scalar s = alu(BPF_RSH, 32, a, by);
    cr_assert(s.x.umin == 0 && s.x.umax == 1);
    cr_assert(is_const(alu(BPF_RSH, 32, scalar_const(0x300000000), by), 0));
    s = alu(BPF_RSH, 64, a, by);
    cr_assert(s.x.umin == 2 && s.x.umax == 3);
}

/* A 32-bit jump took the low halves of the ends for the ends of the low half. */
Test(scalar, cve_2020_8835_jmp32_does_not_cut_ends) {
    struct scalar a = scalar_urange(1, 0x100000001), b = scalar_const(5);
    cr_assert(a.umin32 == 0 && a.umax32 == UINT32_MAX);
    cr_assert(scalar_refine(BPF_JGT, 32, true, &a, &b));
    cr_assert(scalar_contains(&a, 6) && scalar_contains(&a, UINT32_MAX));
    a = scalar_urange(0x700000001, 0x700000009);
    cr_assert(scalar_refine(BPF_JGT, 32, true, &a, &b));
    cr_assert(a.x.umin == 0x700000006 && a.x.umax == 0x700000009);
}

/* OR took bounds of 64 bits for those of 32. */
Test(scalar, cve_2020_27194_or_of_wide_bounds) {
    struct scalar a = scalar_urange(1, 0x600000001);
    struct scalar s = alu(BPF_OR, 64, a, scalar_const(0));
    cr_assert(scalar_contains(&s, 0x500000000) && scalar_contains(&s, 0x123456789));
    cr_assert(s.x.umin == 1 && s.x.umax == 0x600000001 && s.umin32 == 0 && s.umax32 == UINT32_MAX);
}

/* Bitwise operations left the 32-bit bounds as they were when the low halves were constant. */
Test(scalar, cve_2021_3490_bitwise_of_known_low_halves) {
    static const enum bpf_op ops[] = {BPF_AND, BPF_OR, BPF_XOR};
    static const uint32_t wanted[] = {0, 3, 3};
    for (unsigned i = 0; i < COUNT(ops); i++) {
        struct scalar s = alu(ops[i], 64, low_is(1), low_is(0x500000002));
        cr_assert(s.umin32 == wanted[i] && s.umax32 == wanted[i] && s.smin32 == (int32_t)wanted[i]);
        cr_assert(!scalar_is_const(&s) && scalar_contains(&s, 0x700000000 + wanted[i]));
    }
}

/* umin and umax, each fitting in 32 bits or not, became 32-bit bounds one without the other. */
Test(scalar, cve_2021_31440_one_end_fits_32_bits) {
    struct scalar a = scalar_unknown(), b = scalar_const(1);
    cr_assert(scalar_refine(BPF_JGE, 64, true, &a, &b));
    cr_assert(a.x.umin == 1 && a.umin32 == 0 && scalar_contains(&a, 0x100000000));
    b = scalar_const(10);
    cr_assert(scalar_refine(BPF_JLE, 64, true, &a, &b));
    cr_assert(a.umin32 == 1 && a.umax32 == 10);
}

/* A 32-bit remainder by 0 left more than 32 bits; a 32-bit division looked at 64 bits of the
 * divisor. */
Test(scalar, cve_2021_3444_mod32_by_zero_cuts) {
    struct scalar a = scalar_const(0x100000005), zero = scalar_const(0),
                  high = scalar_const(1ull << 32);
    cr_assert(is_const(alu(BPF_MOD, 32, a, zero), 5));
    cr_assert(is_const(alu(BPF_MOD, 32, a, high), 5));
    cr_assert(is_const(alu(BPF_DIV, 32, a, high), 0));
    cr_assert(is_const(alu(BPF_SMOD, 32, a, high), 5));
    cr_assert(is_const(alu(BPF_MOD, 64, a, zero), 0x100000005));
    struct scalar s = alu(BPF_MOD, 32, scalar_unknown(), scalar_urange(0, 3));
    cr_assert(s.x.umax == UINT32_MAX);
    s = alu(BPF_MOD, 32, scalar_unknown(), scalar_urange(1, 3));
    cr_assert(s.x.umax == 2);
}

/* ------------------------------------------------------------------------ what programs rely on */

Test(scalar, ranges_of_arithmetic) {
    struct scalar any = scalar_unknown(), s;
    s = alu(BPF_MOD, 64, any, scalar_const(10));
    cr_assert(s.x.umin == 0 && s.x.umax == 9 && s.umax32 == 9);
    s = alu(BPF_MOD, 32, any, scalar_const(10));
    cr_assert(s.x.umax == 9 && s.smax32 == 9);
    s = alu(BPF_SMOD, 64, any, scalar_const(10));
    cr_assert(s.x.smin == -9 && s.x.smax == 9 && s.smin32 == -9);
    s = alu(BPF_DIV, 64, scalar_zext(16), scalar_const(100));
    cr_assert(s.x.umax == 655);
    s = alu(BPF_SDIV, 64, scalar_srange(-100, 50), scalar_const(7));
    cr_assert(s.x.smin == -14 && s.x.smax == 7);
    s = alu(BPF_MUL, 64, scalar_zext(8), scalar_const(12));
    cr_assert(s.x.umax == 3060 && (s.x.mask & 3) == 0);
    s = alu(BPF_MUL, 64, scalar_srange(-3, 2), scalar_srange(-5, 10));
    cr_assert(s.x.smin == -30 && s.x.smax == 20);
    s = alu(BPF_MUL, 64, alu(BPF_AND, 64, any, scalar_const(1)), scalar_const(10));
    cr_assert_eq(s.x.mask, 10);
    s = alu(BPF_ADD, 32, scalar_urange(0, 20), scalar_const((uint64_t)-5));
    cr_assert(s.smin32 == -5 && s.smax32 == 15 && s.x.umax == UINT32_MAX);
    s = alu(BPF_SUB, 64, scalar_urange(10, 20), scalar_urange(0, 4));
    cr_assert(s.x.umin == 6 && s.x.umax == 20);
    s = alu(BPF_NEG, 64, scalar_urange(1, 4), any);
    cr_assert(s.x.smin == -4 && s.x.smax == -1);
}

Test(scalar, known_bits) {
    struct scalar any = scalar_unknown(), s;
    s = alu(BPF_AND, 64, any, scalar_const(0xf8));
    cr_assert(s.x.mask == 0xf8 && s.x.umax == 0xf8 && s.umax32 == 0xf8);
    s = alu(BPF_ADD, 64, s, scalar_const(4));
    cr_assert((s.x.mask & 7) == 0 && (s.x.value & 7) == 4 && s.x.umax == 0xfc);
    s = alu(BPF_OR, 64, s, scalar_const(1));
    cr_assert_eq(s.x.value & 7, 5);
    s = alu(BPF_XOR, 64, scalar_urange(0, 7), scalar_const(8));
    cr_assert(s.x.umin == 8 && s.x.umax == 15);
    s = alu(BPF_AND, 64, scalar_urange(17, 30), scalar_urange(20, 23));
    cr_assert(s.x.umin == 16 && s.x.umax == 23);
    s = alu(BPF_LSH, 64, scalar_const(1), scalar_urange(3, 5));
    cr_assert(s.x.umin == 8 && s.x.umax == 32 && s.x.mask == 0x38);
    s = alu(BPF_RSH, 64, scalar_urange(64, 128), scalar_urange(2, 4));
    cr_assert(s.x.umin == 4 && s.x.umax == 32);
    s = alu(BPF_RSH, 32, any, scalar_const(24));
    cr_assert_eq(s.x.umax, 255);
    s = alu(BPF_LSH, 64, scalar_const(1), any);
    cr_assert(s.x.umin == 1 && s.x.umax == 1ull << 63);
}

/* Compilers sign-extend by two shifts, or by an instruction; byte orders swap known bits. */
Test(scalar, extensions) {
    struct scalar s = scalar_unknown(), range = scalar_srange(-4, 9), by = scalar_const(32);
    cr_assert(scalar_meet_low32(&s, &range));
    struct scalar up = alu(BPF_LSH, 64, s, by), swapped;
    s = alu(BPF_ARSH, 64, up, by);
    cr_assert(s.x.smin == -4 && s.x.smax == 9);
    s = alu(BPF_RSH, 64, up, by);
    cr_assert(s.x.umax == UINT32_MAX && s.smin32 == -4 && s.smax32 == 9);
    s = scalar_movsx(BPF_MOVSX32, 64, &s);
    cr_assert(s.x.smin == -4 && s.x.smax == 9 && s.smin32 == -4);
    s = scalar_movsx(BPF_MOVSX8, 32, &s);
    cr_assert(s.x.umax == UINT32_MAX && s.smin32 == -4 && s.smax32 == 9);
    s = scalar_zext(8);
    swapped = scalar_end(BPF_BE, 16, &s);
    cr_assert(swapped.x.mask == 0xff00 && swapped.x.umax == 0xff00);
    swapped = scalar_end(BPF_BSWAP, 64, &s);
    cr_assert(swapped.x.mask == 0xffull << 56 && swapped.umax32 == 0);
    s = scalar_unknown();
    swapped = scalar_end(BPF_LE, 16, &s);
    cr_assert_eq(swapped.x.umax, 0xffff);
}

Test(scalar, halves_learn_from_each_other) {
    struct scalar s = scalar_urange(0x500000000, 0x5ffffffff), range = scalar_urange(10, 20);
    cr_assert(scalar_meet_low32(&s, &range));
    cr_assert(s.x.umin == 0x50000000a && s.x.umax == 0x500000014); /* the high half is constant */
    s = scalar_urange(0x50000000a, 0x500000014);
    cr_assert(s.umin32 == 10 && s.umax32 == 20); /* in one block */
    s = scalar_sext(32);
    range = scalar_srange(-7, 5);
    cr_assert(scalar_meet_low32(&s, &range));
    cr_assert(s.x.smin == -7 && s.x.smax == 5); /* extended from 32 bits */
    s = scalar_unknown();
    cr_assert(scalar_meet_low32(&s, &range));
    cr_assert(s.x.smin == INT64_MIN && s.x.umax == UINT64_MAX && s.smin32 == -7);
    range = alu(BPF_OR, 64, s, scalar_const(1ull << 40));
    s = alu(BPF_AND, 64, s, scalar_const(~(1ull << 40)));
    cr_assert(!scalar_meet(&s, &range)); /* one bit contradicts */
    s = low_is(4);
    range = low_is(6);
    cr_assert(!scalar_meet_low32(&s, &range));
    s = scalar_urange(0x1fffffff0, 0x200000010); /* across a block */
    cr_assert(s.smin32 == -16 && s.smax32 == 16);
}

static struct scalar refined(enum bpf_op op, unsigned width, bool holds, struct scalar a,
                             uint64_t b) {
    struct scalar c = scalar_const(b);
    cr_assert(scalar_refine(op, width, holds, &a, &c));
    return a;
}

Test(scalar, refinement) {
    struct scalar any = scalar_unknown(), c, s;
    s = refined(BPF_JLT, 64, true, any, 16);
    cr_assert(s.x.umax == 15 && s.umax32 == 15 && s.x.mask == 15);
    s = refined(BPF_JSLT, 64, false, s, 3);
    cr_assert(s.x.umin == 3 && s.x.smin == 3);
    s = refined(BPF_JNE, 64, true, refined(BPF_JNE, 64, true, s, 15), 3);
    cr_assert(s.x.umin == 4 && s.x.umax == 14);
    s = refined(BPF_JEQ, 32, true, scalar_zext(32), 77);
    cr_assert(is_const(s, 77));
    s = refined(BPF_JGT, 32, false, scalar_zext(32), 15); /* if w > 15 goto */
    cr_assert(s.x.umax == 15);
    s = refined(BPF_JGT, 32, false, any, 15);
    cr_assert(s.umax32 == 15 && s.x.umax == 0xffffffff0000000f);
    s = refined(BPF_JSET, 64, true, scalar_urange(0, 40), 0xf0);
    cr_assert(s.x.umin == 16);
    s = refined(BPF_JSET, 64, true, any, 0x10);
    cr_assert(s.x.value == 0x10);
    s = refined(BPF_JSET, 64, false, any, 7);
    cr_assert(s.x.mask == ~7ull);
    s = refined(BPF_JNE, 64, true, any, 0);
    cr_assert(s.x.umin == 1);
    s = scalar_const(5);
    c = scalar_const(5);
    cr_assert(!scalar_refine(BPF_JNE, 64, true, &s, &c));
    s = low_is(4);
    c = low_is(5);
    cr_assert_eq(scalar_cond(BPF_JEQ, 64, &s, &c), 0);
    cr_assert_eq(scalar_cond(BPF_JNE, 64, &s, &c), 1);
    cr_assert_eq(scalar_cond(BPF_JSET, 64, &s, &c), 1);
    cr_assert_eq(scalar_cond(BPF_JLT, 32, &s, &c), 1);
    cr_assert_eq(scalar_cond(BPF_JLT, 64, &s, &c), -1);
    cr_assert(!scalar_refine(BPF_JEQ, 64, true, &s, &c));
}

/* A number that is just outside of s in one of its descriptions. */
static uint64_t just_outside(const struct scalar *s, unsigned kind) {
    uint64_t bits = ~s->x.mask, high = next() % 2 ? s->x.umin : next() & ~(uint64_t)UINT32_MAX;
    switch (kind % 10) {
    case 0: return s->x.umin - 1;
    case 1: return s->x.umax + 1;
    case 2: return (uint64_t)s->x.smin - 1;
    case 3: return (uint64_t)s->x.smax + 1;
    case 4: return (high & ~(uint64_t)UINT32_MAX) | (s->umin32 - 1);
    case 5: return (high & ~(uint64_t)UINT32_MAX) | (s->umax32 + 1);
    case 6: return (high & ~(uint64_t)UINT32_MAX) | (uint32_t)(s->smin32 - 1u);
    case 7: return (high & ~(uint64_t)UINT32_MAX) | (uint32_t)(s->smax32 + 1u);
    case 8: /* the highest known bit */
        return s->x.value ^ (bits ? 1ull << (63 - __builtin_clzll(bits)) : 0);
    default: /* some known bit */
        for (unsigned i = (unsigned)(next() % 64), n = 0; n < 64; n++, i = (i + 1) % 64) {
            if (bits >> i & 1)
                return s->x.value ^ 1ull << i;
        }
        return 0;
    }
}

static unsigned widening_steps(const struct thresholds *t) {
    struct scalar s = scalar_const(number());
    unsigned steps = 0, kind = 0;
    for (unsigned failed = 0; failed < 100 && steps < 1000;) {
        if (failed || next() % 8 == 0) /* else what grew before grows again */
            kind = (unsigned)(next() % 10);
        struct scalar c = scalar_const(just_outside(&s, kind)), wide = scalar_widen(&s, &c, t);
        cr_assert(scalar_subset(&s, &wide) && scalar_subset(&c, &wide));
        expect_valid_scalar(64, &wide);
        bool grew = !scalar_equal(&s, &wide);
        steps += grew;
        failed = grew ? 0 : failed + 1;
        s = wide;
    }
    return steps;
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Whoever chooses the thresholds and what comes next. */
Test(scalar, chains_of_widenings_are_short) {
    static int64_t items[1000];
    unsigned longest = 0;
    for (unsigned i = 0; i < 3000; i++) {
        struct thresholds t = {items, (uint32_t)(next() % (i % 2 ? COUNT(items) : 20))};
        for (uint32_t j = 0; j < t.count; j++)
            items[j] = next() % 2 ? (int64_t)j * 3 - 20 : (int64_t)number();
        qsort(items, t.count, sizeof *items, by_value);
        unsigned steps = widening_steps(i % 5 ? &t : NULL);
        longest = steps > longest ? steps : longest;
    }
    if (getenv("SCORES"))
        fprintf(stderr, "longest chain: %u\n", longest);
    cr_assert_lt(longest, 64);
}

/* A counter goes to the next threshold and keeps its alignment; flags are no counters. */
Test(scalar, widening_of_counters_and_flags) {
    static const int64_t items[] = {-1, 0, 10, 100};
    static const struct thresholds t = {items, COUNT(items)};
    struct scalar s = scalar_const(0), four = scalar_const(4);
    unsigned steps = 0;
    for (; steps < 100; steps++) {
        struct scalar up = alu(BPF_ADD, 64, s, four), limit = scalar_const(100);
        if (!scalar_refine(BPF_JLE, 64, true, &up, &limit) || scalar_subset(&up, &s))
            break;
        s = scalar_widen(&s, &up, &t);
    }
    cr_assert(s.x.umin == 0 && s.x.umax == 100 && s.x.value == 0 && s.x.mask == 0x7c);
    cr_assert_leq(steps, 4);
    struct scalar one = scalar_const(1), none = scalar_const(0);
    s = scalar_widen(&none, &one, &t);
    cr_assert_eq(s.x.mask, 1);
    s = scalar_widen(&one, &none, &t);
    cr_assert(s.x.umin == 0 && s.x.umax == 1);
    struct scalar down = scalar_const(99), start = scalar_const(100);
    s = scalar_widen(&start, &down, &t);
    cr_assert(s.x.umax == 100 && s.x.umin <= 96);
}
