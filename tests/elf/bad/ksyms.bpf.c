/* SPDX-License-Identifier: MIT */
// expect: symbols of a Linux kernel
#include "common.h"

extern int bpf_kernel_function(void) SEC(".ksyms");

SEC("timer/1ms") int prog(void *ctx) {
    return bpf_kernel_function();
}
