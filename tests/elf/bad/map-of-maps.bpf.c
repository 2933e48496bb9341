/* SPDX-License-Identifier: MIT */
// expect: maps of maps are not supported
#include "common.h"

struct inner {
    __uint(type, ARRAY);
};

struct {
    __uint(type, 12);
    __uint(max_entries, 1);
    __type(key, u32);
    __array(values, struct inner);
} m SEC(".maps");

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
