/* SPDX-License-Identifier: MIT */
// expect: read-only r10
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    __asm__ volatile(".byte 0xb7, 0x0a, 0, 0, 0, 0, 0, 0");
    return 0;
}
