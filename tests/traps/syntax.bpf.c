// SPDX-License-Identifier: MIT
/* A plain error: place and words are clang's. */
// expect: expected ';'
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw")
int prog(u8 *m, u32 n){
    return n /* here */
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    return n;
}
#endif
