// SPDX-License-Identifier: MIT
// Every store below writes a number of its own: elf-check looks for the line of each in the compiled code.
#include "bpf_mcu.h"

volatile u32 a, b;

static __attribute__((noinline)) u32 inner(u32 x) {
    if (x > 1000)
        a = 0x1111;
    return x * 3;
}

SEC("raw")
int lines(u32 *ctx) {
    u32 x = inner(ctx[0]);

    a = 0x2222;
    if (x & 1)
        a = 0x3333;
    else
        b = 0x4444;
    return inner(x);
}

SEC("raw")
int second(u32 *ctx) {
    ctx[0] = 0x5555;
    return 0;
}
