/* SPDX-License-Identifier: MIT */
/* Maps that a hostile program has made up, for tests of bpf_map_repair(). */
#ifndef MAPS_FORGE_H
#define MAPS_FORGE_H

#include "model.h"

#include <stddef.h>

/* What the forger keeps to, so that a repair does not stop at the first thing that it looks at. */
enum forge_manners {
    FORGE_HEADER = 1, /* the header stays as made */
    FORGE_SMALL = 2,  /* numbers are in the range of what they could be, or just behind it */
    FORGE_KEYS = 4,   /* few different keys, each often */
};

#define FORGE_KINDS 15
struct blob_map
forge_def(uint32_t kind); /* modulo FORGE_KINDS; the last ones are too large for a model */

/* The bytes, cut or filled up with zeros, laid over a map and repaired twice; then, where there is a model,
 * used for `steps` operations. Returns what is wrong, NULL if nothing is. */
const char *forge_check(const struct blob_map *def, const uint8_t *bytes, size_t size,
                        uint32_t manners, uint32_t steps);

#endif
