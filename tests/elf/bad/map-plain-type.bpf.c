/* SPDX-License-Identifier: MIT */
// expect: attribute key is not of the form __type(key, type)
#include "common.h"

struct {
    __uint(type, ARRAY);
    __uint(max_entries, 1);
    u32 key;
    __type(value, u32);
} m SEC(".maps");

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
