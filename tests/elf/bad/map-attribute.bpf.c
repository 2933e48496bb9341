/* SPDX-License-Identifier: MIT */
// expect: map m: unknown attribute inner_map
#include "common.h"

struct {
    __uint(type, ARRAY);
    __uint(max_entries, 1);
    __uint(inner_map, 1);
} m SEC(".maps");

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
