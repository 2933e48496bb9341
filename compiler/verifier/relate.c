/* SPDX-License-Identifier: MIT */
/*
 * Identity: which values of a state differ by constants, and what that teaches (state.h).
 *
 * In a join two places stay related if they are related in both states by the same difference. All
 * constants count as related to each other there, so that two counters that start at constants and go
 * up in step stay related: 0 and 10 at the entry, i + 1 and j + 1 behind one iteration.
 *
 * A value of width 32 is related by its low word only. Two values are related by the lesser of their
 * widths.
 */
#include "verifier/state.h"

#include <assert.h>

#include "verifier/state_pool.h"

/* ---- What a value is related by */

/* The class of values that differ from each other by known constants: a base, or all constants. */
struct class {
    bool any;      /* it has one */
    uint32_t base; /* 0: constants */
    unsigned width;
    uint64_t delta;
};

/* The class of a value that is looked at as null or a pointer: there constants are 0 for null, 1 for any pointer,
 * since only values that are null together may be related. */
static struct class class_of_nullable(const struct value *v) {
    if (v->kind == VALUE_NONE)
        return (struct class){0};
    if (v->nullable)
        return (struct class){v->base != 0, v->base, v->width, (uint64_t)v->delta};
    return (struct class){true, 0, 64, value_is_pointer(v)};
}

static struct class class_of(const struct value *v) {
    if (v->kind != VALUE_NONE && !v->nullable && v->kind != VALUE_MAP && scalar_is_const(&v->n))
        return (struct class){true, 0, 64, v->n.x.value};
    if (v->base)
        return (struct class){true, v->base, v->width, (uint64_t)v->delta};
    return (struct class){0};
}

/* The class of v, one of the values that `all` stands for. */
static struct class class_in(const struct value *v, const struct value *all) {
    return all->nullable ? class_of_nullable(v) : class_of(v);
}

static bool same_distance(uint64_t a, uint64_t b, unsigned width) {
    return width == 64 ? a == b : (uint32_t)a == (uint32_t)b;
}

/* ---- One state */

void state_give_base(struct state *s, struct value *v) {
    if (v->base || v->kind == VALUE_NONE || v->kind == VALUE_MAP)
        return;
    if (!v->nullable && scalar_is_const(&v->n))
        return;
    v->base = s->next_base++;
    v->delta = 0;
    v->width = 64;
}

struct learning {
    struct value from;
    bool possible;
};

static void learn(void *arg, struct value *v) {
    struct learning *l = arg;
    if (v->base != l->from.base || v->nullable || v->kind == VALUE_NONE || !l->possible)
        return;
    struct scalar distance = scalar_const((uint64_t)v->delta - (uint64_t)l->from.delta);
    if (v->width == 64 && l->from.width == 64) {
        struct scalar implied = scalar_alu(BPF_ADD, 64, &l->from.n, &distance);
        l->possible = scalar_meet(&v->n, &implied);
    } else {
        struct scalar implied = scalar_alu(BPF_ADD, 32, &l->from.n, &distance);
        l->possible = scalar_meet_low32(&v->n, &implied);
    }
}

bool state_learn(struct state_pool *pool, struct state *s, const struct value *v) {
    if (!v->base || v->nullable)
        return true;
    struct learning l = {*v, true};
    state_each(pool, s, v->base, learn, &l);
    return l.possible;
}

struct null_learning {
    uint32_t base;
    bool null;
};

static void learn_null(void *arg, struct value *v) {
    const struct null_learning *l = arg;
    if (v->base != l->base || !v->nullable)
        return;
    if (l->null) {
        *v = value_const(0);
        return;
    }
    v->nullable = false;
    v->owner = false;
    value_unrelate(v);
}

void state_learn_null(struct state_pool *pool, struct state *s, const struct value *v, bool null) {
    struct null_learning l = {v->base, null};
    if (l.base)
        state_each(pool, s, l.base, learn_null, &l);
}

/* ---- Two states */

/* Places that are related to each other in both states, as relate_join() collects them. */
struct group {
    uint32_t base_a, base_b;
    uint64_t delta_a, delta_b; /* of its first place */
    bool has64;
    uint64_t a64, b64; /* of its first place of width 64 */
    uint32_t members;
    struct value *first;
};

#define GROUPS_MAX 64 /* more than that are left unrelated */

static bool belongs(const struct group *g, const struct class *a, const struct class *b) {
    unsigned width = a->width < b->width ? a->width : b->width;
    if (g->base_a != a->base || g->base_b != b->base ||
        !same_distance(a->delta - g->delta_a, b->delta - g->delta_b, 32))
        return false;
    return width == 32 || !g->has64 || a->delta - g->a64 == b->delta - g->b64;
}

static void join_group(struct group *g, uint32_t number, struct value *out, const struct class *a,
                       const struct class *b) {
    unsigned width = a->width < b->width ? a->width : b->width;
    out->base = number;
    out->width = (uint8_t)width;
    out->delta = (int64_t)(a->delta - g->delta_a);
    if (width == 64 && !g->has64) {
        g->has64 = true;
        g->a64 = a->delta;
        g->b64 = b->delta;
    }
    g->members++;
}

/* Constants need no base, and pointers that may be null are related only to copies of themselves. */
static bool wants_relation(const struct value *out) {
    if (out->kind == VALUE_NONE || out->kind == VALUE_MAP)
        return false;
    return out->nullable || !scalar_is_const(&out->n);
}

uint32_t relate_join(struct place_pair *pairs, uint32_t count) {
    struct group groups[GROUPS_MAX];
    uint32_t ngroups = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct value *out = pairs[i].out;
        value_unrelate(out);
        struct class a = class_in(pairs[i].a, out), b = class_in(pairs[i].b, out);
        if (!wants_relation(out) || !a.any || !b.any)
            continue;
        uint32_t g = 0;
        while (g < ngroups &&
               (!belongs(&groups[g], &a, &b) || groups[g].first->nullable != out->nullable))
            g++;
        if (g == GROUPS_MAX)
            continue;
        if (g == ngroups)
            groups[ngroups++] = (struct group){.base_a = a.base,
                                               .base_b = b.base,
                                               .delta_a = a.delta,
                                               .delta_b = b.delta,
                                               .first = out};
        join_group(&groups[g], g + 1, out, &a, &b);
    }
    for (uint32_t g = 0; g < ngroups; g++)
        if (groups[g].members == 1)
            value_unrelate(groups[g].first);
    return ngroups + 1;
}

/* Places of one base of b: each is compared with the first of them, and with the first whose relation is of 64 bits,
 * since distances add up. */
struct member {
    uint32_t base;
    struct class first, first64; /* in a */
    uint64_t delta, delta64;     /* in b */
    bool has64;
};

#define MEMBERS_SIZE 512 /* more than there are places; a power of two */

/* The entry of a base, or the free one where it belongs. `used` has a bit for each entry. */
static struct member *member_of(struct member *members, uint64_t *used, uint32_t base, bool *new_) {
    uint32_t i = base % MEMBERS_SIZE;
    while (used[i / 64] >> (i % 64) & 1 && members[i].base != base)
        i = (i + 1) % MEMBERS_SIZE;
    *new_ = !(used[i / 64] >> (i % 64) & 1);
    used[i / 64] |= UINT64_C(1) << (i % 64);
    return &members[i];
}

/* Whether a place, which is of class `a` in a, is as far from the others as b says. */
static bool fits(struct member *m, bool first, const struct class *a, const struct value *b) {
    uint64_t delta = (uint64_t)b->delta;
    if (first)
        *m = (struct member){.base = b->base, .first = *a, .delta = delta};
    if (a->base != m->first.base || !same_distance(a->delta - m->first.delta, delta - m->delta, 32))
        return false;
    if (b->width == 32)
        return true;
    if (!m->has64) {
        m->has64 = true;
        m->first64 = *a;
        m->delta64 = delta;
        return true;
    }
    return a->width == 64 && m->first64.width == 64 &&
           a->delta - m->first64.delta == delta - m->delta64;
}

bool relate_subset(const struct place_pair *pairs, uint32_t count) {
    struct member members[MEMBERS_SIZE];
    uint64_t used[MEMBERS_SIZE / 64] = {0};
    assert(count < MEMBERS_SIZE);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *b = pairs[i].b;
        if (!b->base)
            continue;
        struct class a = class_in(pairs[i].a, b);
        bool first;
        struct member *m = member_of(members, used, b->base, &first);
        if (!a.any || !fits(m, first, &a, b))
            return false;
    }
    return true;
}
