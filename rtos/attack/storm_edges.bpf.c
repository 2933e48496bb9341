// SPDX-License-Identifier: MIT
/* Drives a pin up and down as fast as it can, and listens to that very pin. */
#include "bpf_mcu.h"

static int edge(u32 i, void *nothing) {
    (void)nothing;
    bpf_gpio_write(BPF_PIN('D', 0), i & 1);
    return 0;
}

SEC("gpio/PD0/both")
int heard(struct bpf_ctx_gpio *ctx) {
    bpf_loop(1 << 20, edge, ctx, 0);
    return 0;
}

SEC("timer/1ms")
int drive(struct bpf_ctx_timer *ctx) {
    bpf_loop(1 << 20, edge, ctx, 0);
    return 0;
}
