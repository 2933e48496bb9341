// SPDX-License-Identifier: MIT
/*
 * SipHash-2-4 (Aumasson and Bernstein 2012) of 256 bytes, the 16 bytes of the key in front of them: a short
 * authentication of telegrams. r0 = the hash. 64-bit additions and rotations on a 32-bit machine.
 *
 *     bpf2thumb run --mem @key-and-message.bin siphash.bpf.c
 */
#include "bpf_mcu.h"

#define WORDS 32

static __always_inline u64 rol(u64 x, u32 n) {
    return x << n | x >> (64 - n);
}

#define ROUND                                                                                      \
    do {                                                                                           \
        v0 += v1, v1 = rol(v1, 13) ^ v0, v0 = rol(v0, 32);                                         \
        v2 += v3, v3 = rol(v3, 16) ^ v2;                                                           \
        v0 += v3, v3 = rol(v3, 21) ^ v0;                                                           \
        v2 += v1, v1 = rol(v1, 17) ^ v2, v2 = rol(v2, 32);                                         \
    } while (0)

SEC("raw")
u64 siphash(const u64 *memory, u32 size) {
    u64 k0 = memory[0], k1 = memory[1];
    u64 v0 = k0 ^ 0x736f6d6570736575, v1 = k1 ^ 0x646f72616e646f6d;
    u64 v2 = k0 ^ 0x6c7967656e657261, v3 = k1 ^ 0x7465646279746573;
    (void)size;
    for (u32 i = 0; i < WORDS; i++) {
        u64 m = memory[2 + i];
        v3 ^= m;
        ROUND;
        ROUND;
        v0 ^= m;
    }
    u64 last = (u64)(8 * WORDS) << 56;
    v3 ^= last;
    ROUND;
    ROUND;
    v0 ^= last;
    v2 ^= 0xff;
    ROUND;
    ROUND;
    ROUND;
    ROUND;
    return v0 ^ v1 ^ v2 ^ v3;
}
