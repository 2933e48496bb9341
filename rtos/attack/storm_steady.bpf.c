// SPDX-License-Identifier: MIT
/* The neighbour of a storm: counts its runs, and the periods that it has missed. */
#include "bpf_mcu.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2);
    __type(key, u32);
    __type(value, u32);
} counts SEC(".maps");

SEC("timer/1ms")
int steady(struct bpf_ctx_timer *ctx) {
    u32 runs = 0, lost = 1;
    u32 *count = bpf_map_lookup_elem(&counts, &runs);
    if (count)
        *count += 1;
    count = bpf_map_lookup_elem(&counts, &lost);
    if (count)
        *count += ctx->overruns;
    return 0;
}
