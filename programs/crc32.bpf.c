// SPDX-License-Identifier: MIT
/*
 * CRC-32 (IEEE 802.3, as in zlib) of a memory block, with a table of 256 words that it makes at its
 * first run. On the board it checks a block in place, behind the MPU: r1 = memory, r2 = its length,
 * r0 = the CRC. One look-up a byte is how firmware does it where the CRC unit cannot.
 */
#include "bpf_mcu.h"

static u32 table[256];
static u32 ready;

static __noinline void fill_table(void) {
    for (u32 n = 0; n < 256; n++) {
        u32 c = n;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
        table[n] = c;
    }
    ready = 1;
}

SEC("raw")
u64 crc32(const u8 *data, u32 size) {
    if (!ready)
        fill_table();
    u32 crc = ~0u;
    for (u32 i = 0; i < size; i++)
        crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
    return (u32)~crc;
}
