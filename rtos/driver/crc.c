/* SPDX-License-Identifier: MIT
 *
 * CRC-32 (polynomial 0x04C11DB7) in its two forms, four bits at a time: a table of 64 bytes.
 * zlib's form takes the least significant bit first, so its state is the mirror image of the other's:
 *
 *     zlib(data) == ~mirror(words(mirror(each word of data)))     data as little-endian words
 */
#include "rtos/driver.h"

/* What four bits shift out of the reflected state leave behind. */
static const uint32_t table[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};

uint32_t bits_reverse(uint32_t word) {
    word = (word >> 1 & 0x55555555) | (word & 0x55555555) << 1;
    word = (word >> 2 & 0x33333333) | (word & 0x33333333) << 2;
    word = (word >> 4 & 0x0F0F0F0F) | (word & 0x0F0F0F0F) << 4;
    return __builtin_bswap32(word);
}

static uint32_t add_byte(uint32_t state, uint8_t byte) {
    state ^= byte;
    state = state >> 4 ^ table[state & 15];
    return state >> 4 ^ table[state & 15];
}

uint32_t crc_update_zlib(uint32_t crc, const void *data, size_t length) {
    const uint8_t *bytes = data;
    crc = ~crc;
    while (length--)
        crc = add_byte(crc, *bytes++);
    return ~crc;
}

uint32_t crc_update_words(uint32_t crc, const uint32_t *words, size_t count) {
    uint32_t state = bits_reverse(crc);
    for (size_t i = 0; i < count; i++) {
        uint32_t word = bits_reverse(words[i]);
        for (int shift = 0; shift < 32; shift += 8)
            state = add_byte(state, (uint8_t)(word >> shift));
    }
    return bits_reverse(state);
}
