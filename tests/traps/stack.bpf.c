// SPDX-License-Identifier: MIT
/* More than 512 bytes of stack in one function. */
// expect: 512 bytes of stack
// fix: make them static
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u8 *m, u32 n) {
    volatile u8 x[600];
    x[n % 600] = 1;
    return x[0]; /* here */
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    static u8 x[600];
    x[n % 600] = 1;
    return x[0];
}
#endif
