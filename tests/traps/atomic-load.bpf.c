// SPDX-License-Identifier: MIT
/* An atomic load. */
// expect: an atomic load
// fix: __sync_fetch_and_add
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u32 *m, u32 n) {
    return __atomic_load_n(m, __ATOMIC_ACQUIRE); /* here */
}
#else
SEC("raw") int prog(u32 *m, u32 n) {
    return __sync_fetch_and_add(m, 0);
}
#endif
