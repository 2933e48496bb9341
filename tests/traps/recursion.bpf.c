// SPDX-License-Identifier: MIT
/* A function that calls itself. */
// expect: function f calls itself
// fix: use a loop
// step: compile
#include "bpf_mcu.h"

#ifndef MENDED
static __noinline int f(int n) { /* here */
    return n > 1 ? n * f(n - 1) + f(n - 2) : 1;
}

SEC("raw") int prog(u8 *m, u32 n) {
    return f(n);
}
#else
static __noinline int f(int n) {
    int x = 1;
    for (int i = 1; i < n && i < 100; i++)
        x *= i;
    return x;
}

SEC("raw") int prog(u8 *m, u32 n) {
    return f(n);
}
#endif
