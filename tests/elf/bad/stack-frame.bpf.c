/* SPDX-License-Identifier: MIT */
// expect: the stack is bytes -512 to -1
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    __asm__ volatile("*(u64 *)(r10 - 520) = r1");
    return 0;
}
