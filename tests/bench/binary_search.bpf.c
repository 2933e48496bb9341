// SPDX-License-Identifier: MIT
/* 64 binary searches in 256 sorted words: loads whose addresses depend on the load before. */
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
