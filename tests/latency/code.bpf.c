// SPDX-License-Identifier: MIT
/* 12 KiB of code for the loader to look at. */
#include "bpf_mcu.h"

BPF_GRANT("budget=1ms/10ms ram=2K");

#define STEP(n) x = (x ^ (x >> 3)) * 0x9e3779b1 + n;
#define STEPS(n)                                                                                   \
    STEP(n) STEP(n + 1) STEP(n + 2) STEP(n + 3) STEP(n + 4) STEP(n + 5) STEP(n + 6) STEP(n + 7)
#define MANY(n)                                                                                    \
    STEPS(n)                                                                                       \
    STEPS(n + 8) STEPS(n + 16) STEPS(n + 24) STEPS(n + 32) STEPS(n + 40) STEPS(n + 48) STEPS(n + 56)
#define PROGRAM(k)                                                                                 \
    SEC("cmd/code" #k) int code##k(struct bpf_ctx_cmd *ctx) {                                      \
        u32 x = ctx->len;                                                                          \
        MANY(k)                                                                                    \
        MANY(k + 64)                                                                               \
        return (int)x;                                                                             \
    }
PROGRAM(0) PROGRAM(1) PROGRAM(2) PROGRAM(3) PROGRAM(4) PROGRAM(5)
