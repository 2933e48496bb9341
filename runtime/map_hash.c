/* SPDX-License-Identifier: MIT */
/*
 * Hash maps, plain and LRU: chained, all memory in the map (map_layout.h). Links are entry numbers
 * plus 1; every link is checked against max_entries before it is followed, and no chain is followed for more
 * than max_entries steps, so that a map that its program has scribbled over stays inside its memory
 * and every operation ends.
 */
#include "map_layout.h"

#include <string.h>

#define NONE 0u

static uint16_t *heads(struct bpf_map *map) {
    return (uint16_t *)(void *)((uint8_t *)map + sizeof(*map));
}

static uint32_t heads_size(const struct bpf_map *map) {
    return (bpf_map_buckets(map->max_entries) * (uint32_t)sizeof(uint16_t) + 7) & ~7u;
}

/* The entry of a link, NULL for the end of a chain or a wild link. */
static struct bpf_hash_entry *entry(struct bpf_map *map, uint32_t link) {
    if (link == NONE || link > map->max_entries)
        return NULL;
    return (struct bpf_hash_entry *)(void *)((uint8_t *)heads(map) + heads_size(map) +
                                             (link - 1) * bpf_hash_entry_size(map->key_size,
                                                                              map->value_size));
}

static uint8_t *key_of(struct bpf_hash_entry *e) {
    return (uint8_t *)(e + 1);
}

static uint8_t *value_of(const struct bpf_map *map, struct bpf_hash_entry *e) {
    return key_of(e) + ((map->key_size + 7) & ~7u);
}

/* Multiplicative hashing of words (Knuth, volume 3, 6.4), the high bits folded down. */
static uint16_t *bucket(struct bpf_map *map, const uint8_t *key) {
    uint32_t hash = 0, size = map->key_size, word;
    for (; size >= 4; size -= 4, key += 4) {
        memcpy(&word, key, 4);
        hash = (hash ^ word) * 2654435769u;
        hash ^= hash >> 15;
    }
    while (size--)
        hash = (hash ^ *key++) * 2654435769u;
    hash ^= hash >> 16;
    return &heads(map)[hash & (bpf_map_buckets(map->max_entries) - 1)];
}

/* ------------------------------------------------------------------------------------------- LRU */

/* The list by age is kept in the first and last links of state[1]: newest in the low half, oldest in the
 * high half. */
static uint32_t newest(const struct bpf_map *map) {
    return map->state[1] & 0xffff;
}

static uint32_t oldest(const struct bpf_map *map) {
    return map->state[1] >> 16;
}

static void set_ends(struct bpf_map *map, uint32_t new, uint32_t old) {
    map->state[1] = old << 16 | (new & 0xffff);
}

static void age_unlink(struct bpf_map *map, struct bpf_hash_entry *e) {
    struct bpf_hash_entry *newer = entry(map, e->newer), *older = entry(map, e->older);
    uint32_t new = newest(map), old = oldest(map);
    if (newer)
        newer->older = e->older;
    else
        new = e->older;
    if (older)
        older->newer = e->newer;
    else
        old = e->newer;
    set_ends(map, new, old);
}

static void age_push(struct bpf_map *map, struct bpf_hash_entry *e, uint32_t link) {
    struct bpf_hash_entry *second = entry(map, newest(map));
    e->newer = NONE;
    e->older = (uint16_t)newest(map);
    if (second)
        second->newer = (uint16_t)link;
    set_ends(map, link, second ? oldest(map) : link);
}

static void touch(struct bpf_map *map, struct bpf_hash_entry *e, uint32_t link) {
    if (map->type != BPF_MAP_LRU_HASH || newest(map) == link)
        return;
    age_unlink(map, e);
    age_push(map, e, link);
}

/* ------------------------------------------------------------------------------------ operations */

void bpf_hash_init(struct bpf_map *map) {
    for (uint32_t link = 1; link <= map->max_entries; link++)
        entry(map, link)->next = (uint16_t)(link < map->max_entries ? link + 1 : NONE);
    map->state[0] = 1;
}

/* The link that leads to the key's entry, NULL if there is none. */
static uint16_t *find(struct bpf_map *map, const void *key) {
    uint16_t *link = bucket(map, key);
    for (uint32_t steps = 0; steps < map->max_entries; steps++) {
        struct bpf_hash_entry *e = entry(map, *link);
        if (!e)
            return NULL;
        if (memcmp(key_of(e), key, map->key_size) == 0)
            return link;
        link = &e->next;
    }
    return NULL;
}

void *bpf_hash_lookup(struct bpf_map *map, const void *key) {
    uint16_t *link = find(map, key);
    if (!link)
        return NULL;
    struct bpf_hash_entry *e = entry(map, *link);
    touch(map, e, *link);
    return value_of(map, e);
}

static void release(struct bpf_map *map, uint16_t *link) {
    uint32_t number = *link;
    struct bpf_hash_entry *e = entry(map, number);
    *link = e->next;
    if (map->type == BPF_MAP_LRU_HASH)
        age_unlink(map, e);
    e->used = 0;
    e->next = (uint16_t)map->state[0];
    map->state[0] = number;
}

int32_t bpf_hash_delete(struct bpf_map *map, const void *key) {
    uint16_t *link = find(map, key);
    if (!link)
        return -BPF_ENOENT;
    release(map, link);
    return 0;
}

/* A free entry; an LRU map gives up its oldest one for it. 0 if the map is full. */
static uint32_t allocate(struct bpf_map *map) {
    struct bpf_hash_entry *e = entry(map, map->state[0]);
    if (!e && map->type == BPF_MAP_LRU_HASH) {
        struct bpf_hash_entry *victim = entry(map, oldest(map));
        uint16_t *link = victim ? find(map, key_of(victim)) : NULL;
        if (link)
            release(map, link);
        e = entry(map, map->state[0]);
    }
    if (!e)
        return NONE;
    uint32_t number = map->state[0];
    map->state[0] = e->next;
    return number;
}

int32_t bpf_hash_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags) {
    if (flags > BPF_EXIST)
        return -BPF_EINVAL;
    uint16_t *link = find(map, key);
    if (link) {
        if (flags == BPF_NOEXIST)
            return -BPF_EEXIST;
        struct bpf_hash_entry *e = entry(map, *link);
        touch(map, e, *link);
        memmove(value_of(map, e), value, map->value_size);
        return 0;
    }
    if (flags == BPF_EXIST)
        return -BPF_ENOENT;
    uint32_t number = allocate(map);
    struct bpf_hash_entry *e = entry(map, number);
    if (!e)
        return -BPF_E2BIG;
    uint16_t *head = bucket(map, key);
    memmove(key_of(e), key, map->key_size);
    memmove(value_of(map, e), value, map->value_size);
    e->used = 1;
    e->next = *head;
    *head = (uint16_t)number;
    if (map->type == BPF_MAP_LRU_HASH)
        age_push(map, e, number);
    return 0;
}

bool bpf_hash_next(struct bpf_map *map, uint32_t *cursor, const void **key, void **value) {
    while (*cursor < map->max_entries) {
        struct bpf_hash_entry *e = entry(map, ++*cursor);
        if (!e->used)
            continue;
        *key = key_of(e);
        *value = value_of(map, e);
        return true;
    }
    return false;
}
