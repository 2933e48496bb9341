// SPDX-License-Identifier: MIT
/* A way through a function without a return. */
// expect: does not return a value
// fix: return a value on every way
// severity: warning
#include "bpf_mcu.h"

#ifndef MENDED
static __noinline int f(u8 *m, u32 n) {
    m[n] = 0;
} /* here */

SEC("raw") int prog(u8 *m, u32 n) {
    return f(m, n);
}
#else
static __noinline int f(u8 *m, u32 n) {
    m[n] = 0;
    return 0;
}

SEC("raw") int prog(u8 *m, u32 n) {
    return f(m, n);
}
#endif
