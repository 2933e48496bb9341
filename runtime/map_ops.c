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

/* state[0]: index of the oldest element; state[1]: number of elements. */
static bool is_queue(const struct bpf_map *map) {
    return map->type == BPF_MAP_QUEUE || map->type == BPF_MAP_STACK;
}

static void bound_queue(struct bpf_map *map) {
    if (map->state[0] >= map->max_entries)
        map->state[0] = 0;
    if (map->state[1] > map->max_entries)
        map->state[1] = map->max_entries;
}

static uint8_t *queue_element(struct bpf_map *map, uint32_t number) {
    uint32_t index = map->state[0] + number;
    if (index >= map->max_entries)
        index -= map->max_entries;
    return contents(map) + index * map->value_size;
}

int32_t bpf_map_push(struct bpf_map *map, const void *value, uint64_t flags) {
    if (!is_queue(map) || (flags != BPF_ANY && flags != BPF_EXIST))
        return -BPF_EINVAL;
    bound_queue(map);
    if (map->state[1] == map->max_entries) {
        if (flags != BPF_EXIST)
            return -BPF_E2BIG;
        map->state[0] = map->state[0] + 1 == map->max_entries ? 0 : map->state[0] + 1;
        map->state[1]--;
    }
    memmove(queue_element(map, map->state[1]), value, map->value_size);
    map->state[1]++;
    return 0;
}

static int32_t queue_take(struct bpf_map *map, void *value, bool remove) {
    if (!is_queue(map))
        return -BPF_EINVAL;
    bound_queue(map);
    if (map->state[1] == 0) {
        memset(value, 0, map->value_size);
        return -BPF_ENOENT;
    }
    bool stack = map->type == BPF_MAP_STACK;
    memmove(value, queue_element(map, stack ? map->state[1] - 1 : 0), map->value_size);
    if (!remove)
        return 0;
    if (!stack)
        map->state[0] = map->state[0] + 1 == map->max_entries ? 0 : map->state[0] + 1;
    map->state[1]--;
    return 0;
}

int32_t bpf_map_pop(struct bpf_map *map, void *value) {
    return queue_take(map, value, true);
}

int32_t bpf_map_peek(struct bpf_map *map, void *value) {
    return queue_take(map, value, false);
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
