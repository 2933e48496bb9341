/* SPDX-License-Identifier: MIT
 *
 * The RAM of programs: arenas, what their domains need besides, blobs that are installed for as long as the board
 * runs. It is all that the linker has left over, in units of 256 bytes with a bit for each.
 *
 * First fit from the bottom, at addresses where one region of the MPU covers the piece and nothing else
 * (bpf/place.h): a piece begins at an eighth of the next power of two. What that costs is at most an eighth of a
 * region behind the piece, and gaps in front of it, which smaller pieces fill. Pieces live as long as programs are
 * installed, so there are few of them and the pool is looked through from the start each time.
 */
#include "domain.h"

#include "bpf/pause.h"
#include "bpf/place.h"

#include <string.h>

enum { UNIT = 256, UNITS_MAX = 512 }; /* 128 KiB: all of the SRAM */

extern uint8_t _pool_start[], _pool_end[]; /* ld/stm32f4.ld */

static uint32_t used[UNITS_MAX / 32];

static bool is_used(uint32_t unit) {
    return used[unit / 32] >> unit % 32 & 1;
}

static void mark(uint32_t first, uint32_t count, bool value) {
    for (uint32_t unit = first; unit < first + count; unit++) {
        uint32_t bit = 1u << unit % 32;
        used[unit / 32] = value ? used[unit / 32] | bit : used[unit / 32] & ~bit;
    }
}

static uint32_t pool_base(void) {
    return ((uint32_t)_pool_start + UNIT - 1) & ~(uint32_t)(UNIT - 1);
}

static uint32_t pool_units(void) {
    uint32_t units = ((uint32_t)_pool_end - pool_base()) / UNIT;
    return units < UNITS_MAX ? units : UNITS_MAX;
}

/* What a piece of this size takes: up to the end of its last eighth. */
static uint32_t rounded(uint32_t size) {
    uint32_t granule = bpf_place_granule(size);
    if (granule < UNIT)
        granule = UNIT;
    return (size + granule - 1) & ~(granule - 1);
}

/* The first address from which `size` bytes are free; 0: nowhere. size is rounded. */
static uint32_t find(uint32_t size) {
    uint32_t base = pool_base(), end = base + pool_units() * UNIT, from = base, at;
    while (bpf_place_next(from, size, &at) && at < end && size <= end - at) {
        uint32_t unit = (at - base) / UNIT, last = unit + size / UNIT;
        while (unit < last && !is_used(unit))
            unit++;
        if (unit == last && (at - base) % UNIT == 0)
            return at;
        from = base + (unit == last ? (at - base) / UNIT : unit) * UNIT + UNIT;
    }
    return 0;
}

uint32_t pool_allocate(uint32_t size, uint32_t *address) {
    if (size == 0 || size > UNITS_MAX * UNIT)
        return 0;
    size = rounded(size);
    *address = find(size);
    if (!*address)
        return 0;
    mark((*address - pool_base()) / UNIT, size / UNIT, true);
    for (uint32_t at = 0; at < size; at += UNIT) {
        memset((void *)(*address + at), 0, UNIT);
        bpf_pause();
    }
    return size;
}

/* size: what pool_allocate() has returned */
void pool_free(uint32_t address, uint32_t size) {
    mark((address - pool_base()) / UNIT, size / UNIT, false);
}

uint32_t pool_used(void) {
    uint32_t units = 0;
    for (unsigned i = 0; i < UNITS_MAX / 32; i++)
        units += (uint32_t)__builtin_popcount(used[i]);
    return units * UNIT;
}

/* Where a piece fits, a smaller one does: the place need not be the same. So half of what is left each time. */
uint32_t pool_largest(void) {
    uint32_t fits = 0, step = UNITS_MAX;
    for (; step; step /= 2) {
        uint32_t size = (fits + step) * UNIT;
        if (fits + step <= pool_units() && find(rounded(size)))
            fits += step;
    }
    return fits * UNIT;
}
