// SPDX-License-Identifier: MIT
/*
 * Bubble sort of 64 signed words in place: the smallest median filter for sensors. r0 = how many exchanges
 * that took. Compares and branches that nobody can predict.
 *
 *     bpf2thumb run --mem 030000000100000002000000 bubble_sort.bpf.c
 */
#include "bpf_mcu.h"

#define N 64

SEC("raw")
u64 bubble_sort(s32 *v, u32 size) {
    u32 swaps = 0;
    (void)size;
    for (u32 end = N - 1; end > 0; end--)
        for (u32 i = 0; i < end; i++)
            if (v[i] > v[i + 1]) {
                s32 t = v[i];
                v[i] = v[i + 1];
                v[i + 1] = t;
                swaps++;
            }
    return swaps;
}
