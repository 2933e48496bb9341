/* SPDX-License-Identifier: MIT */
// expect: runs past the end of function prog
#include "common.h"

SEC("timer/1ms") __attribute__((naked)) int prog(void *ctx) {
    __asm__ volatile("r0 = 0");
}
