/* SPDX-License-Identifier: MIT */
// expect: call of a kernel function (kfunc)
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    __asm__ volatile(".byte 0x85, 0x20, 0, 0, 1, 0, 0, 0");
    return 0;
}
