/* SPDX-License-Identifier: MIT */
// expect: reserved
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    __asm__ volatile(".byte 0xb7, 0, 1, 0, 0, 0, 0, 0");
    return 0;
}
