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

#define HEADER ((uint32_t)sizeof(struct bpf_ringbuf_record))
#define WAKEUP_FLAGS 3u /* BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP: hints */

/* Bytes between consumer and producer, at most the ring. */
static uint32_t in_use(struct bpf_map *map) {
    struct bpf_ringbuf_state *s = bpf_ringbuf_state(map);
    if ((s->producer | s->consumer) % 8 || s->producer - s->consumer > map->max_entries)
        s->producer = s->consumer = 0;
    return s->producer - s->consumer;
}

/* A record at the producer's position; the position then moves over it. */
static void *append(struct bpf_map *map, uint32_t position, uint32_t size, uint32_t flags) {
    struct bpf_ringbuf_record *r = bpf_ringbuf_record(map, position);
    r->head = size | flags;
    r->to_map = (uint32_t)((uint8_t *)r - (uint8_t *)map);
    bpf_map_order(); /* what lies before the producer is records */
    bpf_ringbuf_state(map)->producer = position + bpf_ringbuf_padded(size);
    return r + 1;
}

/* Moves both positions of an empty ring to its start, so that whatever is smaller than the ring fits. The
 * consumer goes first: in between the ring is behind itself, which is no state of a ring, instead of
 * full of old records. */
static void rewind_empty(struct bpf_map *map, uint32_t start) {
    struct bpf_ringbuf_state *s = bpf_ringbuf_state(map);
    s->consumer = start;
    bpf_map_order();
    s->producer = start;
}

void *bpf_ringbuf_reserve(struct bpf_map *map, uint32_t size, uint64_t flags) {
    if (map->type != BPF_MAP_RINGBUF || flags || size > map->max_entries - HEADER)
        return NULL;
    uint32_t used = in_use(map), need = bpf_ringbuf_padded(size);
    uint32_t position = bpf_ringbuf_state(map)->producer;
    uint32_t gap = bpf_ringbuf_to_end(map, position), skip = gap < need ? gap : 0;
    if (skip && !used) {
        position += gap;
        rewind_empty(map, position);
        skip = 0;
    }
    if (need + skip > map->max_entries - used)
        return NULL;
    if (skip)
        append(map, position, skip - HEADER, BPF_RINGBUF_DISCARD);
    return append(map, position + skip, size, BPF_RINGBUF_BUSY);
}

void bpf_ringbuf_commit(struct bpf_map *map, void *data, bool discard) {
    struct bpf_ringbuf_record *r = (struct bpf_ringbuf_record *)data - 1;
    if (!(r->head & BPF_RINGBUF_BUSY) || r->to_map != (uint32_t)((uint8_t *)r - (uint8_t *)map))
        return;
    r->head = (r->head & ~BPF_RINGBUF_BUSY) | (discard ? BPF_RINGBUF_DISCARD : 0);
}

struct bpf_map *bpf_ringbuf_owner(void *data) {
    struct bpf_ringbuf_record *r = (struct bpf_ringbuf_record *)data - 1;
    return (struct bpf_map *)(void *)((uint8_t *)r - r->to_map);
}

int32_t bpf_ringbuf_output(struct bpf_map *map, const void *data, uint64_t size, uint64_t flags) {
    if (map->type != BPF_MAP_RINGBUF || flags & ~(uint64_t)WAKEUP_FLAGS)
        return -BPF_EINVAL;
    void *place = size > BPF_RINGBUF_SIZE ? NULL : bpf_ringbuf_reserve(map, (uint32_t)size, 0);
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
    case CONS_POS: return bpf_ringbuf_state(map)->consumer;
    case PROD_POS: return bpf_ringbuf_state(map)->producer;
    default: return 0;
    }
}

const void *bpf_ringbuf_read(struct bpf_map *map, uint32_t *size) {
    struct bpf_ringbuf_state *s = bpf_ringbuf_state(map);
    while (map->type == BPF_MAP_RINGBUF && in_use(map) >= HEADER) {
        struct bpf_ringbuf_record *r = bpf_ringbuf_record(map, s->consumer);
        uint32_t length = r->head & BPF_RINGBUF_SIZE;
        if (r->head & BPF_RINGBUF_BUSY)
            return NULL;
        if (length > bpf_ringbuf_to_end(map, s->consumer) - HEADER ||
            bpf_ringbuf_padded(length) > in_use(map)) {
            s->consumer = s->producer; /* scribbled over: what follows means nothing */
            return NULL;
        }
        s->consumer += bpf_ringbuf_padded(length);
        if (r->head & BPF_RINGBUF_DISCARD)
            continue;
        *size = length;
        return r + 1;
    }
    return NULL;
}
