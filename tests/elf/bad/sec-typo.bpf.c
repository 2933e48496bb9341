/* SPDX-License-Identifier: MIT */
// expect: perhaps SEC("timer/10ms")
#include "common.h"

SEC("timr/1ms") int prog(void *ctx) {
    return 0;
}
