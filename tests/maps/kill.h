/* SPDX-License-Identifier: MIT */
/*
 * Kills a program inside an operation of a map, at every instruction: the operation runs in the bare
 * machine, in the library as the board has it; each state that the map goes through is repaired, compared
 * with what it was before and what it would have been, and used on.
 */
#ifndef MAPS_KILL_H
#define MAPS_KILL_H

#include "model.h"

#include "machine.h"

/* A call of a program. The helper is one of bpf/helper.def; the other fields as far as it has them. */
struct operation {
    uint32_t helper;
    uint8_t key[MODEL_KEY], value[MODEL_VALUE];
    uint32_t shift; /* of the value from an aligned address */
    uint32_t size;  /* of a record */
    uint64_t flags;
    uint32_t record; /* offset of an open record's data in the map */
};

struct kill_count {
    uint32_t operations, states, failed;
    uint64_t steps; /* instructions */
};

/* A machine with the library. */
struct machine *kill_machine(void);
/* The operation without a machine. */
void kill_apply(struct bpf_map *map, const struct operation *op);
/* Kills it on a copy of `map`, everywhere. Says on stderr what is wrong, with `name` in front. */
void kill_everywhere(struct machine *machine, struct bpf_map *map, const struct blob_map *def,
                     const struct operation *op, const char *name, struct kill_count *count);

#endif
