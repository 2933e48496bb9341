/* SPDX-License-Identifier: MIT */
// expect: opcode 0xff
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    __asm__ volatile(".byte 0xff, 0, 0, 0, 0, 0, 0, 0");
    return 0;
}
