/* SPDX-License-Identifier: MIT */
// expect: holds no data for programs
#include "common.h"

static volatile int mine SEC("mydata") = 3;
static volatile int *const x = &mine;

SEC("timer/1ms") int prog(void *ctx) {
    return *x;
}
