/* SPDX-License-Identifier: MIT */
/* CRC-32 as in zlib and IEEE 802.3: reflected, polynomial 0xedb88320; four bits a step, 64 B table. */
#include "bpf/blob.h"
#include "bpf/pause.h"

enum { PIECE = 64 }; /* bytes */

uint32_t bpf_crc32(uint32_t crc, const void *data, size_t size) {
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    const uint8_t *p = data;
    crc = ~crc;
    while (size--) {
        if (size % PIECE == PIECE - 1)
            bpf_pause();
        crc ^= *p++;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}
