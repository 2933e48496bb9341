// SPDX-License-Identifier: MIT
/*
 * What nobody should write: it counts to ten, then it writes to the kernel's memory. The verifier refuses it;
 * compiled in spite of that (--unverified) the board's MPU stops it at the access.
 *
 *     bpf2thumb compile --unverified hostile.bpf.c
 */
#include "bpf_mcu.h"

BPF_GRANT("gpio:PE7=out budget=1ms/10ms ram=2K policy=stop");

static u32 count;

SEC("timer/10ms")
int attack(struct bpf_ctx_timer *ctx) {
    (void)ctx;
    bpf_gpio_write(BPF_PIN('E', 7), 1);
    if (++count == 10)
        *(volatile u32 *)0x20000100 = count;
    return 0;
}
