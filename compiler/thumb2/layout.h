/* SPDX-License-Identifier: MIT */
/*
 * Where everything lies relative to r9 (bpf/arena.h): fixed before code is selected, because
 * compiled code has these offsets in its instructions.
 */
#ifndef THUMB2_LAYOUT_H
#define THUMB2_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "program/program.h"

#define LAYOUT_MAX_HELPERS 128

struct arena_layout {
    uint32_t helpers[LAYOUT_MAX_HELPERS]; /* ids; slot i is at BPF_ARENA_SLOTS + 4 * i */
    uint32_t nhelpers;
    bool *data_in_code; /* by data section: stays in the blob, read-only and without relocations */
    uint32_t
        *data_off; /* in the arena: offset from r9; in code: from the start of read-only data */
    uint32_t rodata_size; /* bytes of read-only data in code */
    uint32_t *map_off;
    uint32_t ctx_off, ctx_size;
    uint32_t size; /* of the arena from r9, a multiple of 8 */
};

/* Notes that compiled code calls a helper. */
void layout_add_helper(struct arena_layout *layout, uint32_t id);
/* Assigns all offsets; helpers are complete. */
void layout_finish(struct arena_layout *layout, const struct program *prog);
/* Offset of a helper's slot from r9; the helper has been added. */
uint32_t layout_slot(const struct arena_layout *layout, uint32_t id);

#endif
