/* SPDX-License-Identifier: MIT */
#include "model.h"

#include "map_layout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct blob_map model_def(uint32_t type, uint32_t key_size, uint32_t value_size,
                          uint32_t max_entries) {
    struct blob_map def = {
        .type = type, .key_size = key_size, .value_size = value_size, .max_entries = max_entries};
    def.size = bpf_map_bytes(type, key_size, value_size, max_entries, 0, NULL);
    return def;
}

uint32_t model_random(uint32_t *seed, uint32_t below) {
    *seed = *seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)*seed * below >> 32);
}

void model_fill(uint8_t *bytes, uint32_t size, uint32_t number) {
    for (uint32_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(number + 37 * i);
}

/* ------------------------------------------------------------------------------------------- reading */

static bool is_keyed(const struct model *m) {
    return m->def->key_size != 0;
}

static bool is_lru(const struct model *m) {
    return m->def->type == BPF_MAP_LRU_HASH;
}

static bool is_hash(const struct model *m) {
    return m->def->type == BPF_MAP_HASH || is_lru(m);
}

static struct model_entry *add(struct model *m, const void *key, const void *value, uint32_t size) {
    assert(m->count < MODEL_ENTRIES && size <= MODEL_VALUE);
    struct model_entry *e = &m->entries[m->count++];
    memset(e, 0, sizeof(*e));
    if (key)
        memcpy(e->key, key, m->def->key_size);
    if (size)
        memcpy(e->value, value, size);
    e->size = size;
    return e;
}

static void read_elements(struct model *m, struct bpf_map *map) {
    uint32_t cursor = 0, index;
    const void *key;
    void *value;
    while (bpf_map_next(map, &cursor, &index, &key, &value))
        add(m, key, value, map->value_size);
}

/* From the oldest on, as the links say. */
static void read_by_age(struct model *m, struct bpf_map *map) {
    struct bpf_hash_entry *e;
    for (uint32_t link = bpf_hash_oldest(map); (e = bpf_hash_entry(map, link)); link = e->newer)
        add(m, bpf_hash_key(e), bpf_hash_key(e) + ((map->key_size + 7) & ~7u), map->value_size);
}

static void read_slots(struct model *m, const struct bpf_map *map) {
    const uint8_t *slots = (const uint8_t *)map + BPF_MAP_ARRAY_VALUES;
    for (uint32_t i = 0; i < map->max_entries; i++)
        add(m, &i, slots + i * BPF_PROG_ARRAY_STRIDE, map->value_size);
}

/* A copy of the map is emptied; a stack gives the newest first. */
static void read_queue(struct model *m, const struct bpf_map *map) {
    uint8_t value[MODEL_VALUE];
    struct bpf_map *copy = malloc(map->size);
    memcpy(copy, map, map->size);
    while (bpf_map_pop(copy, value) == 0)
        add(m, NULL, value, map->value_size);
    free(copy);
    for (uint32_t i = 0; map->type == BPF_MAP_STACK && i < m->count / 2; i++) {
        struct model_entry e = m->entries[i];
        m->entries[i] = m->entries[m->count - 1 - i];
        m->entries[m->count - 1 - i] = e;
    }
}

static void read_ring(struct model *m, struct bpf_map *map) {
    const struct bpf_ringbuf_state *s = bpf_ringbuf_state(map);
    for (uint32_t at = s->consumer; at != s->producer;) {
        struct bpf_ringbuf_record *r = bpf_ringbuf_record(map, at);
        uint32_t size = r->head & BPF_RINGBUF_SIZE;
        struct model_entry *e = add(m, NULL, r + 1, size);
        e->record = r->head & BPF_RINGBUF_BUSY      ? MODEL_OPEN
                    : r->head & BPF_RINGBUF_DISCARD ? MODEL_DISCARDED
                                                    : MODEL_SUBMITTED;
        e->offset = (uint32_t)((uint8_t *)(r + 1) - (uint8_t *)map);
        at += bpf_ringbuf_padded(size);
    }
}

void model_read(struct model *m, struct bpf_map *map, const struct blob_map *def) {
    m->def = def;
    m->count = 0;
    switch (def->type) {
    case BPF_MAP_LRU_HASH: read_by_age(m, map); break;
    case BPF_MAP_PROG_ARRAY: read_slots(m, map); break;
    case BPF_MAP_QUEUE:
    case BPF_MAP_STACK: read_queue(m, map); break;
    case BPF_MAP_RINGBUF: read_ring(m, map); break;
    default: read_elements(m, map); break;
    }
}

/* ----------------------------------------------------------------------------------------- comparing */

uint32_t model_find(const struct model *m, const uint8_t *key) {
    uint32_t i = 0;
    while (i < m->count && memcmp(m->entries[i].key, key, m->def->key_size) != 0)
        i++;
    return i;
}

void model_remove(struct model *m, uint32_t at) {
    m->count--;
    memmove(&m->entries[at], &m->entries[at + 1], (m->count - at) * sizeof(m->entries[0]));
}

static bool same(const struct model_entry *a, const struct model_entry *b) {
    return memcmp(a->key, b->key, MODEL_KEY) == 0 && a->size == b->size &&
           memcmp(a->value, b->value, a->size) == 0;
}

const char *model_compare(const struct model *expected, const struct model *found) {
    if (expected->count != found->count)
        return "another number of entries";
    for (uint32_t i = 0; i < expected->count; i++) {
        const struct model_entry *e = &expected->entries[i];
        uint32_t at = expected->def->type == BPF_MAP_HASH ? model_find(found, e->key) : i;
        if (at == found->count || !same(e, &found->entries[at]))
            return "another entry";
    }
    return NULL;
}

/* ----------------------------------------------------------------------------------- random operations */

#define EXPECT(condition, text)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return text;                                                                           \
    } while (0)

/* One that is there, or some other one. */
static void random_key(const struct model *m, uint8_t *key, uint32_t *seed) {
    memset(key, 0, MODEL_KEY);
    if (m->count && model_random(seed, 2))
        memcpy(key, m->entries[model_random(seed, m->count)].key, m->def->key_size);
    else if (is_hash(m))
        model_fill(key, m->def->key_size, model_random(seed, 2 * m->def->max_entries + 2));
    else
        key[0] = (uint8_t)model_random(seed, m->def->max_entries + 1);
}

/* Makes entry `at` the youngest. */
static struct model_entry *use(struct model *m, uint32_t at) {
    struct model_entry e = m->entries[at];
    if (!is_lru(m))
        return &m->entries[at];
    model_remove(m, at);
    m->entries[m->count] = e;
    return &m->entries[m->count++];
}

static const char *update(struct model *m, struct bpf_map *map, const uint8_t *key,
                          uint32_t *seed) {
    uint8_t value[MODEL_VALUE];
    uint64_t flags = model_random(seed, 3);
    uint32_t at = model_find(m, key), size = m->def->value_size;
    bool there = at < m->count, full = m->count == m->def->max_entries;
    model_fill(value, size, model_random(seed, 256));
    int32_t expected = there && flags == BPF_NOEXIST ? -BPF_EEXIST
                       : there                       ? 0
                       : !is_hash(m)                 ? -BPF_E2BIG
                       : flags == BPF_EXIST          ? -BPF_ENOENT
                       : full && !is_lru(m)          ? -BPF_E2BIG
                                                     : 0;
    EXPECT(bpf_map_update(map, key, value, flags) == expected, "an update has another result");
    if (expected)
        return NULL;
    if (!there && full)
        model_remove(m, 0);
    if (there)
        memcpy(use(m, at)->value, value, size);
    else
        add(m, key, value, size);
    return NULL;
}

static const char *lookup(struct model *m, struct bpf_map *map, const uint8_t *key,
                          uint32_t *seed) {
    uint32_t at = model_find(m, key);
    uint8_t *value = bpf_map_lookup(map, key);
    EXPECT((value != NULL) == (at < m->count), "a lookup finds what is not there, or the reverse");
    if (!value)
        return NULL;
    EXPECT(memcmp(value, m->entries[at].value, m->def->value_size) == 0,
           "a lookup finds another value");
    value[0] = use(m, at)->value[0] = (uint8_t)model_random(seed, 256);
    return NULL;
}

static const char *step_keyed(struct model *m, struct bpf_map *map, uint32_t *seed) {
    uint8_t key[MODEL_KEY];
    uint32_t what = model_random(seed, 8);
    random_key(m, key, seed);
    if (what < 4)
        return update(m, map, key, seed);
    if (what < 6)
        return lookup(m, map, key, seed);
    uint32_t at = model_find(m, key);
    int32_t expected = !is_hash(m) ? -BPF_EINVAL : at == m->count ? -BPF_ENOENT : 0;
    EXPECT(bpf_map_delete(map, key) == expected, "a deletion has another result");
    if (!expected)
        model_remove(m, at);
    return NULL;
}

static const char *step_slots(struct model *m, struct bpf_map *map, uint32_t *seed) {
    uint32_t key = model_random(seed, m->def->max_entries + 1), value = 0;
    if (key < m->count)
        memcpy(&value, m->entries[key].value, sizeof(value));
    int32_t expected = key == m->count ? -BPF_E2BIG : value ? 0 : -BPF_ENOENT;
    EXPECT(bpf_map_delete(map, &key) == expected, "emptying a slot has another result");
    if (!expected)
        memset(m->entries[key].value, 0, sizeof(value));
    return NULL;
}

static const char *push(struct model *m, struct bpf_map *map, uint32_t *seed) {
    uint8_t value[MODEL_VALUE];
    uint64_t flags = model_random(seed, 2) ? BPF_EXIST : BPF_ANY;
    bool full = m->count == m->def->max_entries;
    model_fill(value, m->def->value_size, model_random(seed, 256));
    int32_t expected = full && flags == BPF_ANY ? -BPF_E2BIG : 0;
    EXPECT(bpf_map_push(map, value, flags) == expected, "a push has another result");
    if (expected)
        return NULL;
    if (full)
        model_remove(m, 0);
    add(m, NULL, value, m->def->value_size);
    return NULL;
}

static const char *step_queue(struct model *m, struct bpf_map *map, uint32_t *seed) {
    uint8_t value[MODEL_VALUE];
    uint32_t what = model_random(seed, 4);
    if (what < 2)
        return push(m, map, seed);
    uint32_t at = m->def->type == BPF_MAP_STACK && m->count ? m->count - 1 : 0;
    int32_t status = what == 2 ? bpf_map_peek(map, value) : bpf_map_pop(map, value);
    EXPECT(status == (m->count ? 0 : -BPF_ENOENT), "a pop has another result");
    EXPECT(status || memcmp(value, m->entries[at].value, m->def->value_size) == 0,
           "a pop gives another value");
    if (!status && what == 3)
        model_remove(m, at);
    return NULL;
}

static const char *reserve(struct model *m, struct bpf_map *map, uint32_t *seed) {
    uint8_t value[MODEL_VALUE];
    uint32_t ring = m->def->max_entries, room = ring - 8 < MODEL_VALUE ? ring - 8 : MODEL_VALUE;
    uint32_t size = model_random(seed, model_random(seed, 4) ? 20 : room + 1);
    bool empty = bpf_ringbuf_query(map, 0) == 0, output = model_random(seed, 2);
    model_fill(value, size, model_random(seed, 256));
    if (m->count == MODEL_ENTRIES)
        return NULL;
    if (output) {
        int32_t status = bpf_ringbuf_output(map, value, size, 0);
        EXPECT(status == 0 || (status == -BPF_EAGAIN && !empty), "no room in an empty ring");
        if (status == 0)
            add(m, NULL, value, size);
        return NULL;
    }
    uint8_t *data = bpf_ringbuf_reserve(map, size, 0);
    EXPECT(data || !empty, "no room in an empty ring");
    if (!data)
        return NULL;
    EXPECT((uintptr_t)data % 8 == 0 && data > (uint8_t *)map &&
               data + size <= (uint8_t *)map + map->size,
           "a record lies outside the ring");
    memcpy(data, value, size);
    struct model_entry *e = add(m, NULL, value, size);
    e->record = MODEL_OPEN;
    e->offset = (uint32_t)(data - (uint8_t *)map);
    return NULL;
}

static const char *consume(struct model *m, struct bpf_map *map) {
    uint32_t size = 0;
    const uint8_t *data = bpf_ringbuf_read(map, &size);
    while (m->count && m->entries[0].record == MODEL_DISCARDED)
        model_remove(m, 0);
    const struct model_entry *e = &m->entries[0];
    EXPECT((data != NULL) == (m->count && e->record == MODEL_SUBMITTED),
           "the ring gives a record that is not there, or the reverse");
    if (!data)
        return NULL;
    EXPECT(size == e->size && memcmp(data, e->value, size) == 0, "the ring gives another record");
    model_remove(m, 0);
    return NULL;
}

static const char *step_ring(struct model *m, struct bpf_map *map, uint32_t *seed) {
    uint32_t what = model_random(seed, 3);
    if (what == 0)
        return reserve(m, map, seed);
    if (what == 1)
        return consume(m, map);
    struct model_entry *e = m->count ? &m->entries[model_random(seed, m->count)] : NULL;
    if (!e || e->record != MODEL_OPEN)
        return NULL;
    e->record = model_random(seed, 3) ? MODEL_SUBMITTED : MODEL_DISCARDED;
    bpf_ringbuf_commit(map, (uint8_t *)map + e->offset, e->record == MODEL_DISCARDED);
    return NULL;
}

const char *model_step(struct model *m, struct bpf_map *map, uint32_t *seed) {
    if (m->def->type == BPF_MAP_PROG_ARRAY)
        return step_slots(m, map, seed);
    if (m->def->type == BPF_MAP_RINGBUF)
        return step_ring(m, map, seed);
    return is_keyed(m) ? step_keyed(m, map, seed) : step_queue(m, map, seed);
}

/* The gaps that a ring buffer skips are records, too, but not of the model. */
static void forget_gaps(struct model *m) {
    for (uint32_t i = 0; i < m->count;)
        if (m->entries[i].record == MODEL_DISCARDED)
            model_remove(m, i);
        else
            i++;
}

const char *model_run(struct bpf_map *map, const struct blob_map *def, uint32_t *seed,
                      uint32_t steps) {
    static struct model expected, found;
    const char *problem = NULL;
    model_read(&expected, map, def);
    while (!problem && steps--)
        problem = model_step(&expected, map, seed);
    if (problem)
        return problem;
    model_read(&found, map, def);
    forget_gaps(&expected);
    forget_gaps(&found);
    return model_compare(&expected, &found);
}
