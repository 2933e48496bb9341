// SPDX-License-Identifier: MIT
/* A function with any number of arguments. */
// expect: variable number of arguments
// fix: one by one
#include "bpf_mcu.h"

#ifndef MENDED
static __noinline int first(int a, ...) { /* here */
    __builtin_va_list list;
    __builtin_va_start(list, a);
    return __builtin_va_arg(list, int);
}

SEC("raw") int prog(u8 *m, u32 n) {
    return first(n, 2);
}
#else
static __noinline int first(int a, int b) {
    return b;
}

SEC("raw") int prog(u8 *m, u32 n) {
    return first(n, 2);
}
#endif
