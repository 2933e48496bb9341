/* SPDX-License-Identifier: MIT */
/*
 * The ring buffer against a list of records: several open reservations at once, submitted and discarded
 * in any order, read in the order in which they were made.
 */
#include "bpf/map.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RECORDS 1024
#define NO_WAKEUP 1u
#define FORCE_WAKEUP 2u

enum query { AVAIL_DATA, RING_SIZE, CONS_POS, PROD_POS };

static uint32_t seed;

static uint32_t random_below(uint32_t n) {
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)seed * n >> 32);
}

static struct bpf_map *make(uint32_t size) {
    uint32_t bytes = bpf_map_bytes(BPF_MAP_RINGBUF, 0, 0, size, 0, NULL);
    const struct blob_map def = {.type = BPF_MAP_RINGBUF, .max_entries = size, .size = bytes};
    struct bpf_map *map = calloc(1, bytes);
    bpf_map_init(map, &def);
    return map;
}

enum record_state { OPEN, SUBMITTED, DISCARDED };

struct record {
    uint8_t *data;
    uint32_t size, mark;
    enum record_state state;
};

struct model {
    struct record records[MAX_RECORDS]; /* oldest first */
    uint32_t count;
};

static void drop_oldest(struct model *m) {
    memmove(m->records, m->records + 1, --m->count * sizeof(m->records[0]));
}

static void write_mark(uint8_t *data, uint32_t size, uint32_t mark) {
    for (uint32_t i = 0; i < size; i++)
        data[i] = (uint8_t)(mark + i);
}

static void reserve(struct bpf_map *map, struct model *m, uint32_t now) {
    uint32_t size = random_below(2) ? random_below(24) : random_below(map->max_entries + 4);
    uint64_t before = bpf_ringbuf_query(map, AVAIL_DATA);
    uint8_t *data = bpf_ringbuf_reserve(map, size, 0);
    if (size > map->max_entries - 8)
        cr_assert_null(data);
    else if (before == 0)
        cr_assert_not_null(data, "%u bytes fit an empty ring of %u", size, map->max_entries);
    if (!data)
        return;
    cr_assert_eq((uintptr_t)data % 8, 0);
    cr_assert_eq(bpf_ringbuf_owner(data), map);
    write_mark(data, size, now);
    m->records[m->count++] = (struct record){data, size, now, OPEN};
}

static void commit(struct bpf_map *map, struct model *m) {
    struct record *r = m->count ? &m->records[random_below(m->count)] : NULL;
    if (!r || r->state != OPEN)
        return;
    r->state = random_below(3) ? SUBMITTED : DISCARDED;
    bpf_ringbuf_commit(map, r->data, r->state == DISCARDED);
    bpf_ringbuf_commit(map, r->data, r->state != DISCARDED); /* a second time: no effect */
}

static void consume(struct bpf_map *map, struct model *m) {
    uint32_t size;
    const uint8_t *data = bpf_ringbuf_read(map, &size);
    while (m->count && m->records[0].state == DISCARDED)
        drop_oldest(m);
    if (!m->count || m->records[0].state == OPEN) {
        cr_assert_null(data);
        return;
    }
    const struct record *r = &m->records[0];
    cr_assert_eq(data, r->data);
    cr_assert_eq(size, r->size);
    for (uint32_t i = 0; i < size; i++)
        cr_assert_eq(data[i], (uint8_t)(r->mark + i));
    drop_oldest(m);
}

Test(ringbuf, follows_the_model) {
    static const uint32_t sizes[] = {64, 128, 1024};
    for (size_t i = 0; i < 3; i++) {
        static struct model m;
        struct bpf_map *map = make(sizes[i]);
        m.count = 0;
        seed = (uint32_t)i;
        for (uint32_t now = 0; now < 20000; now++) {
            uint32_t what = random_below(3);
            if (what == 0 && m.count < MAX_RECORDS)
                reserve(map, &m, now);
            else if (what == 1)
                commit(map, &m);
            else
                consume(map, &m);
            cr_assert_leq(bpf_ringbuf_query(map, AVAIL_DATA), sizes[i]);
            cr_assert_eq(
                (uint32_t)(bpf_ringbuf_query(map, PROD_POS) - bpf_ringbuf_query(map, CONS_POS)),
                bpf_ringbuf_query(map, AVAIL_DATA));
        }
        cr_expect_gt(bpf_ringbuf_query(map, PROD_POS), 10 * sizes[i], "it went round");
        free(map);
    }
}

Test(ringbuf, output_and_queries) {
    struct bpf_map *map = make(64);
    uint32_t size;
    cr_expect_eq(bpf_ringbuf_query(map, RING_SIZE), 64);
    cr_expect_eq(bpf_ringbuf_query(map, 4), 0);
    cr_expect_eq(bpf_ringbuf_output(map, "0123456789", 10, 0), 0);
    cr_expect_eq(bpf_ringbuf_query(map, AVAIL_DATA), 24);
    cr_expect_eq(bpf_ringbuf_output(map, "", 0, NO_WAKEUP | FORCE_WAKEUP), 0);
    cr_expect_eq(bpf_ringbuf_query(map, PROD_POS), 32);
    cr_expect_eq(bpf_ringbuf_output(map, "x", 1, 4), -BPF_EINVAL);
    cr_expect_eq(bpf_ringbuf_output(map, "x", 25, 0), -BPF_EAGAIN);
    cr_expect_eq(bpf_ringbuf_output(map, "x", UINT64_C(0x100000001), 0), -BPF_EAGAIN);
    cr_expect_null(bpf_ringbuf_reserve(map, 1, 1), "reserve takes no flags");
    cr_expect_arr_eq(bpf_ringbuf_read(map, &size), "0123456789", 10);
    cr_expect_eq(size, 10);
    cr_expect_not_null(bpf_ringbuf_read(map, &size), "an empty record is one");
    cr_expect_eq(size, 0);
    cr_expect_null(bpf_ringbuf_read(map, &size));
    cr_expect_eq(bpf_ringbuf_query(map, CONS_POS), 32);
    free(map);
}

/* Positions count on through 2^32. */
Test(ringbuf, positions_wrap) {
    struct bpf_map *map = make(64);
    uint32_t *positions = (uint32_t *)(void *)(map + 1), size;
    positions[0] = positions[1] = 0xffffffe0;
    for (uint32_t i = 0; i < 20; i++) {
        cr_assert_eq(bpf_ringbuf_output(map, &i, 4, 0), 0);
        cr_assert_eq(bpf_ringbuf_query(map, AVAIL_DATA), 16);
        cr_assert_arr_eq(bpf_ringbuf_read(map, &size), &i, 4);
    }
    cr_expect_lt(bpf_ringbuf_query(map, PROD_POS), 0x1000);
    free(map);
}
