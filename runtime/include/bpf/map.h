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
 * BPF_MAP_ARRAY_VALUES, one every bpf_map_stride() bytes. */
struct bpf_map {
    uint32_t type, key_size, value_size, max_entries;
    uint32_t map_flags;
    uint32_t size;     /* bytes of header and contents */
    uint32_t state[2]; /* of the kind */
    /* contents follow, 8-aligned */
};
#define BPF_MAP_ARRAY_VALUES 32
_Static_assert(sizeof(struct bpf_map) == BPF_MAP_ARRAY_VALUES, "compiled code knows this offset");

/* From one value of an array or prog_array to the next. Compiled code knows this, too. */
static inline uint32_t bpf_map_stride(uint32_t value_size) {
    return (value_size + 7) & ~7u;
}
#define BPF_PROG_ARRAY_STRIDE 8 /* of 4-byte values */

/* Bytes that a map needs, a multiple of 8; 0 if type, sizes or flags are impossible (then *why, if
 * not NULL, says what in a sentence for the user). Host and board compute the same. */
uint32_t bpf_map_bytes(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t max_entries,
                       uint32_t map_flags, const char **why);
/*
 * Operations, by Linux's names and results: 0 or a negative errno (bpf_errno). A map whose kind does
 * not have an operation gives -BPF_EINVAL, or NULL. Pointers to keys and values may be unaligned. The
 * header must be as bpf_map_init() made it; what is behind it may be anything, the operations stay
 * inside the map.
 */
enum bpf_errno {
    BPF_ENOENT = 2,
    BPF_E2BIG = 7,
    BPF_EAGAIN = 11,
    BPF_EEXIST = 17,
    BPF_EINVAL = 22,
    BPF_EOPNOTSUPP = 95,
};
/* A timer in a value (helper.def), as Linux has it: its bytes are the kernel's. */
struct bpf_timer {
    uint64_t opaque[2];
};
#define BPF_CLOCK_MONOTONIC 1 /* of bpf_timer_init(): the one clock that there is */

enum bpf_map_update_flags { BPF_ANY, BPF_NOEXIST, BPF_EXIST };

void *bpf_map_lookup(struct bpf_map *map, const void *key);
int32_t bpf_map_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags);
int32_t bpf_map_delete(struct bpf_map *map, const void *key);
int32_t bpf_map_push(struct bpf_map *map, const void *value, uint64_t flags);
int32_t bpf_map_pop(struct bpf_map *map, void *value);
int32_t bpf_map_peek(struct bpf_map *map, void *value);
/* Elements in a fixed order: start with *cursor 0; false at the end. An array's key is made in
 * *index. Elements deleted on the way are skipped. */
bool bpf_map_next(struct bpf_map *map, uint32_t *cursor, uint32_t *index, const void **key,
                  void **value);

/* Ring buffer. Records are 8-byte headers and data, padded to 8, never split at the end of the ring. */
void *bpf_ringbuf_reserve(struct bpf_map *map, uint32_t size, uint64_t flags);
/* Hands a reserved record over, or drops it. A pointer that is no open reservation of the map does
 * nothing. */
void bpf_ringbuf_commit(struct bpf_map *map, void *data, bool discard);
/* The map that a reservation says it belongs to. On the board only, where nothing worse than a fault
 * of the program can come of a pointer that is none. */
struct bpf_map *bpf_ringbuf_owner(void *data);
int32_t bpf_ringbuf_output(struct bpf_map *map, const void *data, uint64_t size, uint64_t flags);
uint64_t bpf_ringbuf_query(struct bpf_map *map, uint64_t flags);
/* The consumer's side: takes the oldest record out if it has been handed over; NULL if it has not, or
 * there is none. The bytes stay as they are until the program runs again. */
const void *bpf_ringbuf_read(struct bpf_map *map, uint32_t *size);

/* The type without "per-CPU", which is an alias here. */
enum bpf_map_type bpf_map_plain_type(uint32_t type);
/* Initialises a zeroed map of bpf_map_bytes() bytes. */
void bpf_map_init(struct bpf_map *map, const struct blob_map *def);
/* Whether the header is still as bpf_map_init() made it. */
bool bpf_map_is_intact(const struct bpf_map *map, const struct blob_map *def);

/*
 * Puts a map in order whose program was killed, between any two instructions of it or of an operation.
 * For privileged code: the map's bytes, header included, may be anything; only `def` is trusted, nothing
 * outside of the map is touched, the time is bounded by the map's size. A second call finds the map
 * whole. Afterwards all operations behave as on a map that was never interrupted; docs/helpers.md says
 * what becomes of the entry that was being changed.
 */
enum bpf_map_repair {
    BPF_MAP_WAS_WHOLE,
    BPF_MAP_REBUILT, /* an operation was cut off: all other entries are kept, open records discarded */
    BPF_MAP_CLEARED, /* the header was not as made, or the contents made no sense: empty, as made */
};
enum bpf_map_repair bpf_map_repair(struct bpf_map *map, const struct blob_map *def);

#endif
