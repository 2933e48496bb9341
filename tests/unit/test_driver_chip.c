/* SPDX-License-Identifier: MIT
 *
 * Random numbers from a source with every fault of RM0090 24.3.2; CRC by a unit that does what 4.3 says.
 */
#include "driver/model.h"

#include "bsp/stm32f407/config.c"

#include "bsp/stm32f4/parts.c"

#include "bsp/stm32f4/chip.c"
#include "bsp/stm32f4/random.c"
#include <criterion/criterion.h>

enum { CR = 0x50060800, SR = 0x50060804, DR = 0x50060808 };

static struct clock clock_model;
static struct source {
    uint32_t number;     /* next one */
    unsigned stuck;      /* so many numbers are equal to the one before */
    unsigned seed_error; /* before so many restarts */
    unsigned restarts;
    unsigned wait; /* reads of SR until a number is ready; UINT_MAX: never */
    unsigned left;
    bool no_clock;
} source;
static uint32_t crc_state;

const struct clock *clock_now(void) {
    return &clock_model;
}

static uint32_t status(void) {
    if (source.no_clock)
        return RNG_SR_CECS | RNG_SR_CEIS;
    if (source.restarts <= source.seed_error)
        return RNG_SR_SECS | RNG_SR_SEIS | RNG_SR_DRDY; /* a number that must not be used */
    if (source.left != UINT32_MAX && source.left > 0)
        source.left--;
    return source.left ? 0 : RNG_SR_DRDY;
}

static uint32_t read_register(uint32_t address, uint32_t stored) {
    if (address == SR)
        return status();
    if (address == DR) {
        source.left = source.wait;
        if (source.stuck)
            source.stuck--;
        else
            source.number = source.number * 1664525 + 1013904223;
        return source.number;
    }
    if (address == 0x40023000)
        return crc_state;
    return stored;
}

static void written(uint32_t address, uint32_t value, uint32_t before) {
    if (address == CR && value & ~before & RNG_CR_RNGEN) {
        source.restarts++;
        source.left = source.wait;
    }
    if (address == 0x40023000)
        crc_state = crc_update_words(crc_state, &value, 1);
    if (address == 0x40023008) {
        crc_state = UINT32_MAX;
        model_set(address, 0);
    }
}

static void setup(void) {
    static const struct model_device device = {read_register, written};
    model_reset(&device);
    clock_model.usb = true;
    source = (struct source){.number = 1, .wait = 5};
    rng.primed = false;
    rng.lock.owner = NULL;
    parts_there = 1u << PART_RNG | 1u << PART_CRC;
}

/* After each call the generator is free. */
static enum kernel_status read_random(uint32_t *out) {
    enum kernel_status status = random_read(out);
    cr_assert(!rng.lock.owner);
    return status;
}

TestSuite(rng, .init = setup);
TestSuite(crc, .init = setup);

/* The first number is kept back; all that are given out are new. */
Test(rng, numbers) {
    uint32_t first = 1 * 1664525 + 1013904223, number, before = first;
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(read_random(&number), KERNEL_OK);
        cr_assert_neq(number, before);
        before = number;
    }
    cr_assert_eq(source.restarts, 1);
}

Test(rng, equal_numbers) {
    uint32_t number = 0, other;
    cr_assert_eq(read_random(&number), KERNEL_OK);
    source.stuck = 1;
    cr_assert_eq(read_random(&other), KERNEL_OK); /* after a restart */
    cr_assert_neq(other, number);
    cr_assert_eq(source.restarts, 2);
    source.stuck = 1000;
    other = 7;
    cr_assert_eq(read_random(&other), KERNEL_BAD_RANDOM);
    cr_assert_eq(other, 7);
    source.stuck = 0;
    cr_assert_eq(read_random(&other), KERNEL_OK);
}

Test(rng, seed_error) {
    uint32_t number;
    source.seed_error = 2;
    cr_assert_eq(read_random(&number), KERNEL_OK);
    cr_assert_eq(source.restarts, 3);
    source.seed_error = 100;
    rng.primed = false;
    cr_assert_eq(read_random(&number), KERNEL_BAD_RANDOM);
}

Test(rng, no_clock) {
    uint32_t number;
    source.no_clock = true;
    cr_assert_eq(read_random(&number), KERNEL_NO_CLOCK);
    source.no_clock = false;
    clock_model.usb = false;
    cr_assert_eq(read_random(&number), KERNEL_NO_CLOCK);
}

Test(rng, never_ready) {
    uint32_t number;
    source.wait = UINT32_MAX;
    cr_assert_eq(read_random(&number), KERNEL_NOT_READY);
    parts_there = 0;
    cr_assert_eq(read_random(&number), KERNEL_NOT_THERE);
}

/* Both forms, with and without the unit, and while somebody else has it. */
Test(crc, unit_and_software_agree) {
    uint8_t bytes[64];
    uint32_t words[16];
    for (unsigned i = 0; i < 64; i++)
        bytes[i] = (uint8_t)(i * i * 7 + 3);
    memcpy(words, bytes, 64);
    for (int mode = 0; mode < 3; mode++) {
        parts_there = mode == 0 ? 0 : 1u << PART_CRC;
        crc_used = mode == 2;
        cr_assert_eq(crc_zlib("123456789", 9), 0xCBF43926);
        cr_assert_eq(crc_used, mode == 2);
        for (unsigned length = 0; length <= 60; length++)
            cr_assert_eq(crc_zlib(bytes + 3, length), crc_update_zlib(0, bytes + 3, length));
        for (unsigned count = 0; count <= 16; count++)
            cr_assert_eq(crc_words(words, count), crc_update_words(UINT32_MAX, words, count));
        crc_used = false;
    }
}

Test(crc, identity) {
    struct chip_identity chip;
    for (uint32_t i = 0; i < 3; i++)
        model_set(0x1FFF7A10 + 4 * i, 100 + i);
    model_set(0x1FFF7A20, 1024u << 16 | 0xFFFF);
    model_set(0xE0042000, 0x10076413);
    clock_model.source = CLOCK_HSI;
    cr_assert_eq(chip_identity(&chip), KERNEL_OK);
    cr_assert(chip.unique[0] == 100 && chip.unique[2] == 102 && chip.flash_kib == 1024);
    cr_assert_eq(chip.idcode, 0x10076413);
    clock_model.source = CLOCK_NONE;
    cr_assert_eq(chip_identity(&chip), KERNEL_NOT_THERE);
}
