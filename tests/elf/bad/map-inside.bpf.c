/* SPDX-License-Identifier: MIT */
// expect: where no map starts
#include "common.h"

struct {
    __uint(type, ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, u32);
} m SEC(".maps");

SEC("timer/1ms") int prog(void *ctx) {
    u64 p;
    __asm__("%0 = m + 8 ll" : "=r"(p));
    return p;
}
