/* SPDX-License-Identifier: MIT */
/* Code that clang compiles differently from v1 to v4: 32-bit arithmetic and jumps, sign extension, byte swaps,
 * atomics, a call through a pointer. */
#include "common.h"

static NOINLINE u32 arithmetic(u32 a, u32 b) {
    BARRIER(a);
    if (a < b)
        a += 7;
    return (a / (b | 1)) ^ (a << (b & 31));
}

static NOINLINE long extend(const signed char *p, const short *q) {
    return (long)*p + *q + (int)(*p * *q);
}

static NOINLINE u64 swap(u64 a) {
    BARRIER(a);
    return __builtin_bswap64(a) + __builtin_bswap32((u32)a) + __builtin_bswap16((u16)a);
}

typedef u64 (*step)(u64);
static step volatile pointer = swap;

SEC("raw") u64 isa(u8 *memory, u64 length) {
    u64 counter = 0;

    __sync_fetch_and_add(&counter, length);
    for (u32 i = 0; i < 8 && i < length; i++)
        counter += arithmetic(memory[i], i) + extend((signed char *)memory, (short *)memory);
    return pointer(counter);
}
