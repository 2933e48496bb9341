// SPDX-License-Identifier: MIT
/* A function named like its section. Clang names no line. */
// expect: has the name of its section
// fix: rename the function
#include "bpf_mcu.h"

#ifndef MENDED
__attribute__((section("timer/1ms"), used)) int other(void *ctx) {
    return 0;
}

SEC("raw") int raw(u8 *m, u32 n) { /* here */
    return n;
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    return n;
}
#endif
