/* SPDX-License-Identifier: MIT */
/*
 * Maps of a program that was killed. Runs with privilege on memory that a hostile program has written:
 * the header is compared with the blob's table first, and a map with another one starts anew; from then
 * on the header says what the table says. Contents are data to be bounded: links against the number
 * of entries, steps against it too, positions against the ring.
 *
 * An operation cut off leaves little behind that a repair needs to know, because the operations write
 * in an order that is made for this (bpf_map_order()): a hash entry's `used` says whether its key and
 * value are whole, a queue changes by one store, a record lies before the producer's position when it
 * is one. So a hash is made again from its entries alone; only the list by age holds something that the
 * entries do not say.
 */
#include "bpf/memmap.h"
#include "map_layout.h"

#include <string.h>

/* ------------------------------------------------------------------------- is a hash as it should be */

/* Every entry of every chain is in use, and in the chain that its key belongs to. Then no entry is in two
 * chains, and a chain that runs into itself is found by the count. */
static bool chains_are_whole(struct bpf_map *map, uint32_t *used) {
    const uint16_t *heads = bpf_hash_heads(map);
    for (uint32_t i = 0; i < bpf_map_buckets(map->max_entries); i++) {
        struct bpf_hash_entry *e;
        for (uint32_t link = heads[i]; link != BPF_HASH_NONE; link = e->next) {
            e = bpf_hash_entry(map, link);
            if (!e || e->used != BPF_HASH_USED || ++*used > map->max_entries ||
                bpf_hash_bucket(map, bpf_hash_key(e)) != &heads[i])
                return false;
        }
    }
    return true;
}

/* All entries that are in no chain are in the free list. */
static bool free_list_is_whole(struct bpf_map *map, uint32_t used) {
    struct bpf_hash_entry *e;
    for (uint32_t link = map->state[0]; link != BPF_HASH_NONE; link = e->next) {
        e = bpf_hash_entry(map, link);
        if (!e || e->used != BPF_HASH_FREE || ++used > map->max_entries)
            return false;
    }
    return used == map->max_entries;
}

/* Each names the one before it, so none comes twice. */
static bool age_list_is_whole(struct bpf_map *map, uint32_t used) {
    struct bpf_hash_entry *e;
    uint32_t newer = BPF_HASH_NONE;
    for (uint32_t link = bpf_hash_newest(map); link != BPF_HASH_NONE; link = e->older) {
        e = bpf_hash_entry(map, link);
        if (!e || e->used != BPF_HASH_USED || e->newer != newer || used-- == 0)
            return false;
        newer = link;
    }
    return used == 0 && bpf_hash_oldest(map) == newer;
}

static bool lists_are_whole(struct bpf_map *map) {
    uint32_t used = 0;
    return chains_are_whole(map, &used) && free_list_is_whole(map, used) &&
           (map->type != BPF_MAP_LRU_HASH || age_list_is_whole(map, used));
}

/* ----------------------------------------------------------------------------------- keys that repeat */

/*
 * The operations make no key twice, but a hostile program may: one lookup would then find what a deletion
 * leaves. Comparing all keys of a chain with each other would hold the kernel for half a second if the
 * program has put all into one chain; sorted, equal keys are neighbours. The order within a chain is
 * nobody's business. (Merge sort, Knuth, volume 3, 5.2.4; bins[i] is sorted and has up to 2^i entries.)
 */
#define BINS 16
_Static_assert(MEMMAP_ARENA_SIZE / sizeof(struct bpf_hash_entry) < 1u << (BINS - 1),
               "no hash has more entries than the bins hold");

/* Merges two sorted chains. Of two entries with one key the second is given up. */
static uint32_t merge(struct bpf_map *map, uint32_t a, uint32_t b, bool *gave_up) {
    uint16_t first = BPF_HASH_NONE, *end = &first;
    struct bpf_hash_entry *x, *y;
    while ((x = bpf_hash_entry(map, a)) && (y = bpf_hash_entry(map, b))) {
        int order = memcmp(bpf_hash_key(x), bpf_hash_key(y), map->key_size);
        if (order == 0) {
            y->used = BPF_HASH_FREE;
            b = y->next;
            *gave_up = true;
        } else if (order < 0) {
            *end = (uint16_t)a;
            end = &x->next;
            a = x->next;
        } else {
            *end = (uint16_t)b;
            end = &y->next;
            b = y->next;
        }
    }
    *end = (uint16_t)(x ? a : b);
    return first;
}

/* The chain is a good one, as lists_are_whole() or make_chains() leave it. */
static void sort_chain(struct bpf_map *map, uint16_t *head, bool *gave_up) {
    uint16_t bins[BINS] = {BPF_HASH_NONE};
    struct bpf_hash_entry *e;
    uint32_t i, link, rest, sorted = BPF_HASH_NONE;
    for (link = *head; (e = bpf_hash_entry(map, link)); link = rest) {
        rest = e->next;
        e->next = BPF_HASH_NONE;
        for (i = 0; i < BINS - 1 && bins[i] != BPF_HASH_NONE; i++) {
            link = merge(map, bins[i], link, gave_up);
            bins[i] = BPF_HASH_NONE;
        }
        bins[i] = (uint16_t)link;
    }
    for (i = 0; i < BINS; i++)
        if (bins[i] != BPF_HASH_NONE)
            sorted = merge(map, bins[i], sorted, gave_up);
    *head = (uint16_t)sorted;
}

static bool has_two(struct bpf_map *map, uint32_t link) {
    const struct bpf_hash_entry *e = bpf_hash_entry(map, link);
    return e && e->next != BPF_HASH_NONE;
}

/* Whether all keys were different. They are now. */
static bool drop_repeated_keys(struct bpf_map *map) {
    uint16_t *heads = bpf_hash_heads(map);
    bool gave_up = false;
    for (uint32_t i = 0; i < bpf_map_buckets(map->max_entries); i++)
        if (has_two(map, heads[i]))
            sort_chain(map, &heads[i], &gave_up);
    return !gave_up;
}

/* ---------------------------------------------------------------------------------- making a hash again */

static void make_chains(struct bpf_map *map) {
    memset(bpf_hash_heads(map), 0, bpf_map_buckets(map->max_entries) * sizeof(uint16_t));
    for (uint32_t link = 1; link <= map->max_entries; link++) {
        struct bpf_hash_entry *e = bpf_hash_entry(map, link);
        if (e->used != BPF_HASH_USED) {
            e->used = BPF_HASH_FREE;
            continue;
        }
        uint16_t *head = bpf_hash_bucket(map, bpf_hash_key(e));
        e->next = *head;
        *head = (uint16_t)link;
    }
}

static void make_free_list(struct bpf_map *map) {
    map->state[0] = BPF_HASH_NONE;
    for (uint32_t link = map->max_entries; link > 0; link--) {
        struct bpf_hash_entry *e = bpf_hash_entry(map, link);
        if (e->used != BPF_HASH_FREE)
            continue;
        e->next = (uint16_t)map->state[0];
        map->state[0] = link;
    }
}

/* An entry in use that is not yet in the new list by age; it goes there now. */
static struct bpf_hash_entry *take(struct bpf_map *map, uint32_t link) {
    struct bpf_hash_entry *e = bpf_hash_entry(map, link);
    if (!e || e->used != BPF_HASH_USED)
        return NULL;
    e->used = BPF_HASH_LISTED;
    return e;
}

/* A list by age while it is put together: its two ends. */
struct age_list {
    uint32_t newest, oldest;
};

/* Puts list b behind list a. */
static struct age_list joined(struct bpf_map *map, struct age_list a, struct age_list b) {
    struct bpf_hash_entry *e = bpf_hash_entry(map, a.oldest), *f = bpf_hash_entry(map, b.newest);
    if (!e)
        return b;
    if (!f)
        return a;
    e->older = (uint16_t)b.newest;
    f->newer = (uint16_t)a.oldest;
    return (struct age_list){a.newest, b.oldest};
}

/*
 * What an operation has left half done concerns one entry, the one that it was moving or removing: the
 * others are reached from the newest on, or from the oldest back. So these two walks keep their order,
 * and what neither reached counts as newest.
 */
static void make_age_list(struct bpf_map *map) {
    struct age_list front = {0}, back = {0}, others = {0};
    struct bpf_hash_entry *e;
    uint32_t link, next;
    for (link = bpf_hash_newest(map); (e = take(map, link)); link = next) {
        next = e->older;
        e->newer = e->older = BPF_HASH_NONE;
        front = joined(map, front, (struct age_list){link, link});
    }
    for (link = bpf_hash_oldest(map); (e = take(map, link)); link = next) {
        next = e->newer;
        e->newer = e->older = BPF_HASH_NONE;
        back = joined(map, (struct age_list){link, link}, back);
    }
    for (link = 1; link <= map->max_entries; link++)
        if ((e = take(map, link))) {
            e->newer = e->older = BPF_HASH_NONE;
            others = joined(map, others, (struct age_list){link, link});
        }
    others = joined(map, others, joined(map, front, back));
    bpf_hash_set_ends(map, others.newest, others.oldest);
    for (link = 1; link <= map->max_entries; link++)
        if ((e = bpf_hash_entry(map, link))->used == BPF_HASH_LISTED)
            e->used = BPF_HASH_USED;
}

static enum bpf_map_repair repair_hash(struct bpf_map *map) {
    bool whole = lists_are_whole(map);
    if (!whole)
        make_chains(map);
    if (drop_repeated_keys(map) && whole)
        return BPF_MAP_WAS_WHOLE;
    if (map->type == BPF_MAP_LRU_HASH)
        make_age_list(map);
    make_free_list(map);
    return BPF_MAP_REBUILT;
}

/* -------------------------------------------------------------------------------------- other kinds */

/* No blob has room for more programs. Which ones exist, the tail call itself looks up. */
#define PROGRAMS_MAX (BLOB_MAX_SIZE / (uint32_t)sizeof(struct blob_program))

static enum bpf_map_repair repair_prog_array(struct bpf_map *map) {
    enum bpf_map_repair result = BPF_MAP_WAS_WHOLE;
    uint8_t *values = (uint8_t *)map + BPF_MAP_ARRAY_VALUES;
    for (uint32_t i = 0; i < map->max_entries; i++) {
        uint32_t *slot = (uint32_t *)(void *)(values + i * BPF_PROG_ARRAY_STRIDE);
        if (*slot <= PROGRAMS_MAX)
            continue;
        *slot = 0;
        result = BPF_MAP_REBUILT;
    }
    return result;
}

static enum bpf_map_repair repair_records(struct bpf_map *map, uint32_t position, uint32_t end) {
    enum bpf_map_repair result = BPF_MAP_WAS_WHOLE;
    while (position != end) {
        struct bpf_ringbuf_record *r = bpf_ringbuf_record(map, position);
        uint32_t size = r->head & BPF_RINGBUF_SIZE;
        if (size > bpf_ringbuf_to_end(map, position) - sizeof(*r) ||
            bpf_ringbuf_padded(size) > end - position)
            return BPF_MAP_CLEARED;
        if (r->head & BPF_RINGBUF_BUSY) {
            r->head = size | BPF_RINGBUF_DISCARD;
            result = BPF_MAP_REBUILT;
        }
        position += bpf_ringbuf_padded(size);
    }
    return result;
}

static enum bpf_map_repair repair_ringbuf(struct bpf_map *map) {
    struct bpf_ringbuf_state *s = bpf_ringbuf_state(map);
    if ((s->producer | s->consumer) % 8)
        return BPF_MAP_CLEARED;
    if (s->producer - s->consumer <= map->max_entries)
        return repair_records(map, s->consumer, s->producer);
    /* An empty ring on its way to its start: the consumer goes first. */
    if (s->consumer - s->producer >= map->max_entries || s->consumer % map->max_entries)
        return BPF_MAP_CLEARED;
    s->producer = s->consumer;
    return BPF_MAP_REBUILT;
}

static enum bpf_map_repair repair_contents(struct bpf_map *map) {
    switch (map->type) {
    case BPF_MAP_HASH:
    case BPF_MAP_LRU_HASH: return repair_hash(map);
    case BPF_MAP_PROG_ARRAY: return repair_prog_array(map);
    case BPF_MAP_QUEUE:
    case BPF_MAP_STACK: return bpf_queue_is_good(map) ? BPF_MAP_WAS_WHOLE : BPF_MAP_CLEARED;
    case BPF_MAP_RINGBUF: return repair_ringbuf(map);
    default: return BPF_MAP_WAS_WHOLE; /* any bytes are an array */
    }
}

enum bpf_map_repair bpf_map_repair(struct bpf_map *map, const struct blob_map *def) {
    enum bpf_map_repair result =
        bpf_map_is_intact(map, def) ? repair_contents(map) : BPF_MAP_CLEARED;
    if (result == BPF_MAP_CLEARED) {
        memset(map, 0, def->size);
        bpf_map_init(map, def);
    }
    return result;
}
