/* SPDX-License-Identifier: MIT */
/* How each kind of map lays out its contents behind struct bpf_map; inside runtime only. */
#ifndef RUNTIME_MAP_LAYOUT_H
#define RUNTIME_MAP_LAYOUT_H

#include "bpf/map.h"

#define BPF_MAP_KEY_MAX 512
#define BPF_MAP_F_NO_PREALLOC 1u

/* Hash: bucket heads (uint16_t, entry number plus 1, 0 = empty; as many as bpf_map_buckets()), padded to
 * 8, then the entries: struct bpf_hash_entry, key padded to 8, value padded to 8. state[0] is the free
 * list's head (entry number plus 1). LRU: the entries in use also form a list by age, whose ends are
 * in state[1]. */
struct bpf_hash_entry {
    uint16_t next;         /* in the bucket or the free list: entry number plus 1, 0 = end */
    uint16_t newer, older; /* LRU list */
    uint16_t used;
};

/* Ring buffer: this, then max_entries bytes of ring. Positions count bytes and wrap at 2^32. */
struct bpf_ringbuf_state {
    uint32_t producer, consumer;
};

static inline uint32_t bpf_hash_entry_size(uint32_t key_size, uint32_t value_size) {
    return (uint32_t)sizeof(struct bpf_hash_entry) + ((key_size + 7) & ~7u) +
           ((value_size + 7) & ~7u);
}

uint32_t bpf_map_buckets(uint32_t max_entries);

/* map_hash.c; semantics of the operations of the same names in bpf/map.h */
void bpf_hash_init(struct bpf_map *map);
void *bpf_hash_lookup(struct bpf_map *map, const void *key);
int32_t bpf_hash_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags);
int32_t bpf_hash_delete(struct bpf_map *map, const void *key);
bool bpf_hash_next(struct bpf_map *map, uint32_t *cursor, const void **key, void **value);

#endif
