/* SPDX-License-Identifier: MIT */
/*
 * What all kinds of maps have in common: how many bytes one needs, and how its header starts. The
 * sizes are part of the blob's layout: compiler and board compute them by this one function.
 */
#include "bpf/map.h"

#include "bpf/memmap.h"
#include "map_layout.h"

#include <stddef.h>

#define MAX_MAP_BYTES MEMMAP_ARENA_SIZE

static uint64_t round8(uint64_t n) {
    return (n + 7) & ~7ull;
}

enum bpf_map_type bpf_map_plain_type(uint32_t type) {
    switch (type) {
    case BPF_MAP_PERCPU_HASH: return BPF_MAP_HASH;
    case BPF_MAP_PERCPU_ARRAY: return BPF_MAP_ARRAY;
    case BPF_MAP_LRU_PERCPU_HASH: return BPF_MAP_LRU_HASH;
    default: return (enum bpf_map_type)type;
    }
}

static const char *check(enum bpf_map_type type, uint32_t key_size, uint32_t value_size,
                         uint32_t max_entries, uint32_t map_flags) {
    /* A hint that changes nothing here, because there is no heap; Linux too has it for hashes alone. */
    if (map_flags & ~(type == BPF_MAP_HASH ? BPF_MAP_F_NO_PREALLOC : 0))
        return "map_flags must be 0 (a hash may have BPF_F_NO_PREALLOC)";
    if (max_entries == 0)
        return "max_entries must be at least 1";
    switch (type) {
    case BPF_MAP_ARRAY:
        return key_size != 4     ? "the key of an array must have 4 bytes"
               : value_size == 0 ? "value_size must be at least 1"
                                 : NULL;
    case BPF_MAP_PROG_ARRAY:
        return key_size != 4 || value_size != 4 ? "key and value of a prog_array must have 4 bytes"
                                                : NULL;
    case BPF_MAP_HASH:
    case BPF_MAP_LRU_HASH:
        return key_size == 0 || key_size > BPF_MAP_KEY_MAX ? "key_size must be 1 to 512"
               : value_size == 0                           ? "value_size must be at least 1"
                                                           : NULL;
    case BPF_MAP_QUEUE:
    case BPF_MAP_STACK:
        return key_size != 0     ? "a queue or stack has no key"
               : value_size == 0 ? "value_size must be at least 1"
                                 : NULL;
    case BPF_MAP_RINGBUF:
        return key_size != 0 || value_size != 0 ? "a ring buffer has neither key nor value type"
               : (max_entries & (max_entries - 1)) || max_entries < 64
                   ? "max_entries of a ring buffer is its size in bytes: a power of two from 64"
                   : NULL;
    default: return "this type of map does not exist here";
    }
}

static uint64_t contents(enum bpf_map_type type, uint32_t key_size, uint64_t value_size,
                         uint64_t max_entries) {
    switch (type) {
    case BPF_MAP_HASH:
    case BPF_MAP_LRU_HASH:
        return round8(bpf_map_buckets((uint32_t)max_entries) * sizeof(uint16_t)) +
               max_entries * bpf_hash_entry_size(key_size, (uint32_t)value_size);
    case BPF_MAP_QUEUE:
    case BPF_MAP_STACK: return round8(max_entries * value_size);
    case BPF_MAP_RINGBUF: return sizeof(struct bpf_ringbuf_state) + max_entries;
    default: return max_entries * bpf_map_stride((uint32_t)value_size);
    }
}

uint32_t bpf_map_bytes(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t max_entries,
                       uint32_t map_flags, const char **why) {
    enum bpf_map_type plain = bpf_map_plain_type(type);
    const char *problem = check(plain, key_size, value_size, max_entries, map_flags);
    uint64_t bytes = 0;
    if (!problem && (max_entries > MAX_MAP_BYTES || value_size > MAX_MAP_BYTES))
        problem = "the map is larger than any arena (64 KiB)";
    if (!problem) {
        bytes = sizeof(struct bpf_map) + contents(plain, key_size, value_size, max_entries);
        if (bytes > MAX_MAP_BYTES)
            problem = "the map is larger than any arena (64 KiB)";
    }
    if (why)
        *why = problem;
    return problem ? 0 : (uint32_t)bytes;
}

void bpf_map_init(struct bpf_map *map, const struct blob_map *def) {
    map->type = bpf_map_plain_type(def->type);
    map->key_size = def->key_size;
    map->value_size = def->value_size;
    map->max_entries = def->max_entries;
    map->map_flags = def->map_flags;
    map->size = def->size;
    if (map->type == BPF_MAP_HASH || map->type == BPF_MAP_LRU_HASH)
        bpf_hash_init(map);
}

bool bpf_map_is_intact(const struct bpf_map *map, const struct blob_map *def) {
    return map->type == bpf_map_plain_type(def->type) && map->key_size == def->key_size &&
           map->value_size == def->value_size && map->max_entries == def->max_entries &&
           map->map_flags == def->map_flags && map->size == def->size;
}
