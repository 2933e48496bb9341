/* SPDX-License-Identifier: MIT */
/* The map operations: arrays themselves, other kinds by their own files. */
#include "map_layout.h"

#include <string.h>

static uint8_t *contents(struct bpf_map *map) {
    return (uint8_t *)map + sizeof(*map);
}

static bool is_hash(const struct bpf_map *map) {
    return map->type == BPF_MAP_HASH || map->type == BPF_MAP_LRU_HASH;
}

static void *array_lookup(struct bpf_map *map, const void *key) {
    uint32_t index;
    memcpy(&index, key, sizeof(index));
    return index < map->max_entries ? contents(map) + index * bpf_map_stride(map->value_size)
                                    : NULL;
}

void *bpf_map_lookup(struct bpf_map *map, const void *key) {
    if (map->type == BPF_MAP_ARRAY)
        return array_lookup(map, key);
    return is_hash(map) ? bpf_hash_lookup(map, key) : NULL;
}

static int32_t array_update(struct bpf_map *map, const void *key, const void *value,
                            uint64_t flags) {
    uint8_t *place = array_lookup(map, key);
    if (flags > BPF_EXIST)
        return -BPF_EINVAL;
    if (!place)
        return -BPF_E2BIG;
    if (flags == BPF_NOEXIST)
        return -BPF_EEXIST;
    memmove(place, value, map->value_size);
    return 0;
}

int32_t bpf_map_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags) {
    if (map->type == BPF_MAP_ARRAY)
        return array_update(map, key, value, flags);
    return is_hash(map) ? bpf_hash_update(map, key, value, flags) : -BPF_EINVAL;
}

/* Empties a slot of a prog_array. */
static int32_t prog_delete(struct bpf_map *map, const void *key) {
    uint32_t *slot = array_lookup(map, key);
    if (!slot)
        return -BPF_E2BIG;
    if (!*slot)
        return -BPF_ENOENT;
    *slot = 0;
    return 0;
}

int32_t bpf_map_delete(struct bpf_map *map, const void *key) {
    if (is_hash(map))
        return bpf_hash_delete(map, key);
    return map->type == BPF_MAP_PROG_ARRAY ? prog_delete(map, key) : -BPF_EINVAL;
}

/* ---------------------------------------------------------------------------------- queue, stack */

static bool is_queue(const struct bpf_map *map) {
    return map->type == BPF_MAP_QUEUE || map->type == BPF_MAP_STACK;
}

static bool is_stack(const struct bpf_map *map) {
    return map->type == BPF_MAP_STACK;
}

/* An operation takes the state word, makes another one of it and puts that back: with the one store it
 * has happened. */
static uint32_t queue_state(const struct bpf_map *map) {
    return bpf_queue_is_good(map) ? map->state[0] : 0;
}

static void put_queue(struct bpf_map *map, uint32_t q) {
    bpf_map_order();
    map->state[0] = q;
}

static uint8_t *queue_element(struct bpf_map *map, uint32_t q, uint32_t number) {
    uint32_t index = bpf_queue_oldest(q) + number;
    if (index >= map->max_entries)
        index -= map->max_entries;
    return contents(map) + index * map->value_size;
}

/* Without its oldest element. */
static uint32_t queue_drop(const struct bpf_map *map, uint32_t q) {
    bool wraps = bpf_queue_oldest(q) + 1 == map->max_entries;
    return (wraps ? q - bpf_queue_oldest(q) : q + 1) - BPF_QUEUE_ONE;
}

int32_t bpf_map_push(struct bpf_map *map, const void *value, uint64_t flags) {
    if (!is_queue(map) || (flags != BPF_ANY && flags != BPF_EXIST))
        return -BPF_EINVAL;
    uint32_t q = queue_state(map);
    if (bpf_queue_count(q) == map->max_entries) {
        if (flags != BPF_EXIST)
            return -BPF_E2BIG;
        q = queue_drop(map, q);
        put_queue(map, q);
        bpf_map_order(); /* its place is not written over while it is in the queue */
    }
    memmove(queue_element(map, q, bpf_queue_count(q)), value, map->value_size);
    put_queue(map, q + BPF_QUEUE_ONE);
    return 0;
}

/* Inline for its frame: helper.def promises 32 bytes of stack. */
static inline __attribute__((always_inline)) int32_t queue_copy(struct bpf_map *map, void *value) {
    if (!is_queue(map))
        return -BPF_EINVAL;
    uint32_t q = queue_state(map), last = bpf_queue_count(q) - 1;
    if (bpf_queue_count(q) == 0) {
        memset(value, 0, map->value_size);
        return -BPF_ENOENT;
    }
    memmove(value, queue_element(map, q, is_stack(map) ? last : 0), map->value_size);
    return 0;
}

int32_t bpf_map_peek(struct bpf_map *map, void *value) {
    return queue_copy(map, value);
}

int32_t bpf_map_pop(struct bpf_map *map, void *value) {
    int32_t status = queue_copy(map, value);
    uint32_t q = map->state[0];
    if (status == 0)
        put_queue(map, is_stack(map) ? q - BPF_QUEUE_ONE : queue_drop(map, q));
    return status;
}

/* -------------------------------------------------------------------------------------- iteration */

bool bpf_map_next(struct bpf_map *map, uint32_t *cursor, uint32_t *index, const void **key,
                  void **value) {
    if (is_hash(map))
        return bpf_hash_next(map, cursor, key, value);
    if (map->type != BPF_MAP_ARRAY || *cursor >= map->max_entries)
        return false;
    *index = (*cursor)++;
    *key = index;
    *value = contents(map) + *index * bpf_map_stride(map->value_size);
    return true;
}
