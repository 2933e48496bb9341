/* SPDX-License-Identifier: MIT */
// expect: legacy packet access LD_ABS
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    __asm__ volatile("r6 = r1\nr0 = *(u8 *)skb[0]" ::: "r0", "r6");
    return 0;
}
