// SPDX-License-Identifier: MIT
/* A function that nobody declared. */
// expect: call to undeclared function 'twice'
// fix: docs/helpers.md
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u8 *m, u32 n) {
    return twice(n); /* here */
}
#else
static int twice(int n) {
    return 2 * n;
}

SEC("raw") int prog(u8 *m, u32 n) {
    return twice(n);
}
#endif
