/* SPDX-License-Identifier: MIT */
// expect: its name is one of data
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}

__asm__(".section .data.code,\"ax\",@progbits\nexit\n");
