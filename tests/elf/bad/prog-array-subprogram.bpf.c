/* SPDX-License-Identifier: MIT */
// expect: map m: helper at index 0 is no program
#include "common.h"

NOINLINE static int helper(void *ctx) {
    return 1;
}

struct {
    __uint(type, PROG_ARRAY);
    __uint(max_entries, 2);
    __uint(key_size, 4);
    __array(values, int(void *));
} m SEC(".maps") = {.values = {(void *)&helper}};

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
