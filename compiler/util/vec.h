/* SPDX-License-Identifier: MIT */
/*
 * Growable arrays on an arena, as macros so that elements keep their type:
 *
 *     VEC(struct insn) code = {0};
 *     vec_push(arena, &code, insn);            the element is code.items[code.count - 1]
 *     vec_for_each(struct insn, it, &code)     it points to each element in turn
 *
 * Growing copies into new memory of the arena: pointers to elements die on a push; keep indices.
 * The old memory stays with the arena, at most as much again as the vector itself.
 */
#ifndef UTIL_VEC_H
#define UTIL_VEC_H

#include "util/arena.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;    /* elements in use */                                                     \
        size_t capacity; /* elements that fit without growing */                                   \
    }

/* Makes room for at least `extra` more elements. */
#define vec_reserve(arena, vec, extra)                                                             \
    ((vec)->items = vec_grown((arena), (vec)->items, sizeof(*(vec)->items), (vec)->count, (extra), \
                              &(vec)->capacity))

#define vec_push(arena, vec, ...)                                                                  \
    (vec_reserve((arena), (vec), 1), (void)((vec)->items[(vec)->count++] = (__VA_ARGS__)))

/* Appends a zeroed element and gives its address. */
#define vec_add(arena, vec)                                                                        \
    (vec_reserve((arena), (vec), 1),                                                               \
     memset(&(vec)->items[(vec)->count], 0, sizeof(*(vec)->items)), &(vec)->items[(vec)->count++])

/* The last element, removed. */
#define vec_pop(vec) (assert((vec)->count > 0), (vec)->items[--(vec)->count])

/* The last element as an lvalue. */
#define vec_last(vec) (*(assert((vec)->count > 0), &(vec)->items[(vec)->count - 1]))

#define vec_clear(vec) ((void)((vec)->count = 0))

#define vec_for_each(type, it, vec)                                                                \
    for (type *it = (vec)->items, *it##_end_ = it ? it + (vec)->count : it; it != it##_end_; it++)

static inline void *vec_grown(struct arena *arena, void *items, size_t size, size_t count,
                              size_t extra, size_t *capacity) {
    if (extra <= *capacity - count)
        return items;
    size_t wanted = *capacity ? *capacity * 2 : 8;
    if (wanted < count + extra)
        wanted = count + extra;
    void *grown = arena_alloc_array(arena, wanted, size);
    if (count)
        memcpy(grown, items, count * size);
    *capacity = wanted;
    return grown;
}

#endif
