// SPDX-License-Identifier: MIT
/* A builtin without an eBPF form. Clang names no line. */
// expect: builtin function of clang
// fix: do without it
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u8 *m, u32 n) {
    return (long)__builtin_return_address(0); /* here */
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    return 0;
}
#endif
