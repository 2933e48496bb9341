/* SPDX-License-Identifier: MIT */
// expect: a shift of a 64-bit number by 64 bits
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    u64 x = 1;
    __asm__ volatile("%0 <<= 64" : "+r"(x));
    return x;
}
