/* SPDX-License-Identifier: MIT */
// expect: maps need type information
// flags: -g0
#include "common.h"

struct {
    __uint(type, ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, u32);
} m SEC(".maps");

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
