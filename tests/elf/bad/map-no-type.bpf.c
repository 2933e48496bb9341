/* SPDX-License-Identifier: MIT */
// expect: map m: attribute type is missing
#include "common.h"

struct {
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, u32);
} m SEC(".maps");

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
