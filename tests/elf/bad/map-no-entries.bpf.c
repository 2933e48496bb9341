/* SPDX-License-Identifier: MIT */
// expect: map m:
#include "common.h"

struct {
    __uint(type, ARRAY);
    __type(key, u32);
    __type(value, u32);
} m SEC(".maps");

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
