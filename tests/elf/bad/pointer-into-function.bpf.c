/* SPDX-License-Identifier: MIT */
// expect: where no function starts
#include "common.h"

NOINLINE int other(void) {
    return 5;
}

SEC("timer/1ms") int prog(void *ctx) {
    u64 p;
    __asm__("%0 = other + 8 ll" : "=r"(p));
    return p;
}
