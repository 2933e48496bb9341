/* SPDX-License-Identifier: MIT */
/*
 * Calls in the fixpoint: of functions, of helpers, and of functions by helpers.
 *
 * A callee sees the caller's frames that its arguments can lead to, and no others: r6 to r9 and frames out
 * of reach are taken out of its entry state, so that one summary serves many callers, and put back behind
 * the call as they were. While a ring buffer record is open nothing is taken out, because the callee may
 * give it back, and then every copy of the pointer must become unreadable.
 *
 * A callback runs any number of times: its effects on the frames are joined until nothing changes. That of a
 * timer runs when everything here has ended, and has an entry state of its own: it is noted, for walks to go on
 * with (values_walk()).
 */
#include "verifier/calls.h"

#include "bpf/arena.h"

#define CALLBACK_WIDEN_FROM 3

struct call {
    struct fixpoint *fp;
    const struct analysis *a;
    uint32_t slot;
    const struct summary *caller;           /* NULL outside of walks */
    const struct fixpoint_visitor *visitor; /* NULL outside of walks */
    bool callback;                          /* it is what the helper at slot calls */
};

/* ---- What a callee can reach */

static uint32_t reach_of(const struct value *v) {
    return v->kind == VALUE_STACK ? UINT32_C(1) << v->object : 0;
}

static uint32_t reachable_frames(const struct state *s) {
    uint32_t reach = UINT32_C(1) << (s->nframes - 1), before = 0;
    for (int r = BPF_R1; r <= BPF_R5; r++)
        reach |= reach_of(&s->reg[r]);
    while (reach != before) {
        before = reach;
        for (uint32_t i = 0; i < s->nframes; i++)
            for (uint32_t k = 0; (reach >> i & 1) && s->frame[i] && k < s->frame[i]->ncells; k++)
                reach |= reach_of(&s->frame[i]->cells[k].v);
    }
    return reach;
}

/* Takes out of an entry state what the callee cannot reach. */
static void localise(const struct call *c, struct state *s) {
    uint32_t reach = reachable_frames(s);
    for (uint32_t i = 0; i < s->nframes; i++) {
        if (!s->frame[i])
            continue;
        if (!(reach >> i & 1)) {
            state_drop_frame(c->a->pool, s, i);
            continue;
        }
        struct frame *f = state_own_frame(c->a->pool, s, i);
        for (int k = 0; k < 4; k++)
            f->saved[k] = value_none(NONE_UNWRITTEN);
    }
}

/* ---- Calls of functions */

/* The callee's bases are not ours, and it did not see which elements we had found in maps. */
static void make_foreign(struct value *v) {
    value_unrelate(v);
    if (v->kind == VALUE_MAP_VALUE)
        v->size = 0;
}

/* A frame as the callee left it, with what is its own of the caller's. */
static struct frame *returned_frame(const struct call *c, struct state *after, uint32_t i,
                                    const struct state *before) {
    struct frame *f = state_own_frame(c->a->pool, after, i);
    f->func = before->frame[i]->func;
    f->call = before->frame[i]->call;
    for (int k = 0; k < 4; k++)
        f->saved[k] = before->frame[i]->saved[k];
    for (uint32_t k = 0; k < f->ncells; k++)
        make_foreign(&f->cells[k].v);
    return f;
}

/* s behind the call, by the summary of a localised entry state. */
static void return_locally(const struct call *c, struct state *s, const struct summary *m) {
    struct state *after = state_copy(c->a->pool, m->exit);
    state_leave(c->a->pool, after);
    s->reg[BPF_R0] = after->reg[BPF_R0];
    make_foreign(&s->reg[BPF_R0]);
    for (uint32_t i = 0; i < s->nframes; i++) {
        if (!(after->written >> i & 1))
            continue;
        if (!s->frame[i])
            continue;
        if (!after->frame[i]) { /* through a pointer that nobody knows */
            stack_poison(c->a->pool, state_own_frame(c->a->pool, s, i), -VERIFY_STACK_MAX,
                         VERIFY_STACK_MAX);
            continue;
        }
        returned_frame(c, after, i, s);
        state_share_frame(c->a->pool, s, i, after->frame[i]);
    }
    s->written |= after->written & ((UINT32_C(1) << s->nframes) - 1);
    s->nrecords = after->nrecords;
    for (uint32_t i = 0; i < after->nrecords; i++)
        s->record[i] = after->record[i];
    state_free(c->a->pool, after);
}

static void return_whole(const struct call *c, struct state *s, const struct summary *m) {
    struct state *after = state_copy(c->a->pool, m->exit);
    state_leave(c->a->pool, after);
    for (uint32_t i = 0; i < s->nframes; i++) {
        if (!after->frame[i])
            continue;
        struct frame *f = state_own_frame(c->a->pool, after, i);
        f->func = s->frame[i]->func;
        f->call = s->frame[i]->call;
    }
    after->written |= s->written;
    after->written &= (UINT32_C(1) << s->nframes) - 1;
    state_swap(s, after);
    state_free(c->a->pool, after);
}

static bool call_function(const struct call *c, struct state *s, uint32_t func) {
    struct state *entry = state_copy(c->a->pool, s);
    bool local = s->nrecords == 0;
    state_enter(c->a->pool, entry, func, c->slot);
    entry->written = 0;
    if (local)
        localise(c, entry);
    state_tidy(c->a->pool, entry, c->a->cfgs[func].blocks[0].live_in);
    struct summary *m = fixpoint_summary(c->fp, func, entry);
    state_free(c->a->pool, entry);
    if (c->visitor && c->visitor->call)
        c->visitor->call(c->visitor->arg, m, c->slot, c->callback);
    if (c->visitor)
        fixpoint_walk(c->fp, m, c->visitor);
    if (!m->exit)
        return false;
    if (local)
        return_locally(c, s, m);
    else
        return_whole(c, s, m);
    for (int r = BPF_R1; r <= BPF_R5; r++)
        s->reg[r] = value_none(NONE_CALL);
    return true;
}

/* ---- Calls of one of several functions */

struct choice {
    const struct call *c;
    const struct state *before;
    struct state *after; /* join over the functions so far, NULL: none has returned */
};

static void choose(void *arg, uint32_t func) {
    struct choice *choice = arg;
    struct state_pool *pool = choice->c->a->pool;
    if (state_pool_spent(pool))
        return;
    struct state *s = state_copy(pool, choice->before);
    if (!call_function(choice->c, s, func)) {
        state_free(pool, s);
        return;
    }
    state_tidy(pool, s, UINT16_MAX);
    if (!choice->after) {
        choice->after = s;
        return;
    }
    state_join(pool, choice->after, s, NULL);
    state_free(pool, s);
}

/* Where call_anything() looks for a callback. */
#define BPF_HELPER(NAME, id, name, RET, A1, A2, A3, A4, A5, ...)                                   \
    _Static_assert(BPF_ARG_##A1 != BPF_ARG_FUNC && BPF_ARG_##A3 != BPF_ARG_FUNC &&                 \
                       BPF_ARG_##A4 != BPF_ARG_FUNC && BPF_ARG_##A5 != BPF_ARG_FUNC,               \
                   "the callback of bpf_" name "() is in r2");
#include "bpf/helper.def"

/* Anything may have happened to what a call can reach: its check refuses it. Single paths may know which helper it
 * is, but a function that they call there has not been looked at. */
static bool call_anything(const struct call *c, struct state *s, const struct value *called) {
    const struct value *callback = &s->reg[BPF_R2]; /* of every helper that has one */
    bool helper =
        called->kind == VALUE_SCALAR && callback->kind != VALUE_NONE && !value_is_code(callback);
    if (c->visitor && !helper)
        bitset_set(c->a->wild, c->slot);
    for (int r = BPF_R0; r <= BPF_R5; r++)
        s->reg[r] = value_none(NONE_CALL);
    transfer_write_anywhere(c->a, s, false);
    state_doubt_records(c->a->pool, s);
    state_open_record(s, STATE_RECORD_LOST);
    return true;
}

/* Calls what v points to, with the arguments in s. */
static bool call_value(const struct call *c, struct state *s, const struct value *v) {
    struct choice choice = {.c = c, .before = s};
    if (!value_is_code(v))
        return call_anything(c, s, v);
    if (!object_functions(c->a, v, choose, &choice)) /* at an offset that only single paths know */
        taken_functions(c->a, choose, &choice);
    if (!choice.after)
        return false;
    state_swap(s, choice.after);
    state_free(c->a->pool, choice.after);
    return true;
}

/* ---- Callbacks */

/* What a helper hands to its callback. */
static void callback_arguments(const struct bpf_helper *h, const struct state *call,
                               struct state *s) {
    for (int r = BPF_R0; r <= BPF_R5; r++)
        s->reg[r] = value_none(NONE_CALL);
    if (h->id == BPF_FUNC_LOOP) {
        const struct value *n = &call->reg[BPF_R1];
        uint32_t most =
            n->kind == VALUE_SCALAR && n->n.umax32 < BPF_LOOP_MAX ? n->n.umax32 : BPF_LOOP_MAX;
        s->reg[BPF_R1] = value_scalar(scalar_urange(0, most ? most - 1 : 0));
        s->reg[BPF_R2] = call->reg[BPF_R3];
    } else {
        uint32_t map = call->reg[BPF_R1].object;
        s->reg[BPF_R1] = call->reg[BPF_R1];
        s->reg[BPF_R2] = value_pointer(VALUE_MAP_KEY, map);
        s->reg[BPF_R3] = value_pointer(VALUE_MAP_VALUE, map);
        s->reg[BPF_R4] = call->reg[BPF_R3];
    }
    for (int r = BPF_R1; r <= BPF_R5; r++)
        value_unrelate(&s->reg[r]);
}

/* The state before a call with callback becomes the one behind any number of the callback's runs. */
static bool run_callback(const struct call *c, struct state *s, const struct bpf_helper *h,
                         unsigned function) {
    struct state_pool *pool = c->a->pool;
    const struct value callback = s->reg[BPF_R1 + function];
    struct call inner = *c;
    inner.callback = true;
    const struct thresholds *limits = &c->a->thresholds[s->frame[s->nframes - 1]->func];
    for (int runs = 0;; runs++) {
        struct state *once = state_copy(pool, s);
        callback_arguments(h, s, once);
        bool returns = call_value(&inner, once, &callback);
        if (returns && c->visitor && c->visitor->callback)
            c->visitor->callback(c->visitor->arg, c->caller, c->slot, once);
        bool grew = false;
        if (returns) {
            if (s->reg[BPF_R1].kind == VALUE_MAP)
                state_lose_keys(pool, once, s->reg[BPF_R1].object);
            for (int r = BPF_R0; r <= BPF_R5; r++)
                once->reg[r] = s->reg[r];
            state_tidy(pool, once, UINT16_MAX);
            state_tidy(pool, s, UINT16_MAX);
            grew = state_join(pool, s, once, runs >= CALLBACK_WIDEN_FROM ? limits : NULL);
        }
        state_free(pool, once);
        if (!grew || state_pool_spent(pool))
            return true;
    }
}

/* ---- Timers */

/* A function that runs when this program has ended, not under it. */
struct setting {
    struct fixpoint *fp;
    uint32_t map;
};

static void add_timer_root(void *arg, uint32_t func) {
    const struct setting *setting = arg;
    struct fixpoint *fp = setting->fp;
    const struct timer_root root = {func, setting->map};
    state_pool_charge(fp->a->pool, 1 + fp->timers.count / 64);
    if (state_pool_spent(fp->a->pool))
        return;
    vec_for_each(const struct timer_root, old, &fp->timers)
        if (old->func == root.func && old->map == root.map)
            return;
    vec_push(fp->a->arena, &fp->timers, root);
}

/* Only a walk's states are those of all executions: before, they may be larger, and roots be too many. */
static void set_timer(const struct call *c, const struct state *s) {
    struct setting setting = {c->fp, s->reg[BPF_R1].object};
    if (c->visitor && !object_functions(c->a, &s->reg[BPF_R2], add_timer_root, &setting))
        taken_functions(c->a, add_timer_root, &setting);
}

/* ---- Helpers */

static bool call_helper(const struct call *c, struct state *s, uint32_t id) {
    const struct bpf_helper *h = bpf_helper_by_id(id);
    for (unsigned i = 0; h && i < h->nargs; i++) {
        const struct value *v = &s->reg[BPF_R1 + i];
        if (h->arg[i] != BPF_ARG_FUNC)
            continue;
        if (!value_is_code(v))
            return call_anything(c, s, v);
        if (h->id == BPF_FUNC_FOR_EACH_MAP_ELEM && s->reg[BPF_R1].kind != VALUE_MAP)
            return call_anything(c, s, v);
        if (h->id == BPF_FUNC_TIMER_SET_CALLBACK && s->reg[BPF_R1].kind != VALUE_MAP_VALUE)
            return call_anything(c, s, v);
        if (h->id == BPF_FUNC_TIMER_SET_CALLBACK)
            set_timer(c, s);
        else
            run_callback(c, s, h, i);
    }
    transfer_helper(c->a, s, c->slot, id);
    return true;
}

/* ---- The instruction */

static bool call(const struct call *c, struct state *s) {
    const struct program *p = c->a->program;
    s->compared.width = 0;
    const struct bpf_decoded *d = &p->decoded[c->slot];
    if (d->op == BPF_CALL_HELPER)
        return call_helper(c, s, (uint32_t)d->imm);
    if (d->op == BPF_CALL_LOCAL)
        return call_function(c, s, program_callee(p, c->slot));
    const struct value v = s->reg[d->dst];
    if (v.kind == VALUE_SCALAR && scalar_is_const(&v.n) && v.n.x.value < BPF_HELPER_INTERNAL_BASE &&
        bpf_helper_by_id((uint32_t)v.n.x.value))
        return call_helper(c, s, (uint32_t)v.n.x.value);
    return call_value(c, s, &v);
}

bool fixpoint_call(struct fixpoint *fp, struct state *s, uint32_t slot) {
    struct call c = {.fp = fp, .a = fp->a, .slot = slot};
    return call(&c, s);
}

bool calls_walk(struct fixpoint *fp, struct state *s, uint32_t slot, const struct summary *caller,
                const struct fixpoint_visitor *visitor) {
    struct call c = {fp, fp->a, slot, caller, visitor, false};
    return call(&c, s);
}
