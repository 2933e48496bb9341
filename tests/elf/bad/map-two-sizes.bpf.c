/* SPDX-License-Identifier: MIT */
// expect: its key has 4 bytes by one attribute and 8 by another
#include "common.h"

struct {
    __uint(type, ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __uint(key_size, 8);
    __type(value, u32);
} m SEC(".maps");

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
