// SPDX-License-Identifier: MIT
/* Loops that clang would turn into memset(), memcpy() and memmove(): they stay loops, without a message. */
// expect: nothing
#include "bpf_mcu.h"

static u8 a[4096], b[4096];

SEC("raw") int prog(u8 *m, u32 n) {
    for (u32 i = 0; i < sizeof(a); i++)
        a[i] = 0;
    for (u32 i = 0; i < n; i++)
        m[i] = 0xff;
    for (u32 i = 0; i < sizeof(b); i++)
        b[i] = a[i];
    for (u32 i = 0; i < sizeof(b) - 1; i++)
        b[i] = b[i + 1];
    return b[n & 4095];
}
