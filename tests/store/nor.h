/* SPDX-License-Identifier: MIT */
/*
 * Two sectors of NOR flash whose power can fail in the middle of any operation (facts of
 * the STM32F4: bits are programmed from 1 to 0, a word at a time; nothing is guaranteed of what a reset
 * interrupts). A bit that was being changed when power went is weak: each power-up reads it anew,
 * until it is programmed to 0 or erased.
 */
#ifndef TESTS_STORE_NOR_H
#define TESTS_STORE_NOR_H

#include "bpf/store.h"

enum { NOR_SIZE = 8192, NOR_WORDS = NOR_SIZE / 4 };

enum nor_tear { /* what the operation that power fails in has done */
                NOR_NOTHING,
                NOR_WEAK_OLD, /* every bit is weak, and reads as before */
                NOR_WEAK_NEW, /* every bit is weak, and reads as if it were done */
                NOR_RANDOM,
                NOR_ALL,
                NOR_TEARS,
};

struct nor {
    uint32_t word[STORE_SECTORS][NOR_WORDS]; /* as it reads now */
    uint32_t weak[STORE_SECTORS][NOR_WORDS];
    uint32_t erases[STORE_SECTORS];
    uint64_t random;
    uint64_t operations; /* since nor_power_up() */
    uint64_t cut_at;     /* operation in which power fails; UINT64_MAX: never */
    enum nor_tear tear;
    bool off;
    unsigned broken_sector; /* from this word on programming fails; NOR_SIZE: works */
    uint32_t broken_offset;
};

void nor_init(struct nor *nor, uint64_t seed);
void nor_power_up(struct nor *nor); /* weak bits are read; nothing is cut */
struct store_flash nor_flash(struct nor *nor);
uint32_t nor_random(struct nor *nor);

#endif
