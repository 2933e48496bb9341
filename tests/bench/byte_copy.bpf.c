// SPDX-License-Identifier: MIT
/* A copy of 1,000 bytes, byte by byte, between buffers that a caller chose (so they may overlap). */
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
