/* SPDX-License-Identifier: MIT
 *
 * Flash (RM0090 3.5, 3.6). An operation is: keys, flags cleared, what is to be done into CR, the word or
 * STRT, wait for BSY, CR back to locked. From the store to the end of BSY every read of the flash
 * stalls; the function that does this runs from SRAM, so that it can watch the time itself, and
 * the vector table is there as well (startup.c).
 *
 * QEMU drops stores to its flash, and has 64 KiB of RAM behind the chip's: three sectors of it stand for
 * the flash there.
 */
#include "hal/flash.h"
#include "bsp.h"
#include "stm32f4.h"

enum {
    WRITE_TRIES = 10000,    /* a word takes 100 us at most, data sheet table 40 */
    ERASE_TRIES = 60000000, /* a sector 2 s; a read of SR takes about 8 cycles */
};
static const uint32_t BLANK = 0xFFFFFFFF;
static const uint32_t FAKE_MARK_ADDRESS = 0x2002FFFC, FAKE_MARK = 0x464C5348;

/* The RAM of QEMU, and which of its sectors are the store's. */
static const struct flash_run fake_runs[] = {{0x20020000, 0x4000, 3}, {0, 0, 0}};
static const uint8_t fake_store[2] = {1, 2};

static struct mutex lock;

bool flash_is_ram(void) {
    return clock_now()->source == CLOCK_NONE;
}

/* ----- geometry ----------------------------------------------------------------------------------- */

static uint32_t chip_end(void) {
    return board_config.flash[0].address + (FLASH_SIZE_WORD >> 16) * 1024;
}

/* The firmware lies in front, and its library where the compiler and all blobs expect it. */
static bool holds_firmware(const struct flash_sector *sector) {
    if (flash_is_ram())
        return false;
    return sector->address < FIRMWARE_END ||
           (sector->address < LIBRARY_END && LIBRARY_START < sector->address + sector->size);
}

enum kernel_status flash_sector(unsigned wanted, struct flash_sector *out) {
    const struct flash_run *run = flash_is_ram() ? fake_runs : board_config.flash;
    const uint8_t *store = flash_is_ram() ? fake_store : board_config.store;
    for (unsigned number = wanted; run->size; run++) {
        if (number >= run->count) {
            number -= run->count;
            continue;
        }
        out->address = run->address + number * run->size;
        out->size = run->size;
        out->firmware = holds_firmware(out);
        out->store = wanted == store[0] || wanted == store[1];
        bool exists = flash_is_ram() || out->address + out->size <= chip_end();
        return exists ? KERNEL_OK : KERNEL_BAD_ARGUMENT; /* smaller chips have fewer */
    }
    return KERNEL_BAD_ARGUMENT;
}

unsigned flash_sector_count(void) {
    struct flash_sector sector;
    unsigned count = 0;
    while (!flash_sector(count, &sector))
        count++;
    return count;
}

/* All bytes lie in sectors that may be written. */
static enum kernel_status check_range(uint32_t address, size_t bytes) {
    struct flash_sector sector;
    for (unsigned i = 0; bytes && !flash_sector(i, &sector); i++) {
        uint32_t offset = address - sector.address;
        if (address < sector.address || offset >= sector.size)
            continue;
        if (sector.firmware)
            return KERNEL_PROTECTED;
        size_t here = sector.size - offset < bytes ? sector.size - offset : bytes;
        address += here;
        bytes -= here;
    }
    return bytes ? KERNEL_PROTECTED : KERNEL_OK;
}

/* ----- operations --------------------------------------------------------------------------------- */

/* Writes the word, or without an address starts what `control` says; returns the status register. */
__attribute__((section(".ramfunc"), noinline)) static uint32_t
operate(uint32_t control, uint32_t address, uint32_t word, uint32_t tries) {
    FLASH_CR = control;
    if (address)
        REG(address) = word;
    else
        FLASH_CR = control | FLASH_CR_STRT;
    BARRIER();
    while (FLASH_SR & FLASH_SR_BSY && tries) {
        tries--;
        IWDG_KR = IWDG_KR_FEED; /* nobody else can, and a reset would leave half a sector */
    }
    uint32_t status = FLASH_SR;
    FLASH_CR = FLASH_CR_LOCK;
    return status;
}

/* A wrong key, or one too many, locks until the next reset (3.6.1). */
static bool unlock(void) {
    if (FLASH_CR & FLASH_CR_LOCK) {
        FLASH_KEYR = FLASH_KEY1;
        FLASH_KEYR = FLASH_KEY2;
    }
    return !(FLASH_CR & FLASH_CR_LOCK);
}

static enum kernel_status run(uint32_t control, uint32_t address, uint32_t word, uint32_t tries) {
    if (FLASH_SR & FLASH_SR_BSY)
        return KERNEL_NOT_READY;
    if (!unlock())
        return KERNEL_LOCKED;
    FLASH_SR = FLASH_SR_ERRORS | FLASH_SR_EOP; /* errors of before refuse the next operation */
    uint32_t status = operate(control | FLASH_CR_PSIZE_32, address, word, tries);
    if (status & FLASH_SR_BSY)
        return KERNEL_NOT_READY;
    return status & FLASH_SR_ERRORS ? KERNEL_FAILED : KERNEL_OK;
}

/* Caches may hold what the sector held; they are emptied while they are off only (3.5.4). */
static void caches_flush(void) {
    uint32_t before = FLASH_ACR, off = before & ~(FLASH_ACR_ICEN | FLASH_ACR_DCEN);
    FLASH_ACR = off;
    FLASH_ACR = off | FLASH_ACR_ICRST | FLASH_ACR_DCRST;
    FLASH_ACR = off;
    FLASH_ACR = before;
}

static void fill(const struct flash_sector *sector) {
    for (uint32_t at = 0; at < sector->size; at += 4)
        REG(sector->address + at) = BLANK;
}

/* After a power-up the RAM that stands for flash holds anything. It survives a reset. */
void flash_init(void) {
    struct flash_sector sector;
    if (!flash_is_ram() || REG(FAKE_MARK_ADDRESS) == FAKE_MARK)
        return;
    for (unsigned i = 0; !flash_sector(i, &sector); i++)
        fill(&sector);
    REG(FAKE_MARK_ADDRESS) = FAKE_MARK;
}

static enum kernel_status write_word(uint32_t address, uint32_t word) {
    uint32_t old = REG(address);
    if (old == word)
        return KERNEL_OK;
    if (word & ~old)
        return KERNEL_NOT_ERASED;
    enum kernel_status status = KERNEL_OK;
    if (flash_is_ram())
        REG(address) = word;
    else
        status = run(FLASH_CR_PG, address, word, WRITE_TRIES);
    return !status && REG(address) != word ? KERNEL_FAILED : status;
}

enum kernel_status flash_write(uint32_t address, const uint32_t *words, size_t count) {
    if (address % 4 || !words || count > UINT32_MAX / 4)
        return KERNEL_BAD_ARGUMENT;
    enum kernel_status status = check_range(address, count * 4);
    if (!status)
        status = driver_lock(&lock);
    if (status)
        return status;
    for (size_t i = 0; i < count && !status; i++)
        status = write_word(address + (uint32_t)i * 4, words[i]);
    driver_unlock(&lock);
    return status;
}

static bool is_blank(const struct flash_sector *sector) {
    for (uint32_t at = 0; at < sector->size; at += 4)
        if (REG(sector->address + at) != BLANK)
            return false;
    return true;
}

enum kernel_status flash_erase(unsigned number) {
    struct flash_sector sector;
    enum kernel_status status = flash_sector(number, &sector);
    if (!status && sector.firmware)
        status = KERNEL_PROTECTED;
    if (!status)
        status = driver_lock(&lock);
    if (status)
        return status;
    if (flash_is_ram()) {
        fill(&sector);
    } else {
        status = run(FLASH_CR_SER | FLASH_CR_SNB(number), 0, 0, ERASE_TRIES);
        caches_flush();
    }
    if (!status && !is_blank(&sector))
        status = KERNEL_FAILED;
    driver_unlock(&lock);
    return status;
}
