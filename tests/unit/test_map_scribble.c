/* SPDX-License-Identifier: MIT */
/*
 * Maps whose program has written over them. Whatever lies behind the header, and in its state words,
 * each operation ends and stays inside the map's memory (of exactly its size: the sanitizer looks).
 */
#include "bpf/map.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static uint32_t seed;

static uint32_t random_word(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed ^ seed >> 15;
}

static struct bpf_map *make(const struct blob_map *def) {
    struct bpf_map *map = calloc(1, def->size);
    bpf_map_init(map, def);
    return map;
}

/* Small numbers look like links and positions, large ones are far off. */
static void scribble(struct bpf_map *map) {
    uint8_t *first = (uint8_t *)map->state, *end = (uint8_t *)map + map->size;
    uint32_t words = (uint32_t)(end - first) / 4;
    for (uint32_t n = 1 + random_word() % 4; n; n--) {
        uint32_t word = random_word(), at = random_word() % (random_word() % 2 ? 6 : words);
        switch (random_word() % 5) {
        case 0: word %= map->max_entries + 3; break;
        case 1: word = word % 9 << 16 | random_word() % 9; break;
        case 2: word &= 0xfff8; break;
        case 3: word &= 0xc00000f8; break;
        }
        memcpy(first + 4 * at, &word, 4);
    }
}

static void operate(struct bpf_map *map) {
    uint8_t key[16], value[16];
    uint32_t cursor = 0, index, size, steps = 0;
    static volatile uint32_t sum;
    const void *k;
    void *v;
    memset(key, 0, sizeof(key));
    memset(value, 1, sizeof(value));
    key[0] = (uint8_t)(random_word() % 9);
    switch (random_word() % 9) {
    case 0: bpf_map_update(map, key, value, random_word() % 3); break;
    case 1: bpf_map_delete(map, key); break;
    case 2:
        if ((v = bpf_map_lookup(map, key)))
            memset(v, 2, map->value_size);
        break;
    case 3: bpf_map_push(map, value, random_word() % 2 ? BPF_EXIST : BPF_ANY); break;
    case 4: bpf_map_pop(map, value); break;
    case 5: bpf_map_peek(map, value); break;
    case 6:
        while (bpf_map_next(map, &cursor, &index, &k, &v)) {
            memset(v, 3, map->value_size);
            cr_assert_leq(++steps, map->max_entries);
        }
        break;
    case 7:
        size = random_word() % 40;
        if ((v = bpf_ringbuf_reserve(map, size, 0))) {
            memset(v, 4, size);
            bpf_ringbuf_commit(map, v, random_word() % 2);
        }
        break;
    case 8:
        for (uint32_t records = 0; (k = bpf_ringbuf_read(map, &size)); records++) {
            sum += size ? ((const uint8_t *)k)[size - 1] : 0;
            cr_assert_leq(records, map->max_entries / 8);
        }
        break;
    }
}

static void survives(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t entries) {
    struct blob_map def = {
        .type = type, .key_size = key_size, .value_size = value_size, .max_entries = entries};
    def.size = bpf_map_bytes(type, key_size, value_size, entries, 0, NULL);
    for (uint32_t round = 0; round < 3000; round++) {
        struct bpf_map *map = make(&def);
        seed = round;
        for (uint32_t i = 0; i < 30; i++) {
            if (random_word() % 3 == 0)
                scribble(map);
            operate(map);
            cr_assert(bpf_map_is_intact(map, &def), "the header is not theirs to change");
        }
        free(map);
    }
}

Test(map_scribble, array) {
    survives(BPF_MAP_ARRAY, 4, 5, 5);
}

Test(map_scribble, hash) {
    survives(BPF_MAP_HASH, 4, 8, 6);
    survives(BPF_MAP_HASH, 3, 1, 1);
}

Test(map_scribble, lru_hash) {
    survives(BPF_MAP_LRU_HASH, 4, 8, 6);
    survives(BPF_MAP_LRU_HASH, 9, 3, 2);
}

Test(map_scribble, queue_and_stack) {
    survives(BPF_MAP_QUEUE, 0, 5, 4);
    survives(BPF_MAP_STACK, 0, 8, 3);
}

Test(map_scribble, ringbuf) {
    survives(BPF_MAP_RINGBUF, 0, 0, 64);
}
