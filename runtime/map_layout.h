/* SPDX-License-Identifier: MIT */
/* How each kind of map lays out its contents behind struct bpf_map; inside runtime only. */
#ifndef RUNTIME_MAP_LAYOUT_H
#define RUNTIME_MAP_LAYOUT_H

#include "bpf/map.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#define BPF_MAP_KEY_MAX 512
#define BPF_MAP_F_NO_PREALLOC 1u

/*
 * A program can be killed between any two instructions. bpf_map_repair() then finds what was written up
 * to there, in the order of the stores: where it relies on that order, this stands between them. It
 * keeps the compiler from moving stores across, and costs no instruction.
 */
static inline void bpf_map_order(void) {
    atomic_signal_fence(memory_order_seq_cst);
}

/* Hash: bucket heads (uint16_t, entry number plus 1, 0 = empty; as many as bpf_map_buckets()), padded to
 * 8, then the entries: struct bpf_hash_entry, key padded to 8, value padded to 8. state[0] is the free
 * list's head (entry number plus 1). LRU: the entries in use also form a list by age, whose ends are
 * in state[1], newest in the low half, oldest in the high half. */
struct bpf_hash_entry {
    uint16_t next;         /* in the bucket or the free list: entry number plus 1, 0 = end */
    uint16_t newer, older; /* LRU list */
    uint16_t used;         /* enum bpf_hash_used */
};

/* What a repair goes by: an entry is in the map if it says so, whatever the lists say. */
enum bpf_hash_used {
    BPF_HASH_FREE,     /* or being filled */
    BPF_HASH_USED,     /* key and value are whole */
    BPF_HASH_CHANGING, /* an update is copying the value */
    BPF_HASH_LISTED,   /* during a repair alone */
};

#define BPF_HASH_NONE 0u /* the end of a list */

/* A power of two. */
static inline uint32_t bpf_map_buckets(uint32_t max_entries) {
    if (max_entries <= 1)
        return 1;
    return max_entries > 0x4000 ? 0x8000 : 1u << (32 - __builtin_clz(max_entries - 1));
}

static inline uint32_t bpf_hash_entry_size(uint32_t key_size, uint32_t value_size) {
    return (uint32_t)sizeof(struct bpf_hash_entry) + ((key_size + 7) & ~7u) +
           ((value_size + 7) & ~7u);
}

static inline uint16_t *bpf_hash_heads(struct bpf_map *map) {
    return (uint16_t *)(void *)(map + 1);
}

/* The entry of a link, NULL for the end of a list or a wild link. */
static inline struct bpf_hash_entry *bpf_hash_entry(struct bpf_map *map, uint32_t link) {
    uint32_t heads = (bpf_map_buckets(map->max_entries) * (uint32_t)sizeof(uint16_t) + 7) & ~7u;
    if (link == BPF_HASH_NONE || link > map->max_entries)
        return NULL;
    return (struct bpf_hash_entry *)(void *)((uint8_t *)(map + 1) + heads +
                                             (link - 1) * bpf_hash_entry_size(map->key_size,
                                                                              map->value_size));
}

static inline uint8_t *bpf_hash_key(struct bpf_hash_entry *e) {
    return (uint8_t *)(e + 1);
}

/* Multiplicative hashing of words (Knuth, volume 3, 6.4), the high bits folded down. */
static inline uint32_t bpf_hash_of_key(const uint8_t *key, uint32_t size) {
    uint32_t hash = 0, word;
    for (; size >= 4; size -= 4, key += 4) {
        memcpy(&word, key, 4);
        hash = (hash ^ word) * 2654435769u;
        hash ^= hash >> 15;
    }
    while (size--)
        hash = (hash ^ *key++) * 2654435769u;
    return hash ^ hash >> 16;
}

static inline uint32_t bpf_hash_newest(const struct bpf_map *map) {
    return map->state[1] & 0xffff;
}

static inline uint32_t bpf_hash_oldest(const struct bpf_map *map) {
    return map->state[1] >> 16;
}

static inline void bpf_hash_set_ends(struct bpf_map *map, uint32_t newest, uint32_t oldest) {
    map->state[1] = oldest << 16 | (newest & 0xffff);
}

/* Queue, stack: the elements. state[0] has the index of the oldest one in its low half and their number
 * in its high half, so that one store changes both. */
#define BPF_QUEUE_ONE 0x10000u

static inline uint32_t bpf_queue_oldest(uint32_t state) {
    return state & 0xffff;
}

static inline uint32_t bpf_queue_count(uint32_t state) {
    return state >> 16;
}

static inline bool bpf_queue_is_good(const struct bpf_map *map) {
    return bpf_queue_oldest(map->state[0]) < map->max_entries &&
           bpf_queue_count(map->state[0]) <= map->max_entries;
}

/* Ring buffer: struct bpf_ringbuf_state, then max_entries bytes of ring, a power of two. Positions count
 * bytes and wrap at 2^32. Records are this, and the data, padded to 8. */
struct bpf_ringbuf_state {
    uint32_t producer, consumer;
};

struct bpf_ringbuf_record {
    uint32_t head;   /* size of the data in bytes, and flags */
    uint32_t to_map; /* bytes from the map's header to here */
};
#define BPF_RINGBUF_BUSY 0x80000000u /* reserved, not yet handed over */
#define BPF_RINGBUF_DISCARD 0x40000000u
#define BPF_RINGBUF_SIZE 0x3fffffffu

static inline struct bpf_ringbuf_state *bpf_ringbuf_state(struct bpf_map *map) {
    return (struct bpf_ringbuf_state *)(void *)(map + 1);
}

static inline struct bpf_ringbuf_record *bpf_ringbuf_record(struct bpf_map *map,
                                                            uint32_t position) {
    uint8_t *ring = (uint8_t *)(bpf_ringbuf_state(map) + 1);
    return (struct bpf_ringbuf_record *)(void *)(ring + (position & (map->max_entries - 1)));
}

static inline uint32_t bpf_ringbuf_to_end(const struct bpf_map *map, uint32_t position) {
    return map->max_entries - (position & (map->max_entries - 1));
}

/* Bytes that a record of `size` bytes of data takes. */
static inline uint32_t bpf_ringbuf_padded(uint32_t size) {
    return (uint32_t)sizeof(struct bpf_ringbuf_record) + ((size + 7) & ~7u);
}

/* map_hash.c; semantics of the operations of the same names in bpf/map.h */
void bpf_hash_init(struct bpf_map *map);
uint16_t *bpf_hash_bucket(struct bpf_map *map, const uint8_t *key);
void *bpf_hash_lookup(struct bpf_map *map, const void *key);
int32_t bpf_hash_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags);
int32_t bpf_hash_delete(struct bpf_map *map, const void *key);
bool bpf_hash_next(struct bpf_map *map, uint32_t *cursor, const void **key, void **value);

#endif
