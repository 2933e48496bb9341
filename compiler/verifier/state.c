/* SPDX-License-Identifier: MIT */
/* Whole states: making, numbering, join and inclusion, entering and leaving functions. */
#include "verifier/state.h"

#include <assert.h>
#include <string.h>

#include "util/vec.h"
#include "verifier/state_pool.h"

struct state *state_new(struct state_pool *pool, uint32_t func) {
    struct state empty = {.nframes = 1, .next_base = 1};
    for (int r = 0; r < BPF_NREGS; r++)
        empty.reg[r] = value_none(NONE_UNWRITTEN);
    empty.reg[BPF_R10] = value_pointer(VALUE_STACK, 0);
    empty.frame[0] = frame_new(pool);
    empty.frame[0]->func = func;
    empty.frame[0]->call = STATE_CALL_ENTRY;
    for (int i = 0; i < 4; i++)
        empty.frame[0]->saved[i] = value_none(NONE_UNWRITTEN);
    struct state *s = state_copy(pool, &empty);
    empty.frame[0]->refs--; /* the copy's */
    return s;
}

/* ---- Walking over values */

/* Calls visit for each value of a base; frames that have one are cloned first. */
void state_each(struct state_pool *pool, struct state *s, uint32_t base,
                void (*visit)(void *arg, struct value *v), void *arg) {
    for (int r = 0; r < BPF_NREGS; r++)
        if (s->reg[r].base == base)
            visit(arg, &s->reg[r]);
    for (uint32_t i = 0; i < s->nframes; i++) {
        struct frame *f = s->frame[i];
        for (uint32_t k = 0; f && k < f->ncells; k++)
            if (f->cells[k].v.base == base) {
                f = state_own_frame(pool, s, i);
                visit(arg, &f->cells[k].v);
            }
        for (int k = 0; f && k < 4; k++)
            if (f->saved[k].base == base) {
                f = state_own_frame(pool, s, i);
                visit(arg, &f->saved[k]);
            }
    }
}

/* ---- Numbering of bases */

struct numbering {
    uint32_t old;
    uint32_t members;
    uint32_t number; /* 0: not given yet */
    int64_t delta;   /* of the first member */
};

#define BASES_MAX 96 /* in one state; what has a higher number is left without */

struct numberings {
    struct numbering items[BASES_MAX];
    uint32_t count, next;
};

static bool keeps_base(const struct value *v) {
    return v->base && v->kind != VALUE_NONE && (v->nullable || !scalar_is_const(&v->n));
}

static struct numbering *find(struct numberings *n, uint32_t base) {
    for (uint32_t i = 0; i < n->count; i++)
        if (n->items[i].old == base)
            return &n->items[i];
    return NULL;
}

static void count_base(struct numberings *n, const struct value *v) {
    if (!keeps_base(v))
        return;
    struct numbering *entry = find(n, v->base);
    if (entry)
        entry->members++;
    else if (n->count < BASES_MAX)
        n->items[n->count++] = (struct numbering){.old = v->base, .members = 1, .delta = v->delta};
}

/* The relation that v gets. */
static struct value renumbered(struct numberings *n, const struct value *v) {
    struct value result = *v;
    struct numbering *entry = keeps_base(v) ? find(n, v->base) : NULL;
    if (!entry || entry->members < 2) {
        value_unrelate(&result);
        return result;
    }
    if (!entry->number)
        entry->number = n->next++;
    result.base = entry->number;
    result.delta = (int64_t)((uint64_t)v->delta - (uint64_t)entry->delta);
    return result;
}

static bool same_relation(const struct value *a, const struct value *b) {
    return a->base == b->base && a->width == b->width && a->delta == b->delta &&
           a->owner == b->owner;
}

static bool same_comparison(const struct compared *c, const struct compared *d) {
    return c->width == d->width &&
           (!c->width || (c->op == d->op && c->dst == d->dst && c->src == d->src));
}

void state_forget_comparison(struct state *s, uint16_t regs) {
    if (regs >> s->compared.dst & 1 || regs >> s->compared.src & 1)
        s->compared.width = 0;
}

void state_tidy(struct state_pool *pool, struct state *s, uint16_t live) {
    struct numberings n = {.next = 1};
    state_forget_comparison(s, (uint16_t)~live);
    for (int r = 0; r < BPF_R10; r++) {
        if (!(live >> r & 1) && s->reg[r].kind != VALUE_NONE)
            s->reg[r] = value_none(NONE_UNWRITTEN);
        count_base(&n, &s->reg[r]);
    }
    for (uint32_t i = 0; i < s->nframes; i++) {
        for (uint32_t k = 0; s->frame[i] && k < s->frame[i]->ncells; k++)
            count_base(&n, &s->frame[i]->cells[k].v);
        for (int k = 0; s->frame[i] && k < 4; k++)
            count_base(&n, &s->frame[i]->saved[k]);
    }
    for (int r = 0; r < BPF_R10; r++)
        s->reg[r] = renumbered(&n, &s->reg[r]);
    for (uint32_t i = 0; i < s->nframes; i++) {
        for (uint32_t k = 0; s->frame[i] && k < s->frame[i]->ncells; k++) {
            struct value v = renumbered(&n, &s->frame[i]->cells[k].v);
            if (!same_relation(&v, &s->frame[i]->cells[k].v))
                state_own_frame(pool, s, i)->cells[k].v = v;
        }
        for (int k = 0; s->frame[i] && k < 4; k++) {
            struct value v = renumbered(&n, &s->frame[i]->saved[k]);
            if (!same_relation(&v, &s->frame[i]->saved[k]))
                state_own_frame(pool, s, i)->saved[k] = v;
        }
    }
    s->next_base = n.next;
}

/* ---- Join of frames */

static void and_init(struct frame *f, const struct frame *g) {
    for (int i = 0; i < VERIFY_STACK_MAX / 64; i++)
        f->init[i] &= g->init[i];
}

/* The join of one cell of f with what g has in its place. False: nothing is left to be known. */
static bool join_cell(struct cell *c, const struct frame *g, const struct thresholds *widen) {
    if (!stack_is_init(g, c->off, c->size)) {
        c->v = value_none(NONE_UNWRITTEN);
        return false;
    }
    struct value other = stack_read(g, c->off, c->size);
    c->v = value_join(&c->v, &other, widen);
    return c->v.kind != VALUE_NONE;
}

/* Pointers of g where f has none: null and the pointer, or nothing readable. */
static void join_pointers(struct state_pool *pool, struct frame *f, const struct frame *g,
                          const struct thresholds *widen) {
    for (uint32_t k = 0; k < g->ncells; k++) {
        const struct cell *c = &g->cells[k];
        const struct cell *mine = stack_cell(f, c->off, c->size);
        if (!value_is_pointer(&c->v) || (mine && value_is_pointer(&mine->v)))
            continue;
        struct value v = value_none(NONE_UNWRITTEN);
        if (stack_is_init(f, c->off, c->size)) {
            struct value old = stack_read(f, c->off, c->size);
            v = value_join(&old, &c->v, widen);
        }
        stack_write(pool, f, c->off, c->size, &v);
    }
}

static void frame_join(struct state_pool *pool, struct frame *f, const struct frame *g,
                       const struct thresholds *widen) {
    stack_align(pool, f, g);
    for (uint32_t k = 0; k < f->ncells;) {
        struct cell c = f->cells[k];
        if (join_cell(&c, g, widen)) {
            f->cells[k++].v = c.v;
            continue;
        }
        bool pointer = value_is_pointer(&f->cells[k].v), init = stack_is_init(g, c.off, c.size);
        if (pointer || init)
            stack_poison(pool, f, c.off, c.size);
        else
            stack_forget(pool, f, c.off, c.size);
    }
    join_pointers(pool, f, g, widen);
    and_init(f, g);
    f->lost_key = f->lost_key ? f->lost_key : g->lost_key;
    for (int k = 0; k < 4; k++)
        f->saved[k] = value_join(&f->saved[k], &g->saved[k], widen);
}

static bool frame_has_bases(const struct frame *f) {
    for (uint32_t k = 0; k < f->ncells; k++)
        if (f->cells[k].v.base)
            return true;
    for (int k = 0; k < 4; k++)
        if (f->saved[k].base)
            return true;
    return false;
}

/* ---- Join of states */

#define PAIRS_MAX 256 /* places whose relations are looked at */

struct pairs {
    struct place_pair items[PAIRS_MAX];
    struct value made[2 * PAIRS_MAX]; /* values that are no cell's */
    uint32_t count;
    bool join; /* for a join, not for inclusion */
    bool lost; /* a place with a relation in b found no room */
};

static void add_pair(struct pairs *p, struct value *out, const struct value *a,
                     const struct value *b) {
    if (p->count < PAIRS_MAX) {
        p->items[p->count++] = (struct place_pair){out, a, b};
        return;
    }
    p->lost |= b->base != 0 || b->owner;
    if (p->join)
        value_unrelate(out);
}

/* What f has in the place of c: a cell's value, or one that is put together in *made. */
static const struct value *at_cell(const struct frame *f, const struct cell *c,
                                   struct value *made) {
    const struct cell *own = stack_cell(f, c->off, c->size);
    if (own)
        return &own->v;
    *made = stack_is_init(f, c->off, c->size) ? stack_read(f, c->off, c->size)
                                              : value_none(NONE_UNWRITTEN);
    return made;
}

/* The places of `out` (which both others have): what they are in a and in b. */
static void collect_registers(struct pairs *p, struct state *out, const struct state *a,
                              const struct state *b) {
    p->count = 0;
    p->lost = false;
    for (int r = 0; r < BPF_R10; r++)
        add_pair(p, &out->reg[r], &a->reg[r], &b->reg[r]);
}

static void collect_frames(struct pairs *p, struct state *out, const struct state *a,
                           const struct state *b) {
    for (uint32_t i = 0; i < out->nframes; i++) {
        struct frame *f = out->frame[i];
        if (!f || (a->frame[i] == b->frame[i] && !frame_has_bases(f) && !a->nrecords))
            continue; /* the same in both, and nothing is related */
        for (int k = 0; k < 4; k++)
            add_pair(p, &f->saved[k], &a->frame[i]->saved[k], &b->frame[i]->saved[k]);
        for (uint32_t k = 0; k < f->ncells; k++) {
            struct value *made = &p->made[p->count < PAIRS_MAX ? 2 * p->count : 0];
            const struct value *in_a = at_cell(a->frame[i], &f->cells[k], made);
            const struct value *in_b = at_cell(b->frame[i], &f->cells[k], made + 1);
            add_pair(p, &f->cells[k].v, in_a, in_b);
        }
    }
}

/* Whether v, in state s, is null if and only if the record reserved at `slot` is not open. */
static bool owns(const struct state *s, const struct value *v, uint32_t slot) {
    if (v->kind == VALUE_RECORD)
        return !v->nullable || v->owner;
    return value_is_null(v) && !state_has_record(s, slot);
}

/* Of joined values that may be null: do they still tell whether their record is open? */
static void join_owners(struct pairs *p, const struct state *a, const struct state *b) {
    for (uint32_t i = 0; i < p->count; i++) {
        struct value *out = p->items[i].out;
        if (out->kind == VALUE_RECORD && out->nullable)
            out->owner = owns(a, p->items[i].a, out->object) && owns(b, p->items[i].b, out->object);
    }
}

static bool owners_subset(const struct pairs *p, const struct state *a) {
    for (uint32_t i = 0; i < p->count; i++)
        if (p->items[i].b->owner && !owns(a, p->items[i].a, p->items[i].b->object))
            return false;
    return true;
}

static void join_records(struct state *into, const struct state *s) {
    for (uint32_t i = 0; i < s->nrecords; i++)
        state_open_record(into, s->record[i]);
}

static bool frames_equal(const struct frame *f, const struct frame *g) {
    if (f == g)
        return true;
    if (!f || !g || f->ncells != g->ncells || memcmp(f->init, g->init, sizeof(f->init)) != 0)
        return false;
    for (int k = 0; k < 4; k++)
        if (!value_equal(&f->saved[k], &g->saved[k]) || !same_relation(&f->saved[k], &g->saved[k]))
            return false;
    for (uint32_t k = 0; k < f->ncells; k++)
        if (f->cells[k].off != g->cells[k].off || f->cells[k].size != g->cells[k].size ||
            !value_equal(&f->cells[k].v, &g->cells[k].v) ||
            !same_relation(&f->cells[k].v, &g->cells[k].v))
            return false;
    return true;
}

static bool states_equal(const struct state *a, const struct state *b) {
    for (int r = 0; r < BPF_R10; r++)
        if (!value_equal(&a->reg[r], &b->reg[r]) || !same_relation(&a->reg[r], &b->reg[r]))
            return false;
    for (uint32_t i = 0; i < a->nframes; i++)
        if (!frames_equal(a->frame[i], b->frame[i]))
            return false;
    return a->written == b->written && same_comparison(&a->compared, &b->compared) &&
           a->nrecords == b->nrecords &&
           memcmp(a->record, b->record, a->nrecords * sizeof(*a->record)) == 0;
}

uint32_t state_unshared_cells(const struct state *a, const struct state *b) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->nframes; i++)
        count += b->frame[i] && a->frame[i] != b->frame[i] ? b->frame[i]->ncells : 0;
    return count;
}

bool state_join(struct state_pool *pool, struct state *into, const struct state *s,
                const struct thresholds *widen) {
    assert(into->nframes == s->nframes);
    state_pool_charge(pool, 2 + state_unshared_cells(into, s) / 4);
    if (state_subset(s, into))
        return false;
    struct state *old = state_copy(pool, into);
    for (int r = 0; r < BPF_R10; r++)
        into->reg[r] = value_join(&old->reg[r], &s->reg[r], widen);
    for (uint32_t i = 0; i < into->nframes; i++) {
        if (into->frame[i] && into->frame[i] != s->frame[i])
            frame_join(pool, state_own_frame(pool, into, i), s->frame[i], widen);
        else if (into->frame[i] && (frame_has_bases(into->frame[i]) || into->nrecords))
            state_own_frame(pool, into, i); /* relations and owners are written into it */
    }
    into->written |= s->written;
    if (!same_comparison(&into->compared, &s->compared))
        into->compared.width = 0;
    struct pairs pairs;
    pairs.join = true;
    collect_registers(&pairs, into, old, s);
    collect_frames(&pairs, into, old, s);
    join_owners(&pairs, old, s);
    join_records(into, s);
    into->next_base = relate_join(pairs.items, pairs.count);
    state_tidy(pool, into, UINT16_MAX);
    bool changed = !states_equal(old, into);
    state_free(pool, old);
    return changed;
}

/* ---- Inclusion */

static bool frame_subset(const struct frame *f, const struct frame *g) {
    for (int i = 0; i < VERIFY_STACK_MAX / 64; i++)
        if (g->init[i] & ~f->init[i])
            return false;
    for (uint32_t k = 0; k < g->ncells; k++) {
        const struct cell *c = &g->cells[k];
        struct value made;
        if (!value_subset(at_cell(f, c, &made), &c->v))
            return false;
    }
    /* A pointer of f where g says numbers. */
    for (uint32_t k = 0; k < f->ncells; k++) {
        const struct cell *c = &f->cells[k];
        if (value_is_pointer(&c->v) && !stack_cell(g, c->off, c->size) &&
            stack_any_init(g, c->off, c->size))
            return false;
    }
    for (int k = 0; k < 4; k++)
        if (!value_subset(&f->saved[k], &g->saved[k]))
            return false;
    return true;
}

bool state_same_frames(const struct state *a, const struct state *b) {
    if (a->nframes != b->nframes)
        return false;
    for (uint32_t i = 0; i < a->nframes; i++)
        if (!a->frame[i] != !b->frame[i] || (a->frame[i] && a->frame[i]->func != b->frame[i]->func))
            return false;
    /* A function that a timer calls is another root than the same one as a program: other rules at its end. */
    return a->nframes > 1 || a->frame[0]->call == b->frame[0]->call;
}

bool state_subset(const struct state *a, const struct state *b) {
    assert(a->nframes == b->nframes);
    if (a->written & ~b->written)
        return false;
    if (b->compared.width && !same_comparison(&a->compared, &b->compared))
        return false;
    for (int r = 0; r < BPF_R10; r++)
        if (!value_subset(&a->reg[r], &b->reg[r]))
            return false;
    for (uint32_t i = 0; i < a->nframes; i++) {
        if (a->frame[i] == b->frame[i])
            continue;
        if (!a->frame[i] || !b->frame[i] || !frame_subset(a->frame[i], b->frame[i]))
            return false;
    }
    for (uint32_t i = 0; i < a->nrecords; i++)
        if (!state_has_record(b, a->record[i]))
            return false;
    if (b->next_base == 1 && b->nrecords == 0)
        return true;
    struct pairs pairs;
    struct state *out = (struct state *)(uintptr_t)b; /* written to in joins only */
    pairs.join = false;
    collect_registers(&pairs, out, a, b);
    if (!relate_subset(pairs.items, pairs.count)) /* most that differ do so here */
        return false;
    collect_frames(&pairs, out, a, b);
    return !pairs.lost && owners_subset(&pairs, a) && relate_subset(pairs.items, pairs.count);
}

/* ---- Calls */

void state_enter(struct state_pool *pool, struct state *s, uint32_t func, uint32_t slot) {
    assert(s->nframes < VERIFY_FRAMES_MAX);
    struct frame *f = frame_new(pool);
    f->func = func;
    f->call = slot;
    for (int i = 0; i < 4; i++) {
        f->saved[i] = s->reg[BPF_R6 + i];
        s->reg[BPF_R6 + i] = value_none(NONE_UNWRITTEN);
    }
    s->reg[BPF_R0] = value_none(NONE_UNWRITTEN);
    s->compared.width = 0;
    s->frame[s->nframes++] = f;
    s->reg[BPF_R10] = value_pointer(VALUE_STACK, s->nframes - 1);
}

void state_leave(struct state_pool *pool, struct state *s) {
    assert(s->nframes > 1);
    uint32_t gone = s->nframes - 1;
    struct frame *f = s->frame[gone];
    s->compared.width = 0;
    for (int i = 0; i < 4; i++)
        s->reg[BPF_R6 + i] = f->saved[i];
    for (int r = BPF_R1; r <= BPF_R5; r++)
        s->reg[r] = value_none(NONE_CALL);
    s->nframes = gone;
    s->written &= ~(UINT32_C(1) << gone);
    s->reg[BPF_R10] = value_pointer(VALUE_STACK, gone - 1);
    if (s->reg[BPF_R0].kind == VALUE_STACK && s->reg[BPF_R0].object == gone)
        s->reg[BPF_R0] = value_none(NONE_FRAME);
    for (uint32_t i = 0; i < gone; i++)
        for (uint32_t k = 0; s->frame[i] && k < s->frame[i]->ncells;) {
            const struct cell *c = &s->frame[i]->cells[k];
            if (c->v.kind == VALUE_STACK && c->v.object == gone)
                stack_poison(pool, state_own_frame(pool, s, i), c->off, c->size);
            else
                k++;
        }
    frame_release(pool, f);
}

/* ---- Records */

bool state_has_record(const struct state *s, uint32_t slot) {
    for (uint32_t i = 0; i < s->nrecords; i++)
        if (s->record[i] == slot)
            return true;
    return false;
}

void state_open_record(struct state *s, uint32_t slot) {
    if (state_has_record(s, slot))
        return;
    if (s->nrecords == STATE_RECORDS_MAX) {
        s->record[STATE_RECORDS_MAX - 1] = STATE_RECORD_LOST;
        return;
    }
    uint32_t i = s->nrecords++;
    for (; i > 0 && s->record[i - 1] > slot; i--)
        s->record[i] = s->record[i - 1];
    s->record[i] = slot;
}

static void close_record(struct state *s, uint32_t slot) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->nrecords; i++)
        if (s->record[i] != slot)
            s->record[kept++] = s->record[i];
    s->nrecords = kept;
}

#define ANY_OBJECT UINT32_MAX

/* Pointers to an object that has gone. */
struct loss {
    enum value_kind kind;
    uint32_t object;         /* or ANY_OBJECT */
    bool null;               /* those that may be null are null; else none can be read any more */
    enum none_reason reason; /* why not */
};

static bool lose(struct value *v, const struct loss *loss) {
    bool same = v->object == loss->object || loss->object == ANY_OBJECT;
    if (v->kind != loss->kind || !same || (loss->null && !v->nullable))
        return false;
    *v = loss->null ? value_const(0) : value_none(loss->reason);
    return true;
}

static void lose_all(struct state_pool *pool, struct state *s, const struct loss *loss) {
    for (int r = 0; r < BPF_R10; r++)
        lose(&s->reg[r], loss);
    for (uint32_t i = 0; i < s->nframes; i++) {
        for (int k = 0; s->frame[i] && k < 4; k++) {
            struct value v = s->frame[i]->saved[k];
            if (lose(&v, loss))
                state_own_frame(pool, s, i)->saved[k] = v;
        }
        for (uint32_t k = 0; s->frame[i] && k < s->frame[i]->ncells;) {
            const struct cell c = s->frame[i]->cells[k];
            struct value v = c.v;
            if (!lose(&v, loss)) {
                k++;
                continue;
            }
            struct frame *f = state_own_frame(pool, s, i);
            stack_write(pool, f, c.off, c.size, &v);
            if (loss->reason == NONE_CALLBACK && !loss->null)
                f->lost_key = c.off;
        }
    }
}

static void lose_record(struct state_pool *pool, struct state *s, uint32_t slot, bool null) {
    lose_all(pool, s, &(struct loss){VALUE_RECORD, slot, null, NONE_RELEASED});
}

void state_release_record(struct state_pool *pool, struct state *s, uint32_t slot) {
    close_record(s, slot);
    lose_record(pool, s, slot, false);
}

void state_doubt_records(struct state_pool *pool, struct state *s) {
    lose_record(pool, s, ANY_OBJECT, false); /* also of records that there was no room for */
}

void state_release_null_record(struct state_pool *pool, struct state *s, uint32_t slot) {
    close_record(s, slot);
    lose_record(pool, s, slot, true);
}

void state_lose_keys(struct state_pool *pool, struct state *s, uint32_t map) {
    lose_all(pool, s, &(struct loss){VALUE_MAP_KEY, map, false, NONE_CALLBACK});
}

static void forget_lookup(struct value *v, uint32_t slot) {
    if (v->kind == VALUE_MAP_VALUE && v->size == slot + 1)
        v->size = 0;
}

void state_forget_lookup(struct state_pool *pool, struct state *s, uint32_t slot) {
    for (int r = 0; r < BPF_R10; r++)
        forget_lookup(&s->reg[r], slot);
    for (uint32_t i = 0; i < s->nframes; i++) {
        for (int k = 0; s->frame[i] && k < 4; k++)
            if (s->frame[i]->saved[k].size == slot + 1)
                forget_lookup(&state_own_frame(pool, s, i)->saved[k], slot);
        for (uint32_t k = 0; s->frame[i] && k < s->frame[i]->ncells; k++)
            if (s->frame[i]->cells[k].v.size == slot + 1)
                forget_lookup(&state_own_frame(pool, s, i)->cells[k].v, slot);
    }
}
