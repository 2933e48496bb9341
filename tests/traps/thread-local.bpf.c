// SPDX-License-Identifier: MIT
/* Thread-local variables. */
// expect: no threads
// fix: static
#include "bpf_mcu.h"

#ifndef MENDED
_Thread_local int x; /* here */

SEC("raw") int prog(u8 *m, u32 n) {
    return x++;
}
#else
static int x;

SEC("raw") int prog(u8 *m, u32 n) {
    return x++;
}
#endif
