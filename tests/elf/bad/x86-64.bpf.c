/* SPDX-License-Identifier: MIT */
// expect: an object for x86-64 (e_machine 62), not for eBPF
// flags: -target x86_64-linux-gnu
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
