// SPDX-License-Identifier: MIT
/* A builtin that becomes a call of the C library; clang accepts it, the linker does not. */
// expect: memcmp() is defined nowhere
// fix: no C library
// step: compile
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u8 *m, u32 n) {
    return __builtin_memcmp(m, m + 8, n); /* here */
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    return bpf_strncmp((char *)m, 8, "abc");
}
#endif
