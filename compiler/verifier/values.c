/* SPDX-License-Identifier: MIT */
/*
 * The part of the verifier that follows values: control-flow graphs and limits for widening, the fixpoint
 * over every entry point, the checks on its states. What it cannot prove goes to path exploration.
 */
#include "verifier/values.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "verifier/bounds.h"
#include "verifier/checks.h"
#include "verifier/fixpoint.h"
#include "verifier/rank.h"
#include "verifier/settle.h"
#include "verifier/trace.h"

/* ---- Before the analyses */

/* Arguments that functions read, callees first; a callback's are what its helper hands over. */
static bool build_graphs(struct analysis *a) {
    const struct program *p = a->program;
    uint16_t *live = arena_alloc_array(a->arena, p->nfuncs, sizeof(*live));
    a->cfgs = arena_alloc_array(a->arena, p->nfuncs, sizeof(*a->cfgs));
    a->live_args = live;
    for (uint32_t i = 0; i < p->nfuncs; i++) {
        uint32_t func = a->result->order[i], culprit;
        if (!cfg_build(a->arena, p, func, live, &a->cfgs[func], &culprit))
            return verify_error(a->verifier, DIAG_CFG, culprit,
                                "write it with for, while or do; no goto into a loop",
                                "a jump into the middle of a loop in function %s",
                                p->funcs[func].name);
        live[func] = a->cfgs[func].blocks[0].live_in & 0x3e;
    }
    return true;
}

static int compare_limits(const void *x, const void *y) {
    int64_t a, b;
    memcpy(&a, x, sizeof(a));
    memcpy(&b, y, sizeof(b));
    return a < b ? -1 : a > b;
}

/* Constants that a function compares with or adds, and what lies beside them: a bound that grows stops
 * there first. */
static void collect_limits(struct analysis *a, uint32_t func) {
    static const int64_t always[] = {INT32_MIN, -1, 0, 1, 255, UINT16_MAX, INT32_MAX, UINT32_MAX};
    const struct prog_func *f = &a->program->funcs[func];
    VEC(int64_t) limits = {0};
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        vec_push(a->arena, &limits, always[i]);
    for (uint32_t slot = f->start; slot < f->start + f->len; slot++) {
        const struct bpf_decoded *d = &a->program->decoded[slot];
        if (d->len == 0 || d->src_reg)
            continue;
        if (bpf_op_is_jcc(d->op) || d->op == BPF_AND || d->op == BPF_MOV || d->op == BPF_ADD) {
            vec_push(a->arena, &limits, d->imm);
            if (d->imm > INT32_MIN)
                vec_push(a->arena, &limits, d->imm - 1);
            vec_push(a->arena, &limits, d->imm + 1);
        }
    }
    qsort(limits.items, limits.count, sizeof(*limits.items), compare_limits);
    uint32_t kept = 0;
    for (size_t i = 0; i < limits.count; i++)
        if (kept == 0 || limits.items[kept - 1] != limits.items[i])
            limits.items[kept++] = limits.items[i];
    a->thresholds[func] = (struct thresholds){limits.items, kept};
}

struct analysis *values_analysis(struct verifier *v, struct arena *arena) {
    struct analysis *a = arena_alloc(arena, sizeof(*a));
    *a = (struct analysis){.program = v->program,
                           .verifier = v,
                           .result = v->result,
                           .arena = arena,
                           .budget = VERIFY_BUDGET};
    a->pool = state_pool_new(arena);
    if (!build_graphs(a))
        return NULL;
    a->lowest = arena_alloc_array(arena, v->program->nfuncs, sizeof(*a->lowest));
    a->wild = bitset_new(arena, v->program->ninsns);
    a->thresholds = arena_alloc_array(arena, v->program->nfuncs, sizeof(*a->thresholds));
    a->shapes = arena_alloc_array(arena, v->program->nfuncs, sizeof(*a->shapes));
    for (uint32_t f = 0; f < v->program->nfuncs; f++) {
        collect_limits(a, f);
        a->shapes[f] = loop_shapes(arena, v->program, &a->cfgs[f], a->live_args);
    }
    return a;
}

/* ---- Checks on the fixpoint's states */

struct survey {
    const struct analysis *a;
    struct bitset *open;    /* slots whose check fails in some summary */
    struct bitset *results; /* slots of helpers' calls whose callback may return something wrong */
    struct facts_collector *facts;
};

bool values_check(const struct analysis *a, const struct state *s, uint32_t slot,
                  struct problem *problem) {
    const struct bpf_decoded *d = &a->program->decoded[slot];
    switch (d->op) {
    case BPF_CALL_HELPER: return check_helper(a, s, slot, (uint32_t)d->imm, problem);
    case BPF_CALLX: return check_callx(a, s, slot, problem);
    case BPF_CALL_LOCAL: return true;
    case BPF_EXIT: return check_exit(a, s, slot, problem);
    default: return check_insn(a, s, slot, problem);
    }
}

static void survey_before(void *arg, const struct summary *summary, uint32_t slot,
                          const struct state *s) {
    struct survey *survey = arg;
    facts_before(survey->facts, summary, slot, s);
    if (values_check(survey->a, s, slot, NULL))
        depth_note(survey->a, s, slot);
    else
        bitset_set(survey->open, slot);
}

static void survey_after(void *arg, const struct summary *summary, uint32_t slot,
                         const struct state *s) {
    struct survey *survey = arg;
    (void)summary;
    facts_after(survey->facts, slot, s);
}

static void survey_callback(void *arg, const struct summary *summary, uint32_t slot,
                            const struct state *s) {
    struct survey *survey = arg;
    (void)summary;
    if (!check_callback_result(survey->a, s, slot, NULL))
        bitset_set(survey->results, slot);
}

void values_walk(struct fixpoint *fp, const struct fixpoint_visitor *visitor) {
    const struct program *p = fp->a->program;
    fixpoint_forget(fp);
    for (uint32_t i = 0; i < p->nentries; i++)
        fixpoint_walk(fp, fixpoint_entry_summary(fp, i), visitor);
    /* A callback may set others. */
    for (size_t i = 0; i < fp->timers.count && !state_pool_spent(fp->a->pool); i++)
        fixpoint_walk(fp, fixpoint_timer_summary(fp, i), visitor);
}

/* What ranking says of each loop, over all summaries in use. */
static uint64_t **loop_bounds(struct fixpoint *fp) {
    const struct analysis *a = fp->a;
    uint64_t **bounds = arena_alloc_array(a->arena, a->program->nfuncs, sizeof(*bounds));
    for (uint32_t f = 0; f < a->program->nfuncs; f++) {
        bounds[f] = arena_alloc_array(a->arena, a->cfgs[f].nloops, sizeof(**bounds));
        for (const struct summary *m = fp->summaries[f]; m; m = m->next)
            for (uint32_t i = 0; m->walked && i < a->cfgs[f].nloops; i++) {
                uint64_t bound = bounds_of(fp, m, i);
                bounds[f][i] = bound > bounds[f][i] ? bound : bounds[f][i];
            }
    }
    return bounds;
}

/* The loops of all functions, in the order of the program. */
static void take_loops(const struct analysis *a, uint64_t *const *bounds) {
    struct arena *arena = a->program->arena;
    VEC(struct verify_loop) loops = {0};
    for (uint32_t f = 0; f < a->program->nfuncs; f++)
        for (uint32_t i = 0; i < a->cfgs[f].nloops; i++)
            vec_push(arena, &loops,
                     (struct verify_loop){f, a->cfgs[f].blocks[a->cfgs[f].loops[i].header].start,
                                          bounds[f][i]});
    a->result->loops = loops.items;
    a->result->nloops = (uint32_t)loops.count;
}

/* Whether every check holds in the fixpoint's states, and every loop has a bound. */
static bool is_proven(const struct survey *survey, uint64_t *const *bounds) {
    const struct analysis *a = survey->a;
    for (uint32_t f = 0; f < a->program->nfuncs; f++)
        for (uint32_t i = 0; i < a->cfgs[f].nloops; i++)
            if (bounds[f][i] == UINT64_MAX)
                return false;
    return bitset_empty(survey->open) && bitset_empty(survey->results);
}

static bool say_spent(struct verifier *v) {
    return verify_error(
        v, DIAG_BUDGET, v->program->funcs[v->program->entries[0].func].start,
        "make the program smaller: fewer loops inside of each other, fewer functions that one "
        "pointer "
        "may be of, fewer timers that one function may be set for",
        "the program is too large to be verified: there is more to look at than %d steps",
        VERIFY_WORK);
}

static bool follow(struct verifier *v, struct analysis *a) {
    struct fixpoint *fp = fixpoint_new(a);
    size_t slots = v->program->ninsns;
    struct survey survey = {
        .a = a,
        .open = bitset_new(a->arena, slots),
        .results = bitset_new(a->arena, slots),
        .facts = facts_start(a),
    };
    const struct fixpoint_visitor visitor = {.arg = &survey,
                                             .before = survey_before,
                                             .after = survey_after,
                                             .callback = survey_callback};
    if (v->log)
        trace_fixpoint(fp, v->log);
    values_walk(fp, &visitor);
    if (state_pool_spent(a->pool))
        return say_spent(v);
    uint64_t **bounds = loop_bounds(fp);
    bool good = is_proven(&survey, bounds) ||
                settle(fp, survey.open, survey.results, bounds, &v->result->cost);
    v->result->cost.bytes += arena_used(a->arena);
    if (!good)
        return false;
    if (state_pool_spent(a->pool)) /* while paths were followed */
        return say_spent(v);
    if (!depth_take(a))
        return false;
    take_loops(a, bounds);
    v->result->facts = facts_finish(survey.facts, v->program->arena);
    return true;
}

bool verify_values(struct verifier *v) {
    struct arena *arena = arena_new();
    struct analysis *a = values_analysis(v, arena);
    bool good = a && follow(v, a);
    if (a)
        v->result->cost.work = state_pool_work(a->pool);
    arena_free(arena);
    return good;
}
