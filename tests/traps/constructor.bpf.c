// SPDX-License-Identifier: MIT
/* A function that should run before the programs. */
// expect: constructors are not supported
// fix: where the variables are defined
// step: compile
#include "bpf_mcu.h"

#ifndef MENDED
static u64 start;
__attribute__((constructor)) void init(void) {
    start = bpf_ktime_get_ns();
}

SEC("raw") int prog(u8 *m, u32 n) {
    return start;
}
#else
static u64 start;

SEC("raw") int prog(u8 *m, u32 n) {
    if (!start)
        start = bpf_ktime_get_ns();
    return start;
}
#endif
