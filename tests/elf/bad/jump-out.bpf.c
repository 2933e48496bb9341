/* SPDX-License-Identifier: MIT */
// expect: leaves function prog
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    __asm__ volatile(".byte 0x05, 0, 100, 0, 0, 0, 0, 0");
    return 0;
}
