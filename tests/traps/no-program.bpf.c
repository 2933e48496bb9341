// SPDX-License-Identifier: MIT
/* A program without SEC(). */
// expect: the object has no program
// fix: SEC("timer/10ms")
// step: compile
#include "bpf_mcu.h"

#ifndef MENDED
int prog(u8 *m, u32 n) {
    return n;
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    return n;
}
#endif
