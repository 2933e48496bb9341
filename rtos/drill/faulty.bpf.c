// SPDX-License-Identifier: MIT
/* A fault each millisecond, and a map that takes its time to be put in order after each: not verified. */
#include "bpf_mcu.h"

#define ENTRIES 800

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, ENTRIES);
    __type(key, u32);
    __type(value, u32);
} many SEC(".maps");

SEC("timer/1ms")
int faulty(struct bpf_ctx_timer *ctx) {
    *(volatile u32 *)0x20000100 = ctx->overruns;
    return 0;
}

SEC("cmd/fill")
int fill(struct bpf_ctx_cmd *ctx) {
    (void)ctx;
    for (u32 i = 0; i < ENTRIES; i++)
        if (bpf_map_update_elem(&many, &i, &i, BPF_ANY))
            return -1;
    return 0;
}
