/* SPDX-License-Identifier: MIT */
/*
 * The flash controller of the board: keys, parallelism, every refusal, times, stalls, and what is left
 * when power goes or a reset falls into an operation (RM0090 3).
 */
#include "devices/fake_board.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
    ACR = 0x40023C00,
    KEYR = ACR + 0x04,
    OPTKEYR = ACR + 0x08,
    SR = ACR + 0x0C,
    CR = ACR + 0x10,
    OPTCR = ACR + 0x14,
    BASE = 0x08000000,
    IRQ = 4,
    EOP = 1,
    OPERR = 2,
    WRPERR = 0x10,
    PGAERR = 0x20,
    PGPERR = 0x40,
    PGSERR = 0x80,
    BSY = 0x10000,
    PG = 1,
    SER = 2,
    MER = 4,
    X8 = 0,
    X16 = 1 << 8,
    X32 = 2 << 8,
    STRT = 1 << 16,
    EOPIE = 1 << 24,
    ERRIE = 1 << 25,
    KEY1 = 0x45670123,
    US = 16, /* cycles at reset's 16 MHz */
    MS = 16000,
};
static const uint32_t LOCK = 1u << 31, KEY2 = 0xCDEF89AB;
static const uint32_t WORD = BASE + 0x20000; /* in sector 5 */

static uint8_t flash[BOARD_FLASH_SIZE];
static struct board *b;

static struct board *fresh(uint64_t cut_power_at) {
    struct board *board =
        board_new(&(struct board_config){.flash = flash, .cut_power_at = cut_power_at});
    board_reset(board, BOARD_RESET_POWER);
    return board;
}

static void setup(void) {
    memset(flash, 0xFF, sizeof(flash));
    b = fresh(0);
}

static void teardown(void) {
    board_free(b);
}

TestSuite(devices_flash, .init = setup, .fini = teardown);

static void unlock(struct board *board) {
    fake_write(board, KEYR, KEY1);
    fake_write(board, KEYR, KEY2);
}

static uint32_t word_at(uint32_t address) {
    uint32_t value;
    memcpy(&value, flash + (address - BASE), 4);
    return value;
}

static void store(struct board *board, uint32_t address, unsigned size, uint32_t value) {
    cr_assert(board_bus_write(board, BUS_CORE, address, size, value));
}

/* ------------------------------------------------------------------------------------------------
 * Keys */

Test(devices_flash, locked_at_reset) {
    cr_assert_eq(fake_read(b, CR), LOCK);
    fake_write(b, CR, PG | X32);
    cr_assert_eq(fake_read(b, CR), LOCK);
    store(b, WORD, 4, 0);
    cr_assert_eq(word_at(WORD), UINT32_MAX);
    cr_assert_eq(fake_read(b, SR), PGSERR | PGPERR);
}

Test(devices_flash, unlock_and_lock_again) {
    unlock(b);
    cr_assert_eq(fake_read(b, CR), 0);
    fake_write(b, CR, LOCK);
    cr_assert_eq(fake_read(b, CR), LOCK);
    unlock(b);
    cr_assert_eq(fake_read(b, CR), 0);
}

Test(devices_flash, wrong_keys_lock_until_reset) {
    static const uint32_t orders[][3] = {
        {0xCDEF89AB, 0x45670123, 0xCDEF89AB},
        {0x45670123, 0x45670123, 0xCDEF89AB},
        {0, 0x45670123, 0xCDEF89AB},
        {0x45670123, 0xCDEF89AB, 0x45670123}, /* was open already */
    };
    for (unsigned i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        for (unsigned k = 0; k < 3; k++)
            fake_write(b, KEYR, orders[i][k]);
        unlock(b);
        cr_assert_eq(fake_read(b, CR), LOCK, "order %u", i);
        cr_assert(fake_noted(b, "locked until reset"));
        board_reset(b, BOARD_RESET_SOFTWARE);
        unlock(b);
        cr_assert_eq(fake_read(b, CR), 0);
        board_reset(b, BOARD_RESET_SOFTWARE);
    }
}

Test(devices_flash, a_key_while_it_is_open_locks) {
    unlock(b);
    fake_write(b, KEYR, KEY1);
    cr_assert_eq(fake_read(b, CR), LOCK);
}

Test(devices_flash, read_protection_is_refused) {
    fake_write(b, OPTKEYR, 0x08192A3B);
    fake_write(b, OPTKEYR, 0x4C5D6E7F);
    fake_write(b, OPTCR, 0x0FFF55EC);
    cr_assert_eq(fake_read(b, OPTCR), 0x0FFFAAEC);
    cr_assert(fake_noted(b, "read protection"));
}

Test(devices_flash, reset_forgets_wait_states) {
    fake_write(b, ACR, 0x705);
    cr_assert_eq(board_clocks(b)->wait_states, 5);
    board_reset(b, BOARD_RESET_SOFTWARE);
    cr_assert_eq(board_clocks(b)->wait_states, 0);
    cr_assert_not(board_clocks(b)->icache);
}

Test(devices_flash, option_keys) {
    fake_write(b, OPTCR, 0x0FFEAAEC);
    cr_assert_eq(fake_read(b, OPTCR), 0x0FFFAAED, "locked");
    fake_write(b, OPTKEYR, 0x08192A3B);
    fake_write(b, OPTKEYR, 0x4C5D6E7F);
    cr_assert_eq(fake_read(b, OPTCR), 0x0FFFAAEC);
    fake_write(b, OPTCR, 0x0FDFAAEC | 2); /* sector 5 is protected */
    cr_assert(fake_read(b, SR) & BSY);
    fake_run(b, 16 * US);
    cr_assert_eq(fake_read(b, OPTCR), 0x0FDFAAEC, "OPTSTRT is over");
    board_reset(b, BOARD_RESET_SOFTWARE);
    cr_assert_eq(fake_read(b, OPTCR), 0x0FDFAAED);
}

/* ------------------------------------------------------------------------------------------------
 * Programming */

static const struct {
    const char *what;
    uint32_t cr, address;
    unsigned size;
    uint32_t value, after, sr;
} programs[] = {
    {"word", PG | X32, WORD, 4, 0x12345678, 0x12345678, 0},
    {"half word", PG | X16, WORD + 2, 2, 0x1234, 0x1234FFFF, 0},
    {"byte", PG | X8, WORD + 1, 1, 0x12, 0xFFFF12FF, 0},
    {"PG is off", X32, WORD, 4, 0, UINT32_MAX, PGSERR},
    {"an erase is set up", PG | SER | X32, WORD, 4, 0, UINT32_MAX, PGSERR},
    {"a mass erase is set up", PG | MER | X32, WORD, 4, 0, UINT32_MAX, PGSERR},
    {"word at x8", PG | X8, WORD, 4, 0, UINT32_MAX, PGPERR},
    {"word at x16", PG | X16, WORD, 4, 0, UINT32_MAX, PGPERR},
    {"half word at x32", PG | X32, WORD, 2, 0, UINT32_MAX, PGPERR},
    {"byte at x32", PG | X32, WORD, 1, 0, UINT32_MAX, PGPERR},
    {"word at x64", PG | 3 << 8, WORD, 4, 0, UINT32_MAX, PGPERR},
    {"neither PG nor parallelism", X8, WORD, 4, 0, UINT32_MAX, PGSERR | PGPERR},
    {"across a row", PG | X32, WORD + 14, 4, 0, UINT32_MAX, PGAERR},
    {"at a row's end", PG | X32, WORD + 12, 4, 0x55, UINT32_MAX, 0},
};

Test(devices_flash, programming) {
    for (unsigned i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        memset(flash, 0xFF, sizeof(flash));
        board_reset(b, BOARD_RESET_POWER);
        unlock(b);
        fake_write(b, CR, programs[i].cr);
        store(b, programs[i].address, programs[i].size, programs[i].value);
        cr_assert_eq(fake_read(b, SR), programs[i].sr ? programs[i].sr : BSY, "%s",
                     programs[i].what);
        fake_run(b, 16 * US);
        cr_assert_eq(fake_read(b, SR), programs[i].sr, "%s", programs[i].what);
        cr_assert_eq(word_at(WORD), programs[i].after, "%s", programs[i].what);
        cr_assert_not(fake_irq(b, IRQ), "%s", programs[i].what);
    }
}

Test(devices_flash, bits_only_fall) {
    unlock(b);
    fake_write(b, CR, PG | X32);
    store(b, WORD, 4, 0xFFFF00FF);
    store(b, WORD, 4, 0xF0F0F0F0);
    cr_assert_eq(word_at(WORD), 0xF0F000F0);
    cr_assert_eq(fake_read(b, SR) & ~(uint32_t)BSY, 0, "the chip sees no error in that");
}

Test(devices_flash, busy_for_16_us_and_the_next_store_waits) {
    unlock(b);
    fake_write(b, CR, PG | X32);
    store(b, WORD, 4, 1);
    const struct device *d = board_device(b, &device_flash);
    cr_assert_eq(flash_busy_until(d), board_cycles(b) + 16 * US);
    cr_assert_eq(fake_stalled(b), 0);
    fake_run(b, 6 * US);
    store(b, WORD + 4, 4, 2);
    cr_assert_eq(fake_stalled(b), 10 * US);
    cr_assert_eq(word_at(WORD + 4), 2);
    fake_write(b, CR, 0);
    cr_assert_eq(fake_stalled(b), 26 * US, "so does a write of CR");
    cr_assert_eq(flash_busy_until(d), 0);
    cr_assert_eq(fake_read(b, CR), 0);
}

Test(devices_flash, interrupts) {
    unlock(b);
    fake_write(b, CR, PG | X32 | EOPIE | ERRIE);
    store(b, WORD, 4, 1);
    cr_assert_not(fake_irq(b, IRQ));
    fake_run(b, 16 * US);
    cr_assert(fake_irq(b, IRQ));
    cr_assert_eq(fake_read(b, SR), EOP);
    fake_write(b, SR, EOP);
    cr_assert_not(fake_irq(b, IRQ));
    store(b, WORD, 1, 1);
    cr_assert_eq(fake_read(b, SR), PGPERR | OPERR);
    cr_assert(fake_irq(b, IRQ));
    fake_write(b, SR, OPERR);
    cr_assert_eq(fake_read(b, SR), PGPERR, "flags go one by one");
    cr_assert_not(fake_irq(b, IRQ));
    fake_write(b, SR, 0xFF);
    cr_assert_eq(fake_read(b, SR), 0);
}

/* ------------------------------------------------------------------------------------------------
 * Erasing */

static const uint32_t sector_starts[13] = {0x00000, 0x04000, 0x08000, 0x0C000, 0x10000,
                                           0x20000, 0x40000, 0x60000, 0x80000, 0xA0000,
                                           0xC0000, 0xE0000, 0x100000};

static unsigned sector_ms(unsigned sector, unsigned psize) {
    static const unsigned ms[3][3] = {{400, 300, 250}, {1200, 700, 550}, {2000, 1300, 1000}};
    return ms[sector < 4 ? 0 : sector == 4 ? 1 : 2][psize];
}

Test(devices_flash, each_sector) {
    unlock(b);
    for (unsigned sector = 0; sector < 12; sector++)
        for (unsigned psize = 0; psize < 3; psize++) {
            memset(flash, 0, sizeof(flash));
            fake_write(b, CR, SER | sector << 3 | psize << 8 | STRT);
            cr_assert(fake_read(b, SR) & BSY);
            cr_assert(fake_read(b, CR) & STRT);
            fake_run(b, (uint64_t)sector_ms(sector, psize) * MS - 1);
            cr_assert(fake_read(b, SR) & BSY, "sector %u", sector);
            fake_run(b, 1);
            cr_assert_eq(fake_read(b, SR), 0);
            cr_assert_not(fake_read(b, CR) & STRT);
            for (uint32_t i = 0; i < BOARD_FLASH_SIZE; i += 4) {
                bool inside = i >= sector_starts[sector] && i < sector_starts[sector + 1];
                cr_assert_eq(word_at(BASE + i), inside ? UINT32_MAX : 0, "sector %u", sector);
            }
        }
}

Test(devices_flash, mass_erase) {
    memset(flash, 0, sizeof(flash));
    unlock(b);
    fake_write(b, CR, MER | X32);
    fake_write(b, CR, MER | X32 | STRT);
    fake_run(b, 7999 * (uint64_t)MS);
    cr_assert(fake_read(b, SR) & BSY);
    fake_run(b, MS);
    cr_assert_eq(fake_read(b, SR), 0);
    for (uint32_t i = 0; i < BOARD_FLASH_SIZE; i++)
        cr_assert_eq(flash[i], 0xFF);
}

Test(devices_flash, erases_that_are_refused) {
    static const struct {
        uint32_t cr;
        const char *note;
    } cases[] = {
        {SER | MER | X32, "SER and MER both 1"},
        {X32, "SER and MER both 0"},
        {SER | 12 << 3 | X32, "no sector 12"},
    };
    memset(flash, 0, sizeof(flash));
    unlock(b);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake_write(b, CR, cases[i].cr | STRT);
        cr_assert_eq(fake_read(b, SR), 0);
        cr_assert_eq(fake_read(b, CR), cases[i].cr);
        cr_assert(fake_noted(b, cases[i].note));
    }
    for (uint32_t i = 0; i < BOARD_FLASH_SIZE; i++)
        cr_assert_eq(flash[i], 0);
}

Test(devices_flash, protected_sectors) {
    memset(flash, 0xF0, sizeof(flash));
    fake_write(b, OPTKEYR, 0x08192A3B);
    fake_write(b, OPTKEYR, 0x4C5D6E7F);
    fake_write(b, OPTCR, (0x0FFFAAEC & ~(1u << 21)) | 2);
    fake_run(b, 16 * US);
    unlock(b);
    fake_write(b, CR, PG | X32);
    store(b, WORD, 4, 0);
    cr_assert_eq(fake_read(b, SR), WRPERR);
    fake_write(b, SR, WRPERR);
    fake_write(b, CR, SER | 5 << 3 | X32 | STRT);
    cr_assert_eq(fake_read(b, SR), WRPERR);
    cr_assert_not(fake_read(b, CR) & STRT);
    fake_write(b, SR, WRPERR);
    fake_write(b, CR, MER | X32 | STRT);
    cr_assert_eq(fake_read(b, SR), WRPERR);
    cr_assert_not(fake_read(b, CR) & STRT);
    for (uint32_t i = 0; i < BOARD_FLASH_SIZE; i++)
        cr_assert_eq(flash[i], 0xF0);
    fake_write(b, SR, WRPERR);
    fake_write(b, CR, SER | 6 << 3 | X32 | STRT); /* its neighbour is not */
    cr_assert(fake_read(b, SR) & BSY);
}

/* ------------------------------------------------------------------------------------------------
 * Operations that do not end */

/* Programs 64 words of 0, power going `us` after the start of word 32; returns the word it fell into. */
static uint32_t cut_while_programming(uint64_t us) {
    memset(flash, 0xFF, sizeof(flash));
    struct board *board = fresh((32 * 16 + us) * US);
    unlock(board);
    fake_write(board, CR, PG | X32);
    for (unsigned i = 0; i < 64 && board_cycles(board) <= board_config(board)->cut_power_at; i++) {
        store(board, WORD + 4 * i, 4, 0x0000FFFF);
        fake_run(board, 16 * US);
    }
    cr_assert(fake_noted(board, "programming at 0x08020080 did not end"));
    board_free(board);
    for (unsigned i = 0; i < 32; i++)
        cr_assert_eq(word_at(WORD + 4 * i), 0x0000FFFF);
    for (unsigned i = 33; i < 64; i++)
        cr_assert_eq(word_at(WORD + 4 * i), UINT32_MAX);
    return word_at(WORD + 4 * 32);
}

static unsigned zeros(uint32_t word) {
    return 32 - (unsigned)__builtin_popcount(word);
}

Test(devices_flash, torn_words) {
    unsigned torn = 0;
    for (unsigned us = 0; us < 16; us++) {
        uint32_t word = cut_while_programming(us);
        cr_assert_eq(word & 0xFFFF, 0xFFFF, "bits that were to stay have stayed");
        cr_assert_eq(cut_while_programming(us), word, "twice the same");
        if (us == 0)
            cr_assert_eq(zeros(word), 0);
        torn += zeros(word) > 0 && zeros(word) < 16;
    }
    cr_assert_geq(torn, 10);
    cr_assert_gt(zeros(cut_while_programming(14)), zeros(cut_while_programming(2)));
}

static void cut_while_erasing(unsigned ms) {
    memset(flash, 0x5A, sizeof(flash));
    struct board *board = fresh(ms * (uint64_t)MS + 1);
    unlock(board);
    fake_write(board, CR, SER | 5 << 3 | X32 | STRT);
    fake_run(board, 1000 * (uint64_t)MS);
    board_free(board);
}

Test(devices_flash, torn_sectors) {
    static uint8_t first[128 * 1024];
    const unsigned words = sizeof(first) / 4;
    for (unsigned ms = 100; ms < 1000; ms += 400) {
        cut_while_erasing(ms);
        memcpy(first, flash + 0x20000, sizeof(first));
        unsigned old = 0, erased = 0, between = 0;
        for (unsigned i = 0; i < words; i++) {
            uint32_t word = word_at(WORD + 4 * i);
            cr_assert_eq(word_at(BASE + 4 * (i % 0x8000)), 0x5A5A5A5A, "other sectors are whole");
            old += word == 0x5A5A5A5A;
            erased += word == UINT32_MAX;
            between += word != 0x5A5A5A5A && word != UINT32_MAX;
        }
        cr_assert_gt(old, words * (1000 - ms) / 1000 / 4);
        cr_assert_gt(erased, words * ms / 1000 / 2);
        cr_assert_gt(between, words / 50);
        cut_while_erasing(ms);
        cr_assert_arr_eq(first, flash + 0x20000, sizeof(first), "twice the same");
    }
}

/* Words count, and sectors; a store that is refused does not. */
Test(devices_flash, power_goes_in_an_operation_that_was_counted) {
    memset(flash, 0xFF, sizeof(flash));
    struct board *board = board_new(&(struct board_config){.flash = flash, .cut_flash_at = 4});
    board_reset(board, BOARD_RESET_POWER);
    unlock(board);
    fake_write(board, CR, SER | 5 << 3 | X32 | STRT);
    fake_run(board, 1000 * (uint64_t)MS);
    store(board, WORD, 4, 0);
    fake_write(board, CR, PG | X32);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(board_flash_operations(board), 1 + i);
        cr_assert_eq(board_config(board)->cut_power_at, 0);
        store(board, WORD + 4 * i, 4, 0);
        if (i < 2)
            fake_run(board, 16 * US);
    }
    uint64_t in = board_config(board)->cut_power_at - board_cycles(board);
    cr_assert(in > 0 && in < 16 * US, "in the middle of it");
    cr_assert(fake_noted(board, "programming at 0x08020008 did not end"));
    board_free(board);
}

Test(devices_flash, power_that_goes_between_operations_tears_nothing) {
    memset(flash, 0xFF, sizeof(flash));
    struct board *board = fresh(100 * US);
    unlock(board);
    fake_write(board, CR, PG | X32);
    store(board, WORD, 4, 0);
    fake_run(board, 200 * US);
    cr_assert_eq(word_at(WORD), 0);
    board_free(board);
}

Test(devices_flash, a_reset_tears_too) {
    memset(flash, 0, sizeof(flash));
    unlock(b);
    fake_write(b, CR, SER | 5 << 3 | X32 | STRT);
    cr_assert_eq(fake_flash_busy(b), board_cycles(b) + 1000 * (uint64_t)MS);
    fake_run(b, 500 * (uint64_t)MS);
    board_reset(b, BOARD_RESET_WATCHDOG);
    cr_assert_eq(fake_flash_busy(b), 0);
    unsigned erased = 0;
    for (uint32_t i = 0; i < 0x8000; i++)
        erased += word_at(WORD + 4 * i) == UINT32_MAX;
    cr_assert_gt(erased, 0x2000);
    cr_assert_lt(erased, 0x6000);
    cr_assert(fake_noted(b, "an erase at 0x08020000 did not end"));
    cr_assert_eq(fake_read(b, SR), 0);
    cr_assert_eq(fake_read(b, CR), LOCK);
}

Test(devices_flash, caches_are_reset_while_they_are_off) {
    fake_write(b, ACR, 0x600);
    fake_write(b, ACR, 0x600 | 1 << 11);
    cr_assert(fake_noted(b, "a cache is reset while it is enabled"));
    unsigned notes = fake_notes(b);
    fake_write(b, ACR, 0);
    fake_write(b, ACR, 3 << 11);
    fake_write(b, ACR, 0x600);
    cr_assert_eq(fake_notes(b), notes);
}
