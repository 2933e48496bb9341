/* SPDX-License-Identifier: MIT */
// expect: bytes of stack are needed, there are 512
#include "common.h"

NOINLINE void fill(u8 *p) {
    BARRIER(p);
    p[0] = 1;
}

NOINLINE int deeper(u8 *p) {
    u8 b[300];
    fill(b);
    return b[1] + p[0];
}

SEC("timer/1ms") int prog(void *ctx) {
    u8 a[300];
    fill(a);
    return deeper(a) + a[1];
}
