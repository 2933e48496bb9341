// SPDX-License-Identifier: MIT
/*
 * Blink: on the board, every 100 ms, lights the next of the four LEDs of the Discovery (PD12 green, PD13
 * orange, PD14 red, PD15 blue) and puts the one before it out, so that the light runs round once in
 * 400 ms. The simplest program with state: a global variable remembers where the light is.
 */
#include "bpf_mcu.h"

BPF_GRANT("gpio:PD12-15=out budget=100us/100ms ram=2K");

static u32 position;

SEC("timer/100ms")
int blink(struct bpf_ctx_timer *ctx) {
    (void)ctx;
    bpf_gpio_write(BPF_PIN('D', 12) + position, 0);
    position = (position + 1) & 3;
    bpf_gpio_write(BPF_PIN('D', 12) + position, 1);
    return 0;
}
