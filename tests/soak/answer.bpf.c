// SPDX-License-Identifier: MIT
/* Runs when it is called only, for the soak: returns the sum of the bytes that it is given, and 1000. */
#include "bpf_mcu.h"

BPF_GRANT("budget=1ms/10ms ram=2K");

SEC("cmd/answer")
int answer(struct bpf_ctx_cmd *ctx) {
    u32 sum = 1000;
    for (u32 i = 0; i < 128 && i < ctx->len; i++)
        sum += ctx->data[i];
    return sum;
}
