/* SPDX-License-Identifier: MIT */
/* Memory of states: an arena that grows, and lists of what is free. Path exploration makes and drops
 * millions of states; what it keeps is what counts. */
#include "verifier/state_pool.h"

#include <assert.h>
#include <string.h>

struct state_pool *state_pool_new(struct arena *arena) {
    struct state_pool *pool = arena_alloc(arena, sizeof(*pool));
    pool->arena = arena;
    return pool;
}

uint64_t state_pool_used(const struct state_pool *pool) {
    return pool->used;
}

void state_pool_charge(struct state_pool *pool, uint64_t units) {
    pool->work += units;
}

uint64_t state_pool_work(const struct state_pool *pool) {
    return pool->work;
}

bool state_pool_spent(const struct state_pool *pool) {
    return pool->work > VERIFY_WORK;
}

/* ---- Frames */

static unsigned class_of(uint32_t count) {
    unsigned class = 0;
    while (4u << class < count)
        class ++;
    assert(class < CELL_CLASSES);
    return class;
}

/* A free array of cells keeps the next one's address in its first bytes. */
static struct cell *cells_take(struct state_pool *pool, unsigned class) {
    struct cell *cells = pool->cells[class];
    pool->used += (4u << class) * sizeof(struct cell);
    if (!cells)
        return arena_alloc(pool->arena, (4u << class) * sizeof(struct cell));
    memcpy(&pool->cells[class], cells, sizeof(cells));
    return cells;
}

static void cells_give(struct state_pool *pool, struct cell *cells, uint32_t room) {
    if (!cells)
        return;
    unsigned class = class_of(room);
    pool->used -= (4u << class) * sizeof(struct cell);
    memcpy(cells, &pool->cells[class], sizeof(cells));
    pool->cells[class] = cells;
}

struct frame *frame_new(struct state_pool *pool) {
    struct frame *f = pool->frames;
    pool->used += sizeof(*f);
    if (f)
        memcpy(&pool->frames, &f->cells, sizeof(f));
    else
        f = arena_alloc(pool->arena, sizeof(*f));
    memset(f, 0, sizeof(*f));
    f->refs = 1;
    return f;
}

void state_pool_grow(struct state_pool *pool, struct frame *f, uint32_t count) {
    if (count <= f->room)
        return;
    unsigned class = class_of(count);
    struct cell *cells = cells_take(pool, class);
    if (f->ncells)
        memcpy(cells, f->cells, f->ncells * sizeof(*cells));
    cells_give(pool, f->cells, f->room);
    f->cells = cells;
    f->room = 4u << class;
}

static struct frame *frame_clone(struct state_pool *pool, const struct frame *f) {
    struct frame *copy = frame_new(pool);
    *copy = *f;
    copy->refs = 1;
    state_pool_charge(pool, f->ncells / 16);
    copy->cells = NULL;
    copy->room = 0;
    copy->ncells = 0;
    state_pool_grow(pool, copy, f->ncells);
    if (f->ncells)
        memcpy(copy->cells, f->cells, f->ncells * sizeof(*f->cells));
    copy->ncells = f->ncells;
    return copy;
}

void frame_release(struct state_pool *pool, struct frame *f) {
    if (!f || --f->refs)
        return;
    cells_give(pool, f->cells, f->room);
    pool->used -= sizeof(*f);
    memcpy(&f->cells, &pool->frames, sizeof(f));
    pool->frames = f;
}

/* ---- States */

struct state *state_copy(struct state_pool *pool, const struct state *s) {
    struct state *copy = pool->states;
    pool->used += sizeof(*copy);
    if (copy)
        memcpy(&pool->states, copy, sizeof(copy));
    else
        copy = arena_alloc(pool->arena, sizeof(*copy));
    *copy = *s;
    for (uint32_t i = 0; i < copy->nframes; i++)
        if (copy->frame[i])
            copy->frame[i]->refs++;
    return copy;
}

void state_free(struct state_pool *pool, struct state *s) {
    if (!s)
        return;
    for (uint32_t i = 0; i < s->nframes; i++)
        frame_release(pool, s->frame[i]);
    pool->used -= sizeof(*s);
    memcpy(s, &pool->states, sizeof(s));
    pool->states = s;
}

struct frame *state_own_frame(struct state_pool *pool, struct state *s, uint32_t index) {
    struct frame *f = s->frame[index];
    assert(f);
    if (f->refs == 1)
        return f;
    s->frame[index] = frame_clone(pool, f);
    f->refs--;
    return s->frame[index];
}

struct frame *state_write_frame(struct state_pool *pool, struct state *s, uint32_t index) {
    s->written |= UINT32_C(1) << index;
    return state_own_frame(pool, s, index);
}

void state_swap(struct state *a, struct state *b) {
    struct state t = *a;
    *a = *b;
    *b = t;
}

void state_drop_frame(struct state_pool *pool, struct state *s, uint32_t index) {
    frame_release(pool, s->frame[index]);
    s->frame[index] = NULL;
}

void state_share_frame(struct state_pool *pool, struct state *s, uint32_t index, struct frame *f) {
    f->refs++;
    frame_release(pool, s->frame[index]);
    s->frame[index] = f;
}
