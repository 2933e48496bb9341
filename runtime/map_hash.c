/* SPDX-License-Identifier: MIT */
/*
 * Hash maps, plain and LRU: chained, all memory in the map (map_layout.h). Links are entry numbers
 * plus 1; every link is checked against max_entries before it is followed, and no chain is followed for more
 * than max_entries steps, so that a map that its program has scribbled over stays inside its memory
 * and every operation ends.
 *
 * An operation may be cut off anywhere. `used` says at every moment whether key and value are whole;
 * the lists can be made again from that (map_repair.c).
 */
#include "map_layout.h"

#include <string.h>

static uint8_t *value_of(const struct bpf_map *map, struct bpf_hash_entry *e) {
    return bpf_hash_key(e) + ((map->key_size + 7) & ~7u);
}

uint16_t *bpf_hash_bucket(struct bpf_map *map, const uint8_t *key) {
    uint32_t hash = bpf_hash_of_key(key, map->key_size);
    return &bpf_hash_heads(map)[hash & (bpf_map_buckets(map->max_entries) - 1)];
}

/* ------------------------------------------------------------------------------------------- LRU */

static void age_unlink(struct bpf_map *map, struct bpf_hash_entry *e) {
    struct bpf_hash_entry *newer = bpf_hash_entry(map, e->newer),
                          *older = bpf_hash_entry(map, e->older);
    uint32_t new = bpf_hash_newest(map), old = bpf_hash_oldest(map);
    if (newer)
        newer->older = e->older;
    else
        new = e->older;
    if (older)
        older->newer = e->newer;
    else
        old = e->newer;
    bpf_hash_set_ends(map, new, old);
}

static void age_push(struct bpf_map *map, struct bpf_hash_entry *e, uint32_t link) {
    struct bpf_hash_entry *second = bpf_hash_entry(map, bpf_hash_newest(map));
    e->newer = BPF_HASH_NONE;
    e->older = (uint16_t)bpf_hash_newest(map);
    if (second)
        second->newer = (uint16_t)link;
    bpf_map_order(); /* a list that begins at e leads to all others */
    bpf_hash_set_ends(map, link, second ? bpf_hash_oldest(map) : link);
}

static void touch(struct bpf_map *map, struct bpf_hash_entry *e, uint32_t link) {
    if (map->type != BPF_MAP_LRU_HASH || bpf_hash_newest(map) == link)
        return;
    age_unlink(map, e);
    age_push(map, e, link);
}

/* ------------------------------------------------------------------------------------ operations */

void bpf_hash_init(struct bpf_map *map) {
    for (uint32_t link = 1; link <= map->max_entries; link++)
        bpf_hash_entry(map, link)->next =
            (uint16_t)(link < map->max_entries ? link + 1 : BPF_HASH_NONE);
    map->state[0] = 1;
}

/* The link that leads to the key's entry, NULL if there is none. */
static uint16_t *find_in(struct bpf_map *map, uint16_t *link, const void *key) {
    for (uint32_t steps = 0; steps < map->max_entries; steps++) {
        struct bpf_hash_entry *e = bpf_hash_entry(map, *link);
        if (!e)
            return NULL;
        if (memcmp(bpf_hash_key(e), key, map->key_size) == 0)
            return link;
        link = &e->next;
    }
    return NULL;
}

static uint16_t *find(struct bpf_map *map, const void *key) {
    return find_in(map, bpf_hash_bucket(map, key), key);
}

void *bpf_hash_lookup(struct bpf_map *map, const void *key) {
    uint16_t *link = find(map, key);
    if (!link)
        return NULL;
    struct bpf_hash_entry *e = bpf_hash_entry(map, *link);
    touch(map, e, *link);
    return value_of(map, e);
}

static void release(struct bpf_map *map, uint16_t *link) {
    uint32_t number = *link;
    struct bpf_hash_entry *e = bpf_hash_entry(map, number);
    *link = e->next;
    if (map->type == BPF_MAP_LRU_HASH)
        age_unlink(map, e);
    e->used = BPF_HASH_FREE;
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
    struct bpf_hash_entry *e = bpf_hash_entry(map, map->state[0]);
    if (!e && map->type == BPF_MAP_LRU_HASH) {
        struct bpf_hash_entry *victim = bpf_hash_entry(map, bpf_hash_oldest(map));
        uint16_t *link = victim ? find(map, bpf_hash_key(victim)) : NULL;
        if (link)
            release(map, link);
        e = bpf_hash_entry(map, map->state[0]);
    }
    if (!e)
        return BPF_HASH_NONE;
    uint32_t number = map->state[0];
    map->state[0] = e->next;
    return number;
}

int32_t bpf_hash_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags) {
    if (flags > BPF_EXIST)
        return -BPF_EINVAL;
    uint16_t *head = bpf_hash_bucket(map, key), *link = find_in(map, head, key);
    if (link) {
        if (flags == BPF_NOEXIST)
            return -BPF_EEXIST;
        struct bpf_hash_entry *e = bpf_hash_entry(map, *link);
        touch(map, e, *link);
        e->used = BPF_HASH_CHANGING;
        bpf_map_order();
        memmove(value_of(map, e), value, map->value_size);
        bpf_map_order();
        e->used = BPF_HASH_USED;
        return 0;
    }
    if (flags == BPF_EXIST)
        return -BPF_ENOENT;
    uint32_t number = allocate(map);
    struct bpf_hash_entry *e = bpf_hash_entry(map, number);
    if (!e)
        return -BPF_E2BIG;
    memmove(bpf_hash_key(e), key, map->key_size);
    memmove(value_of(map, e), value, map->value_size);
    bpf_map_order();
    e->used = BPF_HASH_USED;
    e->next = *head;
    *head = (uint16_t)number;
    if (map->type == BPF_MAP_LRU_HASH)
        age_push(map, e, number);
    return 0;
}

bool bpf_hash_next(struct bpf_map *map, uint32_t *cursor, const void **key, void **value) {
    while (*cursor < map->max_entries) {
        struct bpf_hash_entry *e = bpf_hash_entry(map, ++*cursor);
        if (!e->used)
            continue;
        *key = bpf_hash_key(e);
        *value = value_of(map, e);
        return true;
    }
    return false;
}
