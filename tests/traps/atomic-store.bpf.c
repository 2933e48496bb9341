// SPDX-License-Identifier: MIT
/* An atomic store. */
// expect: an atomic store
// fix: __sync_lock_test_and_set
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u32 *m, u32 n) {
    __atomic_store_n(m, 3, __ATOMIC_RELEASE); /* here */
    return 0;
}
#else
SEC("raw") int prog(u32 *m, u32 n) {
    __sync_lock_test_and_set(m, 3);
    return 0;
}
#endif
