/* SPDX-License-Identifier: MIT */
// expect: the type of its value has no size
#include "common.h"

struct {
    __uint(type, ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    void *value;
} m SEC(".maps");

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
