// SPDX-License-Identifier: MIT
/* And with one. */
// expect: printf() is defined nowhere
// fix: bpf_printk
// step: compile
#include "bpf_mcu.h"

#ifndef MENDED
int printf(const char *, ...);

SEC("raw") int prog(u8 *m, u32 n) {
    return printf("%d", n); /* here */
}
#else
SEC("raw") int prog(u8 *m, u32 n) {
    bpf_printk("%d", n);
    return 0;
}
#endif
