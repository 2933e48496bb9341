/* SPDX-License-Identifier: MIT */
/*
 * Timers in maps: every address of an arena against a search through all elements, and what becomes of a
 * timer's element.
 */
#include "bpf/map.h"
#include "bpf/timer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MAPS 8
#define FIRST 64 /* the arena's head and data */

static struct blob_map maps[MAPS] = {
    {.type = BPF_MAP_ARRAY, .key_size = 4, .value_size = 16, .max_entries = 3},
    {.type = BPF_MAP_ARRAY, .key_size = 4, .value_size = 12, .max_entries = 3}, /* no room */
    {.type = BPF_MAP_HASH, .key_size = 4, .value_size = 24, .max_entries = 3},
    {.type = BPF_MAP_QUEUE, .value_size = 32, .max_entries = 2},
    {.type = BPF_MAP_LRU_PERCPU_HASH, .key_size = 9, .value_size = 37, .max_entries = 5},
    {.type = BPF_MAP_RINGBUF, .max_entries = 64},
    {.type = BPF_MAP_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 9},
    {.type = BPF_MAP_PERCPU_ARRAY, .key_size = 4, .value_size = 40, .max_entries = 2},
};
static struct blob_header header;
static struct blob blob = {.header = &header, .maps = maps};
static uint8_t *head; /* where r9 points */
static uint32_t arena_size;

static struct bpf_map *map_at(uint32_t i) {
    return (struct bpf_map *)(void *)(head + maps[i].off);
}

static void setup(void) {
    arena_size = FIRST;
    header.maps.count = MAPS;
    for (uint32_t i = 0; i < MAPS; i++) {
        struct blob_map *m = &maps[i];
        m->off = arena_size + (i == 4 ? 8 : 0); /* a hole */
        m->size =
            bpf_map_bytes(m->type, m->key_size, m->value_size, m->max_entries, m->map_flags, NULL);
        cr_assert_neq(m->size, 0);
        arena_size = m->off + m->size;
    }
    head = calloc(1, arena_size);
    for (uint32_t i = 0; i < MAPS; i++)
        bpf_map_init(map_at(i), &maps[i]);
}

static void teardown(void) {
    free(head);
}

TestSuite(timer, .init = setup, .fini = teardown);

/* Puts n elements into a map that has keys; the value of the n-th one is at the n-th address. */
static uint32_t fill(uint32_t i, uint32_t *values) {
    uint8_t key[16] = {0}, value[64] = {0};
    uint32_t n = maps[i].max_entries;
    for (uint32_t k = 0; k < n; k++) {
        key[0] = (uint8_t)k;
        bpf_map_update(map_at(i), key, value, BPF_ANY);
    }
    for (uint32_t k = 0; k < n; k++) {
        key[0] = (uint8_t)k;
        uint8_t *at = bpf_map_lookup(map_at(i), key);
        cr_assert_not_null(at);
        values[k] = (uint32_t)(at - head);
    }
    return n;
}

/* Where timers may be: at 8-aligned offsets of values, as far as they fit. */
Test(timer, every_address) {
    static const uint32_t with[] = {0, 1, 2, 4, 7};
    uint8_t *expected = calloc(1, arena_size + 64);
    struct bpf_timer_place place;
    for (uint32_t w = 0; w < 5; w++) {
        uint32_t values[8], i = with[w], n = fill(i, values);
        for (uint32_t k = 0; k < n; k++)
            for (uint32_t at = 0; at + 16 <= maps[i].value_size; at += 8) {
                expected[values[k] + at] = 1;
                cr_assert(bpf_timer_find(&blob, values[k] + at, &place));
                cr_expect_eq(place.map, i);
                cr_expect_eq(place.offset, at);
                cr_expect_lt(place.element, maps[i].max_entries);
            }
    }
    for (uint32_t off = 0; off < arena_size + 64; off++)
        cr_expect_eq(bpf_timer_find(&blob, off, &place), expected[off], "at %u", off);
    cr_expect(!bpf_timer_find(&blob, 0xfffffff8, &place), "the stack");
    free(expected);
    header.maps.count = 0;
    cr_expect(!bpf_timer_find(&blob, FIRST + 32, &place), "no maps");
}

Test(timer, elements_of_an_array) {
    struct bpf_timer_place place;
    struct bpf_timer_element e;
    uint32_t value = maps[7].off + BPF_MAP_ARRAY_VALUES + 40;
    cr_assert(bpf_timer_find(&blob, value + 8, &place));
    cr_expect_eq(place.element, 1);
    cr_expect_eq(place.offset, 8);
    memset(map_at(7), 0xff, sizeof(struct bpf_map)); /* nobody believes the header */
    cr_expect(bpf_timer_element(&blob, head, &place, &e));
    cr_expect_eq(e.map, maps[7].off);
    cr_expect_eq(e.value, value);
    cr_expect_eq(e.key, 0);
}

Test(timer, elements_of_a_hash) {
    static const uint32_t kinds[] = {2, 4};
    for (uint32_t w = 0; w < 2; w++) {
        uint32_t values[8], i = kinds[w];
        struct bpf_timer_place place;
        struct bpf_timer_element e, later;
        uint8_t key[16] = {1}, other[16] = {200}, value[64] = {0};
        fill(i, values);
        cr_assert(bpf_timer_find(&blob, values[1], &place));
        cr_expect(bpf_timer_element(&blob, head, &place, &e));
        cr_expect_eq(e.value, values[1]);
        cr_expect_arr_eq(head + e.key, key, maps[i].key_size);
        bpf_map_update(map_at(i), key, value, BPF_ANY);
        cr_expect(bpf_timer_element(&blob, head, &place, &later));
        cr_expect_eq(later.tag, e.tag, "the same key");
        bpf_map_delete(map_at(i), key);
        cr_expect(!bpf_timer_element(&blob, head, &place, &later), "deleted");
        bpf_map_update(map_at(i), other, value, BPF_ANY);
        cr_expect(bpf_timer_element(&blob, head, &place, &later));
        cr_expect_neq(later.tag, e.tag, "another key has the entry");
        memset(map_at(i), 0xff, maps[i].size); /* whatever is there, nothing outside is read */
        cr_expect(!bpf_timer_element(&blob, head, &place, &later));
    }
}

Test(timer, functions) {
    static const struct blob_func funcs[] = {
        {.entry = 0x40, .start = 0, .len = 10},
        {.entry = BLOB_NONE, .start = 10, .len = 5},
        {.entry = 0x10, .start = 15, .len = 1},
    };
    struct blob_header h = {
        .funcs.count = 3, .code = {.off = 0x80, .count = 0x100}, .bytecode = {.off = 0x200}};
    struct blob b = {.header = &h, .funcs = funcs};
    const uint32_t at = 0x080c0000, code = at + 0x81, slots = at + 0x200;
    cr_expect_eq(bpf_timer_function(&b, at, BPF_ENGINE_THUMB, code + 0x40), 0);
    cr_expect_eq(bpf_timer_function(&b, at, BPF_ENGINE_THUMB, code + 0x10), 2);
    cr_expect_eq(bpf_timer_function(&b, at, BPF_ENGINE_THUMB, code + 0x11), BLOB_NONE);
    cr_expect_eq(bpf_timer_function(&b, at, BPF_ENGINE_THUMB, code + 0x0f), BLOB_NONE);
    cr_expect_eq(bpf_timer_function(&b, at, BPF_ENGINE_THUMB, code - 1), BLOB_NONE,
                 "a function whose address nobody takes");
    cr_expect_eq(bpf_timer_function(&b, at, BPF_ENGINE_INTERP, slots + 80), 1);
    cr_expect_eq(bpf_timer_function(&b, at, BPF_ENGINE_INTERP, slots + 120), 2);
    cr_expect_eq(bpf_timer_function(&b, at, BPF_ENGINE_INTERP, slots + 121), BLOB_NONE);
    cr_expect_eq(bpf_timer_function(&b, at, BPF_ENGINE_INTERP, slots + 128), BLOB_NONE);
    cr_expect_eq(bpf_timer_function(&b, at, BPF_ENGINE_INTERP, 0), BLOB_NONE);
}
