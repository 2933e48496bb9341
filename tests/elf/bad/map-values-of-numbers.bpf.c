/* SPDX-License-Identifier: MIT */
// expect: attribute values is no array of programs
#include "common.h"

struct {
    __uint(type, PROG_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    int values[2];
} m SEC(".maps");

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
