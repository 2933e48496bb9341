// SPDX-License-Identifier: MIT
/* A large struct is copied with memcpy() by the compiler. */
// expect: memcpy() of many bytes
// fix: loop
#include "bpf_mcu.h"

#ifndef MENDED
struct s {
    u64 c[400];
};

SEC("raw") int prog(struct s *m, u32 n) {
    m[0] = m[1]; /* here */
    return 0;
}
#else
struct s {
    u64 c[400];
};

SEC("raw") int prog(struct s *m, u32 n) {
    for (u32 i = 0; i < 400; i++)
        m[0].c[i] = m[1].c[i];
    return 0;
}
#endif
