/* SPDX-License-Identifier: MIT */
// expect: BPF_GRANT() is wrong from "16=out" on
#include "common.h"

static const char request[] SEC(".rodata.grant") = "led:0 gpio:PD16=out";

SEC("raw") int prog(void *ctx) {
    return 0;
}
