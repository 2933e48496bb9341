/* SPDX-License-Identifier: MIT */
/*
 * Ring buffer. Producer and consumer positions count bytes modulo 2^32; the ring's size is a power of
 * two. A record is a header word with its size and two flags, a second word with its distance from the
 * map's header (by which a reservation is recognised), and the data, padded to 8. Records do not wrap: what is left at the
 * end of the ring is skipped by a discarded record. Nothing in the ring is trusted: sizes and
 * positions are bounded before use.
 */
#include "map_layout.h"

#include <string.h>

#define BUSY 0x80000000u
#define DISCARD 0x40000000u
#define SIZE 0x3fffffffu
#define HEADER 8u
#define WAKEUP_FLAGS 3u /* BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP: hints */

struct record {
    uint32_t head;   /* size of the data in bytes, and flags */
    uint32_t to_map; /* bytes from the map's header to here */
};

static struct bpf_ringbuf_state *state(struct bpf_map *map) {
    return (struct bpf_ringbuf_state *)(void *)((uint8_t *)map + sizeof(*map));
}

static uint8_t *ring(struct bpf_map *map) {
    return (uint8_t *)(state(map) + 1);
}

static struct record *record_at(struct bpf_map *map, uint32_t position) {
    return (struct record *)(void *)(ring(map) + (position & (map->max_entries - 1)));
}

static uint32_t padded(uint32_t size) {
    return HEADER + ((size + 7) & ~7u);
}

/* Bytes between consumer and producer, at most the ring. */
static uint32_t in_use(struct bpf_map *map) {
    struct bpf_ringbuf_state *s = state(map);
    if ((s->producer | s->consumer) % 8 || s->producer - s->consumer > map->max_entries)
        s->producer = s->consumer = 0;
    return s->producer - s->consumer;
}

static uint32_t to_end(const struct bpf_map *map, uint32_t position) {
    return map->max_entries - (position & (map->max_entries - 1));
}

static struct record *append(struct bpf_map *map, uint32_t size, uint32_t flags) {
    struct bpf_ringbuf_state *s = state(map);
    struct record *r = record_at(map, s->producer);
    r->head = size | flags;
    r->to_map = (uint32_t)((uint8_t *)r - (uint8_t *)map);
    s->producer += padded(size);
    return r;
}

/* Moves both positions of an empty ring to its start, so that whatever is smaller than the ring fits. */
static void rewind_empty(struct bpf_map *map) {
    struct bpf_ringbuf_state *s = state(map);
    s->producer += to_end(map, s->producer);
    s->consumer = s->producer;
}

void *bpf_ringbuf_reserve(struct bpf_map *map, uint32_t size, uint64_t flags) {
    if (map->type != BPF_MAP_RINGBUF || flags || size > map->max_entries - HEADER)
        return NULL;
    uint32_t used = in_use(map), need = padded(size);
    if (!used && to_end(map, state(map)->producer) < need)
        rewind_empty(map);
    uint32_t gap = to_end(map, state(map)->producer), skip = gap < need ? gap : 0;
    if (need + skip > map->max_entries - used)
        return NULL;
    if (skip)
        append(map, skip - HEADER, DISCARD);
    return append(map, size, BUSY) + 1;
}

void bpf_ringbuf_commit(struct bpf_map *map, void *data, bool discard) {
    struct record *r = (struct record *)data - 1;
    if (!(r->head & BUSY) || r->to_map != (uint32_t)((uint8_t *)r - (uint8_t *)map))
        return;
    r->head = (r->head & ~BUSY) | (discard ? DISCARD : 0);
}

struct bpf_map *bpf_ringbuf_owner(void *data) {
    struct record *r = (struct record *)data - 1;
    return (struct bpf_map *)(void *)((uint8_t *)r - r->to_map);
}

int32_t bpf_ringbuf_output(struct bpf_map *map, const void *data, uint64_t size, uint64_t flags) {
    if (map->type != BPF_MAP_RINGBUF || flags & ~(uint64_t)WAKEUP_FLAGS)
        return -BPF_EINVAL;
    void *place = size > SIZE ? NULL : bpf_ringbuf_reserve(map, (uint32_t)size, 0);
    if (!place)
        return -BPF_EAGAIN;
    if (size) /* an empty record may come from NULL */
        memmove(place, data, size);
    bpf_ringbuf_commit(map, place, false);
    return 0;
}

uint64_t bpf_ringbuf_query(struct bpf_map *map, uint64_t flags) {
    enum { AVAIL_DATA, RING_SIZE, CONS_POS, PROD_POS };
    if (map->type != BPF_MAP_RINGBUF)
        return 0;
    switch (flags) {
    case AVAIL_DATA: return in_use(map);
    case RING_SIZE: return map->max_entries;
    case CONS_POS: return state(map)->consumer;
    case PROD_POS: return state(map)->producer;
    default: return 0;
    }
}

const void *bpf_ringbuf_read(struct bpf_map *map, uint32_t *size) {
    struct bpf_ringbuf_state *s = state(map);
    while (map->type == BPF_MAP_RINGBUF && in_use(map) >= HEADER) {
        struct record *r = record_at(map, s->consumer);
        uint32_t length = r->head & SIZE;
        if (r->head & BUSY)
            return NULL;
        if (length > to_end(map, s->consumer) - HEADER || padded(length) > in_use(map)) {
            s->consumer = s->producer; /* scribbled over: what follows means nothing */
            return NULL;
        }
        s->consumer += padded(length);
        if (r->head & DISCARD)
            continue;
        *size = length;
        return r + 1;
    }
    return NULL;
}
