// SPDX-License-Identifier: MIT
/* inline without static: C99 wants the definition elsewhere. */
// expect: twice() is defined nowhere
// fix: static inline
// step: compile
#include "bpf_mcu.h"

#ifndef MENDED
inline __noinline int twice(int n) {
    return 2 * n;
}

SEC("raw") int prog(u8 *m, u32 n) {
    return twice(n); /* here */
}
#else
static inline __noinline int twice(int n) {
    return 2 * n;
}

SEC("raw") int prog(u8 *m, u32 n) {
    return twice(n);
}
#endif
