// SPDX-License-Identifier: MIT
/* What the protocol's session installs: something in a map that changes, a ring, output, a result. */
#include "bpf_mcu.h"

BPF_GRANT("budget=1ms/10ms");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 100);
    __type(key, u32);
    __type(value, u64);
} counts SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 512);
} events SEC(".maps");

SEC("timer/10ms")
int tick(struct bpf_ctx_timer *ctx) {
    (void)ctx;
    u32 key = 0;
    u64 one = 1, *n = bpf_map_lookup_elem(&counts, &key);
    if (n)
        *n += 1;
    else
        bpf_map_update_elem(&counts, &key, &one, 0);
    return 0;
}

SEC("cmd/say")
int say(struct bpf_ctx_cmd *ctx) {
    bpf_printk("said %d", ctx->len);
    u32 *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
    if (event) {
        *event = ctx->len;
        bpf_ringbuf_submit(event, 0);
    }
    return 42;
}
