// SPDX-License-Identifier: MIT
/* Floating point. */
// expect: no floating point
// errors: 2
// fix: 1/1000
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u8 *m, u32 n) {
    float x = n; /* here */
    return x * n;
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    u32 x = 1000 * n;
    return x * n / 1000;
}
#endif
