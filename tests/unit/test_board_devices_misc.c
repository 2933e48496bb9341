/* SPDX-License-Identifier: MIT */
/* ADC, SPI with the accelerometer, watchdogs, random numbers, CRC unit, DBGMCU. */
#include "devices/fake_board.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    RCC_APB1ENR = 0x40023840,
    RCC_APB2ENR = 0x40023844,
    GPIOA = 0x40020000,
    GPIOE = 0x40021000,
    SRAM = 0x20000000,
};
#define BIT(n) (1u << (n))

static uint8_t flash[BOARD_FLASH_SIZE];
static char adc_file[] = "/tmp/test_board_adc_XXXXXX";
static struct board *b;

static void start(const struct board_config *config) {
    board_free(b);
    b = board_new(config);
    board_reset(b, BOARD_RESET_POWER);
    fake_write(b, 0x40023830, 0x007011FF);
    fake_write(b, 0x40023834, 0xF1);
    fake_write(b, RCC_APB1ENR, 0x36FEC9FF);
    fake_write(b, RCC_APB2ENR, 0x00075F33);
}

static void setup(void) {
    b = NULL;
    start(&(struct board_config){.flash = flash});
}

static void teardown(void) {
    board_free(b);
    unlink(adc_file);
}

TestSuite(devices_misc, .init = setup, .fini = teardown);

/* ------------------------------------------------------------------------------------------------
 * ADC */

enum {
    ADC1 = 0x40012000,
    ADC2 = 0x40012100,
    SR = 0x00,
    CR1 = 0x04,
    CR2 = 0x08,
    SQR1 = 0x2C,
    SQR3 = 0x34,
    DR = 0x4C,
    COMMON = 0x40012300,
    EOC = 2,
    STRT = 16,
    OVR = 32,
    ADON = 1,
    CONT = 2,
    CYCLES = 2 * 15, /* 3 + 12 ADC clocks of APB2 / 2 */
};
static const uint32_t SWSTART = 1u << 30;

static void adc_values(const char *text) {
    int fd = mkstemp(adc_file);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    start(&(struct board_config){.flash = flash, .adc_file = adc_file});
}

static void convert_once(void) {
    fake_write(b, ADC1 + CR2, ADON | SWSTART);
    fake_run(b, CYCLES);
}

Test(devices_misc, adc_single) {
    adc_values("# channel value\n3 1234\n1000 3 77 # after a millisecond\n4 4095\n");
    fake_write(b, ADC1 + CR2, ADON);
    fake_write(b, ADC1 + SQR3, 3);
    fake_write(b, ADC1 + CR2, ADON | SWSTART);
    cr_assert_eq(fake_read(b, ADC1 + SR), STRT);
    fake_run(b, CYCLES - 1);
    cr_assert_eq(fake_read(b, ADC1 + SR), STRT);
    fake_run(b, 1);
    cr_assert_eq(fake_read(b, ADC1 + SR), STRT | EOC);
    cr_assert_eq(fake_read(b, ADC1 + DR), 1234);
    cr_assert_eq(fake_read(b, ADC1 + SR), STRT, "DR clears EOC");
    fake_run_us(b, 1000);
    fake_write(b, ADC1 + CR2, ADON | SWSTART);
    fake_run(b, CYCLES);
    cr_assert_eq(fake_read(b, ADC1 + DR), 77);
    cr_assert_eq(fake_notes(b), 0);
}

Test(devices_misc, adc_resolution_and_alignment) {
    static const struct {
        uint32_t cr1, cr2, value;
    } rows[] = {{0, 0, 0xABC},
                {BIT(24), 0, 0x2AF},
                {2u << 24, 0, 0xAB},
                {3u << 24, 0, 0x2A},
                {0, BIT(11), 0xABC0},
                {BIT(24), BIT(11), 0xABC0},
                {2u << 24, BIT(11), 0xAB00},
                {3u << 24, BIT(11), 0xA8}};
    adc_values("0 2748\n");
    for (unsigned i = 0; i < 8; i++) {
        fake_write(b, ADC1 + CR1, rows[i].cr1);
        fake_write(b, ADC1 + CR2, ADON | rows[i].cr2 | SWSTART);
        fake_run(b, CYCLES);
        cr_assert_eq(fake_read(b, ADC1 + DR), rows[i].value, "row %u", i);
    }
}

Test(devices_misc, adc_bad_file) {
    adc_values("1 2\n19 5\n0 4096\nx 1\n1 2 3 4\n-1 3\n");
    convert_once();
    convert_once();
    cr_assert_eq(fake_notes(b), 5);
    cr_assert(fake_noted(b, ":2: expected [microseconds] channel value"));
    start(&(struct board_config){.flash = flash, .adc_file = "/nonexistent/file"});
    convert_once();
    cr_assert(fake_noted(b, "/nonexistent/file: No such file"));
}

Test(devices_misc, adc_sequence_by_dma) {
    const uint32_t stream = 0x40026410;
    adc_values("1 100\n2 200\n3 300\n");
    fake_write(b, stream + 4, 6);
    fake_write(b, stream + 8, ADC1 + DR);
    fake_write(b, stream + 12, SRAM);
    fake_write(b, stream, 1 | 1 << 8 | 1 << 10 | 1 << 11 | 1 << 13); /* circular, 16 bits */
    fake_write(b, ADC1 + SQR1, 2 << 20);
    fake_write(b, ADC1 + SQR3, 1 | 2 << 5 | 3 << 10);
    fake_write(b, ADC1 + CR1, 1 << 8);
    fake_write(b, ADC1 + CR2, ADON | CONT | 1 << 8 | 1 << 9 | SWSTART);
    fake_run(b, 6 * CYCLES + 20);
    cr_assert_eq(fake_read(b, SRAM), 200 << 16 | 100);
    cr_assert_eq(fake_read(b, SRAM + 4), 100 << 16 | 300);
    cr_assert_eq(fake_read(b, SRAM + 8), 300 << 16 | 200);
    cr_assert_eq(fake_read(b, ADC1 + SR) & OVR, 0);
}

Test(devices_misc, adc_overrun) {
    fake_write(b, ADC1 + CR1, BIT(26));
    fake_write(b, ADC1 + CR2, ADON | CONT | 1 << 10 | SWSTART);
    fake_run(b, 2 * CYCLES);
    cr_assert(fake_read(b, ADC1 + SR) & OVR);
    cr_assert(fake_irq(b, 18));
    cr_assert(fake_read(b, COMMON) & OVR);
    fake_write(b, ADC1 + SR, 0);
    cr_assert_not(fake_irq(b, 18));
}

Test(devices_misc, adc_by_timer) {
    adc_values("5 55\n");
    fake_write(b, ADC2 + SQR3, 5);
    fake_write(b, ADC2 + CR1, BIT(5));
    fake_write(b, ADC2 + CR2, ADON | 8 << 24 | 1 << 28); /* TIM3_TRGO */
    fake_write(b, 0x40000404, 2 << 4);
    fake_write(b, 0x4000042C, 999);
    fake_write(b, 0x40000400, 1);
    fake_run(b, 1000 + CYCLES - 1);
    cr_assert_not(fake_irq(b, 18));
    fake_run(b, 1);
    cr_assert(fake_irq(b, 18));
    cr_assert_eq(fake_read(b, ADC2 + DR), 55);
    cr_assert_not(fake_irq(b, 18));
    fake_run(b, 1000);
    cr_assert(fake_irq(b, 18));
}

Test(devices_misc, adc_by_compare) {
    static const struct {
        uint32_t extsel, mms;
        bool starts;
    } rows[] = {{8, 4, true},  {8, 3, true},  {7, 0, true},
                {8, 5, false}, {9, 0, false}, {8, 0, false}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start(&(struct board_config){.flash = flash});
        fake_write(b, ADC1 + CR2, ADON | rows[i].extsel << 24 | 1 << 28);
        fake_write(b, 0x40000404, rows[i].mms << 4);
        fake_write(b, 0x4000042C, 99);
        fake_write(b, 0x40000434, 40); /* TIM3_CCR1 */
        fake_write(b, 0x40000438, 5000);
        fake_write(b, 0x40000400, 1);
        fake_run(b, 40 + CYCLES - 1);
        cr_assert_eq(fake_read(b, ADC1 + SR), rows[i].starts ? STRT : 0, "row %u", i);
        fake_run(b, 1);
        cr_assert_eq(fake_read(b, ADC1 + SR), rows[i].starts ? STRT | EOC : 0, "row %u", i);
    }
}

Test(devices_misc, adc_by_a_pin_and_reset) {
    fake_write(b, ADC2 + CR2, ADON | 15u << 24 | 1 << 28);
    fake_write(b, 0x40013C08, BIT(11)); /* EXTI_RTSR */
    board_pin_drive(b, 0, 11, true);
    fake_run(b, CYCLES);
    cr_assert(fake_read(b, ADC2 + SR) & EOC);
    fake_write(b, 0x40023824, BIT(8)); /* one reset bit for all three */
    cr_assert_eq(fake_read(b, ADC2 + SR), 0);
    cr_assert_eq(fake_read(b, ADC2 + CR2), 0);
}

Test(devices_misc, adc_watchdog_and_internal_channels) {
    adc_values("0 3000\n");
    fake_write(b, ADC1 + 0x24, 2000);
    fake_write(b, ADC1 + CR1, BIT(23) | BIT(6));
    fake_write(b, ADC1 + CR2, ADON | SWSTART);
    fake_run(b, CYCLES);
    cr_assert(fake_read(b, ADC1 + SR) & 1);
    cr_assert(fake_irq(b, 18));
    fake_write(b, ADC1 + SQR3, 17);
    fake_write(b, ADC1 + CR2, ADON | SWSTART);
    fake_run(b, CYCLES);
    cr_assert_eq(fake_read(b, ADC1 + DR), 0, "VREFINT is off");
    fake_write(b, COMMON + 4, BIT(23));
    fake_write(b, ADC1 + CR2, ADON | SWSTART);
    fake_run(b, CYCLES);
    cr_assert_eq(fake_read(b, ADC1 + DR), 1652);
}

/* ------------------------------------------------------------------------------------------------
 * SPI and accelerometer */

enum { SPI1 = 0x40013000, SPI_SR = SPI1 + 8, SPI_DR = SPI1 + 12, BYTE = 2 * 8 };
enum { SPE = BIT(6), MSTR = BIT(2), SSM = BIT(9), SSI = BIT(8), MODE3 = 3 };

static void spi_on(uint32_t cr1) {
    fake_write(b, GPIOA, 0xA8000000 | 0x2A << 10);
    fake_write(b, GPIOA + 0x20, 0x55500000);
    fake_write(b, GPIOE + 0x18, 1 << 3);
    fake_write(b, GPIOE, 1 << 6);
    fake_write(b, SPI1, cr1 | SPE | MSTR);
}

static uint8_t spi_byte(uint8_t out) {
    fake_write(b, SPI_DR, out);
    fake_run(b, BYTE);
    cr_assert_eq(fake_read(b, SPI_SR), 3);
    return (uint8_t)fake_read(b, SPI_DR);
}

static void chip_select(bool on) {
    fake_write(b, GPIOE + 0x18, on ? 1 << 19 : 1 << 3);
}

static uint8_t accel_read(uint8_t address) {
    chip_select(true);
    spi_byte(0x80 | address);
    uint8_t value = spi_byte(0);
    chip_select(false);
    return value;
}

static void accel_write(uint8_t address, uint8_t value) {
    chip_select(true);
    spi_byte(address);
    spi_byte(value);
    chip_select(false);
}

Test(devices_misc, accelerometer) {
    uint8_t out[6];
    spi_on(MODE3 | SSM | SSI);
    cr_assert_eq(accel_read(0x0F), 0x3F);
    cr_assert_eq(accel_read(0x20), 0x07);
    cr_assert_eq(accel_read(0x2D), 0, "no power yet");
    accel_write(0x20, 0x67); /* 100 Hz */
    accel_write(0x0F, 0);
    cr_assert_eq(accel_read(0x0F), 0x3F, "read-only");
    board_accel(b, (int16_t[3]){-500, 0, 1000});
    fake_run_us(b, 10000);
    cr_assert_eq(accel_read(0x27), 0x0F);
    chip_select(true);
    spi_byte(0x80 | 0x28);
    for (unsigned i = 0; i < 6; i++)
        out[i] = spi_byte(0);
    chip_select(false);
    cr_assert_eq((int16_t)(out[0] | out[1] << 8), -8333);
    cr_assert_eq((int16_t)(out[2] | out[3] << 8), 0);
    cr_assert_eq((int16_t)(out[4] | out[5] << 8), 16666);
    cr_assert_eq(accel_read(0x27), 0, "this sample is known");
    accel_write(0x24, 2 << 3); /* 6 g */
    cr_assert_eq(accel_read(0x2D), (1000000 / 180) >> 8);
    cr_assert_eq(fake_notes(b), 0);
}

Test(devices_misc, older_accelerometer) {
    start(&(struct board_config){.flash = flash, .lis302dl = true});
    spi_on(MODE3 | SSM | SSI);
    cr_assert_eq(accel_read(0x0F), 0x3B);
    accel_write(0x20, 0x47);
    board_accel(b, (int16_t[3]){-1800, 0, 1000});
    cr_assert_eq(accel_read(0x29), (uint8_t)-100);
    cr_assert_eq(accel_read(0x2D), 55);
    chip_select(true);
    spi_byte(0xC0 | 0x29);
    cr_assert_eq(spi_byte(0), (uint8_t)-100);
    cr_assert_eq(spi_byte(0), 0);
    cr_assert_eq(spi_byte(0), 0, "0x2B");
    cr_assert_eq(spi_byte(0), 0);
    cr_assert_eq(spi_byte(0), 55, "0x2D");
    chip_select(false);
}

Test(devices_misc, nobody_is_selected) {
    spi_on(MODE3 | SSM | SSI);
    cr_assert_eq(spi_byte(0x8F), 0xFF);
    cr_assert_eq(spi_byte(0), 0xFF);
}

Test(devices_misc, wrong_mode_is_noted) {
    spi_on(SSM | SSI);
    accel_read(0x0F);
    cr_assert(fake_noted(b, "wants mode 3"));
}

Test(devices_misc, spi_mode_fault_and_overrun) {
    fake_write(b, SPI1, MODE3 | SSM | SPE | MSTR);
    cr_assert_eq(fake_read(b, SPI1), MODE3 | SSM, "neither master nor on");
    cr_assert(fake_read(b, SPI_SR) & BIT(5));
    spi_on(MODE3 | SSM | SSI);
    cr_assert_not(fake_read(b, SPI_SR) & BIT(5));
    fake_write(b, SPI_DR, 1);
    cr_assert_eq(fake_read(b, SPI_SR), 0x82, "busy, DR free");
    fake_write(b, SPI_DR, 2);
    cr_assert_eq(fake_read(b, SPI_SR), 0x80);
    fake_run(b, 2 * BYTE);
    cr_assert_eq(fake_read(b, SPI_SR), 0x43);
    fake_read(b, SPI_DR);
    fake_read(b, SPI_SR);
    cr_assert_eq(fake_read(b, SPI_SR), 0x02);
}

/* ------------------------------------------------------------------------------------------------
 * Watchdogs */

enum { IWDG = 0x40003000, IWDG_PR = IWDG + 4, IWDG_RLR = IWDG + 8, IWDG_SR = IWDG + 12 };

static void iwdg_start(uint32_t pr, uint32_t rlr) {
    fake_write(b, IWDG, 0xCCCC);
    fake_write(b, IWDG, 0x5555);
    fake_write(b, IWDG_PR, pr);
    fake_write(b, IWDG_RLR, rlr);
    cr_assert_eq(fake_read(b, IWDG_SR), 3);
    fake_run_us(b, 160);
    cr_assert_eq(fake_read(b, IWDG_SR), 0);
    fake_write(b, IWDG, 0xAAAA);
}

Test(devices_misc, iwdg_times) {
    for (uint32_t pr = 0; pr < 8; pr++) {
        start(&(struct board_config){.flash = flash});
        iwdg_start(pr, 99);
        uint64_t us = 100ull * (4u << (pr < 6 ? pr : 6)) * 1000000 / 32000;
        fake_run_us(b, us - 100);
        cr_assert_eq(fake_reset_wanted(b), -1, "prescaler %u", pr);
        fake_write(b, IWDG, 0xAAAA);
        fake_run_us(b, us - 100);
        cr_assert_eq(fake_reset_wanted(b), -1);
        fake_run_us(b, 101);
        cr_assert_eq(fake_reset_wanted(b), BOARD_RESET_WATCHDOG, "prescaler %u", pr);
    }
}

Test(devices_misc, iwdg_settings_need_the_key_and_a_start) {
    fake_write(b, IWDG_RLR, 5);
    cr_assert_eq(fake_read(b, IWDG_RLR), 0xFFF);
    cr_assert(fake_noted(b, "without the key 0x5555"));
    fake_write(b, IWDG, 0x5555);
    fake_write(b, IWDG_RLR, 5);
    cr_assert_eq(fake_read(b, IWDG_RLR), 5);
    fake_run_us(b, 1000000);
    cr_assert_eq(fake_read(b, IWDG_SR), 2, "not started, no update");
    fake_write(b, IWDG_RLR, 6);
    cr_assert_eq(fake_read(b, IWDG_RLR), 5);
    cr_assert(fake_noted(b, "while its last value is under way"));
    fake_write(b, 0x40023874, 1); /* LSION does not help */
    fake_run_us(b, 1000);
    cr_assert_eq(fake_read(b, IWDG_SR), 2);
    fake_write(b, IWDG, 0xCCCC);
    fake_run_us(b, 160);
    cr_assert_eq(fake_read(b, IWDG_SR), 0);
}

/* The LSI does not care about the core's clock, and 0xCCCC counts from 0xFFF. */
Test(devices_misc, iwdg_across_a_change_of_clock) {
    fake_write(b, IWDG, 0xCCCC); /* 4096 * 4 / 32 kHz: 512 ms */
    fake_run_us(b, 256000);
    fake_write(b, 0x40023808, 9 << 4); /* core 4 MHz */
    fake_run_us(b, 255900);
    cr_assert_eq(fake_reset_wanted(b), -1);
    fake_run_us(b, 200);
    cr_assert_eq(fake_reset_wanted(b), BOARD_RESET_WATCHDOG);
    board_reset(b, BOARD_RESET_WATCHDOG);
    fake_write(b, IWDG, 0xAAAA);
    fake_run_us(b, 2000000); /* stopped: nothing happens */
}

enum { WWDG = 0x40002C00, WWDG_TICK = 4096 };

Test(devices_misc, wwdg) {
    cr_assert_eq(fake_read(b, WWDG), 0x7F);
    fake_write(b, WWDG + 4, 0x200 | 0x50); /* EWI, window from 0x50 on */
    fake_write(b, WWDG, 0x80 | 0x60);
    fake_run(b, 16 * WWDG_TICK);
    cr_assert_eq(fake_read(b, WWDG), 0x80 | 0x50);
    fake_write(b, WWDG, 0x80 | 0x60);
    cr_assert_eq(fake_reset_wanted(b), -1);
    fake_run(b, 32 * WWDG_TICK);
    cr_assert(fake_irq(b, 0), "early wake-up at 0x40");
    cr_assert_eq(fake_reset_wanted(b), -1);
    fake_write(b, WWDG + 8, 0);
    cr_assert_not(fake_irq(b, 0));
    fake_run(b, WWDG_TICK);
    cr_assert_eq(fake_reset_wanted(b), BOARD_RESET_WINDOW_WATCHDOG);
}

Test(devices_misc, wwdg_refreshed_too_early) {
    fake_write(b, WWDG + 4, 0x50);
    fake_write(b, WWDG, 0x80 | 0x60);
    fake_run(b, 10 * WWDG_TICK);
    fake_write(b, WWDG, 0x80 | 0x60);
    cr_assert_eq(fake_reset_wanted(b), BOARD_RESET_WINDOW_WATCHDOG);
}

/* ------------------------------------------------------------------------------------------------
 * Random numbers, CRC, DBGMCU */

enum { RNG = 0x50060800, RNG_SR = RNG + 4, RNG_DR = RNG + 8 };

static void pll48_on(void) {
    fake_set(b, 0x40023800, BIT(16));
    fake_run_us(b, 2100);
    fake_write(b, 0x40023804, BIT(22) | 8 | 336 << 6 | 7 << 24);
    fake_set(b, 0x40023800, BIT(24));
    fake_run_us(b, 300);
}

Test(devices_misc, rng_needs_48_mhz) {
    fake_write(b, RNG, 4);
    fake_run_us(b, 1000);
    cr_assert_eq(fake_read(b, RNG_SR), 0x22, "CECS and CEIS");
    pll48_on();
    cr_assert_eq(fake_read(b, RNG_SR), 0x21);
    fake_write(b, RNG_SR, 0);
    cr_assert_eq(fake_read(b, RNG_SR), 1);
}

Test(devices_misc, rng_values) {
    uint32_t values[8];
    pll48_on();
    fake_write(b, RNG, 0xC);
    for (unsigned i = 0; i < 8; i++) {
        fake_run(b, 13);
        cr_assert_not(fake_read(b, RNG_SR) & 1);
        cr_assert_not(fake_irq(b, 80));
        fake_run(b, 1); /* 40 periods of 48 MHz are 13.3 of 16 MHz */
        cr_assert(fake_irq(b, 80));
        values[i] = fake_read(b, RNG_DR);
        for (unsigned k = 0; k < i; k++)
            cr_assert_neq(values[i], values[k]);
    }
    fake_read(b, RNG_DR);
    cr_assert(fake_noted(b, "DR read before DRDY"));
    start(&(struct board_config){.flash = flash});
    pll48_on();
    fake_write(b, RNG, 4);
    fake_run(b, 14);
    cr_assert_eq(fake_read(b, RNG_DR), values[0], "each run gives the same");
}

enum { CRC = 0x40023000 };

/* CRC-32/MPEG-2 of four zero bytes. */
Test(devices_misc, crc) {
    cr_assert_eq(fake_read(b, CRC), UINT32_MAX);
    fake_write(b, CRC, 0);
    cr_assert_eq(fake_read(b, CRC), 0xC704DD7B);
    fake_write(b, CRC + 8, 1);
    cr_assert_eq(fake_read(b, CRC), UINT32_MAX);
    fake_write(b, CRC + 4, 0x123);
    cr_assert_eq(fake_read(b, CRC + 4), 0x23);
}

Test(devices_misc, dbgmcu) {
    cr_assert_eq(fake_read(b, 0xE0042000), 0x10076413);
    fake_write(b, 0xE0042004, 7);
    board_reset(b, BOARD_RESET_SOFTWARE);
    cr_assert_eq(fake_read(b, 0xE0042004), 7);
}
