// SPDX-License-Identifier: MIT
/* A function that is declared and nowhere defined. */
// expect: other() is defined nowhere
// fix: define it in this object
// step: compile
#include "bpf_mcu.h"

#ifndef MENDED
int other(int);

SEC("raw") int prog(u8 *m, u32 n) {
    return other(n); /* here */
}
#else
static int other(int n) {
    return n + 1;
}

SEC("raw") int prog(u8 *m, u32 n) {
    return other(n);
}
#endif
