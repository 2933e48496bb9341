/* SPDX-License-Identifier: MIT */
// expect: the object has no program
#include "common.h"

SEC("timer/1ms") static int prog(void *ctx) {
    return 0;
}
