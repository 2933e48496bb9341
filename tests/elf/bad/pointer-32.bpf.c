/* SPDX-License-Identifier: MIT */
// expect: R_BPF_64_NODYLD32) cannot stand here
#include "common.h"

int number = 1;
__asm__(".data\n.long number\n");

SEC("timer/1ms") int prog(void *ctx) {
    return number;
}
