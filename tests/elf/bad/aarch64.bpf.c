/* SPDX-License-Identifier: MIT */
// expect: an object for AArch64
// flags: -target aarch64-linux-gnu
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
