/* SPDX-License-Identifier: MIT */
/*
 * Memory with one lifetime: everything taken from an arena is freed at once with it. The host tools
 * make one arena per program and one per function, so that nothing needs to be freed piece by piece.
 */
#ifndef UTIL_ARENA_H
#define UTIL_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* null is allowed */

/* Zeroed and aligned to 8. Ends the process when the machine has no memory left: never null. */
void *arena_alloc(struct arena *arena, size_t size);

/* For count * size: a product that overflows ends the process as well. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);

char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Bytes handed out so far, alignment included. */
size_t arena_used(const struct arena *arena);

#endif
