/* SPDX-License-Identifier: MIT */
// expect: begins with code that belongs to no function
#include "common.h"

__asm__(".text\nexit\n");

int prog(void *ctx) {
    return 0;
}
