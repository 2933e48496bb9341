/* SPDX-License-Identifier: MIT */
/*
 * Between the fixpoint and ranking: ranking asks for the values of registers and cells, and says what
 * holds at loop headers and how often they run.
 */
#include "verifier/bounds.h"

/* The piece of memory that v points into, as ranking wants it numbered; 0: not one piece for sure. */
static uint32_t object_number(const struct value *v) {
    if (!value_same_object(v, v))
        return 0;
    return 1 + v->kind + 16 * (v->object + 4096 * (v->kind == VALUE_MAP_VALUE ? v->size : 0));
}

/* Ranking wants offsets from the beginning of the object; those of the stack are from its end. */
static struct scalar moved(const struct value *v, int64_t by) {
    struct scalar distance = scalar_const((uint64_t)by);
    return v->kind == VALUE_STACK ? scalar_alu(BPF_ADD, 64, &v->n, &distance) : v->n;
}

static bool answer(const struct value *v, struct rank_value *out) {
    bool pointer = value_is_pointer(v) && v->kind != VALUE_MAP && !v->nullable;
    if (v->kind != VALUE_SCALAR && !pointer)
        return false;
    out->scalar = moved(v, VERIFY_STACK_MAX);
    out->object = pointer ? object_number(v) : 0;
    return !pointer || out->object != 0;
}

static const struct frame *own_frame(const struct state *s) {
    return s->frame[s->nframes - 1];
}

static bool location(const struct state *s, struct rank_loc loc, struct value *v) {
    if (loc.size == 0) {
        *v = s->reg[loc.reg];
        return true;
    }
    if (!stack_is_init(own_frame(s), loc.off, loc.size))
        return false;
    *v = stack_read(own_frame(s), loc.off, loc.size);
    return true;
}

static bool value_in(void *arg, struct rank_loc loc, struct rank_value *out) {
    struct value v;
    return location(arg, loc, &v) && answer(&v, out);
}

static bool same_in(void *arg, struct rank_loc a, struct rank_loc b) {
    struct value x, y;
    if (!location(arg, a, &x) || !location(arg, b, &y) || x.kind != VALUE_SCALAR ||
        y.kind != VALUE_SCALAR)
        return false;
    if (scalar_is_const(&x.n) && scalar_is_const(&y.n))
        return x.n.x.value == y.n.x.value;
    return x.base && x.base == y.base && x.delta == y.delta && x.width == 64 && y.width == 64;
}

/* ---- Invariants */

static void apply(const struct analysis *a, struct state *s, const struct rank_invariant *inv) {
    struct value v;
    struct rank_value known;
    if (!location(s, inv->loc, &v) || !answer(&v, &known) || known.object != inv->value.object)
        return;
    struct value says = v;
    says.n = inv->value.scalar;
    says.n = moved(&says, -VERIFY_STACK_MAX);
    if (!scalar_meet(&v.n, &says.n))
        return;
    if (inv->loc.size == 0)
        s->reg[inv->loc.reg].n = v.n;
    else
        stack_write(a->pool, state_own_frame(a->pool, s, s->nframes - 1), inv->loc.off,
                    inv->loc.size, &v);
}

/* Kinds of which a register that a loop does not write to keeps all that was known at the entry: records
 * may be given back meanwhile. */
static bool keeps(const struct value *v) {
    return v->kind != VALUE_NONE && v->kind != VALUE_RECORD && !v->nullable;
}

/* What no iteration changes is at the header what it was at the loop's entry: widening, of this loop's
 * header or an outer one's, may have lost that. */
static void keep_unchanged(const struct analysis *a, const struct loop_shape *shape,
                           const struct state *forward, struct state *s) {
    for (uint16_t i = 0; i < shape->nlocs; i++) {
        const struct rank_loc *loc = &shape->locs[i];
        struct value before, now;
        if ((loc->size == 0 && loc->reg == BPF_R10) || !rel_is_loc(shape->change[i], i) ||
            !location(forward, *loc, &before) || !keeps(&before))
            continue;
        bool known = location(s, *loc, &now) && now.kind == before.kind && !now.nullable &&
                     now.object == before.object;
        if (known && !scalar_meet(&now.n, &before.n))
            continue;
        if (!known) {
            now = before;
            value_unrelate(&now);
            if (now.kind == VALUE_MAP_VALUE)
                now.size = 0;
        }
        if (loc->size == 0)
            s->reg[loc->reg] = now;
        else if (known)
            stack_write(a->pool, state_own_frame(a->pool, s, s->nframes - 1), loc->off, loc->size,
                        &now);
    }
}

void bounds_apply(const struct analysis *a, uint32_t func, uint32_t loop,
                  const struct state *forward, struct state *s) {
    struct arena *arena = arena_new();
    keep_unchanged(a, &a->shapes[func][loop], forward, s);
    struct rank_query query = {
        .arg = (void *)(uintptr_t)forward, .entry = value_in, .same = same_in};
    struct rank_result result;
    rank_loop(arena, &a->shapes[func][loop], &query, &result);
    for (uint32_t i = 0; i < result.ninvariants; i++)
        apply(a, s, &result.invariants[i]);
    arena_free(arena);
}

/* ---- Bounds */

struct asking {
    struct fixpoint *fp;
    const struct summary *m;
    uint32_t loop;
};

static bool value_at_entry(void *arg, struct rank_loc loc, struct rank_value *out) {
    const struct asking *asking = arg;
    return value_in(asking->m->forward[asking->loop], loc, out);
}

static bool same_at_entry(void *arg, struct rank_loc a, struct rank_loc b) {
    const struct asking *asking = arg;
    return same_in(asking->m->forward[asking->loop], a, b);
}

static bool value_at_header(void *arg, struct rank_loc loc, struct rank_value *out) {
    const struct asking *asking = arg;
    const struct cfg *cfg = &asking->fp->a->cfgs[asking->m->func];
    return value_in(asking->m->in[cfg->loops[asking->loop].header], loc, out);
}

static bool value_at(void *arg, uint32_t slot, unsigned reg, struct rank_value *out) {
    const struct asking *asking = arg;
    struct state *s = fixpoint_state_at(asking->fp, asking->m, slot);
    bool known = s && answer(&s->reg[reg], out);
    state_free(asking->fp->a->pool, s);
    return known;
}

uint64_t bounds_of(struct fixpoint *fp, const struct summary *m, uint32_t loop) {
    const struct cfg *cfg = &fp->a->cfgs[m->func];
    struct asking asking = {fp, m, loop};
    struct rank_query query = {.arg = &asking,
                               .entry = value_at_entry,
                               .same = same_at_entry,
                               .header = value_at_header,
                               .at = value_at};
    struct rank_result result;
    if (!m->in[cfg->loops[loop].header])
        return 0;
    bool back = m->back[loop] != NULL;
    if (!back)
        return 1;
    if (!m->forward[loop])
        return UINT64_MAX; /* the function's entry is the header */
    rank_loop(fp->a->arena, &fp->a->shapes[m->func][loop], &query, &result);
    return result.bound;
}
