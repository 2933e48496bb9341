// SPDX-License-Identifier: MIT
/*
 * Integer square roots of 64 64-bit numbers (their upper 48 bits), bit by bit, as for distances and RMS values
 * where there is no FPU: 64-bit shifts, compares and subtractions. r0 = the sum of the roots.
 *
 *     bpf2thumb run --mem 0000000000000100 isqrt.bpf.c
 */
#include "bpf_mcu.h"

#define N 64

static u32 root(u64 x) {
    u64 result = 0, bit = (u64)1 << 46;
    for (u32 i = 0; i < 24; i++) {
        if (x >= result + bit) {
            x -= result + bit;
            result = (result >> 1) + bit;
        } else {
            result >>= 1;
        }
        bit >>= 2;
    }
    return (u32)result;
}

SEC("raw")
u64 isqrt(const u64 *memory, u32 size) {
    u64 sum = 0;
    (void)size;
    for (u32 i = 0; i < N; i++)
        sum += root(memory[i] >> 16);
    return sum;
}
