/* SPDX-License-Identifier: MIT */
/*
 * Maps. A map is a header and its contents, one piece of the arena, position independent: inside a
 * map only offsets are kept, so that host and board share layout and code. Type numbers are
 * Linux's (linux/bpf.h); per-CPU kinds are aliases of the plain ones.
 */
#ifndef BPF_MAP_H
#define BPF_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/blob.h"
#include "bpf/error.h"

/* BPF_MAP_TYPE(NAME, number, text) */
#define BPF_MAP_TYPES(_)                                                                           \
    _(HASH, 1, "hash")                                                                             \
    _(ARRAY, 2, "array")                                                                           \
    _(PROG_ARRAY, 3, "prog_array")                                                                 \
    _(PERCPU_HASH, 5, "percpu_hash")                                                               \
    _(PERCPU_ARRAY, 6, "percpu_array")                                                             \
    _(LRU_HASH, 9, "lru_hash")                                                                     \
    _(LRU_PERCPU_HASH, 10, "lru_percpu_hash")                                                      \
    _(QUEUE, 22, "queue")                                                                          \
    _(STACK, 23, "stack")                                                                          \
    _(RINGBUF, 27, "ringbuf")
enum bpf_map_type {
#define BPF_MAP_ENUM(NAME, number, text) BPF_MAP_##NAME = number,
    BPF_MAP_TYPES(BPF_MAP_ENUM)
#undef BPF_MAP_ENUM
};

/* The header every map begins with; kind-specific state and the entries follow. The type is the
 * plain one (aliases resolved). Compiled code reads an array's values inline: they start at
 * BPF_MAP_ARRAY_VALUES, one every value_size rounded up to 8 bytes. */
struct bpf_map {
    uint32_t type, key_size, value_size, max_entries;
    uint32_t map_flags;
    uint32_t size;     /* bytes of header and contents */
    uint32_t state[2]; /* of the kind */
    /* contents follow, 8-aligned */
};
#define BPF_MAP_ARRAY_VALUES 32
_Static_assert(sizeof(struct bpf_map) == BPF_MAP_ARRAY_VALUES, "compiled code knows this offset");

/* Bytes that a map needs, a multiple of 8; 0 if type, sizes or flags are impossible (then *why, if
 * not NULL, says what in a sentence for the user). Host and board compute the same. */
uint32_t bpf_map_bytes(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t max_entries,
                       uint32_t map_flags, const char **why);
/* Initialises a zeroed map of bpf_map_bytes() bytes. */
void bpf_map_init(struct bpf_map *map, const struct blob_map *def);

#endif
