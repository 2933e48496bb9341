// SPDX-License-Identifier: MIT
/* A struct as an argument. */
// expect: cannot be passed by value
// fix: pass a pointer
#include "bpf_mcu.h"

#ifndef MENDED
struct s {
    u64 a, b, c;
};
static __noinline u64 use(struct s s) {
    return s.a * s.b + s.c;
}

SEC("raw") int prog(u8 *m, u32 n) {
    struct s s = {n, m[0], m[1]};
    return use(s); /* here */
}
#else
struct s {
    u64 a, b, c;
};
static __noinline u64 use(const struct s *s) {
    return s->a * s->b + s->c;
}

SEC("raw") int prog(u8 *m, u32 n) {
    struct s s = {n, m[0], m[1]};
    return use(&s);
}
#endif
