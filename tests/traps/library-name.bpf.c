// SPDX-License-Identifier: MIT
/* A name that clang knows from the C library. */
// expect: redefinition of 'log'
// fix: choose another name
#include "bpf_mcu.h"

#ifndef MENDED
int log; /* here */
#else
int entries;
#endif

SEC("raw") int prog(u8 *m, u32 n) {
    return n;
}
