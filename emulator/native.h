/* SPDX-License-Identifier: MIT */
/*
 * Native code on the bare machine: a function of an ARM ELF that was linked for the program's place
 * (code from MEMMAP_STORE, data from NATIVE_DATA), with the same memory and the same cycle model as
 * compiled eBPF. Benchmarks compare the two.
 */
#ifndef EMULATOR_NATIVE_H
#define EMULATOR_NATIVE_H

#include "machine.h"

#include "util/arena.h"
#include "util/diag.h"

#include <stdbool.h>

#define NATIVE_STACK 0x2000u                      /* the arena's first part, below the data */
#define NATIVE_DATA (MEMMAP_ARENA + NATIVE_STACK) /* where .data and .bss begin */

struct native {
    uint32_t entry;        /* of the symbol, without the Thumb bit */
    uint32_t text;         /* bytes of executable sections */
    uint32_t rodata, data; /* of other sections in flash; of writable ones */
    uint32_t memory;       /* address of the memory that the function gets */
    uint32_t memory_size;
};

/* Loads the ELF file and makes `memory_size` bytes of memory behind its data. */
bool native_load(struct machine *m, const char *path, const char *symbol, uint32_t memory_size,
                 struct arena *arena, struct native *native, struct diag *diag);

/* Calls symbol(memory, length) with `bytes` in the memory. Data keep what earlier calls left. */
void native_call(struct machine *m, const struct native *native, const void *bytes, uint32_t length,
                 struct machine_result *result);

#endif
