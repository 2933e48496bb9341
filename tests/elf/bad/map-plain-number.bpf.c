/* SPDX-License-Identifier: MIT */
// expect: attribute max_entries is not of the form __uint(max_entries, number)
#include "common.h"

struct {
    __uint(type, ARRAY);
    int max_entries;
    __type(key, u32);
    __type(value, u32);
} m SEC(".maps");

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
