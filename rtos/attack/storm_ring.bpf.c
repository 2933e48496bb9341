// SPDX-License-Identifier: MIT
/* Fills a ring that nobody reads, and lets its other hook wait. */
#include "bpf_mcu.h"

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1024);
} ring SEC(".maps");

static int record(u32 i, void *nothing) {
    u64 what[4] = {i, i, i, i};
    (void)nothing;
    bpf_ringbuf_output(&ring, what, sizeof(what), 0);
    return 0;
}

SEC("timer/1ms")
int flood(struct bpf_ctx_timer *ctx) {
    bpf_loop(1 << 20, record, ctx, 0);
    return 0;
}

SEC("timer/1ms")
int starved(struct bpf_ctx_timer *ctx) {
    (void)ctx;
    return 0;
}
