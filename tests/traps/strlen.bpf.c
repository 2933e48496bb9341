// SPDX-License-Identifier: MIT
/* A function of the C library without a declaration. */
// expect: strlen() is a function of the C library
// fix: bpf_mcu.h declares
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(const char *m, u32 n) {
    return strlen(m); /* here */
}
#else
SEC("raw") int prog(const char *m, u32 n) {
    u32 i = 0;
    while (i < n && m[i])
        i++;
    return i;
}
#endif
