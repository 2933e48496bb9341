// SPDX-License-Identifier: MIT
/* The same of memset(). */
// expect: memset() of many bytes
// fix: loop
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u8 *m, u32 n) {
    __builtin_memset(m, 0, n); /* here */
    return 0;
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    for (u32 i = 0; i < 4096 && i < n; i++)
        m[i] = 0;
    return 0;
}
#endif
