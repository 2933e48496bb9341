/* SPDX-License-Identifier: MIT */
/*
 * Maps against models that are too simple to be wrong: random operations over several geometries, each
 * result and in the end the whole contents compared. A map lies in memory of exactly bpf_map_bytes(), so
 * that the sanitizer sees every byte too far, and moves to another place in between: it keeps no
 * addresses.
 */
#include "bpf/map.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ENTRIES 70
#define MAX_SIZE 72 /* of a key or a value */

static uint32_t seed;

static uint32_t random_below(uint32_t n) {
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)seed * n >> 32);
}

static struct bpf_map *make(uint32_t type, uint32_t key_size, uint32_t value_size,
                            uint32_t max_entries) {
    const char *why;
    uint32_t bytes = bpf_map_bytes(type, key_size, value_size, max_entries, 0, &why);
    cr_assert_neq(bytes, 0, "%s", why);
    cr_assert_null(why);
    cr_assert_eq(bytes % 8, 0);
    const struct blob_map def = {.type = type,
                                 .key_size = key_size,
                                 .value_size = value_size,
                                 .max_entries = max_entries,
                                 .size = bytes};
    struct bpf_map *map = calloc(1, bytes);
    bpf_map_init(map, &def);
    cr_assert(bpf_map_is_intact(map, &def));
    return map;
}

/* The same map somewhere else. */
static struct bpf_map *moved(struct bpf_map *map) {
    struct bpf_map *copy = malloc(map->size);
    memcpy(copy, map, map->size);
    memset(map, 0xa5, copy->size);
    free(map);
    return copy;
}

static void fill(uint8_t *bytes, uint32_t size, uint32_t number) {
    for (uint32_t i = 0; i < size; i++, number = number * 31 + 7)
        bytes[i] = (uint8_t)(number >> (i % 3 ? 3 : 0));
}

/* -------------------------------------------------------------------------------- what may be made */

Test(map, sizes_that_exist) {
    static const struct {
        uint32_t type, key, value, entries, flags, bytes;
    } maps[] = {
        {BPF_MAP_ARRAY, 4, 1, 3, 0, 32 + 3 * 8},
        {BPF_MAP_PERCPU_ARRAY, 4, 12, 2, 0, 32 + 2 * 16},
        {BPF_MAP_PROG_ARRAY, 4, 4, 5, 0, 32 + 5 * 8},
        {BPF_MAP_HASH, 1, 1, 1, 0, 32 + 8 + 24},
        {BPF_MAP_HASH, 1, 1, 1, 1, 32 + 8 + 24}, /* BPF_F_NO_PREALLOC */
        {BPF_MAP_LRU_HASH, 9, 8, 5, 0, 32 + 16 + 5 * 32},
        {BPF_MAP_QUEUE, 0, 3, 5, 0, 32 + 16},
        {BPF_MAP_STACK, 0, 8, 1, 0, 32 + 8},
        {BPF_MAP_RINGBUF, 0, 0, 64, 0, 32 + 8 + 64},
        {BPF_MAP_ARRAY, 4, 65504, 1, 0, 65536},
        /* impossible ones */
        {0, 4, 4, 1, 0, 0},
        {4, 4, 4, 1, 0, 0},
        {BPF_MAP_ARRAY, 8, 4, 1, 0, 0},
        {BPF_MAP_ARRAY, 4, 0, 1, 0, 0},
        {BPF_MAP_ARRAY, 4, 4, 0, 0, 0},
        {BPF_MAP_ARRAY, 4, 4, 1, 1, 0},
        {BPF_MAP_ARRAY, 4, 65505, 1, 0, 0},
        {BPF_MAP_ARRAY, 4, 8, 8189, 0, 0},
        {BPF_MAP_ARRAY, 4, 0xffffffff, 1, 0, 0},
        {BPF_MAP_ARRAY, 4, 0x10000, 0x10000, 0, 0},
        {BPF_MAP_PROG_ARRAY, 4, 8, 1, 0, 0},
        {BPF_MAP_PROG_ARRAY, 8, 4, 1, 0, 0},
        {BPF_MAP_HASH, 0, 4, 1, 0, 0},
        {BPF_MAP_HASH, 513, 4, 1, 0, 0},
        {BPF_MAP_HASH, 4, 0, 1, 0, 0},
        {BPF_MAP_HASH, 4, 4, 0x80000000, 0, 0},
        {BPF_MAP_HASH, 4, 4, 1, 2, 0},
        {BPF_MAP_LRU_HASH, 4, 4, 1, 1, 0},
        {BPF_MAP_QUEUE, 4, 4, 1, 0, 0},
        {BPF_MAP_QUEUE, 0, 0, 1, 0, 0},
        {BPF_MAP_RINGBUF, 4, 0, 64, 0, 0},
        {BPF_MAP_RINGBUF, 0, 4, 64, 0, 0},
        {BPF_MAP_RINGBUF, 0, 0, 96, 0, 0},
        {BPF_MAP_RINGBUF, 0, 0, 32, 0, 0},
        {BPF_MAP_RINGBUF, 0, 0, 0x10000, 0, 0},
    };
    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
        const char *why = "unset";
        uint32_t bytes = bpf_map_bytes(maps[i].type, maps[i].key, maps[i].value, maps[i].entries,
                                       maps[i].flags, &why);
        cr_expect_eq(bytes, maps[i].bytes, "row %zu: %u", i, bytes);
        cr_expect_eq(why == NULL, bytes != 0, "row %zu: a reason if and only if it fails", i);
    }
}

Test(map, per_cpu_kinds_are_aliases) {
    struct bpf_map *map = make(BPF_MAP_LRU_PERCPU_HASH, 4, 4, 1);
    cr_expect_eq(map->type, BPF_MAP_LRU_HASH);
    free(map);
}

/* An operation that the kind does not have changes nothing and says so. */
Test(map, foreign_operations) {
    static const uint32_t types[] = {BPF_MAP_HASH,       BPF_MAP_ARRAY, BPF_MAP_LRU_HASH,
                                     BPF_MAP_PROG_ARRAY, BPF_MAP_QUEUE, BPF_MAP_STACK,
                                     BPF_MAP_RINGBUF};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        uint32_t type = types[i], entries = type == BPF_MAP_RINGBUF ? 64 : 2;
        bool keyed = type == BPF_MAP_HASH || type == BPF_MAP_LRU_HASH || type == BPF_MAP_ARRAY;
        bool queue = type == BPF_MAP_QUEUE || type == BPF_MAP_STACK;
        uint32_t value_size = type == BPF_MAP_RINGBUF ? 0 : 4;
        struct bpf_map *map =
            make(type, keyed || type == BPF_MAP_PROG_ARRAY ? 4 : 0, value_size, entries);
        uint32_t key = 0, value = 1, cursor = 0, index, size;
        const void *k;
        void *v;
        if (!keyed) {
            cr_expect_null(bpf_map_lookup(map, &key));
            cr_expect_eq(bpf_map_update(map, &key, &value, BPF_ANY), -BPF_EINVAL);
            cr_expect(!bpf_map_next(map, &cursor, &index, &k, &v));
        }
        if (!keyed && type != BPF_MAP_PROG_ARRAY)
            cr_expect_eq(bpf_map_delete(map, &key), -BPF_EINVAL);
        if (!queue) {
            cr_expect_eq(bpf_map_push(map, &value, BPF_ANY), -BPF_EINVAL);
            cr_expect_eq(bpf_map_pop(map, &value), -BPF_EINVAL);
            cr_expect_eq(bpf_map_peek(map, &value), -BPF_EINVAL);
        }
        if (type != BPF_MAP_RINGBUF) {
            cr_expect_null(bpf_ringbuf_reserve(map, 4, 0));
            cr_expect_eq(bpf_ringbuf_output(map, &value, 4, 0), -BPF_EINVAL);
            cr_expect_eq(bpf_ringbuf_query(map, 1), 0);
            cr_expect_null(bpf_ringbuf_read(map, &size));
        }
        free(map);
    }
}

/* ----------------------------------------------------------------------------- arrays and hashes */

/* Entries in no order; `age` grows with each use. */
struct model {
    uint32_t count;
    struct {
        uint8_t key[MAX_SIZE], value[MAX_SIZE];
        uint32_t age;
    } entry[MAX_ENTRIES];
};

static uint32_t model_find(const struct model *m, const uint8_t *key, uint32_t size) {
    uint32_t i = 0;
    while (i < m->count && memcmp(m->entry[i].key, key, size) != 0)
        i++;
    return i;
}

static void model_remove(struct model *m, uint32_t i) {
    m->entry[i] = m->entry[--m->count];
}

static uint32_t model_oldest(const struct model *m) {
    uint32_t oldest = 0;
    for (uint32_t i = 1; i < m->count; i++)
        if (m->entry[i].age < m->entry[oldest].age)
            oldest = i;
    return oldest;
}

static int32_t model_update(struct model *m, const struct bpf_map *map, const uint8_t *key,
                            const uint8_t *value, uint64_t flags, uint32_t now) {
    uint32_t i = model_find(m, key, map->key_size);
    if (flags > BPF_EXIST)
        return -BPF_EINVAL;
    if (i < m->count && flags == BPF_NOEXIST)
        return -BPF_EEXIST;
    if (i == m->count && flags == BPF_EXIST)
        return -BPF_ENOENT;
    if (i == m->count && m->count == map->max_entries) {
        if (map->type != BPF_MAP_LRU_HASH)
            return -BPF_E2BIG;
        model_remove(m, model_oldest(m));
        i = m->count;
    }
    if (i == m->count)
        m->count++;
    memcpy(m->entry[i].key, key, map->key_size);
    memcpy(m->entry[i].value, value, map->value_size);
    m->entry[i].age = now;
    return 0;
}

/* Iteration gives each entry of the model once, and nothing else. */
static void compare_all(struct bpf_map *map, const struct model *m) {
    bool seen[MAX_ENTRIES] = {false};
    uint32_t cursor = 0, index, count = 0;
    const void *key;
    void *value;
    while (bpf_map_next(map, &cursor, &index, &key, &value)) {
        uint32_t i = model_find(m, key, map->key_size);
        cr_assert_lt(i, m->count);
        cr_assert(!seen[i]);
        cr_assert_arr_eq(value, m->entry[i].value, map->value_size);
        seen[i] = true;
        count++;
    }
    cr_assert_eq(count, m->count);
}

static void hash_round(struct bpf_map *map, struct model *m, uint32_t now) {
    uint8_t key[MAX_SIZE], value[MAX_SIZE];
    fill(key, map->key_size, random_below(map->max_entries + map->max_entries / 2 + 2));
    fill(value, map->value_size, now);
    uint32_t i = model_find(m, key, map->key_size), what = random_below(8);
    if (what < 4) {
        uint64_t flags = random_below(16) ? random_below(3) : 3 + random_below(9);
        cr_assert_eq(bpf_map_update(map, key, value, flags),
                     model_update(m, map, key, value, flags, now));
    } else if (what < 6) {
        cr_assert_eq(bpf_map_delete(map, key), i < m->count ? 0 : -BPF_ENOENT);
        if (i < m->count)
            model_remove(m, i);
    } else {
        uint8_t *found = bpf_map_lookup(map, key);
        cr_assert_eq(found != NULL, i < m->count);
        if (!found)
            return;
        cr_assert_arr_eq(found, m->entry[i].value, map->value_size);
        cr_assert_eq((uintptr_t)found % 8, 0);
        m->entry[i].age = now;
        found[0] = m->entry[i].value[0] = (uint8_t)now; /* programs write through the pointer */
    }
}

static void hash_geometry(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t entries) {
    static struct model m;
    struct bpf_map *map = make(type, key_size, value_size, entries);
    m.count = 0;
    for (uint32_t now = 1; now < 3000; now++) {
        hash_round(map, &m, now);
        if (now % 97 == 0) {
            compare_all(map, &m);
            map = moved(map);
        }
    }
    free(map);
}

static void hash_geometries(uint32_t type) {
    static const uint32_t sizes[][2] = {{1, 1}, {4, 8}, {8, 4}, {3, 7}, {13, 64}, {64, 5}};
    static const uint32_t entries[] = {1, 2, 7, 64, 70};
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < 5; k++) {
            seed = (uint32_t)(i * 5 + k + 1);
            hash_geometry(type, sizes[i][0], sizes[i][1], entries[k]);
        }
}

Test(map, hash_follows_the_model) {
    hash_geometries(BPF_MAP_HASH);
}

Test(map, lru_hash_follows_the_model) {
    hash_geometries(BPF_MAP_LRU_HASH);
}

Test(map, array_follows_the_model) {
    static const uint32_t sizes[] = {1, 4, 8, 13, 64};
    for (size_t s = 0; s < 5; s++) {
        uint8_t model[7][MAX_SIZE] = {{0}}, value[MAX_SIZE];
        struct bpf_map *map = make(BPF_MAP_ARRAY, 4, sizes[s], 7);
        for (uint32_t now = 0; now < 2000; now++) {
            uint32_t key = now % 50 ? random_below(8) : 0xfffffff8 + random_below(8);
            uint64_t flags = random_below(4);
            fill(value, sizes[s], now);
            int32_t expected = flags > BPF_EXIST      ? -BPF_EINVAL
                               : key >= 7             ? -BPF_E2BIG
                               : flags == BPF_NOEXIST ? -BPF_EEXIST
                                                      : 0;
            cr_assert_eq(bpf_map_update(map, &key, value, flags), expected);
            if (!expected)
                memcpy(model[key], value, sizes[s]);
            cr_assert_eq(bpf_map_delete(map, &key), -BPF_EINVAL);
            key = random_below(9);
            uint8_t *found = bpf_map_lookup(map, &key);
            cr_assert_eq(found != NULL, key < 7);
            if (found) {
                cr_assert_eq(found - (uint8_t *)map,
                             BPF_MAP_ARRAY_VALUES + key * ((sizes[s] + 7) & ~7u));
                cr_assert_arr_eq(found, model[key], sizes[s]);
            }
            if (now % 100 == 0)
                map = moved(map);
        }
        uint32_t cursor = 0, index, next = 0;
        const void *key;
        void *values;
        while (bpf_map_next(map, &cursor, &index, &key, &values)) {
            cr_assert_eq(*(const uint32_t *)key, next);
            cr_assert_arr_eq(values, model[next++], sizes[s]);
        }
        cr_assert_eq(next, 7);
        free(map);
    }
}

Test(map, lru_gives_up_the_least_recently_used) {
    struct bpf_map *map = make(BPF_MAP_LRU_HASH, 4, 4, 3);
    for (uint32_t key = 1; key <= 3; key++)
        cr_expect_eq(bpf_map_update(map, &key, &key, BPF_ANY), 0);
    cr_expect_not_null(bpf_map_lookup(map, &(uint32_t){1}));
    cr_expect_eq(bpf_map_update(map, &(uint32_t){4}, &(uint32_t){4}, BPF_ANY), 0);
    cr_expect_null(bpf_map_lookup(map, &(uint32_t){2}));
    cr_expect_not_null(bpf_map_lookup(map, &(uint32_t){1}));
    cr_expect_not_null(bpf_map_lookup(map, &(uint32_t){3}));
    free(map);
}

/* Elements may be deleted while they are visited, as a callback of for_each_map_elem may do. */
Test(map, deletion_while_iterating) {
    struct bpf_map *map = make(BPF_MAP_HASH, 4, 4, 20);
    for (uint32_t key = 0; key < 20; key++)
        bpf_map_update(map, &key, &key, BPF_ANY);
    uint32_t cursor = 0, index, visited = 0;
    const void *key;
    void *value;
    while (bpf_map_next(map, &cursor, &index, &key, &value)) {
        cr_assert_eq(bpf_map_delete(map, key), 0);
        visited++;
    }
    cr_expect_eq(visited, 20);
    cursor = 0;
    cr_expect(!bpf_map_next(map, &cursor, &index, &key, &value));
    free(map);
}

Test(map, prog_array_slots_can_be_emptied) {
    struct bpf_map *map = make(BPF_MAP_PROG_ARRAY, 4, 4, 2);
    uint32_t *slots = (uint32_t *)(void *)((uint8_t *)map + BPF_MAP_ARRAY_VALUES);
    slots[0] = 1, slots[2] = 2; /* one every 8 bytes */
    cr_expect_eq(bpf_map_delete(map, &(uint32_t){1}), 0);
    cr_expect_eq(slots[0], 1);
    cr_expect_eq(slots[2], 0);
    cr_expect_eq(bpf_map_delete(map, &(uint32_t){1}), -BPF_ENOENT);
    cr_expect_eq(bpf_map_delete(map, &(uint32_t){2}), -BPF_E2BIG);
    free(map);
}

/* -------------------------------------------------------------------------------- queue and stack */

static void queue_follows_the_model(uint32_t type, uint32_t value_size, uint32_t entries) {
    uint8_t model[MAX_ENTRIES + 1][MAX_SIZE], value[MAX_SIZE];
    uint32_t count = 0;
    struct bpf_map *map = make(type, 0, value_size, entries);
    for (uint32_t now = 0; now < 2000; now++) {
        uint32_t what = random_below(9);
        if (what < 4) {
            uint64_t flags = what ? BPF_ANY : random_below(4);
            int32_t expected = flags == BPF_NOEXIST || flags > BPF_EXIST         ? -BPF_EINVAL
                               : flags != BPF_EXIST && count == map->max_entries ? -BPF_E2BIG
                                                                                 : 0;
            fill(value, value_size, now);
            cr_assert_eq(bpf_map_push(map, value, flags), expected);
            if (expected)
                continue;
            if (count == entries) /* the oldest one goes */
                memmove(model[0], model[1], --count * sizeof(model[0]));
            memcpy(model[count++], value, value_size);
        } else {
            bool peek = what < 6;
            uint32_t at = type == BPF_MAP_STACK && count ? count - 1 : 0;
            memset(value, 0xee, sizeof(value));
            int32_t status = peek ? bpf_map_peek(map, value) : bpf_map_pop(map, value);
            cr_assert_eq(status, count ? 0 : -BPF_ENOENT);
            if (!count)
                memset(model[0], 0, value_size); /* the value is zeroed, as on Linux */
            cr_assert_arr_eq(value, model[at], value_size);
            cr_assert_eq(value[value_size], 0xee);
            if (!peek && count && at == 0)
                memmove(model[0], model[1], (count - 1) * sizeof(model[0]));
            if (!peek && count)
                count--;
        }
        if (now % 100 == 0)
            map = moved(map);
    }
    free(map);
}

Test(map, queue_and_stack_follow_the_model) {
    static const uint32_t entries[] = {1, 2, 3, 8, 70}, sizes[] = {1, 4, 7, 24};
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 4; k++) {
            seed = (uint32_t)(i * 4 + k);
            queue_follows_the_model(BPF_MAP_QUEUE, sizes[k], entries[i]);
            queue_follows_the_model(BPF_MAP_STACK, sizes[k], entries[i]);
        }
}
