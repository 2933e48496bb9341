// SPDX-License-Identifier: MIT
/* Answers each frame with as many frames as the line takes; the line leads back to itself. */
#include "bpf_mcu.h"

static int frame(u32 i, void *nothing) {
    (void)i, (void)nothing;
    return bpf_uart_write(3, "\na\nb\nc\nd\n\n\ne\n", 14) < 0;
}

SEC("uart/3")
int answer(struct bpf_ctx_uart *ctx) {
    bpf_loop(1000, frame, ctx, 0);
    return 0;
}

SEC("timer/1ms")
int begin(struct bpf_ctx_timer *ctx) {
    bpf_loop(1000, frame, ctx, 0);
    return 0;
}
