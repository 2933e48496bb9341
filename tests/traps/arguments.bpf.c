// SPDX-License-Identifier: MIT
/* A sixth argument. */
// expect: at most 5 arguments
// fix: pointer to a struct
#include "bpf_mcu.h"

#ifndef MENDED
__noinline int sum(int a, int b, int c, int d, int e, int f) { /* here */
    return a + b * c + d * e * f;
}

SEC("raw") int prog(u8 *m, u32 n) {
    return sum(n, 1, m[2], 3, 4, n);
}
#else
static inline __attribute__((always_inline)) int sum(int a, int b, int c, int d, int e, int f) {
    return a + b * c + d * e * f;
}

SEC("raw") int prog(u8 *m, u32 n) {
    return sum(n, 1, m[2], 3, 4, n);
}
#endif
