/* SPDX-License-Identifier: MIT */
#include "forge.h"

#include "map_layout.h"

#include <stdlib.h>
#include <string.h>

struct blob_map forge_def(uint32_t kind) {
    static const uint32_t kinds[FORGE_KINDS][4] = {
        {BPF_MAP_ARRAY, 4, 5, 3},       {BPF_MAP_PROG_ARRAY, 4, 4, 3},
        {BPF_MAP_HASH, 4, 8, 1},        {BPF_MAP_HASH, 4, 4, 8},
        {BPF_MAP_HASH, 3, 13, 5},       {BPF_MAP_LRU_HASH, 4, 4, 1},
        {BPF_MAP_LRU_HASH, 16, 12, 2},  {BPF_MAP_LRU_HASH, 5, 3, 9},
        {BPF_MAP_QUEUE, 0, 7, 3},       {BPF_MAP_STACK, 0, 8, 4},
        {BPF_MAP_RINGBUF, 0, 0, 64},    {BPF_MAP_RINGBUF, 0, 0, 128},
        {BPF_MAP_HASH, 8, 8, 2000},     {BPF_MAP_LRU_HASH, 4, 4, 2300},
        {BPF_MAP_RINGBUF, 0, 0, 32768},
    };
    const uint32_t *k = kinds[kind % FORGE_KINDS];
    return model_def(k[0], k[1], k[2], k[3]);
}

static bool is_hash(const struct blob_map *def) {
    return def->type == BPF_MAP_HASH || def->type == BPF_MAP_LRU_HASH;
}

/* Links up to one too far, `used` one of its values or a wrong one, keys from 0 to 3. */
static void tame_hash(struct bpf_map *map, const struct blob_map *def, uint32_t manners) {
    uint32_t links = def->max_entries + 2;
    for (uint32_t i = 0; i < bpf_map_buckets(def->max_entries); i++)
        bpf_hash_heads(map)[i] = (uint16_t)(bpf_hash_heads(map)[i] % links);
    for (uint32_t link = 1; link <= def->max_entries; link++) {
        struct bpf_hash_entry *e = bpf_hash_entry(map, link);
        e->next = (uint16_t)(e->next % links);
        e->newer = (uint16_t)(e->newer % links);
        e->older = (uint16_t)(e->older % links);
        e->used = e->used % 16 < 12 ? BPF_HASH_USED : e->used % 4;
        if (manners & FORGE_KEYS)
            bpf_hash_key(e)[0] &= 3, memset(bpf_hash_key(e) + 1, 0, def->key_size - 1);
    }
    map->state[0] %= links;
    bpf_hash_set_ends(map, bpf_hash_newest(map) % links, bpf_hash_oldest(map) % links);
}

/* Positions that lie near each other, records of few bytes. */
static void tame_ring(struct bpf_map *map, const struct blob_map *def) {
    struct bpf_ringbuf_state *s = bpf_ringbuf_state(map);
    s->consumer &= ~7u;
    s->producer = s->consumer + (s->producer % (def->max_entries + 9) & ~7u);
    for (uint32_t at = 0; at < def->max_entries; at += 8)
        bpf_ringbuf_record(map, at)->head &= BPF_RINGBUF_BUSY | BPF_RINGBUF_DISCARD | 31;
}

static void tame(struct bpf_map *map, const struct blob_map *def, uint32_t manners) {
    if (is_hash(def))
        tame_hash(map, def, manners);
    else if (def->type == BPF_MAP_RINGBUF)
        tame_ring(map, def);
    else
        map->state[0] = map->state[0] % (def->max_entries + 1) |
                        (map->state[0] >> 16) % (def->max_entries + 2) << 16;
}

static const char *repair(struct bpf_map *map, const struct blob_map *def) {
    struct bpf_map *copy = malloc(def->size);
    const char *problem = NULL;
    bpf_map_repair(map, def);
    memcpy(copy, map, def->size);
    if (!bpf_map_is_intact(map, def))
        problem = "the header is not as made";
    else if (bpf_map_repair(copy, def) != BPF_MAP_WAS_WHOLE)
        problem = "a second repair finds something";
    else if (memcmp(copy, map, def->size) != 0)
        problem = "a second repair changes something";
    free(copy);
    return problem;
}

const char *forge_check(const struct blob_map *def, const uint8_t *bytes, size_t size,
                        uint32_t manners, uint32_t steps) {
    struct bpf_map *map = calloc(1, def->size); /* of its exact size: the sanitizer looks */
    size_t from = manners & FORGE_HEADER ? offsetof(struct bpf_map, state) : 0;
    uint32_t seed = size ? bytes[size - 1] : 0;
    bpf_map_init(map, def);
    if (size > def->size - from)
        size = def->size - from;
    if (size)
        memcpy((uint8_t *)map + from, bytes, size);
    if (manners & FORGE_SMALL && bpf_map_is_intact(map, def))
        tame(map, def, manners);
    const char *problem = repair(map, def);
    if (!problem && def->max_entries <= 128)
        problem = model_run(map, def, &seed, steps);
    free(map);
    return problem;
}
