/* SPDX-License-Identifier: MIT */
// expect: a division by the constant 0
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    u64 x = 1;
    __asm__ volatile("%0 /= 0" : "+r"(x));
    return x;
}
