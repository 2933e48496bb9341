/* SPDX-License-Identifier: MIT
 *
 * Random numbers (RM0090 24.3).
 */
#include "bsp.h"
#include "hal/chip.h"
#include "stm32f4.h"

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
