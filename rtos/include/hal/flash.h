/* SPDX-License-Identifier: MIT
 *
 * The flash of the chip. It is read as memory. Bits go from 1 to 0 by a write, and back by the erase of
 * their sector only. While a word is written (at most 100 us) or a sector is erased (up to 2 s) every
 * access to the flash stalls, the next instruction of any task included: do not erase while
 * something must be on time.
 */
#ifndef HAL_FLASH_H
#define HAL_FLASH_H

#include "rtos/kernel.h"

struct flash_sector {
    uint32_t address, size;
    bool firmware; /* holds the firmware or its library: neither written nor erased */
    bool store;    /* of installed programs: rtos/programs.h has it, nobody else writes here */
};

/* Sectors follow each other without gaps. Where the flash cannot be written (QEMU) these are sectors in
 * RAM, which obey the same rules and are blank after a power-up. */
unsigned flash_sector_count(void);
enum kernel_status flash_sector(unsigned number, struct flash_sector *out);
bool flash_is_ram(void);

/* From tasks, or before kernel_start(). Address is a multiple of 4. A word that holds zeros where
 * `words` has ones is refused, and so is everything after it. */
enum kernel_status flash_write(uint32_t address, const uint32_t *words, size_t count);
enum kernel_status flash_erase(unsigned sector);

#endif
