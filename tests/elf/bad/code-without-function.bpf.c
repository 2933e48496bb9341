/* SPDX-License-Identifier: MIT */
// expect: code that belongs to no function
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}

__asm__(".section loose,\"ax\",@progbits\nexit\n");
