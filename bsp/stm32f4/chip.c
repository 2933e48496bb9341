/* SPDX-License-Identifier: MIT
 *
 * CRC, identity.
 */
#include "hal/chip.h"
#include "bsp.h"
#include "rtos/driver.h"
#include "stm32f4.h"

/* ----- CRC (4.3) ------------------------------------------------------------------------------------ */

static bool crc_used;

/* Nobody waits for the unit: who finds it in use computes for himself. */
static bool crc_claim(void) {
    uint32_t key = kernel_lock();
    bool mine = part_there(PART_CRC) && !crc_used;
    if (mine)
        crc_used = true;
    kernel_unlock(key);
    if (mine)
        CRC_CR = CRC_CR_RESET;
    return mine;
}

uint32_t crc_words(const uint32_t *words, size_t count) {
    if (!crc_claim())
        return crc_update_words(UINT32_MAX, words, count);
    for (size_t i = 0; i < count; i++)
        CRC_DR = words[i];
    uint32_t crc = CRC_DR;
    crc_used = false;
    return crc;
}

static uint32_t word_at(const uint8_t *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Mirrored words in, the mirrored result inverted (rtos/driver/crc.c); the rest by software. */
uint32_t crc_zlib(const void *data, size_t length) {
    const uint8_t *bytes = data;
    if (length < 4 || !crc_claim())
        return crc_update_zlib(0, data, length);
    for (; length >= 4; length -= 4, bytes += 4)
        CRC_DR = bits_reverse(word_at(bytes));
    uint32_t crc = ~bits_reverse(CRC_DR);
    crc_used = false;
    return crc_update_zlib(crc, bytes, length);
}

/* ----- identity (39) ------------------------------------------------------------------------------ */

enum kernel_status chip_identity(struct chip_identity *out) {
    if (clock_now()->source == CLOCK_NONE) /* a read there is a BusFault in QEMU */
        return KERNEL_NOT_THERE;
    for (unsigned i = 0; i < 3; i++)
        out->unique[i] = UNIQUE_ID(i);
    out->flash_kib = FLASH_SIZE_WORD >> 16;
    out->idcode = DBGMCU_IDCODE;
    return KERNEL_OK;
}
