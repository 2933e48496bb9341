// SPDX-License-Identifier: MIT
/* Prints for as long as it is let. */
#include "bpf_mcu.h"

static int line(u32 i, void *nothing) {
    (void)nothing;
    bpf_printk(
        "a line that is as long as one can be, so that it takes as long as it can: %d %d %d %d\n",
        i, i, i, i);
    return 0;
}

SEC("timer/1ms")
int talk(struct bpf_ctx_timer *ctx) {
    bpf_loop(1 << 20, line, ctx, 0);
    return 0;
}
