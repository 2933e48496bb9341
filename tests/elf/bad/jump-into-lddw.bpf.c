/* SPDX-License-Identifier: MIT */
// expect: second half of a 64-bit load
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    __asm__ volatile("goto +1\nr1 = 1 ll" ::: "r1");
    return 0;
}
