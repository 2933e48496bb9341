// SPDX-License-Identifier: MIT
/*
 * Reverses the bits of 128 words in place and counts their ones: what a driver does for a display or a
 * radio that wants its bits the other way round. Masks and shifts by halves, no table. r0 = how many ones.
 *
 *     bpf2thumb run --mem 01000000 bit_swap.bpf.c          the 1 of the first word moves to bit 31
 */
#include "bpf_mcu.h"

#define WORDS 128

static u32 reverse(u32 x) {
    x = (x >> 1 & 0x55555555) | (x & 0x55555555) << 1;
    x = (x >> 2 & 0x33333333) | (x & 0x33333333) << 2;
    x = (x >> 4 & 0x0f0f0f0f) | (x & 0x0f0f0f0f) << 4;
    x = (x >> 8 & 0x00ff00ff) | (x & 0x00ff00ff) << 8;
    return x >> 16 | x << 16;
}

static u32 ones(u32 x) {
    x -= x >> 1 & 0x55555555;
    x = (x & 0x33333333) + (x >> 2 & 0x33333333);
    x = (x + (x >> 4)) & 0x0f0f0f0f;
    return x * 0x01010101 >> 24;
}

SEC("raw")
u64 bit_swap(u32 *memory, u32 size) {
    u32 count = 0;
    (void)size;
    for (u32 i = 0; i < WORDS; i++) {
        count += ones(memory[i]);
        memory[i] = reverse(memory[i]);
    }
    return count;
}
