/* SPDX-License-Identifier: MIT */
// expect: a tail call in below
#include "common.h"

struct {
    __uint(type, PROG_ARRAY);
    __uint(max_entries, 2);
    __uint(key_size, 4);
    __uint(value_size, 4);
} m SEC(".maps");

NOINLINE int below(void *ctx) {
    bpf_tail_call(ctx, &m, 0);
    return 3;
}

SEC("timer/1ms") int prog(void *ctx) {
    return below(ctx) + 1;
}
