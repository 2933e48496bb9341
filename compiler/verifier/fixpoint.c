/* SPDX-License-Identifier: MIT */
/*
 * One function, from its entry state to a fixpoint.
 *
 * Blocks are taken in the order of the control-flow graph, the first one first of those whose state has
 * grown. A loop's header keeps apart what comes in from outside and what comes over back edges; its own
 * state, the invariant, is widened from the third change on, and cut down to what ranking says of induction
 * variables (rank.h), which holds whatever the iteration has come to. Then two sweeps over the function
 * recompute each state from its predecessors: a state that covers everything reachable gives such states
 * again, smaller ones where widening went too far.
 *
 * Joins are taken where edges meet, on states without dead registers.
 */
#include "verifier/fixpoint.h"

#include <assert.h>
#include <string.h>

#include "verifier/bounds.h"
#include "verifier/calls.h"

#define WIDEN_FROM 2 /* changes of a header's state before the first widening */
#define SWEEPS 2

struct run {
    struct fixpoint *fp;
    const struct analysis *a;
    const struct cfg *cfg;
    struct summary *m;
    /* Where edges lead to: the summary's own arrays, or those of a sweep. */
    struct state **in, **forward, **back;
    struct state *exit;
    struct bitset *todo; /* blocks; NULL in a sweep, which takes each once */
};

/* ---- Edges */

/* Joins s, which is used up, into *to. True if *to grew. */
static bool join_into(struct run *r, struct state **to, struct state *s) {
    if (!*to) {
        *to = s;
        return true;
    }
    bool grew = state_join(r->a->pool, *to, s, NULL);
    state_free(r->a->pool, s);
    return grew;
}

static void flow(struct run *r, uint32_t from, uint32_t to, struct state *s) {
    uint32_t loop = r->fp->header_loop[r->cfg->func][to];
    struct state **target = &r->in[to];
    state_tidy(r->a->pool, s, r->cfg->blocks[to].live_in);
    if (loop != CFG_NONE)
        target = cfg_in_loop(r->cfg, from, loop) ? &r->back[loop] : &r->forward[loop];
    if (join_into(r, target, s) && r->todo)
        bitset_set(r->todo, to);
}

static void flow_out(struct run *r, uint32_t block, struct state *s) {
    const struct cfg_block *b = &r->cfg->blocks[block];
    const struct bpf_decoded *d = &r->a->program->decoded[b->last];
    if (b->nsucc < 2) {
        if (b->nsucc == 1)
            flow(r, block, b->succ[0], s);
        else
            join_into(r, &r->exit, s);
        return;
    }
    assert(bpf_op_is_jcc(d->op));
    (void)d;
    struct state *taken = state_copy(r->a->pool, s);
    if (transfer_branch(r->a, taken, b->last, true))
        flow(r, block, b->succ[1], taken);
    else
        state_free(r->a->pool, taken);
    if (transfer_branch(r->a, s, b->last, false))
        flow(r, block, b->succ[0], s);
    else
        state_free(r->a->pool, s);
}

/* One instruction but for jumps and exits. False: control does not get past it. */
static bool step(struct run *r, struct state *s, uint32_t slot) {
    const struct bpf_decoded *d = &r->a->program->decoded[slot];
    if (bpf_op_is_call(d->op))
        return fixpoint_call(r->fp, s, slot);
    if (d->op != BPF_EXIT && !bpf_op_is_jcc(d->op))
        transfer_insn(r->a, s, slot);
    return true;
}

static void run_block(struct run *r, uint32_t block, const struct state *in) {
    const struct cfg_block *b = &r->cfg->blocks[block];
    struct state *s = state_copy(r->a->pool, in);
    state_pool_charge(r->a->pool, 2 + b->end - b->start);
    for (uint32_t slot = b->start; slot < b->end; slot += r->a->program->decoded[slot].len) {
        if (!step(r, s, slot)) {
            state_free(r->a->pool, s);
            return;
        }
    }
    flow_out(r, block, s);
}

/* ---- Loops */

/* The state at a header from the states on its edges: false if it has not grown. */
static bool update_header(struct run *r, uint32_t block, uint32_t loop) {
    struct summary *m = r->m;
    struct state_pool *pool = r->a->pool;
    if (!m->in[block]) {
        if (!m->forward[loop])
            return false;
        m->in[block] = state_copy(pool, m->forward[loop]);
        bounds_apply(r->a, r->cfg->func, loop, m->forward[loop], m->in[block]);
        return true;
    }
    struct state *next = state_copy(pool, m->forward[loop]);
    if (m->back[loop])
        state_join(pool, next, m->back[loop], NULL);
    bounds_apply(r->a, r->cfg->func, loop, m->forward[loop], next);
    bool widen = m->visits[loop] >= WIDEN_FROM;
    bool grew =
        state_join(pool, m->in[block], next, widen ? &r->a->thresholds[r->cfg->func] : NULL);
    if (grew && widen)
        bounds_apply(r->a, r->cfg->func, loop, m->forward[loop], m->in[block]);
    if (grew && m->visits[loop] < UINT8_MAX)
        m->visits[loop]++;
    state_free(pool, next);
    return grew;
}

/* Rises to a fixpoint. */
static void rise(struct run *r) {
    size_t next;
    bitset_set(r->todo, 0);
    while ((next = bitset_next(r->todo, 0)) < r->todo->size && !state_pool_spent(r->a->pool)) {
        uint32_t block = (uint32_t)next, loop = r->fp->header_loop[r->cfg->func][block];
        bitset_clear(r->todo, block);
        if (loop == CFG_NONE || update_header(r, block, loop))
            run_block(r, block, r->m->in[block]);
    }
    r->m->exit = r->exit;
}

/* ---- Sweeps */

static void free_states(struct state_pool *pool, struct state **states, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        state_free(pool, states[i]);
}

static struct state *swept_header(struct run *r, uint32_t loop) {
    struct summary *m = r->m;
    if (!r->forward[loop])
        return NULL;
    struct state *s = state_copy(r->a->pool, r->forward[loop]);
    if (m->back[loop]) /* of the sweep before: it covers every iteration */
        state_join(r->a->pool, s, m->back[loop], NULL);
    bounds_apply(r->a, r->cfg->func, loop, r->forward[loop], s);
    return s;
}

/* Recomputes every state from its predecessors' ones, first to last. */
static void sweep(struct run *r) {
    struct summary *m = r->m;
    uint32_t nblocks = r->cfg->nblocks, nloops = r->cfg->nloops;
    r->in = arena_alloc_array(r->a->arena, nblocks, sizeof(*r->in));
    r->forward = arena_alloc_array(r->a->arena, nloops, sizeof(*r->forward));
    r->back = arena_alloc_array(r->a->arena, nloops, sizeof(*r->back));
    r->exit = NULL;
    r->todo = NULL;
    uint32_t first = r->fp->header_loop[r->cfg->func][0];
    if (first == CFG_NONE) {
        r->in[0] = m->in[0]; /* which has no predecessor */
        m->in[0] = NULL;
    } else {
        r->forward[first] = state_copy(r->a->pool, m->entry);
    }
    for (uint32_t block = 0; block < nblocks; block++) {
        uint32_t loop = r->fp->header_loop[r->cfg->func][block];
        if (loop != CFG_NONE)
            r->in[block] = swept_header(r, loop);
        if (r->in[block] && !state_pool_spent(r->a->pool))
            run_block(r, block, r->in[block]);
    }
    free_states(r->a->pool, m->in, nblocks);
    free_states(r->a->pool, m->forward, nloops);
    free_states(r->a->pool, m->back, nloops);
    state_free(r->a->pool, m->exit);
    m->in = r->in;
    m->forward = r->forward;
    m->back = r->back;
    m->exit = r->exit;
}

/* ---- Summaries */

static struct summary *summary_new(struct fixpoint *fp, uint32_t func, struct state *entry) {
    const struct cfg *cfg = &fp->a->cfgs[func];
    struct arena *arena = fp->a->arena;
    struct summary *m = arena_alloc(arena, sizeof(*m));
    m->func = func;
    m->entry = entry;
    m->in = arena_alloc_array(arena, cfg->nblocks, sizeof(*m->in));
    m->forward = arena_alloc_array(arena, cfg->nloops, sizeof(*m->forward));
    m->back = arena_alloc_array(arena, cfg->nloops, sizeof(*m->back));
    m->visits = arena_alloc_array(arena, cfg->nloops, sizeof(*m->visits));
    m->next = fp->summaries[func];
    fp->summaries[func] = m;
    return m;
}

static void summary_run(struct fixpoint *fp, struct summary *m) {
    const struct cfg *cfg = &fp->a->cfgs[m->func];
    struct run r = {.fp = fp,
                    .a = fp->a,
                    .cfg = cfg,
                    .m = m,
                    .in = m->in,
                    .forward = m->forward,
                    .back = m->back,
                    .todo = bitset_new(fp->a->arena, cfg->nblocks)};
    uint32_t loop = fp->header_loop[m->func][0];
    if (loop == CFG_NONE)
        m->in[0] = state_copy(fp->a->pool, m->entry);
    else
        m->forward[loop] = state_copy(fp->a->pool, m->entry);
    rise(&r);
    for (int i = 0; i < SWEEPS && cfg->nloops; i++)
        sweep(&r);
}

struct summary *fixpoint_summary(struct fixpoint *fp, uint32_t func, const struct state *entry) {
    uint32_t count = 0;
    struct summary *last = NULL;
    state_pool_charge(fp->a->pool, 4);
    for (struct summary *m = fp->summaries[func]; m; m = m->next) {
        if (!state_same_frames(m->entry, entry))
            continue;
        if (state_subset(entry, m->entry))
            return m;
        if (!last)
            last = m;
        count++;
    }
    struct state *own = state_copy(fp->a->pool, count < SUMMARIES_MAX ? entry : last->entry);
    if (count >= SUMMARIES_MAX)
        state_join(fp->a->pool, own, entry, &fp->a->thresholds[func]);
    struct summary *m = summary_new(fp, func, own);
    summary_run(fp, m);
    return m;
}

/* Whether tail calls lead to the program: they hand over r1 alone. */
static bool is_tail_target(const struct program *p, uint32_t entry) {
    for (uint32_t i = 0; i < p->nrelocs; i++)
        if (p->relocs[i].kind == PROG_RELOC_PROG && p->relocs[i].target == entry)
            return true;
    return false;
}

struct state *fixpoint_entry_state(const struct analysis *a, uint32_t entry) {
    const struct prog_entry *e = &a->program->entries[entry];
    struct state *s = state_new(a->pool, e->func);
    s->reg[BPF_R1] = value_pointer(VALUE_CTX, entry);
    if (e->hook == BPF_HOOK_RAW && !is_tail_target(a->program, entry))
        s->reg[BPF_R2] = value_scalar(scalar_urange(0, e->ctx_size));
    return s;
}

struct summary *fixpoint_entry_summary(struct fixpoint *fp, uint32_t entry) {
    uint32_t func = fp->a->program->entries[entry].func;
    struct state *s = fixpoint_entry_state(fp->a, entry);
    state_tidy(fp->a->pool, s, fp->a->cfgs[func].blocks[0].live_in);
    struct summary *m = fixpoint_summary(fp, func, s);
    state_free(fp->a->pool, s);
    return m;
}

struct summary *fixpoint_timer_summary(struct fixpoint *fp, size_t timer) {
    const struct timer_root root = fp->timers.items[timer];
    struct state *s = state_new(fp->a->pool, root.func);
    s->frame[0]->call = STATE_CALL_TIMER;
    s->reg[BPF_R1] = value_pointer(VALUE_MAP, root.map);
    s->reg[BPF_R2] = value_pointer(VALUE_MAP_KEY, root.map);
    s->reg[BPF_R3] = value_pointer(VALUE_MAP_VALUE, root.map);
    state_tidy(fp->a->pool, s, fp->a->cfgs[root.func].blocks[0].live_in);
    struct summary *m = fixpoint_summary(fp, root.func, s);
    state_free(fp->a->pool, s);
    return m;
}

struct fixpoint *fixpoint_new(const struct analysis *a) {
    struct fixpoint *fp = arena_alloc(a->arena, sizeof(*fp));
    uint32_t nfuncs = a->program->nfuncs;
    fp->a = a;
    fp->summaries = arena_alloc_array(a->arena, nfuncs, sizeof(*fp->summaries));
    fp->header_loop = arena_alloc_array(a->arena, nfuncs, sizeof(*fp->header_loop));
    for (uint32_t f = 0; f < nfuncs; f++) {
        const struct cfg *cfg = &a->cfgs[f];
        uint32_t *loops = arena_alloc_array(a->arena, cfg->nblocks, sizeof(*loops));
        memset(loops, 0xff, cfg->nblocks * sizeof(*loops));
        for (uint32_t i = 0; i < cfg->nloops; i++)
            loops[cfg->loops[i].header] = i;
        fp->header_loop[f] = loops;
    }
    return fp;
}

struct state *fixpoint_state_at(struct fixpoint *fp, const struct summary *m, uint32_t slot) {
    const struct analysis *a = fp->a;
    const struct cfg *cfg = &a->cfgs[m->func];
    uint32_t block = cfg->block_of[slot - a->program->funcs[m->func].start];
    struct run r = {.fp = fp, .a = a, .cfg = cfg};
    if (block == CFG_NONE || !m->in[block])
        return NULL;
    struct state *s = state_copy(a->pool, m->in[block]);
    for (uint32_t at = cfg->blocks[block].start; at < slot; at += a->program->decoded[at].len)
        if (!step(&r, s, at)) {
            state_free(a->pool, s);
            return NULL;
        }
    return s;
}

/* ---- Walks */

struct walk {
    struct fixpoint *fp;
    const struct fixpoint_visitor *visitor;
    struct summary *m;
};

static void walk_block(struct walk *w, uint32_t block) {
    const struct analysis *a = w->fp->a;
    const struct cfg_block *b = &a->cfgs[w->m->func].blocks[block];
    struct state *s = state_copy(a->pool, w->m->in[block]);
    state_pool_charge(a->pool, 2 + b->end - b->start);
    for (uint32_t slot = b->start; slot < b->end; slot += a->program->decoded[slot].len) {
        const struct bpf_decoded *d = &a->program->decoded[slot];
        w->visitor->before(w->visitor->arg, w->m, slot, s);
        if (bpf_op_is_call(d->op)) {
            if (!calls_walk(w->fp, s, slot, w->m, w->visitor))
                break;
        } else if (d->op != BPF_EXIT && !bpf_op_is_jcc(d->op)) {
            transfer_insn(a, s, slot);
        }
        if (w->visitor->after)
            w->visitor->after(w->visitor->arg, w->m, slot, s);
    }
    state_free(a->pool, s);
}

void fixpoint_walk(struct fixpoint *fp, struct summary *summary,
                   const struct fixpoint_visitor *visitor) {
    struct walk w = {fp, visitor, summary};
    if (summary->walked)
        return;
    summary->walked = true;
    uint32_t nblocks = fp->a->cfgs[summary->func].nblocks;
    for (uint32_t block = 0; block < nblocks && !state_pool_spent(fp->a->pool); block++)
        if (summary->in[block])
            walk_block(&w, block);
}

void fixpoint_forget(struct fixpoint *fp) {
    for (uint32_t f = 0; f < fp->a->program->nfuncs; f++)
        for (struct summary *m = fp->summaries[f]; m; m = m->next)
            m->walked = false;
}
