// SPDX-License-Identifier: MIT
/*
 * Token-bucket rate limiter with time in 64-bit nanoseconds, on a trace: 64 events, each with a distance in
 * time (20 bits, ns) and a price (2 bits). r0: passed (bits 32 up) and dropped. rate_limit.bpf.c is the same idea
 * on a port. 64-bit compares, a multiplication, one division an event.
 *
 *     bpf2thumb run --mem @trace.bin token_bucket.bpf.c
 */
#include "bpf_mcu.h"

#define EVENTS 64
#define RATE 2500u /* tokens a second */
#define BURST 20u

SEC("raw")
u64 token_bucket(const u32 *memory, u32 size) {
    u64 now = 4000000000000, last = now, credit = (u64)BURST * 1000000000;
    u32 passed = 0, dropped = 0;
    (void)size;
    for (u32 i = 0; i < EVENTS; i++) {
        now += memory[i] & 0xfffff;
        credit += (now - last) * RATE;
        last = now;
        if (credit > (u64)BURST * 1000000000)
            credit = (u64)BURST * 1000000000;
        u32 tokens = (u32)(credit / 1000000000);
        u32 cost = 1 + (memory[i] >> 30);
        if (tokens >= cost) {
            credit -= (u64)cost * 1000000000;
            passed++;
        } else {
            dropped++;
        }
    }
    return (u64)passed << 32 | dropped;
}
