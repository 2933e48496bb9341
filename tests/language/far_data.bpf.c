// SPDX-License-Identifier: MIT
/* Variables on both sides of what a load or store can reach from the start of the arena, at constant places. */
#include "bpf_mcu.h"

static volatile u32 words[3000];
static volatile u8 bytes[8192];

SEC("raw")
u64 far_data(void *memory, u32 length) {
    (void)memory, (void)length;
    words[1000] = 1;
    words[1010] = 2;
    words[1015] = 3;
    words[1020] = 4;
    words[1024] = 5;
    words[2040] = 6;
    words[2999] = 7;
    bytes[0] = 8;
    bytes[4095] = 9;
    bytes[8191] = 10;
    u64 sum = 0;
    for (u32 i = 0; i < 3000; i++)
        sum = sum * 3 + words[i];
    for (u32 i = 0; i < 8192; i++)
        sum = sum * 5 + bytes[i];
    return sum + words[1024] + bytes[4095] * words[2040];
}
