/* SPDX-License-Identifier: MIT */
// expect: down calls itself: down -> down
#include "common.h"

NOINLINE int down(int n) {
    return n ? down(n - 1) * down(n - 2) : 1;
}

SEC("timer/1ms") int prog(void *ctx) {
    return down(5);
}
