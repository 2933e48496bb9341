// SPDX-License-Identifier: MIT
/* Listens to each switch between tasks and each interrupt. With two of it each causes what the other hears. */
#include "bpf_mcu.h"

static u32 seen;

SEC("trace/sched_switch")
int switched(struct bpf_ctx_trace *ctx) {
    seen += 1 + ctx->lost;
    return 0;
}

SEC("trace/irq")
int interrupted(struct bpf_ctx_trace *ctx) {
    seen += 1 + ctx->lost;
    return 0;
}
