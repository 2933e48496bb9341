// SPDX-License-Identifier: MIT
/* A memory fence. */
// expect: a memory fence
// fix: one processor
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u32 *m, u32 n) {
    __sync_synchronize(); /* here */
    return 0;
}
#else
SEC("raw") int prog(u32 *m, u32 n) {
    asm volatile("" ::: "memory");
    return 0;
}
#endif
