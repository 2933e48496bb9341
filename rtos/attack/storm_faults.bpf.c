// SPDX-License-Identifier: MIT
/* Has a fault in every run, and is told of each. */
#include "bpf_mcu.h"

SEC("timer/1ms")
int fault(struct bpf_ctx_timer *ctx) {
    (void)ctx;
    *(volatile u32 *)0x20000100 = 1;
    return 0;
}

SEC("trace/fault")
int heard(struct bpf_ctx_trace *ctx) {
    (void)ctx;
    *(volatile u32 *)0x40020C14 = 1;
    return 0;
}
