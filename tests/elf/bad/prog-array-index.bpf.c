/* SPDX-License-Identifier: MIT */
// expect: a program at index 2, but max_entries is 2
#include "common.h"

int prog(void *ctx);
struct {
    __uint(type, PROG_ARRAY);
    __uint(max_entries, 2);
    __uint(key_size, 4);
    __array(values, int(void *));
} m SEC(".maps") = {.values = {[2] = (void *)&prog}};

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
