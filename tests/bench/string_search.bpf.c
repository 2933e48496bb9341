// SPDX-License-Identifier: MIT
/* Occurrences of a word in a text of 1 KiB, place after place: bytes, an inner loop that ends early. */
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
