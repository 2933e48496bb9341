// SPDX-License-Identifier: MIT
/* 128 bits. */
// expect: arithmetic on 128 bits
// fix: halves of 32 bits
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") u64 prog(u64 *m, u32 n) {
    return ((unsigned __int128)m[0] * m[1]) >> 64; /* here */
}
#else
SEC("raw") u64 prog(u64 *m, u32 n) {
    return (m[0] >> 32) * (m[1] >> 32);
}
#endif
