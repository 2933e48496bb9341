/* SPDX-License-Identifier: MIT */
/*
 * Why a loop ends. Let x(k) be a location's value when the header is executed for the k-th time after
 * entry (k from 0), as an integer of some domain [min, max]: the location's 64 bits or its low 32, with or
 * without a sign, or a pointer's offset. A test is executed in every iteration that is followed by
 * another one and holds then; it compares y(k) with n(k). The shape says y(k) = x(k) + t and
 * x(k + 1) = x(k) + d modulo the domain's size, with t in [t-, t+] and d in [d-, d+], both perhaps different
 * in each iteration. x(0) is in [a-, a+], n(k) at most n+ and at least n-. What goes down is turned round
 * (all numbers negated) and goes up then.
 *
 * RANK_LESS: the test is y < n or y <= n, d- >= 1. Let `last` be n+ - 1 or n+, the largest y that goes
 * on. Claim: x(k) stays in [a-, top], top = max(a+, last - t- + d+), if a- + t- >= min, top + t+ <= max and
 * top <= max. By induction: with x(k) in there, x(k) + t is in the domain, so y(k) is this very integer;
 * if the loop goes on, x(k) + t <= last, hence x(k) + d <= last - t- + d+ <= top, again in the domain and so
 * equal to x(k + 1); and d >= 1 keeps it above a-. Since x(k) >= a- + k d-, the test can hold only for
 * k <= (last - t- - a-) / d-: the header is executed once more than the test holds.
 * Where nothing happens to the tested register until the header, x(k + 1) = y(k), t = d, and top is
 * max(a+, last). n and d may both contain the same location: x -= y while x >= y; what is needed is
 * n - t + d, in which it cancels out. n need not stay the same, only below n+.
 *
 * RANK_NOT_EQUAL: the test is y != n with n the same in all iterations, t and d >= 1 constants. If
 * n - y(0) is not negative and a multiple of d for all values together, y meets n exactly, in step
 * (n - y(0)) / d, and never was above: x(k) <= n - t for all k. Nothing wraps if a- + t, n - t and n are
 * in the domain. Up to this step that is the same claim as above, with last = n.
 *
 * RANK_QUOTIENT: x(k + 1) <= x(k) / f, f >= 2, unsigned, and the test implies that what it tests is not
 * 0. x(k) <= x(0) / f^k is 0 at some k; 64 bits, or the low 32 of which the quotient is.
 *
 * RANK_LOW_BIT: x(k + 1) = x(k) & (x(k) - 1) has one bit less than x(k). Where it is x(k) & (y(k) - 1), and
 * y(k + 1) is the very same, y is x if it was at the entry.
 *
 * RANK_RANGE: d- >= 1 and all x(k) are known to be in [b-, b+], with b+ + d+ <= max. Then x(k + 1) is
 * x(k) + d as an integer, so there are at most (b+ - b-) / d- + 1 of them. If a loop inside adds an
 * unknown number of times, d+ is infinite; then d is what all additions of an iteration add, and x(k + 1)
 * is x(k) + d as an integer if each single addition is known not to leave the domain.
 *
 * With a bound B on the header's executions, whatever changes by d in [d-, d+] per iteration is
 * x(0) + [0, B - 1] * d at the header: counters that are not tested, pointers that go along.
 *
 * A comparison of all 64 bits is one of the low 32 bits if its operand is these, extended. A pointer's
 * order is its offset's order as long as the offset is in [0, 2^31): object addresses are such that
 * nothing wraps below 2^64. Pointers are compared at 64 bits, with pointers into the same object only.
 */
#include "verifier/rank.h"

#include "util/vec.h"

typedef __int128 wide; /* sums of a few 64-bit numbers, products with a step */

struct span {
    wide lo, hi;
};

#define TWO(n) ((wide)1 << (n))
#define STEP_MAX TWO(41) /* of locations in steps */

enum domain { U64, S64, U32, S32, OFFSET, NDOMAINS };

static const struct {
    wide min, max;
    unsigned bits;
} domains[NDOMAINS] = {
    [U64] = {0, TWO(64) - 1, 64},    [S64] = {-TWO(63), TWO(63) - 1, 64},
    [U32] = {0, TWO(32) - 1, 32},    [S32] = {-TWO(31), TWO(31) - 1, 32},
    [OFFSET] = {0, TWO(31) - 1, 64},
};

struct ranker {
    struct arena *arena;
    const struct loop_shape *shape;
    const struct rank_query *query;
    struct rank_result *out;
    VEC(struct rank_invariant) invariants;
};

/* --------------------------------------------------------------------------------------- spans */

static bool within(struct span s, enum domain d) {
    return s.lo >= domains[d].min && s.hi <= domains[d].max;
}

static struct span add(struct span a, struct span b) {
    return (struct span){a.lo + b.lo, a.hi + b.hi};
}

static struct span negated(struct span a) {
    return (struct span){-a.hi, -a.lo};
}

static struct span times(struct span a, int k) {
    return k < 0 ? times(negated(a), -k) : (struct span){a.lo * k, a.hi * k};
}

static struct span of_rel(const struct rel *r) {
    return (struct span){r->lo, r->hi};
}

/* A value as an integer of a domain; false for a number where an offset is asked, and the reverse. */
static bool span_in(const struct rank_value *v, enum domain d, struct span *out) {
    const struct scalar *s = &v->scalar;
    if ((v->object != 0) != (d == OFFSET))
        return false;
    switch (d) {
    case U64: *out = (struct span){s->x.umin, s->x.umax}; break;
    case U32: *out = (struct span){s->umin32, s->umax32}; break;
    case S32: *out = (struct span){s->smin32, s->smax32}; break;
    default: *out = (struct span){s->x.smin, s->x.smax}; break;
    }
    return within(*out, d);
}

/* ---------------------------------------------------------------------------------- locations */

static bool entry_of(const struct ranker *r, uint16_t loc, struct rank_value *v) {
    return r->query->entry(r->query->arg, r->shape->locs[loc], v);
}

/* Whether an iteration makes this of a location's own value. */
static bool becomes(const struct ranker *r, uint16_t loc, enum rel_kind kind) {
    return r->shape->change[loc].kind == kind && r->shape->change[loc].loc == loc;
}

/* What an iteration adds: a sum of the location itself. */
static bool is_counter(const struct ranker *r, uint16_t loc) {
    return becomes(r, loc, REL_SUM) && r->shape->change[loc].form != REL_HIGH;
}

/* Whether the low `bits` bits are the same in each iteration. */
static bool is_invariant(const struct ranker *r, uint16_t loc, unsigned bits) {
    const struct rel *c = &r->shape->change[loc];
    return is_counter(r, loc) && c->loc2 == REL_NO_LOC && c->lo == 0 && c->hi == 0 &&
           (bits == 32 || c->form == REL_64);
}

/* Of an invariant location, as a number that is added modulo 2^bits: signed. */
static bool addend(const struct ranker *r, uint16_t loc, unsigned bits, struct span *out) {
    struct rank_value v;
    return is_invariant(r, loc, bits) && entry_of(r, loc, &v) &&
           span_in(&v, bits == 32 ? S32 : S64, out) && out->lo >= -STEP_MAX && out->hi <= STEP_MAX;
}

/* What a sum adds to its location. */
static bool distance(const struct ranker *r, const struct rel *sum, unsigned bits,
                     struct span *out) {
    struct span more;
    if (sum->lo == -REL_INF || sum->hi == REL_INF)
        return false;
    *out = of_rel(sum);
    if (!sum->sign2)
        return true;
    if (!addend(r, sum->loc2, bits, &more))
        return false;
    *out = add(*out, times(more, sum->sign2));
    return true;
}

/* ---------------------------------------------------------------------------------- invariants */

static bool is_zext(const struct scalar *s) {
    return s->x.umax <= UINT32_MAX;
}

static bool keeps_zext(const struct rel *change) {
    return change->form == REL_ZEXT || change->form == REL_SAME_ZEXT ||
           (change->form == REL_64 && change->lo == 0 && change->hi == 0 && !change->sign2);
}

/* The low half is one of `low`. Above it, a 64-bit sum that never carries has what was there at
 * entry; others what their form says. */
static struct scalar from_low(const struct rank_value *entry, const struct rel *change,
                              enum domain d, struct scalar low) {
    const struct num *x = &entry->scalar.x;
    struct scalar s = scalar_unknown();
    bool whole = change->form == REL_64 && !change->sign2; /* a step of 64 bits is that integer */

    if (is_zext(&entry->scalar) && (keeps_zext(change) || (whole && d == U32)))
        s = scalar_zext(32);
    else if (d == S32 && x->smin >= INT32_MIN && x->smax <= INT32_MAX &&
             (whole || change->form == REL_SEXT))
        s = scalar_sext(32);
    scalar_meet_low32(&s, &low);
    return s;
}

/* The location is in the span whenever the header is executed. */
static void holds(struct ranker *r, uint16_t loc, enum domain d, struct span span) {
    struct rank_invariant inv = {.loc = r->shape->locs[loc]};
    struct rank_value entry;

    if (!within(span, d) || !entry_of(r, loc, &entry) ||
        (span.lo == domains[d].min && span.hi == domains[d].max))
        return;
    inv.value.object = entry.object;
    if (d == U64 || d == U32)
        inv.value.scalar = scalar_urange((uint64_t)span.lo, (uint64_t)span.hi);
    else
        inv.value.scalar = scalar_srange((int64_t)span.lo, (int64_t)span.hi);
    if (d == U32 || d == S32)
        inv.value.scalar = from_low(&entry, &r->shape->change[loc], d, inv.value.scalar);
    vec_push(r->arena, &r->invariants, inv);
}

static void bounded(struct ranker *r, wide count, enum rank_form form, uint16_t loc,
                    uint32_t slot) {
    if (count >= (wide)r->out->bound)
        return;
    r->out->bound = (uint64_t)count;
    r->out->form = form;
    r->out->loc = r->shape->locs[loc];
    r->out->slot = slot;
}

/* ------------------------------------------------------------------------------ steps and limits */

/* A test as the head of this file has it, after it was turned round if need be. */
struct goal {
    struct span x, t, d, n; /* x at entry */
    struct span next;       /* n - t + d */
    wide min, max;
    bool strict, is_next;
    bool fixed;    /* n is the same in all iterations */
    bool multiple; /* n - x - t is a multiple of the step, or the step is 1 */
    /* Answers: */
    wide count;
    struct span range;
};

static void turn_round(struct goal *g) {
    wide min = g->min;
    g->x = negated(g->x);
    g->t = negated(g->t);
    g->d = negated(g->d);
    g->n = negated(g->n);
    g->next = negated(g->next);
    g->min = -g->max;
    g->max = -min;
}

static bool steps_below(struct goal *g) {
    wide last = g->n.hi - g->strict;
    wide top = g->is_next ? last : g->next.hi - g->strict;

    if (g->d.lo < 1)
        return false;
    if (top < g->x.hi)
        top = g->x.hi;
    if (g->x.lo + g->t.lo < g->min || top + g->t.hi > g->max || top > g->max)
        return false;
    wide room = last - g->t.lo - g->x.lo;
    g->count = room < 0 ? 1 : room / g->d.lo + 2;
    g->range = (struct span){g->x.lo, top};
    return true;
}

static bool steps_until(struct goal *g) {
    wide t = g->t.lo, d = g->d.lo;

    if (!g->fixed || d < 1 || d != g->d.hi || t != g->t.hi || !g->multiple)
        return false;
    if (g->n.lo < g->x.hi + t || g->x.lo + t < g->min || g->n.hi > g->max || g->n.hi - t > g->max)
        return false;
    g->count = (g->n.hi - g->x.lo - t) / d + 1;
    g->range = (struct span){g->x.lo, g->n.hi - t};
    return true;
}

/* -------------------------------------------------------------------------------- the other side */

struct limit {
    struct span n;
    bool fixed;
    uint16_t loc; /* n is it + extra, or REL_NO_LOC */
    struct span extra;
    uint64_t value, mask; /* bits known of n, as in struct num */
};

/* A number of 64 bits in a comparison of a domain's width. */
static bool number_limit(const struct rel *rel, enum domain d, struct limit *out) {
    struct span n = of_rel(rel);
    wide size = TWO(domains[d].bits);
    if (n.lo == n.hi && !within(n, d)) {
        wide low = n.lo & (size - 1);
        n.lo = n.hi = low > domains[d].max ? low - size : low;
    }
    if (!within(n, d))
        return false;
    *out = (struct limit){.n = n, .fixed = n.lo == n.hi, .loc = REL_NO_LOC};
    out->value = out->fixed ? (uint64_t)n.lo : 0;
    out->mask = out->fixed ? 0 : UINT64_MAX;
    return true;
}

/* The domain in which an operand of a 64-bit comparison is a sum without wrapping; that of the
 * comparison if it is all of it. NDOMAINS: it is none, or compares otherwise. */
static enum domain operand_domain(const struct rel *rel, enum domain compared) {
    if (domains[compared].bits == 32)
        return rel->form == REL_HIGH ? NDOMAINS : compared;
    switch (rel->form) {
    case REL_64: return compared;
    case REL_ZEXT: return compared == OFFSET ? NDOMAINS : U32;
    case REL_SEXT: return compared == S64 ? S32 : NDOMAINS;
    default: return NDOMAINS;
    }
}

/* An invariant location and something. */
static bool sum_limit(const struct ranker *r, const struct rel *rel, enum domain compared,
                      uint32_t object, struct limit *out) {
    enum domain d = operand_domain(rel, compared);
    struct rank_value v;
    struct span m;

    if (rel->kind != REL_SUM || rel->sign2 || rel->lo == -REL_INF || rel->hi == REL_INF ||
        d == NDOMAINS || !is_invariant(r, rel->loc, domains[d].bits) ||
        !entry_of(r, rel->loc, &v) || v.object != object || !span_in(&v, d, &m))
        return false;
    *out = (struct limit){.n = add(m, of_rel(rel)),
                          .fixed = rel->lo == rel->hi,
                          .loc = rel->loc,
                          .extra = of_rel(rel),
                          .value = v.scalar.x.value + (uint64_t)rel->lo,
                          .mask = v.scalar.x.mask};
    return within(out->n, d);
}

/* What is known of the register at the test; also makes a better limit of one from the shape. */
static bool limit_at(const struct ranker *r, const struct rank_test *test, unsigned side,
                     enum domain compared, uint32_t object, bool have, struct limit *out) {
    struct rank_value v;
    struct span n;
    if (!r->query->at || test->reg[side] >= BPF_NREGS ||
        !r->query->at(r->query->arg, test->slot, test->reg[side], &v) || v.object != object ||
        !span_in(&v, compared, &n))
        return have;
    if (!have) {
        *out = (struct limit){.n = n, .loc = REL_NO_LOC, .mask = UINT64_MAX};
        return true;
    }
    struct span both = {n.lo > out->n.lo ? n.lo : out->n.lo, n.hi < out->n.hi ? n.hi : out->n.hi};
    if (both.lo <= both.hi)
        out->n = both;
    return true;
}

static bool find_limit(const struct ranker *r, const struct rank_test *test, unsigned side,
                       enum domain compared, uint32_t object, struct limit *out) {
    const struct rel *rel = &test->rel[side];
    bool have = rel->kind == REL_NUMBER ? object == 0 && number_limit(rel, compared, out)
                                        : sum_limit(r, rel, compared, object, out);
    return limit_at(r, test, side, compared, object, have, out);
}

/* ----------------------------------------------------------------------------- tests of counters */

static bool is_signed(enum bpf_op op) {
    return op == BPF_JSGT || op == BPF_JSGE || op == BPF_JSLT || op == BPF_JSLE;
}

static bool is_less(enum bpf_op op) {
    return op == BPF_JLT || op == BPF_JLE || op == BPF_JSLT || op == BPF_JSLE;
}

static bool is_strict(enum bpf_op op) {
    return op == BPF_JLT || op == BPF_JGT || op == BPF_JSLT || op == BPF_JSGT;
}

/* The domain of x for a test that compares in another one, or NDOMAINS. */
static enum domain counter_domain(const struct rel *tested, const struct rel *change,
                                  const struct rank_value *entry, enum domain compared) {
    enum domain d = operand_domain(tested, compared);
    bool zext = entry->object == 0 && is_zext(&entry->scalar) && keeps_zext(change);

    if (compared == OFFSET)
        return change->form == REL_64 ? d : NDOMAINS;
    if (domains[compared].bits == 64 && zext && change->form != REL_64 &&
        (tested->form == REL_64 || tested->form == REL_SAME_ZEXT))
        return U32; /* the header's value has no high half, so x + t has none, within U32 */
    if (d != NDOMAINS && domains[d].bits == 64 && change->form != REL_64)
        return NDOMAINS;
    return d;
}

/* An invariant location that is the same number whether all of it or the low half is read, with a sign
 * or without. */
static bool plain_number(const struct ranker *r, uint16_t loc, struct span *out) {
    struct rank_value v;
    return is_invariant(r, loc, 32) && keeps_zext(&r->shape->change[loc]) && entry_of(r, loc, &v) &&
           span_in(&v, S64, out) && out->lo >= 0 && out->hi <= INT32_MAX;
}

/* n - t + d; where the same invariant location is in several of them, it counts once. */
static struct span next_span(const struct ranker *r, const struct rel *tested,
                             const struct rel *change, const struct limit *limit,
                             const struct goal *g) {
    struct span apart = add(add(g->n, negated(g->t)), g->d), m, together;
    uint16_t loc = change->loc2;
    int factor = change->sign2;

    if (!change->sign2 || !plain_number(r, loc, &m))
        return apart;
    together = add(of_rel(change), negated(of_rel(tested)));
    if (tested->sign2) {
        if (tested->loc2 != loc)
            return apart;
        factor -= tested->sign2;
    }
    if (limit->loc == loc)
        factor++;
    together = add(together, limit->loc == loc ? limit->extra : limit->n);
    together = add(together, times(m, factor));
    return (struct span){together.lo > apart.lo ? together.lo : apart.lo,
                         together.hi < apart.hi ? together.hi : apart.hi};
}

static bool is_multiple(const struct goal *g, const struct rank_value *entry,
                        const struct limit *limit) {
    wide step = g->d.lo < 0 ? -g->d.lo : g->d.lo;
    if (step == 1)
        return true;
    if (step == 0)
        return false;
    if (g->x.lo == g->x.hi && g->n.lo == g->n.hi)
        return (g->n.lo - g->x.lo - g->t.lo) % step == 0;
    uint64_t low = (uint64_t)step - 1, unknown = entry->scalar.x.mask | limit->mask;
    uint64_t gap = limit->value - entry->scalar.x.value - (uint64_t)g->t.lo;
    return (step & (step - 1)) == 0 && step <= TWO(31) && (unknown & low) == 0 && (gap & low) == 0;
}

/* One operand of a test against the other, compared in a domain. */
static void rank_counter(struct ranker *r, const struct rank_test *test, unsigned side,
                         enum bpf_op op, enum domain compared) {
    const struct rel *tested = &test->rel[side];
    const struct rel *change = &r->shape->change[tested->loc];
    struct rank_value entry;
    struct limit limit = {.loc = REL_NO_LOC};
    struct goal g = {.strict = is_strict(op)};

    if (!is_counter(r, tested->loc) || !entry_of(r, tested->loc, &entry))
        return;
    enum domain d = counter_domain(tested, change, &entry, compared);
    if (d == NDOMAINS)
        return;
    /* All bits of a 64-bit sum are compared, also where the counter has 32. */
    unsigned bits = domains[d].bits, tested_bits = tested->form == REL_64 ? test->width : bits;
    if (!span_in(&entry, d, &g.x) || !distance(r, tested, tested_bits, &g.t) ||
        !distance(r, change, bits, &g.d) ||
        !find_limit(r, test, !side, compared, entry.object, &limit))
        return;
    const struct rank_loc *loc = &r->shape->locs[tested->loc];
    g.is_next = test->is_next[side] && loc->size == 0 && loc->reg == test->reg[side];
    g.n = limit.n;
    g.fixed = limit.fixed;
    g.min = domains[d].min;
    g.max = domains[d].max;
    g.multiple = is_multiple(&g, &entry, &limit);
    g.next = next_span(r, tested, change, &limit, &g);
    bool down = op == BPF_JNE ? g.d.lo < 0 : !is_less(op);
    if (down)
        turn_round(&g);
    if (op == BPF_JNE ? !steps_until(&g) : !steps_below(&g))
        return;
    bounded(r, g.count, op == BPF_JNE ? RANK_NOT_EQUAL : RANK_LESS, tested->loc, test->slot);
    holds(r, tested->loc, d, down ? negated(g.range) : g.range);
}

/* ----------------------------------------------------------------------------- tests for zero */

static bool implies_nonzero(enum bpf_op op, const struct rel *other) {
    bool number = other->kind == REL_NUMBER;
    switch (op) {
    case BPF_JNE: return number && other->lo == 0 && other->hi == 0;
    case BPF_JSET:
    case BPF_JGT: return true;
    case BPF_JGE:
    case BPF_JSGE: return number && other->lo >= 1 && other->hi <= INT32_MAX;
    case BPF_JSGT: return number && other->lo >= 0 && other->hi <= INT32_MAX;
    default: return false;
    }
}

/* Whether what is tested is not above x, and how far x was divided already (1: not at all). */
static int64_t tested_quotient(const struct rel *tested) {
    if (tested->kind == REL_QUOTIENT)
        return tested->lo;
    bool plain = tested->kind == REL_SUM && !tested->sign2 && tested->lo == 0 && tested->hi == 0 &&
                 tested->form != REL_HIGH && tested->form != REL_LOW;
    return plain ? 1 : 0;
}

/* A first value's 64 bits, or its low half, whichever the change is about. */
static bool first_value(const struct ranker *r, uint16_t loc, uint64_t *out) {
    struct rank_value v;
    if (!entry_of(r, loc, &v) || v.object)
        return false;
    *out = r->shape->change[loc].form == REL_ZEXT ? v.scalar.umax32 : v.scalar.x.umax;
    return true;
}

static void rank_quotient(struct ranker *r, const struct rank_test *test,
                          const struct rel *tested) {
    const struct rel *change = &r->shape->change[tested->loc];
    int64_t by = tested_quotient(tested);
    uint64_t x;
    wide count = 1;

    /* Of 64 bits a quotient of the low half says nothing: another location's, so to speak. */
    if (by == 0 || (tested->kind == REL_QUOTIENT && tested->form != change->form) ||
        !first_value(r, tested->loc, &x))
        return;
    for (uint64_t at = x; at / (uint64_t)by; at /= (uint64_t)change->lo)
        count++;
    /* All 64 bits of a first value may be tested whose low half is 0. */
    count += by == 1 && change->form == REL_ZEXT;
    bounded(r, count, RANK_QUOTIENT, tested->loc, test->slot);
}

static unsigned length(uint64_t x) {
    return x ? 64u - (unsigned)__builtin_clzll(x) : 0;
}

/* Whether the location that a LOW_BIT takes 1 from is, at the header, the one that it masks. */
static bool masks_itself(const struct ranker *r, const struct rel *low_bit) {
    const struct loop_shape *shape = r->shape;
    uint16_t x = low_bit->loc, y = low_bit->loc2;

    if (y == REL_NO_LOC)
        return true;
    return rel_equal(shape->change[x], shape->change[y]) && rel_equal(shape->change[x], *low_bit) &&
           r->query->same && r->query->same(r->query->arg, shape->locs[x], shape->locs[y]);
}

static void rank_low_bit(struct ranker *r, const struct rank_test *test, const struct rel *tested) {
    const struct rel *change = &r->shape->change[tested->loc];
    bool next = tested->kind == REL_LOW_BIT && rel_equal(*tested, *change);
    uint64_t x;

    if (!masks_itself(r, change) || (!next && tested_quotient(tested) != 1) ||
        !first_value(r, tested->loc, &x))
        return;
    unsigned bits = length(x); /* not fewer than are set */
    wide count = next ? (bits ? bits : 1) : bits + 1 + (change->form == REL_ZEXT);
    bounded(r, count, RANK_LOW_BIT, tested->loc, test->slot);
}

/* -------------------------------------------------------------------------------- one operand */

static void rank_side(struct ranker *r, const struct rank_test *test, unsigned side) {
    enum bpf_op op = side ? rel_swapped((enum bpf_op)test->op) : (enum bpf_op)test->op;
    const struct rel *tested = &test->rel[side];

    if (tested->kind == REL_NUMBER)
        return;
    bool nonzero = implies_nonzero(op, &test->rel[!side]);
    if (nonzero && becomes(r, tested->loc, REL_QUOTIENT))
        rank_quotient(r, test, tested);
    if (nonzero && becomes(r, tested->loc, REL_LOW_BIT))
        rank_low_bit(r, test, tested);
    if (tested->kind != REL_SUM || !becomes(r, tested->loc, REL_SUM) || op == BPF_JEQ ||
        op == BPF_JSET)
        return;
    bool wide_test = test->width == 64;
    if (!is_signed(op))
        rank_counter(r, test, side, op, wide_test ? U64 : U32);
    if (is_signed(op) || op == BPF_JNE)
        rank_counter(r, test, side, op, wide_test ? S64 : S32);
    if (wide_test)
        rank_counter(r, test, side, op, OFFSET);
}

/* ------------------------------------------------------------------------- without any test */

/* Whether no addition to a location's sum wraps in a domain, by what is known where they are. */
static bool adds_exactly(const struct ranker *r, uint16_t loc, enum domain d) {
    const struct loop_shape *shape = r->shape;

    for (uint32_t i = 0; i < shape->nadds; i++) {
        const struct rank_add *a = &shape->adds[i];
        struct rank_value v;
        struct span sum;
        if (a->loc != loc)
            continue;
        if (a->other || !r->query->at || !r->query->at(r->query->arg, a->slot, a->reg, &v) ||
            !span_in(&v, d, &sum) || !within(add(sum, (struct span){a->lo, a->hi}), d))
            return false;
    }
    return true;
}

/* What an iteration adds at least, in the direction of `sign`; false if it may wrap. */
static bool least_step(const struct ranker *r, uint16_t loc, enum domain d, struct span x, int sign,
                       wide *least) {
    const struct rel *change = &r->shape->change[loc];
    bool endless = change->lo == -REL_INF || change->hi == REL_INF;
    struct span step;

    if (endless) {
        bool finite = sign > 0 ? change->lo != -REL_INF : change->hi != REL_INF;
        *least = sign > 0 ? change->lo : -(wide)change->hi;
        return finite && !change->sign2 && adds_exactly(r, loc, d);
    }
    if (!distance(r, change, domains[d].bits, &step))
        return false;
    *least = sign > 0 ? step.lo : -step.hi;
    return sign > 0 ? x.hi + step.hi <= domains[d].max : x.lo + step.lo >= domains[d].min;
}

static void rank_range(struct ranker *r, uint16_t loc) {
    const struct rel *change = &r->shape->change[loc];
    struct rank_value v;

    if (!is_counter(r, loc) || !r->query->header(r->query->arg, r->shape->locs[loc], &v))
        return;
    for (enum domain d = 0; d < NDOMAINS; d++) {
        struct span x;
        wide least;
        if ((domains[d].bits == 64 && change->form != REL_64) || !span_in(&v, d, &x))
            continue;
        for (int sign = -1; sign <= 1; sign += 2)
            if (least_step(r, loc, d, x, sign, &least) && least >= 1)
                bounded(r, (x.hi - x.lo) / least + 1, RANK_RANGE, loc, CFG_NONE);
    }
}

/* ------------------------------------------------------------------------------- other locations */

/* A location that goes along with the iterations, of which there are so many. */
static void follows(struct ranker *r, uint16_t loc, wide rounds) {
    const struct rel *change = &r->shape->change[loc];
    struct rank_value v;

    if (!is_counter(r, loc) || (change->lo == 0 && change->hi == 0 && !change->sign2) ||
        !entry_of(r, loc, &v))
        return;
    for (enum domain d = 0; d < NDOMAINS; d++) {
        struct span x, step;
        if ((domains[d].bits == 64 && change->form != REL_64) || !span_in(&v, d, &x) ||
            !distance(r, change, domains[d].bits, &step))
            continue;
        x.lo += step.lo < 0 ? step.lo * rounds : 0;
        x.hi += step.hi > 0 ? step.hi * rounds : 0;
        holds(r, loc, d, x);
    }
}

/* Quotients and what loses bits are never more than at first, nor zero-extended numbers longer. */
static void shrinks(struct ranker *r, uint16_t loc) {
    const struct rel *change = &r->shape->change[loc];
    struct rank_value v;

    if (!(becomes(r, loc, REL_QUOTIENT) || becomes(r, loc, REL_LOW_BIT)) || !entry_of(r, loc, &v) ||
        v.object)
        return;
    if (change->form == REL_64 || is_zext(&v.scalar))
        holds(r, loc, U64, (struct span){0, v.scalar.x.umax});
}

void rank_loop(struct arena *arena, const struct loop_shape *shape, const struct rank_query *query,
               struct rank_result *out) {
    struct ranker r = {.arena = arena, .shape = shape, .query = query, .out = out};

    *out = (struct rank_result){.bound = UINT64_MAX, .slot = CFG_NONE};
    for (uint32_t i = 0; i < shape->ntests; i++)
        for (unsigned side = 0; side < 2; side++)
            rank_side(&r, &shape->tests[i], side);
    for (uint16_t loc = 0; loc < shape->nlocs && query->header; loc++)
        rank_range(&r, loc);
    for (uint16_t loc = 0; loc < shape->nlocs; loc++) {
        shrinks(&r, loc);
        if (out->bound != UINT64_MAX)
            follows(&r, loc, (wide)out->bound - 1);
    }
    out->ninvariants = (uint32_t)r.invariants.count;
    out->invariants = r.invariants.items;
}
