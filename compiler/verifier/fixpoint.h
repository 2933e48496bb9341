/* SPDX-License-Identifier: MIT */
/*
 * The first analysis: an abstract interpretation of whole functions, over all paths at once. It is fast and
 * linear, and the only source of facts for the optimiser: what it says of an instruction holds whenever
 * control gets there.
 *
 * A function is analysed once for each kind of state that it is called in: a summary. What the callee
 * cannot reach of its callers' frames is left out of its entry state, and put back behind the call.
 */
#ifndef VERIFIER_FIXPOINT_H
#define VERIFIER_FIXPOINT_H

#include "util/vec.h"
#include "verifier/analysis.h"

#define SUMMARIES_MAX 8 /* of one function; further entry states are widened together */

struct summary {
    struct summary *next; /* of the same function, newest first */
    uint32_t func;
    struct state *entry;    /* tidy; never changes */
    struct state *exit;     /* join over the ends, still with the frame; NULL: it never returns */
    struct state **in;      /* by block: before its first instruction; NULL: never reached */
    struct state **forward; /* by loop: join over the edges into it */
    struct state **back;    /* by loop: join over its back edges */
    uint8_t *visits;        /* by loop: changes of its header's state so far */
    bool walked;            /* fixpoint_walk() has been here */
};

/* A function that the kernel calls later, when a timer of the map has run out. */
struct timer_root {
    uint32_t func, map;
};

struct fixpoint {
    const struct analysis *a;
    struct summary **summaries; /* by function */
    /* By function: by block, the loop whose header it is, or CFG_NONE. */
    const uint32_t **header_loop;
    VEC(struct timer_root) timers; /* that walks have met so far */
};

struct fixpoint *fixpoint_new(const struct analysis *a);

/* The state in which the hook calls an entry point. */
struct state *fixpoint_entry_state(const struct analysis *a, uint32_t entry);
/* Analyses a function from a state (which is copied): its summary, new or found. */
struct summary *fixpoint_summary(struct fixpoint *fp, uint32_t func, const struct state *entry);
/* The summary of an entry point as its hook calls it. */
struct summary *fixpoint_entry_summary(struct fixpoint *fp, uint32_t entry);
/* The summary of a timer's callback as the kernel calls it: fp->timers.items[timer]. */
struct summary *fixpoint_timer_summary(struct fixpoint *fp, size_t timer);

/* What an instruction that calls does to s: false if it does not return. Helpers with callbacks analyse
 * those; functions are analysed for this state. */
bool fixpoint_call(struct fixpoint *fp, struct state *s, uint32_t slot);

/* The state before a slot of a summary's function, a copy; NULL: control does not get there. */
struct state *fixpoint_state_at(struct fixpoint *fp, const struct summary *m, uint32_t slot);

/* What a walk tells: the states before each instruction that can be reached, in every summary in use. */
struct fixpoint_visitor {
    void *arg;
    /* Before an instruction. */
    void (*before)(void *arg, const struct summary *summary, uint32_t slot, const struct state *s);
    /* Behind an instruction that does not end its block; may be NULL. */
    void (*after)(void *arg, const struct summary *summary, uint32_t slot, const struct state *s);
    /* A function is called at slot, or a helper there calls it back; `callee` describes it. May be
     * NULL. */
    void (*call)(void *arg, const struct summary *callee, uint32_t slot, bool callback);
    /* A callback has returned in this state to the helper called at slot; may be NULL. */
    void (*callback)(void *arg, const struct summary *summary, uint32_t slot,
                     const struct state *s);
};
/* Walks the summaries that the states of `summary` lead to, each once per walk (fixpoint_forget()). */
void fixpoint_walk(struct fixpoint *fp, struct summary *summary,
                   const struct fixpoint_visitor *visitor);
/* Before the next walk. */
void fixpoint_forget(struct fixpoint *fp);

#endif
