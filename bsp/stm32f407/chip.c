/* SPDX-License-Identifier: MIT
 *
 * Random numbers, CRC, identity.
 */
#include "hal/chip.h"
#include "bsp.h"
#include "rtos/driver.h"
#include "stm32f407.h"

/* ----- random numbers (RM0090 24.3) ---------------------------------------------------------------- */

enum { READY_TRIES = 10000, RESTARTS = 3 }; /* a number takes 40 cycles of the 48 MHz clock */

static struct {
    struct mutex lock;
    uint32_t previous;
    bool primed; /* `previous` holds a number */
} rng;

static void rng_restart(void) {
    RNG_CR = 0;
    RNG_SR = 0; /* clears SEIS and CEIS */
    RNG_CR = RNG_CR_RNGEN;
    rng.primed = false;
}

/* The next number, whatever it is worth. */
static enum kernel_status rng_next(uint32_t *out) {
    for (uint32_t i = 0; i < READY_TRIES; i++) {
        uint32_t status = RNG_SR;
        if (status & (RNG_SR_CECS | RNG_SR_CEIS))
            return KERNEL_NO_CLOCK;
        if (status & (RNG_SR_SECS | RNG_SR_SEIS))
            return KERNEL_BAD_RANDOM;
        if (status & RNG_SR_DRDY) {
            *out = RNG_DR;
            return KERNEL_OK;
        }
    }
    return KERNEL_NOT_READY;
}

/* 24.3.1: the first number is not used but kept, and each is compared with the one before; equal ones
 * are a failure (the continuous test of FIPS 140-2). */
static enum kernel_status rng_tested(uint32_t *out) {
    uint32_t number;
    enum kernel_status status = KERNEL_OK;
    if (!rng.primed) {
        status = rng_next(&rng.previous);
        rng.primed = !status;
    }
    if (!status)
        status = rng_next(&number);
    if (status)
        return status;
    if (number == rng.previous)
        return KERNEL_BAD_RANDOM;
    *out = rng.previous = number;
    return KERNEL_OK;
}

enum kernel_status random_read(uint32_t *out) {
    if (!part_there(PART_RNG))
        return KERNEL_NOT_THERE;
    if (!clock_now()->usb)
        return KERNEL_NO_CLOCK;
    enum kernel_status status = driver_lock(&rng.lock);
    if (status)
        return status;
    if (!rng.primed)
        rng_restart();
    status = rng_tested(out);
    for (int i = 0; status && i < RESTARTS; i++) {
        rng_restart();
        status = rng_tested(out);
    }
    driver_unlock(&rng.lock);
    return status;
}

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
