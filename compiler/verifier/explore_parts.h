/* SPDX-License-Identifier: MIT */
/* Shared by the files of path exploration: explore.c tells what they are about. */
#ifndef VERIFIER_EXPLORE_PARTS_H
#define VERIFIER_EXPLORE_PARTS_H

#include "verifier/explore.h"

/* ---- explore_plan.c: what is known before any path is followed */

enum slot_flag {
    SLOT_BLOCK = 1,  /* a block begins here */
    SLOT_VISIT = 2,  /* states are kept here */
    SLOT_HEADER = 4, /* a loop's header */
    SLOT_OPEN = 8,   /* its check is a goal */
    SLOT_AHEAD = 16, /* a goal may follow, here or later in this function or below it */
};

/* By slot. */
struct plan {
    uint8_t *flags;
    uint16_t *live; /* where states are kept: registers that may be read before they are written */
    uint16_t *keep; /* the same: registers whose number may matter to a goal */
    bool *wants;    /* by function: it, or what it calls, has goals */
    bool **loop_wants; /* by function, by loop: the same of its blocks */
};

struct plan *plan_new(struct fixpoint *fp, const struct explore_goals *goals);

/* ---- explore_visited.c: calls, and states that were there before */

/* The calls that a path is in. Interned: equal ones are one. */
struct chain {
    struct chain *caller; /* NULL: the root */
    struct chain *calls;  /* first of those below it; NULL: none */
    struct chain *next;   /* of the same caller */
    uint32_t slot;        /* of the call */
    uint32_t func;
    bool behind; /* a goal may follow when the function has returned */
};

/* One execution of the header of a loop that is counted or joined, on one path. */
struct epoch {
    struct epoch *outer;  /* of the next loop around it, in this function or a caller */
    struct epoch *before; /* the execution before in the same entry into the loop */
    uint32_t func, loop;
    uint32_t depth; /* frames of the state */
    bool counted;   /* the loop has no bound yet */
    bool done;      /* everything that follows has been explored */
    uint32_t round; /* joined: executions before it in this entry */
    uint64_t more;  /* counted: most executions of the header from here until the loop is left, this
                       one included; final when it is done */
    struct state *state; /* joined: at the header */
};

struct visited {
    uint64_t digest, mask; /* of constants in registers: see explore_visited.c */
    struct state *state;
    struct epoch *epoch;
};

/* States kept at one slot in one chain of calls, in the order in which they came. */
struct visits {
    struct visits *next; /* in its bucket */
    const struct chain *chain;
    uint32_t slot;
    size_t cursor;             /* where the last one was found, or put */
    const struct epoch *epoch; /* of the last one put */
    uint32_t crowd;            /* how many have been put one after another in that epoch */
    VEC(struct visited) states;
};

#define VISITED_BUCKETS 4096

struct visited_table {
    struct arena *arena; /* of the run */
    const struct analysis *a;
    struct visits *buckets[VISITED_BUCKETS];
    uint64_t limit; /* no more states are kept if the pool has as many bytes in use */
    bool merge;     /* where there is a crowd */
    uint64_t cells; /* of stack that were compared: see spent() in explore.c */
};

enum visit_answer {
    VISIT_NEW,     /* kept */
    VISIT_MERGED,  /* kept, together with another one */
    VISIT_COVERED, /* by an earlier state: nothing new can follow */
    VISIT_AGAIN,   /* the path was in the very same state before, in an earlier iteration of a loop
                      without bound: *culprit is its epoch */
};

/* Looks for a state that covers *s, and keeps a copy of *s if there is none. With `merge`, where many states
 * have been kept, *s becomes the join of it and the last one, which is kept instead. `culprit` is NULL but at the
 * header of a loop that is counted, whose execution `epoch` is. */
enum visit_answer visited_look(struct visited_table *t, uint32_t slot, const struct chain *chain,
                               struct epoch *epoch, struct state **s, struct epoch **culprit);
void visited_clear(struct visited_table *t);

/* The chain of a call in another one. */
struct chain *chain_call(struct arena *arena, struct chain *caller, uint32_t slot, uint32_t func,
                         bool behind);

#endif
