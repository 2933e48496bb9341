// SPDX-License-Identifier: MIT
/* A 0 is out of range. */
// expect: 0 is out of range
// fix: SEC("timer/10ms")
// step: compile
#include "bpf_mcu.h"

#ifndef MENDED
SEC("timer/0ms") int prog(struct bpf_ctx_timer *ctx) {
    return 0; /* here */
}
#else
SEC("timer/1ms") int prog(struct bpf_ctx_timer *ctx) {
    return 0; /* here */
}
#endif
