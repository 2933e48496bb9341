// SPDX-License-Identifier: MIT
/* A struct of more than 8 bytes as a result. */
// expect: returns at most 8 bytes
// fix: pointer argument
#include "bpf_mcu.h"

#ifndef MENDED
struct s {
    u64 a, b, c;
};
static __noinline struct s make(u32 n) { /* here */
    return (struct s){n, n + 1, n * 3};
}

SEC("raw") int prog(u8 *m, u32 n) {
    return make(n).c;
}
#else
struct s {
    u64 a, b, c;
};
static __noinline void make(struct s *s, u32 n) {
    *s = (struct s){n, n + 1, n * 3};
}

SEC("raw") int prog(u8 *m, u32 n) {
    struct s s;
    make(&s, n);
    return s.c;
}
#endif
