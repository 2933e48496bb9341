/* SPDX-License-Identifier: MIT */
// expect: there is no helper with id 9999
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    long (*read)(void) = (void *)9999;
    return read();
}
