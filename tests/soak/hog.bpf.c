// SPDX-License-Identifier: MIT
/* Takes more time than it is granted, in every run, for the soak: the budget ends it, in the middle of its map. */
#include "bpf_mcu.h"

BPF_GRANT("gpio:PD14=out budget=100us/10ms ram=4K");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 32);
    __type(key, u32);
    __type(value, u32);
} counts SEC(".maps");

SEC("timer/10ms")
int hog(struct bpf_ctx_timer *ctx) {
    bpf_gpio_write(BPF_PIN('D', 14), 1);
    for (u32 i = 0; i < 10000; i++) {
        u32 key = i % 40;
        if (bpf_map_update_elem(&counts, &key, &i, BPF_ANY))
            bpf_map_delete_elem(&counts, &(u32){0});
    }
    return 0;
}
