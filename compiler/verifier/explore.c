/* SPDX-License-Identifier: MIT */
/*
 * Path exploration: depth first through the control flow with abstract states, into and out of calls.
 *
 * What it relies on. The fixpoint's verdict holds wherever it was positive, so only checks that it left
 * open are made here, and a path ends where no goal is ahead. Helpers that call back have the effect that
 * the fixpoint gives them; their callbacks are roots of their own.
 *
 * Why it is sound. Claim: when exploration has ended without a failure, no execution from a state that the
 * root's entry state stands for reaches an open check that fails. Follow such an execution, step by step,
 * along the explored paths: the abstract state at hand always stands for the concrete one. A transfer keeps
 * that up, and so does replacing a state by a larger one (forgetting numbers, joining iterations). At a
 * jump, the way that the execution takes is among those followed. Where a path was pruned, go on from the
 * state that covered it, at the same place in the same calls: its continuation has been explored, or will
 * have been by the end. Every such leap is followed by at least one instruction, so each finite execution
 * is followed to its end, though leaps may form cycles. Every check on the way was made.
 *
 * Loops. Cycles of leaps are why this alone does not prove that loops end. Loops with a bound end for other
 * reasons (rank.h). The others are counted, by epochs: an epoch is one execution of the header of such a
 * loop on the path, and every state belongs to the latest epoch of each counted loop that it is in. A state
 * may cover a later one if, of the counted loops that both are in, from the outermost on, the epochs are the
 * same, or the first one that differs is done: all that follows it has been explored. Leaps within an epoch
 * can be cyclic, but execute no counted header. Leaps out of an epoch of a loop lead to epochs of it that
 * are done, and those never lead back to one that is not; so over epochs of one loop steps and leaps form a
 * graph without cycles, and `more`, the longest way in it, is final when an epoch is done:
 *     a step from epoch e to a new one, n, of the same entry:  e.more >= 1 + n.more
 *     a leap from a state of e to one of d:                    e.more >= d.more
 * (the leap lands behind d's header execution, or on it if it leaves from e's). By induction on the number of
 * header executions that an execution still has before it leaves the loop, `more` bounds them; in particular
 * they are finite. The bound of a loop is the most over epochs that begin an entry. An execution that never
 * ended would execute some header without end within one entry, and neither kind of loop allows that.
 *
 * The order in which paths are followed matters to the claim only in that an epoch is done after everything
 * that was started in it: what waits is taken last in, first out, above the epoch that it belongs to.
 *
 * An abstract state that comes again in a later epoch while the earlier is not done would do so for ever:
 * EXPLORE_ENDLESS. A smaller state is no repetition (an interval that halves), and is followed.
 *
 * Joining. Iterations of a loop with a bound can be joined: its header's state is widened by that of the
 * execution before, until it covers the next one, which then is pruned. Then what the fixpoint knows of
 * registers at this header, which holds for every execution, takes back what widening gave away. In the same
 * way states are joined that crowd at one place in one epoch.
 */
#include "verifier/explore.h"

#include <stdlib.h>
#include <string.h>

#include "bpf/helper.h"
#include "verifier/explore_parts.h"
#include "verifier/values.h"

#define LONG_LOOP 1000    /* executions of a header that are not followed one by one at first */
#define JOIN_WIDEN_FROM 2 /* executions that are joined before the first widening */
#define CELLS_OF_INSN 64  /* cells compared in the time that an instruction takes */
#define MEMORY_MAX (230u << 20)  /* bytes of states and of what belongs to a run */
#define VISITED_MAX (100u << 20) /* bytes in use from which on no more states are kept */

/* What has happened on a path, from its end back to the root; paths share their beginnings. */
struct happening {
    const struct happening *before;
    struct path_event event;
    uint32_t length; /* events up to here */
    bool joined;     /* one of them took states together */
};

/* Where a path is. */
struct place {
    struct state *s;
    uint32_t slot;
    bool arrived; /* and its state has been kept here */
    struct chain *chain;
    struct epoch *epoch;            /* innermost of the loops that it is in; NULL: in none */
    const struct happening *events; /* NULL: none */
    /* Pending places from here on are siblings: ways not taken since states were kept last. */
    size_t base;
};

/* What is to be done once all that was started later is done. */
struct pending {
    struct epoch *epoch; /* done with it; or NULL: */
    struct place place;  /* another way of a jump, or another function, or where a sibling waits */
};

struct exploration {
    const struct analysis *a;
    struct arena *arena; /* of the run: epochs, chains of calls, lists */
    struct fixpoint *fp;
    const struct explore_goals *goals;
    const struct plan *plan;
    struct visited_table visited;
    uint64_t **bounds;         /* found by explorations that were safe, by function and loop */
    uint64_t **found;          /* by the one that runs */
    uint64_t **rounds;         /* executions of headers that it has followed */
    struct value **invariants; /* by function: registers by loop; NULL: not asked for yet */
    VEC(struct pending) pending;
    /* Of the run: */
    const struct explore_root *root;
    enum explore_mode mode;
    struct explore_report *report;
    struct bitset *failed; /* slots with a failure */
    uint64_t budget;
    bool stop;
};

static const struct cfg *cfg_of(const struct exploration *x, const struct place *p) {
    return &x->a->cfgs[p->s->frame[p->s->nframes - 1]->func];
}

static uint32_t block_at(const struct cfg *cfg, const struct exploration *x, uint32_t slot) {
    return cfg->block_of[slot - x->a->program->funcs[cfg->func].start];
}

static void note_event(struct exploration *x, struct place *p, struct path_event event) {
    struct happening *h = arena_alloc(x->arena, sizeof(*h));
    *h = (struct happening){.before = p->events,
                            .event = event,
                            .length = p->events ? p->events->length + 1 : 1,
                            .joined = event.kind == PATH_WIDEN || (p->events && p->events->joined)};
    p->events = h;
}

static void give_up(struct exploration *x, enum explore_verdict verdict) {
    if (x->report->verdict == EXPLORE_SAFE)
        x->report->verdict = verdict;
    x->stop = true;
}

/* ---- Failures */

static void fail(struct exploration *x, const struct place *p, const struct problem *problem) {
    struct explore_report *report = x->report;
    if (bitset_test(x->failed, p->slot))
        return;
    bitset_set(x->failed, p->slot);
    size_t count = p->events ? p->events->length : 0;
    struct path_event *events = arena_alloc_array(x->a->arena, count + 1, sizeof(*events));
    for (const struct happening *h = p->events; h; h = h->before)
        events[h->length - 1] = h->event;
    report->failures[report->nfailures++] =
        (struct explore_failure){.problem = *problem,
                                 .root = x->root,
                                 .events = events,
                                 .nevents = count,
                                 .exact = !p->events || !p->events->joined};
    report->verdict = EXPLORE_UNSAFE;
    x->stop |= report->nfailures == EXPLORE_FAILURES_MAX;
}

/* ---- Loops */

static bool is_counted(const struct exploration *x, uint32_t func, uint32_t loop) {
    return x->goals->bounds[func][loop] == UINT64_MAX;
}

static bool is_joined(const struct exploration *x, uint32_t func, uint32_t loop) {
    uint64_t bound = x->goals->bounds[func][loop];
    bool idle = bound > LONG_LOOP || !x->plan->loop_wants[func][loop];
    return bound != UINT64_MAX && (x->mode == EXPLORE_JOIN || (x->mode == EXPLORE_SOME && idle));
}

static void epoch_done(struct exploration *x, struct epoch *e) {
    e->done = true;
    state_free(x->a->pool, e->state);
    e->state = NULL;
    if (!e->counted)
        return;
    uint64_t *found = &x->found[e->func][e->loop];
    if (e->before && e->before->more < 1 + e->more)
        e->before->more = 1 + e->more;
    if (!e->before && *found < e->more)
        *found = e->more;
}

/* The loops that the path has left go from its epochs. */
static void leave_loops(struct exploration *x, struct place *p) {
    const struct cfg *cfg = cfg_of(x, p);
    while (p->epoch && (p->epoch->depth > p->s->nframes ||
                        (p->epoch->depth == p->s->nframes &&
                         !cfg_in_loop(cfg, block_at(cfg, x, p->slot), p->epoch->loop))))
        p->epoch = p->epoch->outer;
}

/* The header of a loop is reached: false if it is one that needs no epochs. */
static bool begin_epoch(struct exploration *x, struct place *p, uint32_t loop) {
    uint32_t func = cfg_of(x, p)->func, depth = p->s->nframes;
    bool counted = is_counted(x, func, loop);
    x->rounds[func][loop]++;
    if (!counted && !is_joined(x, func, loop))
        return false;
    struct epoch *last = p->epoch;
    bool again = last && last->depth == depth && last->loop == loop;
    struct epoch *e = arena_alloc(x->arena, sizeof(*e));
    *e = (struct epoch){.outer = again ? last->outer : last,
                        .before = again ? last : NULL,
                        .func = func,
                        .loop = loop,
                        .depth = depth,
                        .counted = counted,
                        .round = again ? last->round + 1 : 0,
                        .more = 1};
    p->epoch = e;
    return true;
}

/* What the fixpoint knows of a register at a loop's header, whoever calls the function. */
static const struct value *invariants_of(struct exploration *x, uint32_t func, uint32_t loop) {
    const struct cfg *cfg = &x->a->cfgs[func];
    if (!x->invariants[func]) {
        struct value *v =
            arena_alloc_array(x->a->arena, (size_t)cfg->nloops * BPF_NREGS, sizeof(*v));
        for (uint32_t i = 0; i < cfg->nloops * BPF_NREGS; i++) {
            const uint32_t header = cfg->loops[i / BPF_NREGS].header;
            bool any = false;
            for (const struct summary *m = x->fp->summaries[func]; m; m = m->next) {
                if (!m->walked || !m->in[header])
                    continue;
                const struct value *r = &m->in[header]->reg[i % BPF_NREGS];
                v[i] = any ? value_join(&v[i], r, NULL) : *r;
                any = true;
            }
        }
        x->invariants[func] = v;
    }
    return &x->invariants[func][(size_t)loop * BPF_NREGS];
}

/* A register that has grown from one execution of a header to the next goes at once as far as the fixpoint
 * says, and never beyond. */
static void settle_register(struct value *v, const struct value *before,
                            const struct value *known) {
    bool number = v->kind == VALUE_SCALAR && known->kind == VALUE_SCALAR;
    if (number && !value_subset(v, before) && value_subset(v, known)) {
        *v = *known;
        value_unrelate(v);
        return;
    }
    bool comparable = v->kind == known->kind && v->kind != VALUE_NONE && v->object == known->object;
    struct scalar n = v->n;
    if (comparable && !v->nullable && !known->nullable && scalar_meet(&n, &known->n))
        v->n = n;
}

/* Joins the state at a header with that of the execution before. */
static void join_iterations(struct exploration *x, struct place *p) {
    struct epoch *e = p->epoch;
    struct state_pool *pool = x->a->pool;
    if (e->before) {
        struct state *joined = state_copy(pool, e->before->state);
        bool widen = e->round >= JOIN_WIDEN_FROM;
        if (state_join(pool, joined, p->s, widen ? &x->a->thresholds[e->func] : NULL)) {
            const struct value *known = invariants_of(x, e->func, e->loop);
            for (int r = 0; r < BPF_R10; r++)
                settle_register(&joined->reg[r], &e->before->state->reg[r], &known[r]);
        }
        state_free(pool, p->s);
        p->s = joined;
        x->report->joined = true;
        note_event(x, p, (struct path_event){.slot = p->slot, .kind = PATH_WIDEN});
    }
    e->state = state_copy(pool, p->s);
}

/* ---- Places where states are kept */

/* Drops what is dead, and numbers that do not matter to any goal. */
static void forget(struct exploration *x, struct place *p) {
    uint16_t live = x->plan->live[p->slot], keep = x->plan->keep[p->slot];
    for (int r = 0; r < BPF_R10; r++)
        if (p->s->reg[r].kind == VALUE_SCALAR && !(keep >> r & 1))
            p->s->reg[r] = value_scalar(scalar_unknown());
    state_forget_comparison(p->s, (uint16_t)~keep);
    state_tidy(x->a->pool, p->s, live);
}

/* False: the path ends here. */
static bool visit(struct exploration *x, struct place *p, bool counted_header) {
    struct epoch *culprit;
    switch (visited_look(&x->visited, p->slot, p->chain, p->epoch, &p->s,
                         counted_header ? &culprit : NULL)) {
    case VISIT_MERGED:
        x->report->joined = true;
        note_event(x, p, (struct path_event){.slot = p->slot, .kind = PATH_WIDEN});
        x->report->visited++;
        return true;
    case VISIT_NEW: x->report->visited++; return true;
    case VISIT_COVERED: x->report->pruned++; return false;
    case VISIT_AGAIN:
        x->report->func = culprit->func;
        x->report->loop = culprit->loop;
        give_up(x, EXPLORE_ENDLESS);
        return false;
    }
    return false;
}

/* A path that has come to where its state was kept waits there for its siblings, the ways not taken since
 * the last such place: often they come to the same place, are covered, and so need not wait all the time until
 * the path has come to its end. True: *p is a sibling now. */
static bool let_sibling_go(struct exploration *x, struct place *p) {
    if (x->pending.count <= p->base)
        return false;
    struct place sibling = vec_pop(&x->pending).place;
    size_t base = p->base;
    p->arrived = true;
    vec_push(x->arena, &x->pending, (struct pending){.place = *p}); /* for its room */
    memmove(&x->pending.items[base + 1], &x->pending.items[base],
            (x->pending.count - 1 - base) * sizeof(*x->pending.items));
    x->pending.items[base] = (struct pending){.place = *p};
    *p = sibling;
    p->base = base + 1;
    return true;
}

/* The path has come to a block, or to behind a call. False: it ends. */
static bool arrive(struct exploration *x, struct place *p) {
    uint8_t flags = x->plan->flags[p->slot];
    if (p->arrived) {
        p->arrived = false;
        return true;
    }
    leave_loops(x, p);
    if (!(flags & SLOT_AHEAD) && !p->chain->behind)
        return false;
    if (!(flags & SLOT_VISIT))
        return true;
    forget(x, p);
    const struct cfg *cfg = cfg_of(x, p);
    uint32_t loop =
        flags & SLOT_HEADER ? x->fp->header_loop[cfg->func][block_at(cfg, x, p->slot)] : CFG_NONE;
    if (loop == CFG_NONE || !begin_epoch(x, p, loop)) {
        if (!visit(x, p, false))
            return false;
        return !let_sibling_go(x, p) || arrive(x, p);
    }
    if (!p->epoch->counted)
        join_iterations(x, p);
    /* The epoch is done when all that follows is; or at once. */
    if (visit(x, p, p->epoch->counted)) {
        vec_push(x->arena, &x->pending, (struct pending){.epoch = p->epoch});
        p->base = x->pending.count;
        return true;
    }
    epoch_done(x, p->epoch);
    return false;
}

/* ---- Jumps and calls */

/* To be followed later: the place that the event leads to. */
static void postpone(struct exploration *x, struct place place, struct path_event event) {
    note_event(x, &place, event);
    vec_push(x->arena, &x->pending, (struct pending){.place = place});
}

/* False: neither way is possible. Of two, the one that comes later in the function is followed first: out of
 * loops rather than on in them, so that few ways wait at a time. */
static bool branch(struct exploration *x, struct place *p) {
    const struct cfg *cfg = cfg_of(x, p);
    const struct cfg_block *b = &cfg->blocks[block_at(cfg, x, p->slot)];
    uint32_t to[2] = {cfg->blocks[b->succ[0]].start, cfg->blocks[b->succ[1]].start};
    struct state *ways[2] = {p->s, state_copy(x->a->pool, p->s)};
    bool can[2];
    for (int taken = 0; taken < 2; taken++)
        can[taken] = transfer_branch(x->a, ways[taken], p->slot, taken);
    bool fork = can[0] && can[1];
    int way = fork ? b->succ[1] > b->succ[0] : can[1];
    struct path_event event = {.slot = p->slot, .kind = PATH_BRANCH, .taken = way};
    if (fork) {
        struct place other = *p;
        struct path_event instead = event;
        other.s = ways[!way];
        other.slot = to[!way];
        instead.taken = !way;
        postpone(x, other, instead);
    } else {
        state_free(x->a->pool, ways[!way]);
    }
    note_event(x, p, event);
    p->s = ways[way];
    p->slot = to[way];
    return can[way];
}

/* Into a function. What the caller does not need behind the call need not tell states apart in there. */
static void enter(struct exploration *x, struct place *p, uint32_t func) {
    uint32_t behind = p->slot + x->a->program->decoded[p->slot].len;
    uint16_t live = x->plan->live[behind], keep = x->plan->keep[behind];
    for (int r = BPF_R6; r <= BPF_R9; r++) {
        struct value *v = &p->s->reg[r];
        if (!(live >> r & 1))
            *v = value_none(NONE_UNWRITTEN);
        else if (v->kind == VALUE_SCALAR && !(keep >> r & 1))
            *v = value_scalar(scalar_unknown());
    }
    state_enter(x->a->pool, p->s, func, p->slot);
    bool goals = x->plan->flags[behind] & SLOT_AHEAD || p->chain->behind;
    p->chain = chain_call(x->arena, p->chain, p->slot, func, goals);
    p->slot = x->a->program->funcs[func].start;
}

struct targets {
    struct exploration *x;
    const struct place *from;
    struct place first; /* s NULL: none yet */
};

static void call_target(void *arg, uint32_t func) {
    struct targets *t = arg;
    struct path_event event = {.slot = t->from->slot, .kind = PATH_CALL, .func = func};
    struct place place = *t->from;
    place.s = state_copy(t->x->a->pool, place.s);
    enter(t->x, &place, func);
    if (t->first.s) {
        postpone(t->x, place, event);
        return;
    }
    t->first = place;
}

/* A call through a register, of any function that it may be. */
static bool call_through(struct exploration *x, struct place *p) {
    const struct value v = p->s->reg[x->a->program->decoded[p->slot].dst];
    struct targets t = {x, p, {0}};
    size_t waiting = x->pending.count;
    bool functions = value_is_pointer(&v) && object_functions(x->a, &v, call_target, &t);
    if (functions && t.first.s) {
        struct path_event event = {.slot = p->slot, .kind = PATH_CALL, .func = t.first.chain->func};
        state_free(x->a->pool, p->s);
        *p = t.first;
        note_event(x, p, event);
        return true;
    }
    state_free(x->a->pool, t.first.s);
    while (x->pending.count > waiting)
        state_free(x->a->pool, vec_pop(&x->pending).place.s);
    bool returns = fixpoint_call(x->fp, p->s, p->slot);
    p->slot += x->a->program->decoded[p->slot].len;
    return returns;
}

/* The end of a function. False: of the root's. */
static bool leave(struct exploration *x, struct place *p) {
    if (!p->chain->caller) {
        struct problem problem;
        if (explore_wants_result(x->goals, x->root) &&
            !check_callback_result(x->a, p->s, p->slot, &problem))
            fail(x, p, &problem);
        return false;
    }
    note_event(x, p, (struct path_event){.slot = p->slot, .kind = PATH_RETURN});
    state_leave(x->a->pool, p->s);
    p->slot = p->chain->slot + x->a->program->decoded[p->chain->slot].len;
    p->chain = p->chain->caller;
    return true;
}

/* ---- Following a path */

/* One instruction. False: the path ends. */
static bool step(struct exploration *x, struct place *p) {
    const struct bpf_decoded *d = &x->a->program->decoded[p->slot];
    struct problem problem;
    if (x->plan->flags[p->slot] & SLOT_OPEN && values_check(x->a, p->s, p->slot, NULL)) {
        depth_note(x->a, p->s, p->slot);
    } else if (x->plan->flags[p->slot] & SLOT_OPEN) {
        values_check(x->a, p->s, p->slot, &problem);
        fail(x, p, &problem);
        return false;
    }
    if (bpf_op_is_jcc(d->op))
        return branch(x, p);
    switch (d->op) {
    case BPF_EXIT: return leave(x, p);
    case BPF_CALL_LOCAL: {
        uint32_t func = program_callee(x->a->program, p->slot);
        note_event(x, p, (struct path_event){.slot = p->slot, .kind = PATH_CALL, .func = func});
        enter(x, p, func);
        return true;
    }
    case BPF_CALLX: return call_through(x, p);
    case BPF_CALL_HELPER: {
        bool returns = fixpoint_call(x->fp, p->s, p->slot);
        p->slot += d->len;
        return returns;
    }
    case BPF_JA: p->slot += (uint32_t)d->target; return true;
    default:
        transfer_insn(x->a, p->s, p->slot);
        p->slot += d->len;
        return true;
    }
}

/* What counts against the budget: comparisons of large states as well, so that a budget takes about the same time
 * whatever it is spent on. */
static uint64_t spent(const struct exploration *x) {
    return x->report->processed + x->visited.cells / CELLS_OF_INSN;
}

static bool exhausted(struct exploration *x) {
    x->report->memory = state_pool_used(x->a->pool) + arena_used(x->arena) > MEMORY_MAX;
    x->report->spent = spent(x);
    if (x->report->spent < x->budget && !x->report->memory && !state_pool_spent(x->a->pool))
        return false;
    give_up(x, EXPLORE_BUDGET);
    return true;
}

/* Until the path ends. */
static void follow(struct exploration *x, struct place *p) {
    const uint8_t *flags = x->plan->flags;
    bool more = true;
    while (more && !x->stop) {
        if (flags[p->slot] & (SLOT_BLOCK | SLOT_VISIT) && (exhausted(x) || !arrive(x, p)))
            break;
        do {
            x->report->processed++;
            more = step(x, p);
        } while (more && !(flags[p->slot] & (SLOT_BLOCK | SLOT_VISIT)));
    }
    state_free(x->a->pool, p->s);
}

/* ---- A run */

static void run(struct exploration *x) {
    while (x->pending.count) {
        struct pending next = vec_pop(&x->pending);
        if (next.epoch) {
            epoch_done(x, next.epoch);
            continue;
        }
        if (x->stop) {
            state_free(x->a->pool, next.place.s);
            continue;
        }
        next.place.base = x->pending.count;
        follow(x, &next.place);
    }
}

static uint64_t **loop_table(struct arena *arena, const struct analysis *a) {
    uint64_t **table = arena_alloc_array(arena, a->program->nfuncs, sizeof(*table));
    for (uint32_t f = 0; f < a->program->nfuncs; f++)
        table[f] = arena_alloc_array(arena, a->cfgs[f].nloops, sizeof(**table));
    return table;
}

struct exploration *explore_new(struct fixpoint *fp, const struct explore_goals *goals) {
    const struct analysis *a = fp->a;
    struct exploration *x = arena_alloc(a->arena, sizeof(*x));
    x->a = a;
    x->fp = fp;
    x->goals = goals;
    x->plan = plan_new(fp, goals);
    x->visited.a = a;
    x->visited.limit = VISITED_MAX;
    x->bounds = loop_table(a->arena, a);
    x->invariants = arena_alloc_array(a->arena, a->program->nfuncs, sizeof(*x->invariants));
    return x;
}

bool explore_wants(const struct exploration *x, const struct explore_root *root) {
    return x->plan->wants[root->summary->func] || explore_wants_result(x->goals, root);
}

/* Failures by their place in the program, not by the order in which paths came to them. */
static int compare_failures(const void *x, const void *y) {
    const struct explore_failure *a = x, *b = y;
    return a->problem.slot < b->problem.slot ? -1 : a->problem.slot > b->problem.slot;
}

/* What a run that was safe has found of loops, or, of one that was not, where it went round most. */
static void conclude(struct exploration *x) {
    struct explore_report *report = x->report;
    uint64_t most = 0;
    for (uint32_t f = 0; f < x->a->program->nfuncs; f++)
        for (uint32_t i = 0; i < x->a->cfgs[f].nloops; i++) {
            if (report->verdict == EXPLORE_SAFE && x->bounds[f][i] < x->found[f][i])
                x->bounds[f][i] = x->found[f][i];
            if (report->verdict == EXPLORE_BUDGET && x->rounds[f][i] > most) {
                most = x->rounds[f][i];
                report->func = f;
                report->loop = i;
            }
        }
    qsort(report->failures, report->nfailures, sizeof(*report->failures), compare_failures);
    if (report->loop != CFG_NONE)
        report->iterations = x->rounds[report->func][report->loop];
}

void explore(struct exploration *x, const struct explore_root *root, enum explore_mode mode,
             uint64_t budget, struct explore_report *report) {
    const struct analysis *a = x->a;
    *report = (struct explore_report){.verdict = EXPLORE_SAFE, .loop = CFG_NONE};
    x->root = root;
    x->mode = mode;
    x->report = report;
    x->visited.merge = mode == EXPLORE_JOIN;
    x->visited.cells = 0;
    x->budget = budget;
    x->stop = false;
    x->arena = arena_new();
    x->visited.arena = x->arena;
    x->found = loop_table(x->arena, a);
    x->rounds = loop_table(x->arena, a);
    x->failed = bitset_new(x->arena, a->program->ninsns);
    uint32_t func = root->summary->func;
    struct chain *chain = arena_alloc(x->arena, sizeof(*chain));
    *chain = (struct chain){
        .slot = CFG_NONE, .func = func, .behind = explore_wants_result(x->goals, root)};
    struct place start = {.s = state_copy(a->pool, root->summary->entry),
                          .slot = a->program->funcs[func].start,
                          .chain = chain};
    vec_push(x->arena, &x->pending, (struct pending){.place = start});
    run(x);
    visited_clear(&x->visited);
    conclude(x);
    report->bytes = arena_used(x->arena);
    arena_free(x->arena);
    memset(&x->pending, 0, sizeof(x->pending)); /* it was on it */
}

uint64_t explore_bound(const struct exploration *x, uint32_t func, uint32_t loop) {
    return x->bounds[func][loop];
}
