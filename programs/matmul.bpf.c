// SPDX-License-Identifier: MIT
/*
 * Product of two 20 x 20 matrices of 32-bit numbers, a state estimator's daily bread: A, then B, then room for
 * the result. r0 = the trace of the result.
 *
 *     bpf2thumb run --mem-size 4800 --mem @a-and-b.bin matmul.bpf.c
 */
#include "bpf_mcu.h"

#define N 20

SEC("raw")
u64 matmul(s32 *memory, u32 size) {
    const s32 *a = memory, *b = memory + N * N;
    s32 *c = memory + 2 * N * N, trace = 0;
    if (size < 3 * N * N * sizeof(*memory)) /* --mem-size 4800 */
        return 0;
    for (u32 i = 0; i < N; i++)
        for (u32 j = 0; j < N; j++) {
            s32 sum = 0;
            for (u32 k = 0; k < N; k++)
                sum += a[i * N + k] * b[k * N + j];
            c[i * N + j] = sum;
        }
    for (u32 i = 0; i < N; i++)
        trace += c[i * N + i];
    return (u32)trace;
}
