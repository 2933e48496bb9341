// SPDX-License-Identifier: MIT
/*
 * Fletcher-32 checksum of a memory block of 16-bit words: on the board it checks a block in place
 * (r1 = memory, r2 = its length in bytes, r0 = the checksum). Sums are folded only every 359 words, the
 * most that cannot overflow 32 bits. The usual measure of small virtual machines: their published
 * figures are for 360 bytes.
 */
#include "bpf_mcu.h"

SEC("raw")
u64 fletcher32(const u16 *data, u32 size) {
    u32 low = 0xffff, high = 0xffff;
    u32 words = size / 2;
    while (words) {
        u32 block = words > 359 ? 359 : words;
        words -= block;
        do {
            low += *data++;
            high += low;
        } while (--block);
        low = (low & 0xffff) + (low >> 16);
        high = (high & 0xffff) + (high >> 16);
    }
    low = (low & 0xffff) + (low >> 16);
    high = (high & 0xffff) + (high >> 16);
    return high << 16 | low;
}
