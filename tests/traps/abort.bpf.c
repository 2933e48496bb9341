// SPDX-License-Identifier: MIT
/* Ending a program. */
// expect: cannot be ended by abort()
// fix: return a value
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u8 *m, u32 n) {
    if (n > 3)
        __builtin_trap(); /* here */
    return 0;
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    if (n > 3)
        return -1;
    return 0;
}
#endif
