// SPDX-License-Identifier: MIT
/*
 * Tables that are indexed from another number than 0, as by characters: the constant that is taken off
 * gives an address below the table, below all of the arena, or far beyond either. Assembly fixes where
 * it is taken off: clang puts it into the index or the address as it likes.
 */
#include "bpf_mcu.h"

#define MOVED(table, elements)                                                                     \
    ({                                                                                             \
        typeof(&(table)[0]) moved_ = (table);                                                      \
        __asm__("%0 += %1" : "+r"(moved_) : "i"((elements) * (int)sizeof((table)[0])));            \
        moved_;                                                                                    \
    })

static u32 letters[26];
static u8 large[6000];
static const u32 weights[4] = {7, 70, 700, 7000};

SEC("raw")
u64 offsets(const u8 *data, u32 size) {
    u32 *by_letter = MOVED(letters, -'a');
    u64 sum = 0;
    for (u32 i = 'a'; i <= 'z'; i++)
        by_letter[i] = i;
    for (u32 i = 0; i < size; i++)
        sum = sum * 3 + MOVED(letters, -'a')[data[i]] * MOVED(weights, -5000)[5000 + (data[i] & 3)];
    for (u32 i = 0; i < size; i++) {
        MOVED(large, 5003)[i] = data[i];
        MOVED(large, -16300)[i + 16300] = 1;
        sum += MOVED(large, -13)[i + 13] + MOVED(large, -5555)[i + 5555 + 5003] +
               MOVED(large, 30001)[(s64)i - 30001] + MOVED(large, 0x34567)[(s64)i - 0x34567];
    }
    return sum;
}
