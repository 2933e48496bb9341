// SPDX-License-Identifier: MIT
/* A double makes several calls on one line: one message. */
// expect: no floating point
// fix: 1/1000
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u8 *m, u32 n) {
    return (double)n / m[0]; /* here */
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    return 1000ull * n / m[0];
}
#endif
