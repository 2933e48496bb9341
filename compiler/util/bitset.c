/* SPDX-License-Identifier: MIT */
/* Dense bit sets, a word at a time. */
#include "util/bitset.h"

#include <string.h>

static size_t word_count(const struct bitset *set) {
    return (set->size + 63) / 64;
}

struct bitset *bitset_new(struct arena *arena, size_t size) {
    size_t words = (size + 63) / 64;
    struct bitset *set = arena_alloc(arena, sizeof(*set) + words * sizeof(set->words[0]));

    set->size = size;
    return set;
}

void bitset_clear_all(struct bitset *set) {
    memset(set->words, 0, word_count(set) * sizeof(set->words[0]));
}

void bitset_set_all(struct bitset *set) {
    memset(set->words, 0xff, word_count(set) * sizeof(set->words[0]));
    if (set->size % 64)
        set->words[set->size / 64] = (UINT64_C(1) << (set->size % 64)) - 1;
}

void bitset_copy(struct bitset *to, const struct bitset *from) {
    assert(to->size == from->size);
    memcpy(to->words, from->words, word_count(to) * sizeof(to->words[0]));
}

/* Replaces a word and keeps note of whether that changed anything. */
static void put(struct bitset *set, size_t i, uint64_t word, uint64_t *changed) {
    *changed |= set->words[i] ^ word;
    set->words[i] = word;
}

bool bitset_or(struct bitset *to, const struct bitset *from) {
    uint64_t changed = 0;

    assert(to->size == from->size);
    for (size_t i = 0; i < word_count(to); i++)
        put(to, i, to->words[i] | from->words[i], &changed);
    return changed;
}

bool bitset_and(struct bitset *to, const struct bitset *from) {
    uint64_t changed = 0;

    assert(to->size == from->size);
    for (size_t i = 0; i < word_count(to); i++)
        put(to, i, to->words[i] & from->words[i], &changed);
    return changed;
}

bool bitset_andnot(struct bitset *to, const struct bitset *from) {
    uint64_t changed = 0;

    assert(to->size == from->size);
    for (size_t i = 0; i < word_count(to); i++)
        put(to, i, to->words[i] & ~from->words[i], &changed);
    return changed;
}

bool bitset_equal(const struct bitset *a, const struct bitset *b) {
    assert(a->size == b->size);
    return memcmp(a->words, b->words, word_count(a) * sizeof(a->words[0])) == 0;
}

bool bitset_empty(const struct bitset *set) {
    return bitset_next(set, 0) == set->size;
}

size_t bitset_count(const struct bitset *set) {
    size_t count = 0;

    for (size_t i = 0; i < word_count(set); i++)
        count += (size_t)__builtin_popcountll(set->words[i]);
    return count;
}

size_t bitset_next(const struct bitset *set, size_t from) {
    if (from >= set->size)
        return set->size;
    size_t i = from / 64;
    uint64_t word = set->words[i] & (~UINT64_C(0) << (from % 64));
    while (!word) {
        if (++i == word_count(set))
            return set->size;
        word = set->words[i];
    }
    return i * 64 + (size_t)__builtin_ctzll(word);
}
