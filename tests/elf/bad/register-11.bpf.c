/* SPDX-License-Identifier: MIT */
// expect: registers 0x0b
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    __asm__ volatile(".byte 0xb7, 0x0b, 0, 0, 0, 0, 0, 0");
    return 0;
}
