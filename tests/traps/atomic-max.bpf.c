// SPDX-License-Identifier: MIT
/* An atomic operation that eBPF lacks. */
// expect: no others
// fix: __sync_val_compare_and_swap
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u32 *m, u32 n) {
    return __atomic_fetch_max(m, 1, 0); /* here */
}
#else
SEC("raw") int prog(u32 *m, u32 n) {
    u32 old;
    do
        old = *(volatile u32 *)m;
    while (__sync_val_compare_and_swap(m, old, old > n ? old : n) != old);
    return old;
}
#endif
