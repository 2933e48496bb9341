// SPDX-License-Identifier: MIT
/*
 * Base64 (RFC 4648) of 384 bytes, for binary data that has to go through a text protocol: the input is the
 * beginning of the memory, the 512 characters lie behind it. Three bytes in, four characters out of a table in
 * flash. r0 mixes characters, as a cheap check for who compares two of them.
 *
 *     bpf2thumb run --text ...384 characters... base64.bpf.c
 */
#include "bpf_mcu.h"

#define IN 384

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

SEC("raw")
u64 base64(u8 *memory, u32 size) {
    u8 *out = memory + IN;
    u32 sum = 0;
    (void)size;
    for (u32 i = 0; i < IN; i += 3) {
        u32 x = (u32)memory[i] << 16 | (u32)memory[i + 1] << 8 | memory[i + 2];
        out[0] = digits[x >> 18];
        out[1] = digits[x >> 12 & 63];
        out[2] = digits[x >> 6 & 63];
        out[3] = digits[x & 63];
        sum += out[0] ^ out[3];
        out += 4;
    }
    return sum;
}
