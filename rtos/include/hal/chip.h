/* SPDX-License-Identifier: MIT
 *
 * Small units of the chip: random numbers, CRC, identity.
 */
#ifndef HAL_CHIP_H
#define HAL_CHIP_H

#include "rtos/kernel.h"

/* A number from the noise source that has passed its tests. From tasks; a wait of some us at most. */
enum kernel_status random_read(uint32_t *out);

/* By the unit where there is one and nobody else uses it, else by software. From anywhere. */
uint32_t crc_words(const uint32_t *words, size_t count); /* CRC-32/MPEG-2, most significant first */
uint32_t crc_zlib(const void *data, size_t length);      /* as zlib's crc32() */

struct chip_identity {
    uint32_t unique[3];
    uint32_t flash_kib;
    uint32_t idcode; /* DBGMCU_IDCODE: device and revision; 0 in some models */
};
enum kernel_status chip_identity(struct chip_identity *out);

#endif
