/* SPDX-License-Identifier: MIT */
// expect: helper bpf_probe_read() (id 4) is one of Linux
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    long (*read)(void *, u32, const void *) = (void *)4;
    return read(ctx, 4, ctx);
}
