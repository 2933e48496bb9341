/* SPDX-License-Identifier: MIT */
// expect: it is LLVM bitcode
// flags: -emit-llvm
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
