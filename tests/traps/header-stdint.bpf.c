// SPDX-License-Identifier: MIT
/* A header of the C library. */
// expect: belongs to the C library
// fix: include bpf_mcu.h
#include "bpf_mcu.h"
#ifndef MENDED
#include <stdint.h> /* here */

SEC("raw") int prog(u8 *m, u32 n) {
    return n;
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    return n;
}
#endif
