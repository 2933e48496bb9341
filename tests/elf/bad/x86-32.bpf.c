/* SPDX-License-Identifier: MIT */
// expect: a 32-bit ELF file: eBPF objects are 64-bit
// flags: -target i386-linux-gnu
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
