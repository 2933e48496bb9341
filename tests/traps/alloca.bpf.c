// SPDX-License-Identifier: MIT
/* Memory on the stack whose size is known at run time only. */
// expect: the size of a local array must be known
// fix: greatest size
#include "bpf_mcu.h"

#ifndef MENDED
SEC("raw") int prog(u8 *m, u32 n) {
    volatile u8 *x = __builtin_alloca(n); /* here */
    x[n - 1] = 1;
    return x[0];
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    volatile u8 x[64];
    x[n & 63] = 1;
    return x[0];
}
#endif
