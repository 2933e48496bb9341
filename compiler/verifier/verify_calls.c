/* SPDX-License-Identifier: MIT */
/*
 * Who calls whom, and what follows from it. A call through a register or of a helper with a callback
 * calls the function that the register holds, or, where that is not known, any whose address is taken:
 * too many edges are safe, a missing one is not. The graph must have no cycle, no chain of more than 8
 * functions, and no chain whose frames need more than 512 bytes. The callback of a timer is not called by who
 * sets it: it begins a chain.
 */
#include "verifier/checks.h"

#include "bpf/helper.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Functions by index, ascending. */
struct functions {
    const uint32_t *items;
    uint32_t count;
};

struct calls {
    struct verifier *v;
    uint32_t func;         /* being scanned */
    VEC(uint32_t) callees; /* of it, as they come */
    VEC(uint32_t) helpers; /* of it, as they come */
    VEC(uint32_t) timers;  /* callbacks of timers that it sets, as they come */
    bool all_taken;        /* it may call every function whose address is taken */
    bool all_timers;       /* it may set each of them as the callback of a timer */
    bool any_timer;        /* some function sets one */
    struct functions *set; /* by function: callbacks of timers that it sets itself */
    bool *called;          /* by function: someone calls it */
    uint32_t *tail_call;   /* by function: slot of a tail call, or UINT32_MAX */
    const uint32_t *taken; /* functions whose address is taken */
    uint32_t ntaken;
    uint32_t path[VERIFY_FRAMES_MAX + 1]; /* functions from a root to the one being followed */
    uint8_t *state;                       /* by function: 0 new, 1 on the path, 2 done */
    uint32_t norder;
};

/* ---- Edges ---- */

static void add_pointer(struct calls *c, struct reg pointer) {
    if (pointer.kind == REG_FUNC)
        vec_push(c->v->program->arena, &c->callees, (uint32_t)pointer.value);
    else if (pointer.kind == REG_ANY || pointer.kind == REG_FRAME_AT)
        c->all_taken = true;
}

static void note_timer_callback(struct calls *c, struct reg pointer) {
    if (pointer.kind == REG_FUNC)
        vec_push(c->v->program->arena, &c->timers, (uint32_t)pointer.value);
    else if (pointer.kind == REG_ANY || pointer.kind == REG_FRAME_AT)
        c->all_timers = true;
    c->any_timer = true;
}

static void add_helper(struct calls *c, uint32_t slot, uint32_t id,
                       const struct registers *before) {
    const struct bpf_helper *helper = bpf_helper_by_id(id);

    vec_push(c->v->program->arena, &c->helpers, id);
    if (id == BPF_FUNC_TAIL_CALL)
        c->tail_call[c->func] = slot;
    for (int i = 0; i < helper->nargs; i++)
        if (helper->arg[i] == BPF_ARG_FUNC && id == BPF_FUNC_TIMER_SET_CALLBACK)
            note_timer_callback(c, before->reg[BPF_R1 + i]);
        else if (helper->arg[i] == BPF_ARG_FUNC)
            add_pointer(c, before->reg[BPF_R1 + i]);
}

static void visit(void *arg, uint32_t slot, const struct registers *before) {
    struct calls *c = arg;
    const struct program *p = c->v->program;
    const struct bpf_decoded *d = &p->decoded[slot];

    switch (d->op) {
    case BPF_CALL_LOCAL: vec_push(p->arena, &c->callees, program_callee(p, slot)); break;
    case BPF_CALL_HELPER: add_helper(c, slot, (uint32_t)d->imm, before); break;
    case BPF_CALLX:
        c->v->result->funcs[c->func].callx = true;
        add_pointer(c, before->reg[d->dst]);
        /* It may be a helper's id as well: then the callback is in r2 (helper.def). */
        if (before->reg[d->dst].kind != REG_FUNC)
            add_pointer(c, before->reg[BPF_R2]);
        break;
    default: break;
    }
}

static int compare_numbers(const void *a, const void *b) {
    const uint32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Sorts numbers and drops repeated ones; returns how many are left. */
static uint32_t sort_unique(uint32_t *numbers, size_t count) {
    size_t kept = 0;

    if (count)
        qsort(numbers, count, sizeof(*numbers), compare_numbers);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || numbers[kept - 1] != numbers[i])
            numbers[kept++] = numbers[i];
    return (uint32_t)kept;
}

static void scan(struct calls *c, uint32_t func) {
    struct verify_func *result = &c->v->result->funcs[func];
    struct arena *arena = c->v->program->arena;

    c->func = func;
    c->all_taken = c->all_timers = false;
    memset(&c->callees, 0, sizeof(c->callees));
    memset(&c->timers, 0, sizeof(c->timers));
    memset(&c->helpers, 0, sizeof(c->helpers));
    c->tail_call[func] = UINT32_MAX;
    registers_walk(c->v, func, visit, NULL, c);
    for (uint32_t i = 0; i < c->ntaken && c->all_taken; i++)
        vec_push(arena, &c->callees, c->taken[i]);
    for (uint32_t i = 0; i < c->ntaken && c->all_timers; i++)
        vec_push(arena, &c->timers, c->taken[i]);
    uint32_t nset = sort_unique(c->timers.items, c->timers.count);
    c->set[func] = (struct functions){c->timers.items, nset};
    result->ncallees = sort_unique(c->callees.items, c->callees.count);
    result->callees = c->callees.items;
    result->nhelpers = sort_unique(c->helpers.items, c->helpers.count);
    result->helpers = c->helpers.items;
    for (uint32_t i = 0; i < result->ncallees; i++)
        c->called[result->callees[i]] = true;
    for (uint32_t i = 0; i < nset; i++)
        c->called[c->set[func].items[i]] = true;
}

/* ---- Chains ---- */

/* "a -> b -> c" of path[from..to]. */
static const char *path_text(const struct calls *c, uint32_t from, uint32_t to) {
    const char *text = "";

    for (uint32_t i = from; i <= to; i++)
        text = arena_printf(c->v->program->arena, "%s%s%s", text, i > from ? " -> " : "",
                            c->v->program->funcs[c->path[i]].name);
    return text;
}

static bool recursion(struct calls *c, uint32_t func, uint32_t depth) {
    uint32_t first = 0;
    bool direct = true;

    while (c->path[first] != func)
        first++;
    /* Where no direct call closes the circle, a pointer may, and the message should say so. */
    for (uint32_t i = first; i < depth; i++)
        direct &= !c->v->result->funcs[c->path[i]].callx;
    return verify_error(c->v, DIAG_CALL, c->v->program->funcs[func].start,
                        direct ? "use a loop"
                               : "call functions through a pointer only from functions that are "
                                 "not called through one themselves",
                        "function %s %scalls itself: %s -> %s; recursion is not supported",
                        c->v->program->funcs[func].name, direct ? "" : "perhaps ",
                        path_text(c, first, depth - 1), c->v->program->funcs[func].name);
}

/* The chain that needs most stack from path[0], as text: "a (64) + b (512)". */
static const char *stack_text(const struct calls *c, uint32_t func) {
    const struct verify_func *funcs = c->v->result->funcs;
    const char *text = "";

    for (uint32_t next = func; next != UINT32_MAX;) {
        const struct verify_func *f = &funcs[next];
        text = arena_printf(c->v->program->arena, "%s%s%s (%u)", text, *text ? " + " : "",
                            c->v->program->funcs[next].name, f->stack);
        next = UINT32_MAX;
        for (uint32_t i = 0; i < f->ncallees && next == UINT32_MAX; i++)
            if (funcs[f->callees[i]].chain_stack == f->chain_stack - f->stack)
                next = f->callees[i];
    }
    return text;
}

static bool follow(struct calls *c, uint32_t func, uint32_t depth);
static bool chain_fits(struct calls *c, uint32_t func);

/* All callees of a function that is on the path. */
static bool follow_callees(struct calls *c, struct verify_func *f, uint32_t depth) {
    uint32_t frames = 0, stack = 0;

    for (uint32_t i = 0; i < f->ncallees; i++) {
        const struct verify_func *callee = &c->v->result->funcs[f->callees[i]];
        if (!follow(c, f->callees[i], depth + 1))
            return false;
        frames = callee->frames > frames ? callee->frames : frames;
        stack = callee->chain_stack > stack ? callee->chain_stack : stack;
    }
    f->frames = frames + 1;
    f->chain_stack = stack + f->stack;
    return true;
}

/* Depth-first, so that the order comes out with callees first. The path ends every recursion here. */
static bool follow(struct calls *c, uint32_t func, uint32_t depth) {
    struct verify_func *f = &c->v->result->funcs[func];
    uint32_t start = c->v->program->funcs[func].start;

    if (c->state[func] == 1)
        return recursion(c, func, depth);
    if (c->state[func] == 2)
        return true;
    if (depth >= VERIFY_FRAMES_MAX)
        return verify_error(c->v, DIAG_CALL, start, "let the compiler inline some of them",
                            "a chain of more than %d calls: %s -> %s", VERIFY_FRAMES_MAX,
                            path_text(c, 0, depth - 1), c->v->program->funcs[func].name);
    c->path[depth] = func;
    c->state[func] = 1;
    if (!follow_callees(c, f, depth))
        return false;
    c->state[func] = 2;
    c->v->result->order[c->norder++] = func;
    if (f->frames > VERIFY_FRAMES_MAX)
        return verify_error(c->v, DIAG_CALL, start, "let the compiler inline some of them",
                            "a chain of %u functions begins with %s; at most %d can be active",
                            f->frames, c->v->program->funcs[func].name, VERIFY_FRAMES_MAX);
    return chain_fits(c, func);
}

/* Whether a function's chain has room; says so if not. */
static bool chain_fits(struct calls *c, uint32_t func) {
    const struct verify_func *f = &c->v->result->funcs[func];

    if (f->chain_stack <= VERIFY_STACK_MAX)
        return true;
    return verify_error(c->v, DIAG_STACK, c->v->program->funcs[func].start,
                        "keep large data in a map or in a global "
                        "variable",
                        "%u bytes of stack are needed, there are %d: %s", f->chain_stack,
                        VERIFY_STACK_MAX, stack_text(c, func));
}

bool verify_chains(struct verifier *v) {
    struct calls c = {.v = v};

    for (uint32_t i = 0; i < v->program->nfuncs; i++) {
        struct verify_func *f = &v->result->funcs[v->result->order[i]];
        uint32_t deepest = 0;
        for (uint32_t k = 0; k < f->ncallees; k++) {
            uint32_t stack = v->result->funcs[f->callees[k]].chain_stack;
            deepest = stack > deepest ? stack : deepest;
        }
        f->chain_stack = f->stack + deepest;
        if (!chain_fits(&c, v->result->order[i]))
            return false;
    }
    return true;
}

/* ---- Timers ---- */

/* All timers' callbacks that a function leads to: through calls, and through such callbacks. */
static void close_timers(struct calls *c, uint32_t func) {
    struct verify_func *result = &c->v->result->funcs[func];
    struct arena *arena = c->v->program->arena;
    struct bitset *seen = bitset_new(arena, c->v->program->nfuncs);
    VEC(uint32_t) todo = {0}, timers = {0};

    vec_push(arena, &todo, func);
    while (todo.count) {
        uint32_t at = vec_pop(&todo);
        const struct verify_func *f = &c->v->result->funcs[at];
        if (bitset_test(seen, at))
            continue;
        bitset_set(seen, at);
        for (uint32_t i = 0; i < f->ncallees; i++)
            vec_push(arena, &todo, f->callees[i]);
        for (uint32_t i = 0; i < c->set[at].count; i++) {
            vec_push(arena, &todo, c->set[at].items[i]);
            vec_push(arena, &timers, c->set[at].items[i]);
        }
    }
    result->ntimers = sort_unique(timers.items, timers.count);
    result->timers = timers.items;
}

static void find_timers(struct calls *c) {
    for (uint32_t i = 0; c->any_timer && i < c->v->program->nfuncs; i++)
        close_timers(c, i);
}

struct verify_depth verify_depth_of(const struct verify_result *result, uint32_t func) {
    const struct verify_func *f = &result->funcs[func];
    struct verify_depth depth = {f->frames, f->chain_stack};

    for (uint32_t i = 0; i < f->ntimers; i++) {
        const struct verify_func *timer = &result->funcs[f->timers[i]];
        depth.frames = timer->frames > depth.frames ? timer->frames : depth.frames;
        depth.stack = timer->chain_stack > depth.stack ? timer->chain_stack : depth.stack;
    }
    return depth;
}

/* A tail call replaces the program; a sub-program has a caller to return to. */
static bool check_tail_calls(struct calls *c) {
    const struct program *p = c->v->program;
    bool good = true;

    for (uint32_t i = 0; i < p->nfuncs; i++)
        if (c->tail_call[i] != UINT32_MAX && (p->funcs[i].entry < 0 || c->called[i]))
            good = verify_error(c->v, DIAG_CALL, c->tail_call[i],
                                "make the tail call in the program itself",
                                "a tail call in %s, which other functions call", p->funcs[i].name);
    return good;
}

bool verify_calls(struct verifier *v) {
    const struct program *p = v->program;
    struct calls c = {.v = v};
    VEC(uint32_t) taken = {0};

    for (uint32_t i = 0; i < p->nfuncs; i++)
        if (p->funcs[i].address_taken)
            vec_push(p->arena, &taken, i);
    c.taken = taken.items;
    c.ntaken = (uint32_t)taken.count;
    c.set = arena_alloc_array(p->arena, p->nfuncs, sizeof(*c.set));
    c.called = arena_alloc_array(p->arena, p->nfuncs, sizeof(*c.called));
    c.tail_call = arena_alloc_array(p->arena, p->nfuncs, sizeof(*c.tail_call));
    c.state = arena_alloc_array(p->arena, p->nfuncs, sizeof(*c.state));
    v->result->order = arena_alloc_array(p->arena, p->nfuncs, sizeof(*v->result->order));
    for (uint32_t i = 0; i < p->nfuncs; i++)
        scan(&c, i);
    for (uint32_t i = 0; i < p->nfuncs; i++)
        if (!follow(&c, i, 0))
            return false;
    assert(c.norder == p->nfuncs);
    find_timers(&c);
    return check_tail_calls(&c);
}
