/* SPDX-License-Identifier: MIT */
#include "store/nor.h"

#include <assert.h>
#include <string.h>

/* A counter, scrambled: seeds that differ by little give numbers that have nothing in common. */
uint32_t nor_random(struct nor *nor) {
    uint64_t z = nor->random += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (uint32_t)((z ^ z >> 31) >> 16);
}

void nor_init(struct nor *nor, uint64_t seed) {
    memset(nor, 0, sizeof(*nor));
    memset(nor->word, 0xff, sizeof(nor->word));
    nor->random = seed;
    nor->broken_offset = NOR_SIZE;
    nor_power_up(nor);
}

/* All as before, all as if it were done, or any: the first two are what makes the most trouble. */
static void read_weak(struct nor *nor, uint32_t *word, uint32_t weak) {
    switch (nor_random(nor) % 3) {
    case 0: *word |= weak; break;
    case 1: *word &= ~weak; break;
    default: *word ^= weak & nor_random(nor); break;
    }
}

void nor_power_up(struct nor *nor) {
    for (unsigned s = 0; s < STORE_SECTORS; s++)
        for (unsigned i = 0; i < NOR_WORDS; i++)
            if (nor->weak[s][i])
                read_weak(nor, &nor->word[s][i], nor->weak[s][i]);
    nor->operations = 0;
    nor->cut_at = UINT64_MAX;
    nor->off = false;
}

/* Bits of `mask` are on their way to `target`. */
static void tear(struct nor *nor, uint32_t *word, uint32_t *weak, uint32_t mask, uint32_t target) {
    uint32_t done = mask, unsure = mask;

    switch (nor->tear) {
    case NOR_NOTHING: return;
    case NOR_WEAK_OLD: done = 0; break;
    case NOR_WEAK_NEW: break;
    case NOR_RANDOM:
        done &= nor_random(nor);
        unsure &= nor_random(nor);
        break;
    default: unsure = 0; break;
    }
    *word = (*word & ~done) | (target & done);
    *weak = (*weak & ~done) | unsure;
}

/* Is this the operation in which power fails? */
static bool fails(struct nor *nor) {
    if (!nor->off && nor->operations++ == nor->cut_at) {
        nor->off = true;
        return true;
    }
    return false;
}

static bool program(void *user, unsigned sector, uint32_t offset, uint32_t word) {
    struct nor *nor = user;
    uint32_t *to = &nor->word[sector][offset / 4], *weak = &nor->weak[sector][offset / 4];

    assert(sector < STORE_SECTORS && offset % 4 == 0 && offset < NOR_SIZE);
    if (nor->off)
        return false;
    if (fails(nor)) {
        tear(nor, to, weak, ~word & (*to | *weak), 0);
        return false;
    }
    if (sector == nor->broken_sector && offset >= nor->broken_offset)
        return false;
    *to &= word;
    *weak &= word;
    return true;
}

static bool erase(void *user, unsigned sector) {
    struct nor *nor = user;

    if (nor->off)
        return false;
    nor->erases[sector]++;
    if (fails(nor)) {
        for (unsigned i = 0; i < NOR_WORDS; i++)
            tear(nor, &nor->word[sector][i], &nor->weak[sector][i],
                 ~nor->word[sector][i] | nor->weak[sector][i], UINT32_MAX);
        return false;
    }
    memset(nor->word[sector], 0xff, sizeof(nor->word[sector]));
    memset(nor->weak[sector], 0, sizeof(nor->weak[sector]));
    return true;
}

struct store_flash nor_flash(struct nor *nor) {
    return (struct store_flash){
        .address = {0x08000000, 0x08000000 + NOR_SIZE},
        .size = NOR_SIZE,
        .memory = {(const uint8_t *)nor->word[0], (const uint8_t *)nor->word[1]},
        .user = nor,
        .program = program,
        .erase = erase,
    };
}
