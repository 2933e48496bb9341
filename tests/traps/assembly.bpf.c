// SPDX-License-Identifier: MIT
/* Assembly of the board. */
// expect: must be that of eBPF
// fix: asm volatile("r0 = 1"
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u8 *m, u32 n) {
    asm volatile("cpsid i"); /* here */
    return 0;
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    asm volatile("r0 = 1" ::: "r0");
    return 0;
}
#endif
