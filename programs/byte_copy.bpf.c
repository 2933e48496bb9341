// SPDX-License-Identifier: MIT
/*
 * Copies 1,000 bytes, byte by byte, from a place that the length decides (so that nothing is known about its
 * alignment) to offset 1040: what a protocol stack does with payloads. r0 = the last byte.
 *
 *     bpf2thumb run --mem @packet.bin byte_copy.bpf.c
 */
#include "bpf_mcu.h"

#define BYTES 1000

SEC("raw")
u64 byte_copy(u8 *memory, u32 size) {
    const u8 *from = memory + (size & 15);
    u8 *to = memory + 1040;
    for (u32 i = 0; i < BYTES; i++)
        to[i] = from[i];
    return to[BYTES - 1];
}
