// SPDX-License-Identifier: MIT
/*
 * Fixed-point FIR filter for 64 samples: 24 coefficients (32 bits, Q31) in front, then 88 samples (16 bits),
 * then the outputs: 64-bit sums, shifted back and saturated. r0 = how many were clipped, so that the caller can
 * lower the gain.
 *
 *     bpf2thumb run --mem @coefficients-and-samples.bin fir.bpf.c
 */
#include "bpf_mcu.h"

#define TAPS 24
#define OUTPUTS 64

SEC("raw")
u64 fir(u8 *memory, u32 size) {
    const s32 *coefficient = (const s32 *)memory;
    const s16 *in = (const s16 *)(memory + 4 * TAPS);
    s16 *out = (s16 *)(memory + 4 * TAPS + 2 * (OUTPUTS + TAPS));
    u32 clipped = 0;
    (void)size;
    for (u32 n = 0; n < OUTPUTS; n++) {
        s64 sum = 0;
        for (u32 k = 0; k < TAPS; k++)
            sum += (s64)coefficient[k] * in[n + k];
        sum >>= 31;
        if (sum > 32767)
            sum = 32767, clipped++;
        else if (sum < -32768)
            sum = -32768, clipped++;
        out[n] = (s16)sum;
    }
    return clipped;
}
