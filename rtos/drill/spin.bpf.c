// SPDX-License-Identifier: MIT
/* A run that only its budget ends. */
#include "bpf_mcu.h"

static int nothing(u32 i, void *sum) {
    *(u64 *)sum += i;
    return 0;
}

SEC("timer/1ms")
int spin(struct bpf_ctx_timer *ctx) {
    u64 sum = ctx->overruns;
    bpf_loop(8000000, nothing, &sum, 0);
    return 0;
}
