// SPDX-License-Identifier: MIT
/* A program that is static. */
// expect: the object has no program
// fix: not static
// step: compile
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") static int prog(u8 *m, u32 n) {
    return n;
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    return n;
}
#endif
