/* SPDX-License-Identifier: MIT */
// expect: only a prog_array has initial values
#include "common.h"

struct {
    __uint(type, ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, u32);
    __array(values, int(void *));
} m SEC(".maps");

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
