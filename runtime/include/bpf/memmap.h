/* SPDX-License-Identifier: MIT */
/*
 * Where things lie on the STM32F407 (RM0090 2.3), shared by the linker scripts' checks, the
 * emulator and the host interpreter's guest space, so that addresses are the same everywhere.
 */
#ifndef BPF_MEMMAP_H
#define BPF_MEMMAP_H

#define MEMMAP_FLASH 0x08000000u
#define MEMMAP_FLASH_SIZE 0x00100000u
#define MEMMAP_LIBRARY 0x08040000u /* unprivileged library: read and execute */
#define MEMMAP_LIBRARY_SIZE 0x00008000u
#define MEMMAP_STORE 0x080c0000u /* blobs: sectors 10 and 11 */
#define MEMMAP_STORE_SIZE 0x00040000u
#define MEMMAP_SRAM 0x20000000u
#define MEMMAP_SRAM_SIZE 0x00020000u
#define MEMMAP_ARENA 0x20010000u /* the emulator's and the host interpreter's one arena */
#define MEMMAP_ARENA_SIZE 0x00010000u

#endif
