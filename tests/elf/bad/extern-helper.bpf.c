/* SPDX-License-Identifier: MIT */
// expect: include bpf_mcu.h
#include "common.h"

extern int bpf_no_such_helper(int);

SEC("timer/1ms") int prog(void *ctx) {
    return bpf_no_such_helper(1);
}
