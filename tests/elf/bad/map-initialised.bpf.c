/* SPDX-License-Identifier: MIT */
// expect: which is no attribute values
#include "common.h"

u32 zero;
struct {
    __uint(type, ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, u32);
} m SEC(".maps") = {.key = &zero};

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
