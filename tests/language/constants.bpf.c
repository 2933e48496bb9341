// SPDX-License-Identifier: MIT
/*
 * Constant data as clang spreads it: tables in .rodata, strings in .rodata.str1.1, 16-byte constants in
 * .rodata.cst16. Without relocations all of them lie behind the code, one after the other.
 */
#include "bpf_mcu.h"

static const u32 squares[8] = {0, 1, 4, 9, 16, 25, 36, 49};
static const struct { u32 word[4]; } numbers = {{1, 20, 300, 4000}};
volatile const u8 marks[5] SEC(".rodata.marks") = {11, 22, 33, 44, 55};

/* Not inlined, so that the address of each section is a value of its own. */
static __noinline u32 fourth(const u32 *word) {
    return word[3];
}

SEC("raw")
u64 constants(const u8 *data, u32 size) {
    struct {
        u32 word[4];
    } copy;
    __builtin_memcpy(&copy, &numbers, sizeof(copy));
    const char *text = size & 1 ? "odd" : "even";
    bpf_printk("%s", text);
    u32 mark = marks[data[0] % 5];
    return squares[data[0] & 7] + fourth(copy.word) * 10 + fourth(squares + 4) * 100000 +
           mark * 1000000ull;
}
