/* SPDX-License-Identifier: MIT */
/*
 * Dense sets of small integers [0, size), on an arena. Operations on two sets need equal sizes.
 * Those that data-flow analyses iterate with tell whether the set changed.
 *
 *     bitset_for_each(i, set)   i is each member in ascending order
 */
#ifndef UTIL_BITSET_H
#define UTIL_BITSET_H

#include "util/arena.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bitset {
    size_t size;      /* members are below this */
    uint64_t words[]; /* bits at and above size are 0 */
};

struct bitset *bitset_new(struct arena *arena, size_t size);

static inline bool bitset_test(const struct bitset *set, size_t i) {
    assert(i < set->size);
    return set->words[i / 64] >> (i % 64) & 1;
}

static inline void bitset_set(struct bitset *set, size_t i) {
    assert(i < set->size);
    set->words[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void bitset_clear(struct bitset *set, size_t i) {
    assert(i < set->size);
    set->words[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

void bitset_clear_all(struct bitset *set);
void bitset_set_all(struct bitset *set);
void bitset_copy(struct bitset *to, const struct bitset *from);

/* to |= from, to &= from, to &= ~from; true when `to` changed. */
bool bitset_or(struct bitset *to, const struct bitset *from);
bool bitset_and(struct bitset *to, const struct bitset *from);
bool bitset_andnot(struct bitset *to, const struct bitset *from);

bool bitset_equal(const struct bitset *a, const struct bitset *b);
bool bitset_empty(const struct bitset *set);
size_t bitset_count(const struct bitset *set);

/* The smallest member >= from, or set->size when there is none. */
size_t bitset_next(const struct bitset *set, size_t from);

#define bitset_for_each(i, set)                                                                    \
    for (size_t i = bitset_next((set), 0); i < (set)->size; i = bitset_next((set), i + 1))

#endif
