/* SPDX-License-Identifier: MIT */
/* Memory of states, for the files that implement state.h. */
#ifndef VERIFIER_STATE_POOL_H
#define VERIFIER_STATE_POOL_H

#include "verifier/state.h"

/* Arrays of cells come in sizes of 4 << class. */
#define CELL_CLASSES 8
_Static_assert((4u << (CELL_CLASSES - 1)) >= VERIFY_STACK_MAX, "a cell for every byte");

struct state_pool {
    struct arena *arena;
    struct state *states;             /* free ones, linked through their first bytes */
    struct frame *frames;             /* the same, linked through cells */
    struct cell *cells[CELL_CLASSES]; /* the same, by class of size */
    uint64_t used;                    /* bytes in states that are not free */
    uint64_t work;                    /* units so far */
};

/* A frame without cells, refs 1. */
struct frame *frame_new(struct state_pool *pool);
void frame_release(struct state_pool *pool, struct frame *f);
/* Room for at least `count` cells; those there are stay. */
void state_pool_grow(struct state_pool *pool, struct frame *f, uint32_t count);

/* --- stack.c, for joins */
/* Bytes are no longer initialised, or are so still and hold nothing known; numbers' cells are cut. */
void stack_forget(struct state_pool *pool, struct frame *f, int off, int size);
/* Cuts numbers' cells of f where g has smaller ones, so that equal places have equal cells. */
void stack_align(struct state_pool *pool, struct frame *f, const struct frame *g);
/* The cell of exactly these bytes, or NULL. */
const struct cell *stack_cell(const struct frame *f, int off, int size);
/* Whether at least one of these bytes is initialised. */
bool stack_any_init(const struct frame *f, int off, int size);

/* --- relate.c, for joins */
/* One place of a joined state, and what it was in both. */
struct place_pair {
    struct value *out;
    const struct value *a, *b;
};
/* Gives the joined values the relations that hold in both states; returns the next free base. */
uint32_t relate_join(struct place_pair *pairs, uint32_t count);
/* Whether a's places are related as b's are. */
bool relate_subset(const struct place_pair *pairs, uint32_t count);

#endif
