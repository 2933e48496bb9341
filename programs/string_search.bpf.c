// SPDX-License-Identifier: MIT
/*
 * Finds the word "real" in a text of 1 KiB, place after place: a filter on log lines. r0: how often (bits 32
 * up) and where last. Bytes, an inner loop that ends early.
 *
 *     bpf2thumb run --text 'a real one' string_search.bpf.c
 */
#include "bpf_mcu.h"

#define TEXT 1024
#define WORD 4

static const char word[WORD] = "real";

SEC("raw")
u64 string_search(const u8 *text, u32 size) {
    u32 count = 0, last = 0;
    (void)size;
    for (u32 i = 0; i <= TEXT - WORD; i++) {
        u32 n = 0;
        while (n < WORD && text[i + n] == (u8)word[n])
            n++;
        if (n == WORD) {
            count++;
            last = i;
        }
    }
    return (u64)count << 32 | last;
}
