/* SPDX-License-Identifier: MIT */
// expect: may_goto is not supported
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    __asm__ volatile(".byte 0xe5, 0, 0, 0, 0, 0, 0, 0");
    return 0;
}
