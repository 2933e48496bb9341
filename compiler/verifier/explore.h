/* SPDX-License-Identifier: MIT */
/*
 * The second analysis: paths are followed one by one, and a path is given up where a state that covers
 * it has been there before. It settles what the fixpoint leaves open, checks and bounds of loops, and
 * tells how control gets to an instruction that may not run. Why its answers hold: explore.c.
 */
#ifndef VERIFIER_EXPLORE_H
#define VERIFIER_EXPLORE_H

#include "util/vec.h"
#include "verifier/fixpoint.h"

#define EXPLORE_FAILURES_MAX 5

/* What there is to settle. The sets are not changed. */
struct explore_goals {
    const struct bitset *open; /* by slot: its check fails in the fixpoint */
    /* By slot of a helper call: what its callback returns may be wrong. */
    const struct bitset *results;
    const bool *result_open;       /* by function: it is such a callback */
    const struct bitset *to_stack; /* by slot: this store may write to the stack */
    /* By function, by loop: most executions of its header for each time the loop is entered; UINT64_MAX: not
     * known, find out. */
    uint64_t **bounds;
};

/* Where exploration starts: a program, or a callback as its helper or the kernel calls it. */
struct explore_root {
    enum { ROOT_PROGRAM, ROOT_TIMER, ROOT_CALLBACK } kind; /* what calls: hook, timer, or helper */
    const struct summary *summary;                         /* its function and entry state */
    uint32_t slot;                                         /* ROOT_CALLBACK: of the helper's call */
};

/* Whether what a callback returns to its helper is open. */
static inline bool explore_wants_result(const struct explore_goals *goals,
                                        const struct explore_root *root) {
    return root->kind == ROOT_CALLBACK && bitset_test(goals->results, root->slot);
}

enum path_kind {
    PATH_BRANCH, /* a conditional jump at slot, taken or not */
    PATH_CALL,   /* a call at slot of function `func` */
    PATH_RETURN, /* an exit at slot, to behind the call */
    PATH_WIDEN,  /* many states are taken together at slot: iterations, if it is a loop's header */
};

struct path_event {
    uint32_t slot;
    uint32_t func; /* PATH_CALL */
    uint8_t kind;  /* enum path_kind */
    bool taken;    /* PATH_BRANCH */
};

/* A check that failed, and how control got there from the root. */
struct explore_failure {
    struct problem problem;
    const struct explore_root *root;
    const struct path_event *events;
    size_t nevents;
    bool exact; /* no iterations were joined on the way */
};

enum explore_verdict {
    EXPLORE_SAFE,    /* every goal that the root can reach is settled, every loop has a bound */
    EXPLORE_UNSAFE,  /* failures tell */
    EXPLORE_BUDGET,  /* too many instructions, or too much memory */
    EXPLORE_ENDLESS, /* a loop comes back to the state that it was in */
};

enum explore_mode {
    EXPLORE_JOIN,  /* iterations of all loops with known bounds are joined */
    EXPLORE_SOME,  /* of those with large bounds, or without a goal inside */
    EXPLORE_EXACT, /* of none */
};

struct explore_report {
    enum explore_verdict verdict;
    uint32_t nfailures;
    struct explore_failure failures[EXPLORE_FAILURES_MAX]; /* of different slots */
    /* The loop that ENDLESS means, or that BUDGET was spent on most; loop CFG_NONE: in none. */
    uint32_t func, loop;
    uint64_t iterations; /* executions of its header that were followed */
    bool memory;         /* BUDGET: it is memory that has run out */
    bool joined;         /* some iterations were joined */
    uint64_t processed;  /* instructions */
    uint64_t spent;      /* of the budget: those, and what comparing states took */
    uint64_t visited;    /* states kept */
    uint64_t pruned;     /* paths given up because of them */
    uint64_t bytes;      /* of memory, but for states */
};

struct exploration;
struct exploration *explore_new(struct fixpoint *fp, const struct explore_goals *goals);
/* Whether there is anything to settle in the root's function or in what it calls. */
bool explore_wants(const struct exploration *x, const struct explore_root *root);
/* Explores for at most `budget` instructions. Bounds that it finds go up in x until explore_bound(). */
void explore(struct exploration *x, const struct explore_root *root, enum explore_mode mode,
             uint64_t budget, struct explore_report *report);
/* Most executions of the header for each entry into the loop, over all explorations that were safe; 0: it
 * was never reached. */
uint64_t explore_bound(const struct exploration *x, uint32_t func, uint32_t loop);

#endif
