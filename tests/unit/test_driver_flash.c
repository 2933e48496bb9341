/* SPDX-License-Identifier: MIT
 *
 * The flash driver against a controller with the rules of RM0090 3.6: keys, PSIZE, errors that stay, ones
 * to zeros only, busy time, lock.
 */
#include "driver/model.h"

#include "bsp/stm32f407/config.c"

#include "bsp/stm32f4/parts.c"

#include "bsp/stm32f4/flash.c"
#include <criterion/criterion.h>

enum { ARRAY = 0x08000000, ARRAY_END = 0x08100000 };

static struct clock clock_model;
static struct chip {
    unsigned keys; /* right ones so far */
    bool dead;     /* wrong keys: until reset */
    unsigned busy; /* reads of SR until BSY ends; UINT_MAX: never */
    unsigned words, erases, refused, flushes;
    bool fail_next, stuck_bit;
    unsigned busy_time;
} chip;

const struct clock *clock_now(void) {
    return &clock_model;
}

static uint32_t read_register(uint32_t address, uint32_t stored) {
    if (address == FLASH_BASE + 0x0C && chip.busy) {
        if (chip.busy != UINT32_MAX && --chip.busy == 0)
            stored &= ~FLASH_SR_BSY;
        return stored;
    }
    if (address == FLASH_BASE + 0x04)
        return 0; /* KEYR */
    return stored;
}

static void key_written(uint32_t value) {
    static const uint32_t keys[] = {0x45670123, 0xCDEF89AB};
    uint32_t cr = model_get(FLASH_BASE + 0x10);
    if (chip.dead || !(cr & FLASH_CR_LOCK) || value != keys[chip.keys]) {
        chip.dead = true;
    } else if (++chip.keys == 2) {
        model_set(FLASH_BASE + 0x10, cr & ~FLASH_CR_LOCK);
        chip.keys = 0;
    }
}

static void start_busy(void) {
    chip.busy = chip.busy_time;
    model_set(FLASH_BASE + 0x0C, model_get(FLASH_BASE + 0x0C) | (chip.busy ? FLASH_SR_BSY : 0));
}

static void refuse(uint32_t flag) {
    chip.refused++;
    model_set(FLASH_BASE + 0x0C, model_get(FLASH_BASE + 0x0C) | flag);
}

static void control_written(uint32_t value, uint32_t before) {
    if (before & FLASH_CR_LOCK) { /* a locked CR keeps what it has */
        model_set(FLASH_BASE + 0x10, before);
        return;
    }
    if (!(value & FLASH_CR_STRT))
        return;
    model_set(FLASH_BASE + 0x10, value & ~FLASH_CR_STRT);
    if (!(value & FLASH_CR_SER) || model_get(FLASH_BASE + 0x0C) & FLASH_SR_ERRORS) {
        refuse(0x80);
        return;
    }
    static const uint32_t starts[] = {0x00000, 0x04000, 0x08000, 0x0C000, 0x10000, 0x20000, 0x40000,
                                      0x60000, 0x80000, 0xA0000, 0xC0000, 0xE0000, 0x100000};
    unsigned sector = value >> 3 & 15;
    chip.erases++;
    for (uint32_t at = starts[sector]; at < starts[sector + 1]; at += 4)
        model_set(ARRAY + at, chip.fail_next && at == starts[sector] + 8 ? 0 : UINT32_MAX);
    start_busy();
}

static void word_written(uint32_t address, uint32_t value, uint32_t before) {
    uint32_t cr = model_get(FLASH_BASE + 0x10);
    model_set(address, before);
    if (cr & FLASH_CR_LOCK || !(cr & FLASH_CR_PG) || (cr & 0x300) != FLASH_CR_PSIZE_32 ||
        model_get(FLASH_BASE + 0x0C) & FLASH_SR_ERRORS || chip.fail_next) {
        refuse(cr & FLASH_CR_PG ? 0x40 : 0x80);
        return;
    }
    chip.words++;
    model_set(address, before & (chip.stuck_bit ? value | 1 : value));
    start_busy();
}

static void written(uint32_t address, uint32_t value, uint32_t before) {
    if (address == FLASH_BASE + 0x04)
        key_written(value);
    else if (address == FLASH_BASE + 0x0C) /* flags are cleared by ones; BSY is not */
        model_set(address, before & (~value | FLASH_SR_BSY));
    else if (address == FLASH_BASE + 0x10)
        control_written(value, before);
    else if (address == FLASH_BASE && value & (FLASH_ACR_ICRST | FLASH_ACR_DCRST))
        chip.flushes += !(value & (FLASH_ACR_ICEN | FLASH_ACR_DCEN));
    else if (address >= ARRAY && address < ARRAY_END)
        word_written(address, value, before);
}

static void setup(void) {
    static const struct model_device device = {read_register, written};
    model_reset(&device);
    clock_model.source = CLOCK_HSE_PLL;
    chip = (struct chip){.busy_time = 20};
    model_set(FLASH_BASE + 0x10, FLASH_CR_LOCK);
    model_set(FLASH_BASE, 5 | FLASH_ACR_ICEN | FLASH_ACR_DCEN);
    model_set(0x1FFF7A20, 1024u << 16);
    for (uint32_t at = 0x08010000; at < 0x08010100; at += 4)
        model_set(at, UINT32_MAX);
    lock.owner = NULL;
}

/* After each call, whatever came of it, the controller is locked and the mutex free. */
static enum kernel_status locked_again(enum kernel_status status) {
    cr_assert(model_get(FLASH_BASE + 0x10) & FLASH_CR_LOCK);
    cr_assert(!lock.owner);
    return status;
}

#define WRITE(...) locked_again(flash_write(__VA_ARGS__))
#define ERASE(sector) locked_again(flash_erase(sector))

TestSuite(flash, .init = setup);

Test(flash, geometry) {
    struct flash_sector sector;
    uint32_t next = ARRAY;
    cr_assert_eq(flash_sector_count(), 12);
    for (unsigned i = 0; i < 12; i++) {
        cr_assert_eq(flash_sector(i, &sector), KERNEL_OK);
        cr_assert_eq(sector.address, next);
        next += sector.size;
        cr_assert_eq(sector.firmware, i < 3 || i == 6); /* 36 KiB of firmware; its library */
        cr_assert_eq(sector.store, i == 10 || i == 11);
    }
    cr_assert_eq(next, ARRAY_END);
    model_set(0x1FFF7A20, 512u << 16);
    cr_assert_eq(flash_sector_count(), 8);
}

Test(flash, writes_words) {
    const uint32_t words[3] = {1, 2, UINT32_MAX};
    cr_assert_eq(WRITE(0x08010010, words, 3), KERNEL_OK);
    cr_assert_eq(model_get(0x08010010), 1);
    cr_assert_eq(model_get(0x08010014), 2);
    cr_assert_eq(chip.words, 2); /* the third is there already */
    cr_assert_eq(chip.refused, 0);
}

Test(flash, old_errors_do_not_matter) {
    const uint32_t word = 5;
    model_set(FLASH_BASE + 0x0C, 0xF0);
    cr_assert_eq(WRITE(0x08010000, &word, 1), KERNEL_OK);
    cr_assert_eq(model_get(0x08010000), 5);
}

Test(flash, only_zeros) {
    const uint32_t words[2] = {0xFF00, 0x1FF00};
    cr_assert_eq(WRITE(0x08010000, &words[0], 1), KERNEL_OK);
    cr_assert_eq(WRITE(0x08010000, &words[1], 1), KERNEL_NOT_ERASED);
    const uint32_t fewer[3] = {0x0F00, 3, 4};
    model_set(0x08010004, 0);
    cr_assert_eq(WRITE(0x08010000, fewer, 3), KERNEL_NOT_ERASED);
    cr_assert_eq(model_get(0x08010000), 0x0F00);
    cr_assert_eq(model_get(0x08010008), UINT32_MAX); /* nothing behind the refused one */
}

Test(flash, protects_the_firmware) {
    const uint32_t words[2] = {0, 0};
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(ERASE(i), KERNEL_PROTECTED);
    cr_assert_eq(WRITE(0x08000000, words, 1), KERNEL_PROTECTED);
    cr_assert_eq(WRITE(0x0800BFFC, words, 2), KERNEL_PROTECTED);
    cr_assert_eq(WRITE(0x080FFFFC, words, 2), KERNEL_PROTECTED);
    cr_assert_eq(WRITE(0x07FFFFFC, words, 2), KERNEL_PROTECTED);
    cr_assert_eq(WRITE(0x20000000, words, 1), KERNEL_PROTECTED);
    cr_assert_eq(WRITE(0x08010000, words, UINT32_MAX / 4), KERNEL_PROTECTED);
    cr_assert_eq(WRITE(0x08010000, words, SIZE_MAX), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(WRITE(0x08010001, words, 1), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(WRITE(0x08010000, NULL, 1), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(ERASE(12), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(chip.words + chip.erases + chip.refused, 0);
}

Test(flash, erases) {
    model_set(0x08010004, 0);
    cr_assert_eq(ERASE(4), KERNEL_OK);
    cr_assert_eq(chip.erases, 1);
    cr_assert_eq(model_get(0x08010004), UINT32_MAX);
    cr_assert_eq(chip.flushes, 1);
    cr_assert_eq(model_get(FLASH_BASE), 5 | FLASH_ACR_ICEN | FLASH_ACR_DCEN);
}

Test(flash, erase_that_leaves_zeros) {
    chip.fail_next = true;
    cr_assert_eq(ERASE(4), KERNEL_FAILED);
}

Test(flash, controller_refuses) {
    const uint32_t word = 5;
    chip.fail_next = true;
    cr_assert_eq(WRITE(0x08010000, &word, 1), KERNEL_FAILED);
    chip.fail_next = false;
    cr_assert_eq(WRITE(0x08010000, &word, 1), KERNEL_OK); /* the flag was cleared */
}

Test(flash, bit_that_does_not_take) {
    const uint32_t word = 4;
    chip.stuck_bit = true;
    cr_assert_eq(WRITE(0x08010000, &word, 1), KERNEL_FAILED);
}

Test(flash, never_ready) {
    const uint32_t word = 4;
    chip.busy_time = UINT32_MAX;
    cr_assert_eq(WRITE(0x08010000, &word, 1), KERNEL_NOT_READY);
    cr_assert_eq(WRITE(0x08010004, &word, 1), KERNEL_NOT_READY); /* still busy */
}

Test(flash, wrong_keys_lock_for_good) {
    const uint32_t word = 4;
    chip.dead = true;
    cr_assert_eq(WRITE(0x08010000, &word, 1), KERNEL_LOCKED);
    cr_assert_eq(ERASE(5), KERNEL_LOCKED);
}

Test(flash, another_has_it) {
    const uint32_t word = 4;
    lock.owner = (struct task *)&lock;
    cr_assert_eq(flash_write(0x08010000, &word, 1), KERNEL_ALREADY_OWNER);
    cr_assert_eq(flash_erase(5), KERNEL_ALREADY_OWNER);
    cr_assert_eq(chip.words + chip.erases, 0);
    lock.owner = NULL;
}

/* A task that ended inside the driver: the next one has the mutex, goes on and gives it back. */
Test(flash, owner_died) {
    const uint32_t word = 4;
    model_kernel.owner_died = true;
    cr_assert_eq(WRITE(0x08010000, &word, 1), KERNEL_OK);
    cr_assert_null(lock.owner);
    cr_assert_eq(WRITE(0x08010004, &word, 1), KERNEL_OK);
}

Test(flash, before_the_kernel) {
    const uint32_t word = 4;
    model_kernel.task = NULL;
    cr_assert_eq(WRITE(0x08010000, &word, 1), KERNEL_OK);
}

/* QEMU: sectors in RAM, the same rules, blank after a power-up and kept over a reset. */
Test(flash, in_ram) {
    clock_model.source = CLOCK_NONE;
    flash_init();
    struct flash_sector sector;
    const uint32_t words[2] = {0x10, 0x30};
    cr_assert_eq(flash_sector_count(), 3);
    cr_assert_eq(flash_sector(0, &sector), KERNEL_OK);
    cr_assert(!sector.firmware);
    cr_assert_eq(WRITE(sector.address + 8, words, 1), KERNEL_OK);
    cr_assert_eq(model_get(sector.address), UINT32_MAX);
    cr_assert_eq(model_get(sector.address + 8), 0x10);
    cr_assert_eq(WRITE(sector.address + 8, words + 1, 1), KERNEL_NOT_ERASED);
    flash_init();
    cr_assert_eq(WRITE(sector.address + 12, words, 1), KERNEL_OK);
    cr_assert_eq(model_get(sector.address + 8), 0x10);
    cr_assert_eq(ERASE(0), KERNEL_OK);
    cr_assert_eq(model_get(sector.address + 8), UINT32_MAX);
    cr_assert_eq(WRITE(sector.address - 4, words, 1), KERNEL_PROTECTED);
    cr_assert_eq(chip.words + chip.erases + chip.refused, 0);
}
