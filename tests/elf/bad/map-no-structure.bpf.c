/* SPDX-License-Identifier: MIT */
// expect: map m: it has no type information
#include "common.h"

int m SEC(".maps");

SEC("timer/1ms") int prog(void *ctx) {
    return m;
}
