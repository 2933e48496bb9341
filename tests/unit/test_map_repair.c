/* SPDX-License-Identifier: MIT */
/*
 * Maps put in order after their program was killed: forged ones of any contents, and what becomes of each kind
 * of damage. tests/maps/main.c kills real operations.
 */
#include "maps/forge.h"
#include "maps/model.h"
#include "runtime/map_layout.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct bpf_map *make(const struct blob_map *def) {
    struct bpf_map *map = calloc(1, def->size);
    cr_assert_neq(def->size, 0);
    bpf_map_init(map, def);
    return map;
}

/* Numbers 1 to n, key and value. */
static void insert(struct bpf_map *map, uint32_t n) {
    for (uint32_t i = 1; i <= n; i++)
        cr_assert_eq(bpf_map_update(map, &i, &i, BPF_ANY), 0);
}

static uint32_t count(struct bpf_map *map) {
    uint32_t cursor = 0, index, n = 0;
    const void *key;
    void *value;
    while (bpf_map_next(map, &cursor, &index, &key, &value))
        n++;
    return n;
}

Test(map_repair, forged) {
    uint8_t bytes[1024];
    uint32_t seed = 1;
    for (uint32_t round = 0; round < 6000; round++) {
        struct blob_map def = forge_def(round % 12);
        for (uint32_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)(model_random(&seed, 256) & (round % 5 ? 0xff : 0x03));
        const char *problem = forge_check(&def, bytes, sizeof(bytes), round / 12 % 8, 100);
        cr_assert_null(problem, "round %u, type %u: %s", round, def.type, problem);
    }
}

Test(map_repair, forged_large) {
    uint8_t *bytes = malloc(65536);
    uint32_t seed = 1;
    for (uint32_t round = 0; round < 24; round++) {
        struct blob_map def = forge_def(12 + round % 3);
        for (uint32_t i = 0; i < 65536; i++)
            bytes[i] = (uint8_t)model_random(&seed, 256);
        const char *problem = forge_check(&def, bytes, 65536, FORGE_HEADER | round / 3, 0);
        cr_assert_null(problem, "round %u: %s", round, problem);
    }
    free(bytes);
}

Test(map_repair, another_header_is_a_new_start) {
    for (uint32_t kind = 0; kind < 12; kind++)
        for (uint32_t word = 0; word < 6; word++) {
            struct blob_map def = forge_def(kind);
            struct bpf_map *map = make(&def), *good = make(&def);
            memset((uint8_t *)map + sizeof(*map), 0x11, def.size - sizeof(*map));
            ((uint32_t *)(void *)map)[word] ^= 0x1000;
            cr_expect_eq(bpf_map_repair(map, &def), BPF_MAP_CLEARED);
            cr_expect_arr_eq(map, good, def.size);
            free(map);
            free(good);
        }
}

Test(map_repair, the_table_may_name_an_alias) {
    struct blob_map def = model_def(BPF_MAP_LRU_PERCPU_HASH, 4, 4, 4);
    struct bpf_map *map = make(&def);
    insert(map, 6);
    cr_expect_eq(bpf_map_repair(map, &def), BPF_MAP_WAS_WHOLE);
    cr_expect_eq(count(map), 4);
    free(map);
}

static void hash_damage(uint32_t type, void (*damage)(struct bpf_map *map), uint32_t left) {
    struct blob_map def = model_def(type, 4, 4, 8);
    struct bpf_map *map = make(&def);
    uint32_t seed = 3;
    insert(map, 6);
    cr_expect_eq(bpf_map_repair(map, &def), BPF_MAP_WAS_WHOLE);
    damage(map);
    cr_expect_eq(bpf_map_repair(map, &def), BPF_MAP_REBUILT);
    cr_expect_eq(bpf_map_repair(map, &def), BPF_MAP_WAS_WHOLE);
    cr_expect_eq(count(map), left);
    const char *problem = model_run(map, &def, &seed, 500);
    cr_expect_null(problem, "%s", problem);
    free(map);
}

/* In the order of the insertions, entries 1 to 6 hold the keys 1 to 6; 7 and 8 are free. */
static void cut_chains(struct bpf_map *map) {
    memset(bpf_hash_heads(map), 0, 16);
}
static void loop_chain(struct bpf_map *map) {
    bpf_hash_entry(map, 2)->next = 2;
}
static void loop_free_list(struct bpf_map *map) {
    bpf_hash_entry(map, 8)->next = 7;
}
static void lose_free_entry(struct bpf_map *map) {
    map->state[0] = 8;
}
static void changing(struct bpf_map *map) {
    bpf_hash_entry(map, 3)->used = BPF_HASH_CHANGING;
}
static void wrong_chain(struct bpf_map *map) {
    for (uint32_t i = 0; i < 8; i++)
        if (bpf_hash_heads(map)[i] &&
            &bpf_hash_heads(map)[i] != bpf_hash_bucket(map, (const uint8_t[4]){9}))
            memcpy(bpf_hash_key(bpf_hash_entry(map, bpf_hash_heads(map)[i])), (const uint8_t[4]){9},
                   4),
                i = 8;
}
/* The key of an entry once more, in its own chain. */
static void key_twice(struct bpf_map *map) {
    struct bpf_hash_entry *e = bpf_hash_entry(map, 7);
    map->state[0] = e->next;
    memcpy(bpf_hash_key(e), bpf_hash_key(bpf_hash_entry(map, 4)), 4);
    e->used = BPF_HASH_USED;
    e->next = *bpf_hash_bucket(map, bpf_hash_key(e));
    *bpf_hash_bucket(map, bpf_hash_key(e)) = 7;
    e->newer = BPF_HASH_NONE;
    e->older = (uint16_t)bpf_hash_newest(map);
    if (map->type == BPF_MAP_LRU_HASH) {
        bpf_hash_entry(map, e->older)->newer = 7;
        bpf_hash_set_ends(map, 7, bpf_hash_oldest(map));
    }
}

Test(map_repair, hash) {
    static const uint32_t types[] = {BPF_MAP_HASH, BPF_MAP_LRU_HASH};
    for (uint32_t i = 0; i < 2; i++) {
        hash_damage(types[i], cut_chains, 6);
        hash_damage(types[i], loop_chain, 6);
        hash_damage(types[i], loop_free_list, 6);
        hash_damage(types[i], lose_free_entry, 6);
        hash_damage(types[i], changing, 5);
        hash_damage(types[i], wrong_chain, 6);
        hash_damage(types[i], key_twice, 6);
    }
}

static void cut_age(struct bpf_map *map) {
    bpf_hash_entry(map, 4)->older = BPF_HASH_NONE;
}
static void no_ends(struct bpf_map *map) {
    map->state[1] = 0;
}
static void wrong_oldest(struct bpf_map *map) {
    bpf_hash_set_ends(map, bpf_hash_newest(map), 2);
}
static void wrong_newer(struct bpf_map *map) {
    bpf_hash_entry(map, 3)->newer = 6;
}
static void loop_age(struct bpf_map *map) {
    bpf_hash_entry(map, 1)->older = 6;
}

Test(map_repair, list_by_age) {
    hash_damage(BPF_MAP_LRU_HASH, cut_age, 6);
    hash_damage(BPF_MAP_LRU_HASH, no_ends, 6);
    hash_damage(BPF_MAP_LRU_HASH, wrong_oldest, 6);
    hash_damage(BPF_MAP_LRU_HASH, wrong_newer, 6);
    hash_damage(BPF_MAP_LRU_HASH, loop_age, 6);
}

Test(map_repair, prog_array) {
    struct blob_map def = model_def(BPF_MAP_PROG_ARRAY, 4, 4, 3);
    struct bpf_map *map = make(&def);
    uint32_t *slots = (uint32_t *)(void *)((uint8_t *)map + BPF_MAP_ARRAY_VALUES);
    slots[0] = 7, slots[2] = 0x80000000, slots[4] = 3;
    cr_expect_eq(bpf_map_repair(map, &def), BPF_MAP_REBUILT);
    cr_expect_eq(slots[0], 7);
    cr_expect_eq(slots[2], 0);
    cr_expect_eq(slots[4], 3);
    cr_expect_eq(bpf_map_repair(map, &def), BPF_MAP_WAS_WHOLE);
    free(map);
}

Test(map_repair, queue_behind_its_end) {
    static const uint32_t states[] = {0x00000004, 0x00050000, 0xffffffff};
    struct blob_map def = model_def(BPF_MAP_QUEUE, 0, 4, 4);
    for (uint32_t i = 0; i < 3; i++) {
        struct bpf_map *map = make(&def);
        map->state[0] = 0x00040003; /* the last good one */
        cr_expect_eq(bpf_map_repair(map, &def), BPF_MAP_WAS_WHOLE);
        map->state[0] = states[i];
        cr_expect_eq(bpf_map_repair(map, &def), BPF_MAP_CLEARED);
        cr_expect_eq(map->state[0], 0);
        free(map);
    }
}

Test(map_repair, open_records_are_discarded) {
    struct blob_map def = model_def(BPF_MAP_RINGBUF, 0, 0, 128);
    struct bpf_map *map = make(&def);
    uint32_t size;
    cr_assert_eq(bpf_ringbuf_output(map, "one", 3, 0), 0);
    cr_assert_not_null(bpf_ringbuf_reserve(map, 20, 0));
    cr_assert_eq(bpf_ringbuf_output(map, "two", 3, 0), 0);
    cr_assert_not_null(bpf_ringbuf_reserve(map, 8, 0));
    cr_expect_eq(bpf_map_repair(map, &def), BPF_MAP_REBUILT);
    cr_expect_eq(bpf_map_repair(map, &def), BPF_MAP_WAS_WHOLE);
    cr_expect_arr_eq(bpf_ringbuf_read(map, &size), "one", 3);
    cr_expect_arr_eq(bpf_ringbuf_read(map, &size), "two", 3);
    cr_expect_null(bpf_ringbuf_read(map, &size));
    cr_expect_eq(bpf_ringbuf_query(map, 0), 0);
    free(map);
}

/* Producer, consumer, head of the first record. */
Test(map_repair, rings_that_make_no_sense) {
    static const struct {
        uint32_t producer, consumer, head;
        enum bpf_map_repair result;
    } rows[] = {
        {64, 0, 56, BPF_MAP_WAS_WHOLE},
        {64, 0, 57, BPF_MAP_CLEARED},                    /* behind the end of the ring */
        {32, 0, 25, BPF_MAP_CLEARED},                    /* behind the producer */
        {64, 0, 0x3fffffff, BPF_MAP_CLEARED},            /* a size that wraps */
        {64, 0, 0xc0000038, BPF_MAP_REBUILT},            /* open */
        {72, 0, 56, BPF_MAP_CLEARED},                    /* more than the ring */
        {4, 0, 0, BPF_MAP_CLEARED},                      /* between two words */
        {12, 4, 0, BPF_MAP_CLEARED},                     /* a record between two words */
        {0xffffffe0, 0xffffffc0, 24, BPF_MAP_WAS_WHOLE}, /* positions wrap */
        {40, 64, 0, BPF_MAP_REBUILT},                    /* an empty ring going back to its start */
        {40, 56, 0, BPF_MAP_CLEARED},                    /* going back elsewhere */
        {0, 64, 0, BPF_MAP_CLEARED},                     /* it was at its start */
    };
    struct blob_map def = model_def(BPF_MAP_RINGBUF, 0, 0, 64);
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bpf_map *map = make(&def);
        struct bpf_ringbuf_state *s = bpf_ringbuf_state(map);
        s->producer = rows[i].producer, s->consumer = rows[i].consumer;
        bpf_ringbuf_record(map, s->consumer)->head = rows[i].head;
        cr_expect_eq(bpf_map_repair(map, &def), rows[i].result, "row %u", i);
        cr_expect_eq(bpf_map_repair(map, &def), BPF_MAP_WAS_WHOLE, "row %u", i);
        free(map);
    }
}
