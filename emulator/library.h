/* SPDX-License-Identifier: MIT */
/* The library of runtime/ as built for the board, inside this executable. */
#ifndef EMULATOR_LIBRARY_H
#define EMULATOR_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

/* The bytes that lie at MEMMAP_LIBRARY. */
const void *library_image(size_t *size);

/* Entry addresses, bit 0 set. A helper that the library does not have is 0. */
uint32_t library_helper(uint32_t id);
uint32_t library_exit(void);        /* where a program returns to */
uint32_t library_interpreter(void); /* runs bytecode: r0 = program, r1 = context, r2 = length */

/* The name of the entry at an address, or null. */
const char *library_name(uint32_t address);

#endif
