/* SPDX-License-Identifier: MIT */
// expect: section .rodata.grant holds no text of BPF_GRANT()
#include "common.h"

char request[] SEC(".rodata.grant") = "led:0 gpio:PD16=out";

SEC("raw") int prog(void *ctx) {
    return 0;
}
