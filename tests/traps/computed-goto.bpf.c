// SPDX-License-Identifier: MIT
/* Labels as values. Clang names no line. */
// expect: jump to an address that is computed
// fix: switch
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u8 *m, u32 n) {
    static void *const to[] = {&&one, &&two};
    goto *to[n & 1]; /* here */
one:
    return 3;
two:
    return m[0];
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    switch (n & 1) {
    case 0: return 3;
    default: return m[0];
    }
}
#endif
