// SPDX-License-Identifier: MIT
/*
 * Keeps what the host has put into its map, for the soak: over replacements, new grants and compactions it has to be there.
 * Once a millisecond it says how the parts of it add up, and how often it has looked.
 */
#include "bpf_mcu.h"

BPF_GRANT("budget=500us/10ms ram=4K");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, u32[4]);
} kept SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16);
    __type(key, u32);
    __type(value, u64);
} sums SEC(".maps");

SEC("timer/1ms")
int look(struct bpf_ctx_timer *ctx) {
    u32 zero = 0, sum = 0;
    u32 *value = bpf_map_lookup_elem(&kept, &zero);
    if (!value)
        return 0;
    for (u32 i = 0; i < 4; i++)
        sum += value[i];
    u32 key = sum % 16;
    u64 times = 1, *old = bpf_map_lookup_elem(&sums, &key);
    if (old)
        times = *old + 1;
    bpf_map_update_elem(&sums, &key, &times, BPF_ANY);
    return 0;
}
