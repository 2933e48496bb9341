// SPDX-License-Identifier: MIT
/*
 * Rate limiter: frames that come in on UART 3 go out on it again, at most 50 bytes a
 * second with bursts of 64. A token bucket in 64-bit nanoseconds: credit grows with time and every byte
 * costs 20 ms of it, so that no timer has to fill the bucket. What is dropped is counted in a map.
 *
 *     bpf2thumb run --runs 8 --text 'twelve bytes' rate_limit.bpf.c
 *
 * Frames come every 100 ms in the emulator: the burst lets the first ones pass, then about nine in ten
 * bytes' worth of time is too little and some are dropped.
 */
#include "bpf_mcu.h"

BPF_GRANT("uart:3 budget=1ms/10ms");

#define OUT 3
#define BYTE_NS 20000000ull /* 50 bytes a second */
#define BURST_NS (64 * BYTE_NS)

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2);
    __type(key, u32);
    __type(value, u64);
} bytes SEC(".maps"); /* [0] passed, [1] dropped */

static u64 last, credit = BURST_NS;

/* Takes the price of n bytes if there is enough credit. */
static bool pay(u64 now, u32 n) {
    credit += now - last;
    last = now;
    if (credit > BURST_NS)
        credit = BURST_NS;
    u64 price = n * BYTE_NS;
    if (price > credit)
        return false;
    credit -= price;
    return true;
}

SEC("uart/3")
int rate_limit(struct bpf_ctx_uart *ctx) {
    u32 n = ctx->len <= sizeof(ctx->data) ? ctx->len : sizeof(ctx->data);
    u32 dropped = !pay(bpf_ktime_get_ns(), n);
    u64 *count = bpf_map_lookup_elem(&bytes, &dropped);
    if (count)
        *count += n;
    if (!dropped)
        bpf_uart_write(OUT, ctx->data, n);
    return 0;
}
