/* SPDX-License-Identifier: MIT */
/*
 * usage: kill-maps [ROUNDS]
 *
 * Kills programs inside every operation of maps of every kind and of several sizes, in many states: empty, one
 * entry, half full, full, and after ROUNDS different random pasts. Keys are also chosen to fall into one
 * chain.
 */
#include "kill.h"

#include "bpf/helper.h"
#include "map_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct geometry {
    uint32_t type, key_size, value_size, max_entries;
};

static const struct geometry geometries[] = {
    {BPF_MAP_ARRAY, 4, 4, 3},     {BPF_MAP_ARRAY, 4, 13, 3},   {BPF_MAP_PROG_ARRAY, 4, 4, 3},
    {BPF_MAP_HASH, 4, 8, 1},      {BPF_MAP_HASH, 4, 4, 8},     {BPF_MAP_HASH, 3, 13, 5},
    {BPF_MAP_HASH, 16, 20, 4},    {BPF_MAP_LRU_HASH, 4, 4, 1}, {BPF_MAP_LRU_HASH, 4, 8, 2},
    {BPF_MAP_LRU_HASH, 4, 12, 8}, {BPF_MAP_LRU_HASH, 5, 3, 5}, {BPF_MAP_QUEUE, 0, 4, 1},
    {BPF_MAP_QUEUE, 0, 8, 4},     {BPF_MAP_QUEUE, 0, 7, 3},    {BPF_MAP_STACK, 0, 4, 1},
    {BPF_MAP_STACK, 0, 8, 4},     {BPF_MAP_STACK, 0, 7, 3},    {BPF_MAP_RINGBUF, 0, 0, 64},
    {BPF_MAP_RINGBUF, 0, 0, 128},
};

/* One map in one state. */
struct scene {
    struct machine *machine;
    struct blob_map def;
    struct bpf_map *map;
    struct model model;
    bool collide; /* keys of one chain */
    char name[80];
    struct kill_count *count;
};

/* ------------------------------------------------------------------------------------------ the states */

static bool is_hash(const struct scene *s) {
    return s->def.type == BPF_MAP_HASH || s->def.type == BPF_MAP_LRU_HASH;
}

/* The n-th key. */
static void make_key(const struct scene *s, uint8_t *key, uint32_t n) {
    uint8_t first[MODEL_KEY] = {0};
    memset(key, 0, MODEL_KEY);
    if (!is_hash(s)) {
        memcpy(key, &n, sizeof(n));
        return;
    }
    model_fill(first, s->def.key_size, 0);
    for (uint32_t number = 0; number < 256; number++) {
        model_fill(key, s->def.key_size, number);
        bool good = !s->collide || bpf_hash_bucket(s->map, key) == bpf_hash_bucket(s->map, first);
        if (good && n-- == 0)
            return;
    }
}

static void put(struct scene *s, uint32_t n) {
    struct operation op = {.flags = BPF_ANY, .size = 5 + n};
    make_key(s, op.key, n);
    model_fill(op.value, MODEL_VALUE, 100 + n);
    op.helper = s->def.type == BPF_MAP_RINGBUF ? BPF_FUNC_RINGBUF_OUTPUT
                : s->def.key_size              ? BPF_FUNC_MAP_UPDATE_ELEM
                                               : BPF_FUNC_MAP_PUSH_ELEM;
    if (s->def.type == BPF_MAP_PROG_ARRAY)
        ((uint8_t *)s->map)[BPF_MAP_ARRAY_VALUES + BPF_PROG_ARRAY_STRIDE * n] = (uint8_t)(n + 1);
    else
        kill_apply(s->map, &op);
}

static void fresh(struct scene *s) {
    memset(s->map, 0, s->def.size);
    bpf_map_init(s->map, &s->def);
}

/* ------------------------------------------------------------------------------------- the operations */

static void kill_one(struct scene *s, struct operation *op) {
    char name[160];
    snprintf(name, sizeof(name), "%s, %s key %u flags %u size %u", s->name,
             bpf_helper_by_id(op->helper)->name, op->key[0], (unsigned)op->flags, op->size);
    model_fill(op->value, MODEL_VALUE, 200);
    kill_everywhere(s->machine, s->map, &s->def, op, name, s->count);
}

static void kill_keyed(struct scene *s, const uint8_t *key) {
    struct operation op = {.helper = BPF_FUNC_MAP_DELETE_ELEM};
    memcpy(op.key, key, MODEL_KEY);
    kill_one(s, &op);
    if (s->def.type == BPF_MAP_PROG_ARRAY)
        return;
    op.helper = BPF_FUNC_MAP_LOOKUP_ELEM;
    kill_one(s, &op);
    op.helper = BPF_FUNC_MAP_UPDATE_ELEM;
    for (op.flags = BPF_ANY; op.flags <= BPF_EXIST; op.flags++, op.shift ^= 1)
        kill_one(s, &op);
}

static void kill_keys(struct scene *s) {
    const struct model *m = &s->model;
    uint8_t key[MODEL_KEY];
    for (uint32_t i = 0; i < m->count; i++)
        kill_keyed(s, m->entries[i].key);
    for (uint32_t n = s->def.max_entries; n < s->def.max_entries + 2; n++) {
        make_key(s, key, n);
        if (model_find(m, key) == m->count)
            kill_keyed(s, key);
    }
}

static void kill_queue(struct scene *s) {
    struct operation op = {.helper = BPF_FUNC_MAP_POP_ELEM};
    kill_one(s, &op);
    op.helper = BPF_FUNC_MAP_PEEK_ELEM;
    kill_one(s, &op);
    op.helper = BPF_FUNC_MAP_PUSH_ELEM;
    kill_one(s, &op);
    op.flags = BPF_EXIST, op.shift = 1;
    kill_one(s, &op);
}

static void kill_ring(struct scene *s) {
    struct operation op = {.helper = BPF_FUNC_RINGBUF_OUTPUT};
    for (op.size = 0; op.size <= s->def.max_entries - 8; op.size += 11) {
        op.helper = BPF_FUNC_RINGBUF_OUTPUT;
        kill_one(s, &op);
        op.helper = BPF_FUNC_RINGBUF_RESERVE;
        kill_one(s, &op);
    }
    for (uint32_t i = 0; i < s->model.count; i++) {
        if (s->model.entries[i].record != MODEL_OPEN)
            continue;
        op = (struct operation){.helper = BPF_FUNC_RINGBUF_SUBMIT,
                                .record = s->model.entries[i].offset};
        kill_one(s, &op);
        op.helper = BPF_FUNC_RINGBUF_DISCARD;
        kill_one(s, &op);
    }
}

static void kill_all(struct scene *s, const char *state, uint32_t number) {
    snprintf(s->name, sizeof(s->name), "type %u key %u value %u entries %u%s, %s %u", s->def.type,
             s->def.key_size, s->def.value_size, s->def.max_entries,
             s->collide ? " in one chain" : "", state, number);
    model_read(&s->model, s->map, &s->def);
    if (s->def.type == BPF_MAP_RINGBUF)
        kill_ring(s);
    else if (s->def.key_size)
        kill_keys(s);
    else
        kill_queue(s);
}

/* ------------------------------------------------------------------------------------------------ all */

/* An empty ring whose positions are somewhere. */
static void drain(struct scene *s) {
    uint32_t size;
    for (uint32_t i = 0; i < s->model.count; i++)
        if (s->model.entries[i].record == MODEL_OPEN)
            bpf_ringbuf_commit(s->map, (uint8_t *)s->map + s->model.entries[i].offset, false);
    while (bpf_ringbuf_read(s->map, &size))
        continue;
}

static void kill_in_states(struct scene *s, uint32_t rounds) {
    uint32_t max = s->def.type == BPF_MAP_RINGBUF ? s->def.max_entries / 24 : s->def.max_entries;
    fresh(s);
    for (uint32_t n = 0; n <= max; n++) {
        if (n <= 1 || n == max / 2 || n == max)
            kill_all(s, "entries", n);
        if (n < max)
            put(s, n);
    }
    for (uint32_t round = 0; round < rounds && !s->collide; round++) {
        uint32_t seed = round;
        fresh(s);
        if (s->def.type == BPF_MAP_PROG_ARRAY)
            put(s, round % s->def.max_entries);
        const char *problem = model_run(s->map, &s->def, &seed, 20 + round % 100);
        s->count->failed += problem != NULL;
        kill_all(s, problem ? problem : "random past", round);
        if (s->def.type == BPF_MAP_RINGBUF) {
            drain(s);
            kill_all(s, "drained", round);
        }
    }
}

int main(int argc, char **argv) {
    uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 200;
    struct kill_count count = {0};
    static struct scene s;
    s.machine = kill_machine();
    s.count = &count;
    for (size_t i = 0; i < sizeof(geometries) / sizeof(geometries[0]); i++) {
        const struct geometry *g = &geometries[i];
        s.def = model_def(g->type, g->key_size, g->value_size, g->max_entries);
        s.map = malloc(s.def.size);
        for (uint32_t collide = 0; collide <= is_hash(&s); collide++) {
            s.collide = collide;
            kill_in_states(&s, rounds);
        }
        free(s.map);
    }
    machine_free(s.machine);
    printf("  %u operations, killed at each of %llu instructions: %u states\n", count.operations,
           (unsigned long long)count.steps, count.states);
    printf("%u passed, %u failed\n", count.states - count.failed, count.failed);
    return count.failed != 0;
}
