// SPDX-License-Identifier: MIT
/* A builtin that clang makes from 128 bits. */
// expect: __builtin_mul_overflow
// fix: halves of 32 bits
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") u64 prog(u64 *m, u32 n) {
    u64 r;
    return __builtin_mul_overflow(m[0], m[1], &r) ? 0 : r; /* here */
}
#else
SEC("raw") u64 prog(u32 *m, u32 n) {
    u32 r;
    return __builtin_mul_overflow(m[0], m[1], &r) ? 0 : r;
}
#endif
