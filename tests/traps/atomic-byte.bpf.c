// SPDX-License-Identifier: MIT
/* Atomic operations on bytes. */
// expect: 32 and 64 bits only
// fix: int or a u64
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u8 *m, u32 n) {
    return __sync_fetch_and_add(m, 1); /* here */
}
#else
static u32 count;

SEC("raw") int prog(u8 *m, u32 n) {
    return __sync_fetch_and_add(&count, 1);
}
#endif
