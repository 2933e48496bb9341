/* SPDX-License-Identifier: MIT */
// expect: where no function starts
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    __asm__ volatile(".byte 0x85, 0x10, 0, 0, 100, 0, 0, 0");
    return 0;
}
