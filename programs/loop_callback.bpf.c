// SPDX-License-Identifier: MIT
/*
 * bpf_loop() with a callback: the loop's bound is the helper's business, so the verifier sees one pass through
 * the body, however many there are. Here: how many primes there are below N, the first 32-bit word of the
 * memory, by a sieve of 4,096 bits in a global array. The callback stops its loop early by returning 1.
 *
 *     bpf2thumb run --mem 64000000 loop_callback.bpf.c       25 primes below 100
 */
#include "bpf_mcu.h"

#define MOST 4096

static u32 composite[MOST / 32];

struct strike {
    u32 step, limit;
};

/* Strikes out step * (step + i). */
static long strike(u32 i, struct strike *s) {
    u32 n = s->step * (s->step + i);
    if (n >= s->limit || n >= MOST)
        return 1;
    composite[n / 32] |= 1u << n % 32;
    return 0;
}

struct count {
    u32 limit, primes;
};

static long look(u32 i, struct count *c) {
    u32 n = i + 2;
    if (n >= c->limit || n >= MOST)
        return 1;
    if (composite[n / 32] >> n % 32 & 1)
        return 0;
    c->primes++;
    struct strike s = {n, c->limit};
    bpf_loop(MOST, strike, &s, 0);
    return 0;
}

SEC("raw")
u64 loop_callback(const u32 *memory, u32 size) {
    if (size < 4)
        return 0;
    for (u32 i = 0; i < MOST / 32; i++)
        composite[i] = 0;
    struct count c = {memory[0], 0};
    bpf_loop(MOST, look, &c, 0);
    return c.primes;
}
