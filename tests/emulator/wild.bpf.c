// SPDX-License-Identifier: MIT
/* Writes to a peripheral: both engines must stop it and name this file's line 9. */
#include "bpf_mcu.h"

SEC("raw")
u64 wild(u32 *memory, u32 length) {
    (void)length;
    memory[0] = 1;
    *(volatile u32 *)0x40020c14 = 5;
    return 0;
}
