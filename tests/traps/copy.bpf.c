// SPDX-License-Identifier: MIT
/* A copy of a size known at run time only. */
// expect: memcpy() of many bytes
// fix: loop
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u8 *m, u32 n) {
    __builtin_memcpy(m, m + 100, n); /* here */
    return 0;
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    for (u32 i = 0; i < 100 && i < n; i++)
        m[i] = m[i + 100];
    return 0;
}
#endif
