// SPDX-License-Identifier: MIT
/*
 * Quicksort of 128 halfwords with a stack of its own in place of recursion, and insertion sort for short
 * pieces: percentiles of a block of samples. r0 mixes the sorted values. Local arrays, calls of sub-programs.
 *
 *     bpf2thumb run --mem 090001000500 quicksort.bpf.c
 */
#include "bpf_mcu.h"

#define N 128
#define DEPTH 16

static __noinline u32 partition(u16 *v, u32 low, u32 high) {
    u16 pivot = v[(low + high) / 2 & (N - 1)];
    u32 i = low, j = high;
    for (u32 n = 0; n < N; n++) {
        while (i < N && v[i] < pivot)
            i++;
        while (j < N && v[j] > pivot)
            j--;
        if (i >= j || i >= N || j >= N)
            return j;
        u16 t = v[i];
        v[i] = v[j];
        v[j] = t;
        i++;
        j--;
    }
    return j;
}

static __noinline void insertion(u16 *v, u32 low, u32 high) {
    for (u32 i = low + 1; i <= high && i < N; i++) {
        u16 x = v[i];
        u32 j = i;
        while (j > low && v[(j - 1) & (N - 1)] > x) {
            v[j & (N - 1)] = v[(j - 1) & (N - 1)];
            j--;
        }
        v[j & (N - 1)] = x;
    }
}

SEC("raw")
u64 quicksort(u16 *v, u32 size) {
    u8 low[DEPTH] = {0}, high[DEPTH] = {0};
    u32 depth = 1;
    u64 sum = 0;
    (void)size;
    high[0] = N - 1;
    for (u32 n = 0; n < 2 * N && depth > 0 && depth <= DEPTH; n++) {
        u32 top = depth - 1, l = low[top & (DEPTH - 1)], h = high[top & (DEPTH - 1)];
        depth--;
        if (h < l + 8) {
            insertion(v, l, h);
            continue;
        }
        u32 middle = partition(v, l, h);
        if (depth + 2 > DEPTH)
            break;
        low[depth & (DEPTH - 1)] = l, high[depth & (DEPTH - 1)] = middle;
        depth++;
        low[depth & (DEPTH - 1)] = middle + 1, high[depth & (DEPTH - 1)] = h;
        depth++;
    }
    for (u32 i = 0; i < N; i++)
        sum = sum * 31 + v[i];
    return sum;
}
