// SPDX-License-Identifier: MIT
/* Signed division before eBPF v4. Mended with unsigned values. */
// expect: signed division needs eBPF v4
// fix: --cpu v4
// flags: --cpu v3
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u8 *m, u32 n) {
    return (int)n / m[0]; /* here */
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    return n / m[0];
}
#endif
