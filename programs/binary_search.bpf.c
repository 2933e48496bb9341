// SPDX-License-Identifier: MIT
/*
 * Binary search, as a calibration table needs it: the memory holds 256 sorted 32-bit words, 64 keys (a
 * generator makes them) are looked up, r0 mixes the places that they have or would have. Every load has an
 * address that depends on the load before.
 *
 *     bpf2thumb run --mem @table.bin binary_search.bpf.c
 */
#include "bpf_mcu.h"

#define N 256
#define KEYS 64

static u32 find(const u32 *table, u32 key) {
    u32 low = 0, high = N;
    while (low < high) {
        u32 middle = (low + high) / 2;
        if (table[middle & (N - 1)] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

SEC("raw")
u64 binary_search(const u32 *memory, u32 size) {
    u64 sum = 0;
    u32 key = 12345;
    (void)size;
    for (u32 i = 0; i < KEYS; i++) {
        key = key * 1664525 + 1013904223;
        sum = sum * 31 + find(memory, key >> 16);
    }
    return sum;
}
