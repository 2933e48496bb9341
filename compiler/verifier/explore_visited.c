/* SPDX-License-Identifier: MIT */
/*
 * States that were there before. At one place there may be thousands (an iteration each), and what covers a
 * new one is mostly near what was found or put there last: depth-first search comes back to iterations in
 * the reverse of the order in which it went through them. So a search begins there, goes outwards in both
 * directions, and gives up after a number of states that keeps its cost bounded. To find none is never
 * wrong.
 */
#include "verifier/explore_parts.h"

#define PROBES 256 /* states looked at */
#define TESTS 32   /* of them, compared as a whole */
#define CROWD 8    /* states at one place that are told apart where they may be merged */

/* ---- Chains of calls */

struct chain *chain_call(struct arena *arena, struct chain *caller, uint32_t slot, uint32_t func,
                         bool behind) {
    for (struct chain *c = caller->calls; c; c = c->next)
        if (c->slot == slot && c->func == func)
            return c;
    struct chain *c = arena_alloc(arena, sizeof(*c));
    *c = (struct chain){
        .caller = caller, .next = caller->calls, .slot = slot, .func = func, .behind = behind};
    caller->calls = c;
    return c;
}

/* ---- Digests */

#define LANE 6 /* bits for a register */

/* A few bits of each register that is a constant, and which these are: what covers a state has the same
 * constants, or none. */
static uint64_t digest(const struct state *s, uint64_t *mask) {
    uint64_t bits = 0;
    *mask = 0;
    for (int r = 0; r < BPF_R10; r++) {
        if (s->reg[r].kind != VALUE_SCALAR || !scalar_is_const(&s->reg[r].n))
            continue;
        uint64_t hash = s->reg[r].n.x.value * UINT64_C(0x9e3779b97f4a7c15);
        bits |= (1 + (hash >> 32) % ((1u << LANE) - 1)) << (r * LANE);
        *mask |= (uint64_t)((1u << LANE) - 1) << (r * LANE);
    }
    return bits;
}

/* ---- The table */

static struct visits *visits_at(struct visited_table *t, uint32_t slot, const struct chain *chain) {
    size_t hash = (slot * UINT32_C(2654435761)) ^ (size_t)((uintptr_t)chain >> 4);
    struct visits **bucket = &t->buckets[hash % VISITED_BUCKETS];
    for (struct visits *v = *bucket; v; v = v->next)
        if (v->slot == slot && v->chain == chain)
            return v;
    struct visits *v = arena_alloc(t->arena, sizeof(*v));
    *v = (struct visits){.next = *bucket, .chain = chain, .slot = slot};
    *bucket = v;
    return v;
}

void visited_clear(struct visited_table *t) {
    for (size_t i = 0; i < VISITED_BUCKETS; i++) {
        for (struct visits *v = t->buckets[i]; v; v = v->next)
            vec_for_each(struct visited, old, &v->states)
                state_free(t->a->pool, old->state);
        t->buckets[i] = NULL;
    }
}

/* May a path that is in `now` end because it has come to a state that was seen in `then`? Both are in the
 * same loops. See "Loops" at the head of explore.c. */
static bool may_prune(struct epoch *now, struct epoch *then, struct epoch **apart) {
    *apart = NULL;
    for (; now != then; now = now->outer, then = then->outer)
        if (then->counted)
            *apart = then;
    return !*apart || (*apart)->done;
}

/* What is still to come in the loops that a pruned path is in. */
static void take_over(struct epoch *now, const struct epoch *then) {
    for (; now != then; now = now->outer, then = then->outer)
        if (now->counted && now->more < then->more)
            now->more = then->more;
}

/* Whether v's state is the same as s, on the path that leads to it, in an earlier iteration of a loop that
 * is counted: the same will come again. */
static bool repeats(const struct visited *v, const struct epoch *apart, const struct state *s) {
    return apart && v->epoch->counted && !v->epoch->done && state_subset(v->state, s);
}

/* The states around the cursor, nearest first: the one for a number of tries, or NULL behind an end. */
static const struct visited *nth_around(const struct visits *v, size_t n, size_t *index) {
    size_t step = (n + 1) / 2;
    if (n % 2 ? step > v->cursor : v->cursor + step >= v->states.count)
        return NULL;
    *index = n % 2 ? v->cursor - step : v->cursor + step;
    return &v->states.items[*index];
}

static void keep(struct visited_table *t, struct visits *v, struct epoch *epoch,
                 const struct state *s) {
    struct visited new_ = {.state = state_copy(t->a->pool, s), .epoch = epoch};
    new_.digest = digest(s, &new_.mask);
    v->crowd = v->epoch == epoch ? v->crowd + 1 : 1;
    v->epoch = epoch;
    if (state_pool_used(t->a->pool) < t->limit) {
        vec_push(t->arena, &v->states, new_);
        v->cursor = v->states.count - 1;
        return;
    }
    /* No room: in the place of one that is far from the cursor, if there is one. */
    if (v->states.count == 0) {
        state_free(t->a->pool, new_.state);
        return;
    }
    v->cursor = (v->cursor + 1) % v->states.count;
    state_free(t->a->pool, v->states.items[v->cursor].state);
    v->states.items[v->cursor] = new_;
}

/* The last state kept, widened by *s, takes the place of *s. */
static void merge(struct visited_table *t, const struct visits *v, struct state **s) {
    const struct state *last = v->states.items[v->states.count - 1].state;
    uint32_t func = (*s)->frame[(*s)->nframes - 1]->func;
    struct state *sum = state_copy(t->a->pool, last);
    state_join(t->a->pool, sum, *s, v->crowd > CROWD + 1 ? &t->a->thresholds[func] : NULL);
    state_free(t->a->pool, *s);
    *s = sum;
}

enum visit_answer visited_look(struct visited_table *t, uint32_t slot, const struct chain *chain,
                               struct epoch *epoch, struct state **s, struct epoch **culprit) {
    struct visits *v = visits_at(t, slot, chain);
    uint64_t mask, mine = digest(*s, &mask);
    size_t index, tests = 0;
    for (size_t n = 0; n < PROBES && n < 2 * v->states.count && tests < TESTS; n++) {
        const struct visited *old = nth_around(v, n, &index);
        struct epoch *apart;
        if (!old || ((old->digest ^ mine) & old->mask))
            continue;
        tests++;
        t->cells += state_unshared_cells(*s, old->state);
        if (!state_subset(*s, old->state))
            continue;
        if (may_prune(epoch, old->epoch, &apart)) {
            take_over(epoch, old->epoch);
            v->cursor = index;
            return VISIT_COVERED;
        }
        if (culprit && repeats(old, apart, *s)) {
            *culprit = apart;
            return VISIT_AGAIN;
        }
    }
    bool crowded = t->merge && v->epoch == epoch && v->crowd >= CROWD && v->states.count;
    if (crowded)
        merge(t, v, s);
    keep(t, v, epoch, *s);
    return crowded ? VISIT_MERGED : VISIT_NEW;
}
