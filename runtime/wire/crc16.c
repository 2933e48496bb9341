/* SPDX-License-Identifier: MIT */
/* Four bits a step: the table is the remainder of each high nibble. */
#include "bpf/wire.h"

uint16_t wire_crc16(uint16_t crc, const void *data, size_t size) {
    static const uint16_t table[16] = {
        0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
        0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef,
    };
    const uint8_t *p = data;

    while (size--) {
        uint8_t byte = *p++;
        crc = (uint16_t)(crc << 4 ^ table[crc >> 12 ^ byte >> 4]);
        crc = (uint16_t)(crc << 4 ^ table[crc >> 12 ^ (byte & 15)]);
    }
    return crc;
}
