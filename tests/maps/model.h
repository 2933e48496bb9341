/* SPDX-License-Identifier: MIT */
/*
 * A map as a list of what is in it, for maps of any kind that tests have done something to: read from a
 * map, compared, and kept in step with it under random operations. Too simple to be wrong, and free of
 * any test framework. Problems are returned as a sentence, NULL if there is none.
 */
#ifndef MAPS_MODEL_H
#define MAPS_MODEL_H

#include "bpf/map.h"

#include <stdbool.h>
#include <stdint.h>

#define MODEL_ENTRIES 64 /* a map in a model has no more */
#define MODEL_KEY 16
#define MODEL_VALUE 128 /* a value, or a ring buffer's record */

enum model_record { MODEL_SUBMITTED, MODEL_OPEN, MODEL_DISCARDED };

struct model_entry {
    uint8_t key[MODEL_KEY];
    uint8_t value[MODEL_VALUE];
    uint32_t size;            /* of the value */
    enum model_record record; /* of a ring buffer */
    uint32_t offset;          /* of its data in the map */
};

/* Arrays in the order of their indices, hashes in no order; all else, LRU hashes too, oldest first. */
struct model {
    const struct blob_map *def;
    uint32_t count;
    struct model_entry entries[MODEL_ENTRIES];
};

/* A table entry for a map; its size is 0 if there is no such map. */
struct blob_map model_def(uint32_t type, uint32_t key_size, uint32_t value_size,
                          uint32_t max_entries);

uint32_t model_random(uint32_t *seed, uint32_t below);
/* Bytes that `number` stands for; different for different numbers below 256. */
void model_fill(uint8_t *bytes, uint32_t size, uint32_t number);

/* What is in a map that is whole. */
void model_read(struct model *m, struct bpf_map *map, const struct blob_map *def);
/* The entry with a key, m->count if there is none. */
uint32_t model_find(const struct model *m, const uint8_t *key);
void model_remove(struct model *m, uint32_t at);

const char *model_compare(const struct model *expected, const struct model *found);
/* One random operation on both. */
const char *model_step(struct model *m, struct bpf_map *map, uint32_t *seed);
/* `steps` of them from what the map holds, and a comparison of all contents. */
const char *model_run(struct bpf_map *map, const struct blob_map *def, uint32_t *seed,
                      uint32_t steps);

#endif
