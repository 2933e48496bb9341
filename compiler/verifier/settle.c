/* SPDX-License-Identifier: MIT */
/*
 * What the fixpoint leaves open is settled by following paths, from every program and every callback that
 * has something open in it, each with a budget of its own. First the iterations of all loops that have a
 * bound are joined, for a part of the budget: that is quick, and forgets what single iterations did. Where it
 * fails, those are of loops that are long or have nothing open inside; at last of none, so that a path that
 * fails is a path.
 */
#include "verifier/settle.h"

#include <inttypes.h>

#include "verifier/checks.h"
#include "verifier/explain.h"
#include "verifier/values.h"

struct settling {
    struct fixpoint *fp;
    const struct analysis *a;
    struct explore_goals goals;
    struct bitset *to_stack;
    struct exploration *x;
    struct bitset *said; /* slots with a message */
    struct verify_cost *cost;
    uint64_t spent; /* of VERIFY_BUDGET_ALL */
    VEC(struct explore_root) roots;
};

/* ---- What the fixpoint has seen */

static void see(void *arg, const struct summary *summary, uint32_t slot, const struct state *s) {
    struct settling *t = arg;
    const struct bpf_decoded *d = &t->a->program->decoded[slot];
    (void)summary;
    bool store = d->op == BPF_ST || d->op == BPF_STX || bpf_op_is_atomic(d->op);
    if (store && (!value_is_pointer(&s->reg[d->dst]) || s->reg[d->dst].kind == VALUE_STACK))
        bitset_set(t->to_stack, slot);
}

/* A callback is a root, unless one that covers it is there already: of the same frames, for the function with the
 * call may itself be called at several depths. */
static void see_call(void *arg, const struct summary *callee, uint32_t slot, bool callback) {
    struct settling *t = arg;
    if (!callback)
        return;
    struct explore_root root = {ROOT_CALLBACK, callee, slot};
    vec_for_each(struct explore_root, old, &t->roots) {
        if (old->kind != ROOT_CALLBACK || old->slot != slot || old->summary->func != callee->func ||
            !state_same_frames(callee->entry, old->summary->entry))
            continue;
        if (old->summary == callee || state_subset(callee->entry, old->summary->entry))
            return;
        if (state_subset(old->summary->entry, callee->entry)) {
            *old = root;
            return;
        }
    }
    vec_push(t->a->arena, &t->roots, root);
}

static void collect_roots(struct settling *t) {
    const struct program *p = t->a->program;
    const struct fixpoint_visitor visitor = {.arg = t, .before = see, .call = see_call};
    for (uint32_t i = 0; i < p->nentries; i++) {
        struct explore_root root = {ROOT_PROGRAM, fixpoint_entry_summary(t->fp, i), 0};
        vec_push(t->a->arena, &t->roots, root);
    }
    values_walk(t->fp, &visitor);
    for (size_t i = 0; i < t->fp->timers.count; i++) {
        struct explore_root root = {ROOT_TIMER, fixpoint_timer_summary(t->fp, i), 0};
        vec_push(t->a->arena, &t->roots, root);
    }
}

/* Callbacks that may return something wrong. */
static void mark_results(struct settling *t) {
    bool *open = arena_alloc_array(t->a->arena, t->a->program->nfuncs, sizeof(*open));
    vec_for_each(struct explore_root, root, &t->roots)
        if (explore_wants_result(&t->goals, root))
            open[root->summary->func] = true;
    t->goals.result_open = open;
}

/* ---- One root */

static void attempt(struct settling *t, const struct explore_root *root, enum explore_mode mode,
                    uint64_t budget, struct explore_report *report) {
    explore(t->x, root, mode, budget, report);
    t->cost->explored += report->processed;
    t->cost->visited += report->visited;
    t->cost->pruned += report->pruned;
    t->cost->bytes = report->bytes > t->cost->bytes ? report->bytes : t->cost->bytes;
}

/* A failure with joined iterations on its way may be none, and so may a loop that does not end. */
static bool is_final(const struct explore_report *report) {
    for (uint32_t i = 0; i < report->nfailures; i++)
        if (report->failures[i].exact)
            return true;
    return report->verdict == EXPLORE_SAFE;
}

/* Attempts, and which part of the budget each gets: what is quick either way is found before much is spent on what
 * fails. */
static const struct {
    enum explore_mode mode;
    unsigned part; /* of so many */
} attempts[] = {
    {EXPLORE_JOIN, 64}, {EXPLORE_SOME, 16}, {EXPLORE_JOIN, 8},
    {EXPLORE_SOME, 2},  {EXPLORE_EXACT, 1},
};

/* All of the budget that is left goes to an attempt behind one that joined nothing, so that it is the same one over
 * again. */
static void settle_root(struct settling *t, const struct explore_root *root,
                        struct explore_report *report) {
    struct explore_report last = {.joined = true};
    uint64_t all = VERIFY_BUDGET_ALL > t->spent ? VERIFY_BUDGET_ALL - t->spent : 0;
    uint64_t left = all < t->a->budget ? all : t->a->budget;
    *report = (struct explore_report){.verdict = EXPLORE_BUDGET, .loop = CFG_NONE};
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]) && left; i++) {
        uint64_t part = last.joined ? t->a->budget / attempts[i].part : left;
        attempt(t, root, attempts[i].mode, part < left ? part : left, &last);
        left -= last.spent < left ? last.spent : left;
        t->spent += last.spent;
        /* What failed with iterations joined tells more than that the budget is spent. */
        if (is_final(&last) || last.verdict != EXPLORE_BUDGET || report->verdict == EXPLORE_BUDGET)
            *report = last;
        bool same_again = !last.joined && (last.verdict != EXPLORE_BUDGET || last.memory);
        if (is_final(&last) || same_again)
            return;
    }
}

/* ---- Messages */

static uint32_t header_slot(const struct analysis *a, uint32_t func, uint32_t loop) {
    const struct cfg *cfg = &a->cfgs[func];
    return cfg->blocks[cfg->loops[loop].header].start;
}

static bool say_endless(const struct settling *t, const struct explore_report *report) {
    return verify_error(t->a->verifier, DIAG_LOOP, header_slot(t->a, report->func, report->loop),
                        "let every iteration change what the loop's condition tests, or count: "
                        "`for (i = 0; i < 100; i++)`",
                        "this loop need not end: an iteration can leave all that is known of its "
                        "variables as it was");
}

/* The first check that is not settled, as the fixpoint sees it. */
struct unsettled {
    const struct settling *t;
    struct problem problem;
    bool any;
};

static void find_unsettled(void *arg, const struct summary *summary, uint32_t slot,
                           const struct state *s) {
    struct unsettled *u = arg;
    (void)summary;
    if (!u->any && bitset_test(u->t->goals.open, slot))
        u->any = !values_check(u->t->a, s, slot, &u->problem);
}

/* A call of which the fixpoint does not know what it calls: what single paths call there was not looked at. */
static void say_wild(void *arg, const struct summary *summary, uint32_t slot,
                     const struct state *s) {
    struct settling *t = arg;
    struct problem problem;
    (void)summary;
    if (!bitset_test(t->a->wild, slot) || bitset_test(t->said, slot) ||
        values_check(t->a, s, slot, &problem))
        return;
    bitset_set(t->said, slot);
    verify_error(t->a->verifier, problem.category, slot, problem.mend, "%s", problem.text);
}

static bool say_budget(const struct settling *t, const struct explore_root *root,
                       const struct explore_report *report) {
    const struct verifier *v = t->a->verifier;
    uint32_t slot = report->loop == CFG_NONE ? t->a->program->funcs[root->summary->func].start
                                             : header_slot(t->a, report->func, report->loop);
    const char *what = report->memory ? "memory" : "instructions";
    if (report->loop != CFG_NONE && t->goals.bounds[report->func][report->loop] == UINT64_MAX)
        verify_error(t->a->verifier, DIAG_LOOP, slot,
                     "count the iterations: `for (i = 0; i < 100; i++)`, with a limit that the "
                     "loop does not change",
                     "no bound is known for this loop; after following %" PRIu64
                     " iterations there were still more",
                     report->iterations);
    else
        verify_error(t->a->verifier, DIAG_BUDGET, slot,
                     "make the program smaller, or its loops shorter; test an index right before "
                     "it is used",
                     "the program has too many paths: following them took more %s than there are "
                     "(%" PRIu64 " instructions)",
                     what, t->a->budget);
    struct unsettled u = {.t = t};
    const struct fixpoint_visitor visitor = {.arg = &u, .before = find_unsettled};
    values_walk(t->fp, &visitor);
    if (u.any) {
        struct diag_loc loc;
        program_loc(t->a->program, u.problem.slot, &loc);
        diag_note(v->diag, u.problem.category, &loc, u.problem.mend,
                  "this is what could not be decided: %s", u.problem.text);
    }
    return false;
}

static bool say_failures(struct settling *t, const struct explore_report *report) {
    for (uint32_t i = 0; i < report->nfailures; i++) {
        const struct explore_failure *f = &report->failures[i];
        if (bitset_test(t->said, f->problem.slot) || verify_gave_up(t->a->verifier))
            continue;
        bitset_set(t->said, f->problem.slot);
        verify_error(t->a->verifier, f->problem.category, f->problem.slot, f->problem.mend, "%s",
                     f->problem.text);
        explain_path(t->a, f);
        if (!f->exact)
            diag_note(t->a->verifier->diag, f->problem.category, NULL, NULL,
                      "iterations and paths were taken together on this way, as there are too many "
                      "to follow each: it may be that no single one comes here");
        if (t->a->verifier->log)
            explain_trace(t->a, f, t->a->verifier->log);
    }
    return false;
}

static bool say(struct settling *t, const struct explore_root *root,
                const struct explore_report *report) {
    switch (report->verdict) {
    case EXPLORE_SAFE: return true;
    case EXPLORE_UNSAFE: return say_failures(t, report);
    case EXPLORE_ENDLESS: return say_endless(t, report);
    case EXPLORE_BUDGET: break;
    }
    return say_budget(t, root, report);
}

/* ---- All */

/* Bounds that were found: of every loop, as every root that can reach it was explored. */
static void take_bounds(struct settling *t, uint64_t **bounds) {
    for (uint32_t f = 0; f < t->a->program->nfuncs; f++)
        for (uint32_t i = 0; i < t->a->cfgs[f].nloops; i++)
            if (bounds[f][i] == UINT64_MAX)
                bounds[f][i] = explore_bound(t->x, f, i);
}

bool settle(struct fixpoint *fp, const struct bitset *open, const struct bitset *results,
            uint64_t **bounds, struct verify_cost *cost) {
    const struct analysis *a = fp->a;
    size_t slots = a->program->ninsns;
    struct settling t = {.fp = fp,
                         .a = a,
                         .to_stack = bitset_new(a->arena, slots),
                         .said = bitset_new(a->arena, slots),
                         .cost = cost};
    t.goals = (struct explore_goals){
        .open = open, .results = results, .to_stack = t.to_stack, .bounds = bounds};
    collect_roots(&t);
    mark_results(&t);
    t.x = explore_new(fp, &t.goals);
    bool good = true;
    for (size_t i = 0; i < t.roots.count && !verify_gave_up(a->verifier); i++) {
        struct explore_report report;
        if (!explore_wants(t.x, &t.roots.items[i]))
            continue;
        settle_root(&t, &t.roots.items[i], &report);
        good = say(&t, &t.roots.items[i], &report) && good;
    }
    if (good && !bitset_empty(a->wild)) {
        const struct fixpoint_visitor visitor = {.arg = &t, .before = say_wild};
        values_walk(fp, &visitor);
        return false;
    }
    if (good)
        take_bounds(&t, bounds);
    return good;
}
