/* SPDX-License-Identifier: MIT */
/* What every firmware's start needs: clocks, pins, external interrupts, a serial line; and reset values. */
#include "devices/fake_board.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RCC = 0x40023800,
    RCC_CR = RCC,
    RCC_PLLCFGR = RCC + 0x04,
    RCC_CFGR = RCC + 0x08,
    RCC_AHB1RSTR = RCC + 0x10,
    RCC_AHB1ENR = RCC + 0x30,
    RCC_APB1ENR = RCC + 0x40,
    RCC_APB2ENR = RCC + 0x44,
    RCC_BDCR = RCC + 0x70,
    RCC_CSR = RCC + 0x74,
    FLASH_ACR = 0x40023C00,
    PWR_CR = 0x40007000,
    GPIOA = 0x40020000,
    GPIOD = 0x40020C00,
    SYSCFG = 0x40013800,
    EXTI = 0x40013C00,
    USART2 = 0x40004400,
    MODER = 0x00,
    OTYPER = 0x04,
    PUPDR = 0x0C,
    IDR = 0x10,
    ODR = 0x14,
    BSRR = 0x18,
    LCKR = 0x1C,
};
#define BIT(n) (1u << (n))

static uint8_t flash[BOARD_FLASH_SIZE];
static char pins[4096], serial[4096];
static struct board *b;

static void on_pin(void *user, unsigned port, unsigned pin, bool level) {
    char text[16];
    (void)user;
    snprintf(text, sizeof(text), "%c%u=%d ", 'A' + port, pin, level);
    strncat(pins, text, sizeof(pins) - strlen(pins) - 1);
}

static void on_serial(void *user, unsigned usart, uint8_t byte) {
    char text[3] = {(char)('0' + usart), (char)byte, 0};
    (void)user;
    strncat(serial, text, sizeof(serial) - strlen(serial) - 1);
}

static struct board_config config = {.flash = flash,
                                     .listener = {.pin = on_pin, .serial = on_serial}};

static void setup(void) {
    memset(flash, 0xFF, sizeof(flash));
    pins[0] = serial[0] = 0;
    b = board_new(&config);
    board_reset(b, BOARD_RESET_POWER);
}

static void teardown(void) {
    board_free(b);
}

TestSuite(devices_basic, .init = setup, .fini = teardown);

/* ------------------------------------------------------------------------------------------------
 * Registers: value after reset, and which bits keep what is written (RM0090's register maps) */

static const struct row {
    const char *name;
    uint32_t address, reset, kept; /* kept: of all ones */
} rows[] = {
    {"RCC_PLLCFGR", RCC_PLLCFGR, 0x24003010, 0x2F437FFF},
    {"RCC_CFGR", RCC_CFGR, 0, 0xFFFFFCF3},
    {"RCC_CIR", RCC + 0x0C, 0, 0x3F00},
    {"RCC_AHB1ENR", RCC_AHB1ENR, 0x00100000, 0x7E7411FF},
    {"RCC_APB1ENR", RCC_APB1ENR, 0, 0x36FEC9FF},
    {"RCC_APB2ENR", RCC_APB2ENR, 0, 0x00075F33},
    {"RCC_AHB1LPENR", RCC + 0x50, 0x7E6791FF, 0x7E6791FF},
    {"FLASH_ACR", FLASH_ACR, 0, 0x1F07},
    {"FLASH_CR", FLASH_ACR + 0x10, 0x80000000, 0x80000000},
    {"FLASH_OPTCR", FLASH_ACR + 0x14, 0x0FFFAAED, 0x0FFFAAED},
    {"PWR_CR", PWR_CR, 0x4000, 0x43F3},
    {"GPIOA_MODER", GPIOA + MODER, 0xA8000000, 0xFFFFFFFF},
    {"GPIOA_PUPDR", GPIOA + PUPDR, 0x64000000, 0xFFFFFFFF},
    {"GPIOD_MODER", GPIOD + MODER, 0, 0xFFFFFFFF},
    {"GPIOD_OTYPER", GPIOD + OTYPER, 0, 0xFFFF},
    {"GPIOD_ODR", GPIOD + ODR, 0, 0xFFFF},
    {"SYSCFG_EXTICR1", SYSCFG + 0x08, 0, 0xFFFF},
    {"EXTI_IMR", EXTI + 0x00, 0, 0x7FFFFF},
    {"EXTI_RTSR", EXTI + 0x08, 0, 0x7FFFFF},
    {"USART2_SR", USART2 + 0x00, 0xC0, 0xC0},
    {"USART2_BRR", USART2 + 0x08, 0, 0xFFFF},
    {"USART2_CR1", USART2 + 0x0C, 0, 0xBFFF},
    {"USART2_CR2", USART2 + 0x10, 0, 0x7F6F},
    {"USART2_CR3", USART2 + 0x14, 0, 0x0FFF},
    {"nothing", USART2 + 0x40, 0, 0},
};

static void clocks_on(void) {
    fake_write(b, RCC_AHB1ENR, 0x7E7411FF);
    fake_write(b, RCC_APB1ENR, 0x36FEC9FF);
    fake_write(b, RCC_APB2ENR, 0x00075F33);
}

Test(devices_basic, reset_values_and_reserved_bits) {
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        board_reset(b, BOARD_RESET_POWER);
        if (rows[i].address - RCC >= 0x400)
            clocks_on();
        cr_assert_eq(fake_read(b, rows[i].address), rows[i].reset, "%s after reset", rows[i].name);
        fake_write(b, rows[i].address, UINT32_MAX);
        cr_assert_eq(fake_read(b, rows[i].address), rows[i].kept, "%s keeps 0x%08x, not 0x%08x",
                     rows[i].name, fake_read(b, rows[i].address), rows[i].kept);
    }
}

Test(devices_basic, without_its_clock_a_device_is_deaf) {
    fake_write(b, GPIOD + ODR, 0xFFFF);
    cr_assert_eq(fake_read(b, GPIOA + MODER), 0);
    cr_assert(fake_noted(b, "GPIOD while its clock is off"));
    unsigned notes = fake_notes(b);
    fake_write(b, GPIOD + ODR, 0xFFFF);
    cr_assert_eq(fake_notes(b), notes, "once is enough");
    fake_set(b, RCC_AHB1ENR, BIT(3));
    cr_assert_eq(fake_read(b, GPIOD + ODR), 0);
}

Test(devices_basic, narrow_accesses) {
    uint32_t value;
    clocks_on();
    board_bus_write(b, BUS_CORE, GPIOD + ODR + 1, 1, 0xA5); /* AHB: one lane */
    cr_assert_eq(fake_read(b, GPIOD + ODR), 0xA500);
    board_bus_read(b, BUS_CORE, GPIOD + ODR + 1, 1, &value);
    cr_assert_eq(value, 0xA5);
    board_bus_write(b, BUS_CORE, USART2 + 0x08, 1, 0x5A); /* APB: repeated */
    cr_assert_eq(fake_read(b, USART2 + 0x08), 0x5A5A);
}

Test(devices_basic, a_device_is_reset_alone) {
    clocks_on();
    fake_write(b, GPIOD + ODR, 0x1234);
    fake_write(b, GPIOA + ODR, 0x1234);
    fake_write(b, RCC_AHB1RSTR, BIT(3));
    fake_write(b, RCC_AHB1RSTR, 0);
    cr_assert_eq(fake_read(b, GPIOD + ODR), 0);
    cr_assert_eq(fake_read(b, GPIOA + ODR), 0x1234);
}

/* ------------------------------------------------------------------------------------------------
 * Clocks */

static void start_pll(void) {
    fake_set(b, RCC_CR, BIT(16));
    fake_run_us(b, 2100);
    fake_write(b, RCC_PLLCFGR, BIT(22) | 8 | 336 << 6 | 7 << 24);
    fake_set(b, RCC_CR, BIT(24));
    fake_run_us(b, 300);
}

Test(devices_basic, clock_168_mhz) {
    cr_assert_eq(board_clocks(b)->core_hz, 16000000);
    fake_set(b, RCC_CR, BIT(16));
    cr_assert_not(fake_read(b, RCC_CR) & BIT(17), "a crystal takes its time");
    start_pll();
    cr_assert(fake_read(b, RCC_CR) & BIT(25));
    fake_write(b, FLASH_ACR, 5 | 7 << 8);
    fake_write(b, RCC_CFGR, 5 << 10 | 4 << 13);
    fake_set(b, RCC_CFGR, 2);
    cr_assert_eq(fake_read(b, RCC_CFGR) & 0xF, 0xA);
    const struct board_clocks *c = board_clocks(b);
    cr_assert_eq(c->core_hz, 168000000);
    cr_assert_eq(c->apb1_hz, 42000000);
    cr_assert_eq(c->apb2_hz, 84000000);
    cr_assert_eq(c->timer1_hz, 84000000);
    cr_assert_eq(c->timer2_hz, 168000000);
    cr_assert_eq(c->usb_hz, 48000000);
    cr_assert_eq(c->wait_states, 5);
    cr_assert(c->prefetch && c->icache && c->dcache);
    cr_assert_eq(fake_notes(b), 0);
    fake_write(b, FLASH_ACR, 3);
    cr_assert(fake_noted(b, "3 wait states are too few for a core at 168000000"));
}

Test(devices_basic, too_fast_is_noted) {
    start_pll();
    fake_write(b, RCC_CFGR, 2);
    cr_assert(fake_noted(b, "0 wait states"));
    cr_assert(fake_noted(b, "APB1 at 168000000"));
    cr_assert(fake_noted(b, "APB2 at 168000000"));
}

Test(devices_basic, no_crystal_no_pll) {
    config.no_crystal = true;
    struct board *other = board_new(&config);
    board_reset(other, BOARD_RESET_POWER);
    fake_set(other, RCC_CR, BIT(16) | BIT(24));
    fake_write(other, RCC_PLLCFGR, BIT(22) | 8 | 336 << 6 | 7 << 24);
    fake_run_us(other, 1000000);
    cr_assert_eq(fake_read(other, RCC_CR) & (BIT(17) | BIT(16)), BIT(16));
    fake_write(other, RCC_CFGR, 1); /* waits for ever, the core goes on with HSI */
    cr_assert_eq(fake_read(other, RCC_CFGR) & 0xF, 1);
    cr_assert_eq(board_clocks(other)->core_hz, 16000000);
    board_free(other);
    config.no_crystal = false;
}

Test(devices_basic, switch_waits_until_the_source_is_ready) {
    fake_write(b, RCC_CFGR, 1);
    fake_set(b, RCC_CR, BIT(16));
    cr_assert_eq(fake_read(b, RCC_CFGR), 1);
    fake_run_us(b, 2100);
    cr_assert_eq(fake_read(b, RCC_CFGR), 5);
    cr_assert_eq(board_clocks(b)->core_hz, 8000000);
    fake_write(b, RCC_CR, 0x80); /* HSI may stop; HSE feeds the core, its bit stays */
    cr_assert_eq(fake_read(b, RCC_CR) & 0x30003, 0x30000);
}

Test(devices_basic, pll_settings_stay_while_it_is_on) {
    start_pll();
    fake_write(b, RCC_PLLCFGR, 0x24003010);
    cr_assert_eq(fake_read(b, RCC_PLLCFGR) & 0x3F, 8);
    cr_assert(fake_noted(b, "PLLCFGR written while the PLL is on"));
}

Test(devices_basic, ahb_prescalers) {
    static const unsigned dividers[] = {1, 2, 4, 8, 16, 64, 128, 256, 512};
    for (unsigned i = 0; i < 9; i++) {
        fake_write(b, RCC_CFGR, i ? (7 + i) << 4 : 0);
        cr_assert_eq(board_clocks(b)->core_hz, 16000000 / dividers[i]);
    }
}

Test(devices_basic, reset_flags) {
    static const struct {
        enum board_reset_cause cause;
        uint32_t flags;
    } causes[] = {{BOARD_RESET_PIN, 0x04000000},
                  {BOARD_RESET_SOFTWARE, 0x14000000},
                  {BOARD_RESET_WATCHDOG, 0x24000000},
                  {BOARD_RESET_WINDOW_WATCHDOG, 0x44000000}};
    cr_assert_eq(fake_read(b, RCC_CSR), 0x0E000000);
    for (unsigned i = 0; i < 4; i++) {
        fake_write(b, RCC_CSR, BIT(24));
        cr_assert_eq(fake_read(b, RCC_CSR), 0);
        board_reset(b, causes[i].cause);
        cr_assert_eq(fake_read(b, RCC_CSR), causes[i].flags);
    }
    board_reset(b, BOARD_RESET_PIN); /* flags add up until they are cleared */
    cr_assert_eq(fake_read(b, RCC_CSR), 0x44000000);
    fake_write(b, RCC_CSR, 1);
    fake_run_us(b, 20);
    cr_assert_eq(fake_read(b, RCC_CSR) & 3, 3);
}

/* ------------------------------------------------------------------------------------------------
 * Pins */

Test(devices_basic, outputs) {
    clocks_on();
    fake_write(b, GPIOD + BSRR, BIT(12));
    cr_assert_str_empty(pins, "an input drives nothing");
    fake_write(b, GPIOD + MODER, 0x55000000);
    fake_write(b, GPIOD + BSRR, BIT(12 + 16) | BIT(13) | BIT(13 + 16)); /* set wins over reset */
    fake_write(b, GPIOD + ODR, 0x4000);
    cr_assert_str_eq(pins, "D12=1 D12=0 D13=1 D13=0 D14=1 ");
    cr_assert_eq(fake_read(b, GPIOD + IDR), 0x4000);
    board_reset(b, BOARD_RESET_SOFTWARE);
    cr_assert_str_eq(pins, "D12=1 D12=0 D13=1 D13=0 D14=1 D14=0 ");
}

Test(devices_basic, open_drain_and_pulls) {
    clocks_on();
    fake_write(b, GPIOD + OTYPER, 1);
    fake_write(b, GPIOD + MODER, 1);
    fake_write(b, GPIOD + ODR, 1);
    cr_assert_not(board_pin_level(b, 3, 0), "nobody holds it");
    fake_write(b, GPIOD + PUPDR, 1);
    cr_assert(board_pin_level(b, 3, 0));
    board_pin_drive(b, 3, 0, false);
    cr_assert_not(fake_read(b, GPIOD + IDR) & 1, "the outside pulls it down");
    board_pin_release(b, 3, 0);
    cr_assert(fake_read(b, GPIOD + IDR) & 1);
    fake_write(b, GPIOD + MODER, 3);
    cr_assert_not(fake_read(b, GPIOD + IDR) & 1, "analog");
    cr_assert_eq(fake_notes(b), 0);
}

Test(devices_basic, a_short_circuit_is_noted) {
    clocks_on();
    fake_write(b, GPIOD + MODER, 1);
    board_pin_drive(b, 3, 0, true);
    cr_assert(fake_noted(b, "pin 0 is an output at 0 and driven to 1"));
    cr_assert_not(board_pin_level(b, 3, 0));
}

Test(devices_basic, locked_pins) {
    clocks_on();
    fake_write(b, GPIOD + MODER, 1);
    fake_write(b, GPIOD + LCKR, BIT(16) | 1);
    fake_write(b, GPIOD + LCKR, 3); /* other pins: the sequence is broken */
    fake_write(b, GPIOD + LCKR, BIT(16) | 1);
    cr_assert_not(fake_read(b, GPIOD + LCKR) & BIT(16));
    fake_write(b, GPIOD + LCKR, BIT(16) | 1);
    fake_write(b, GPIOD + LCKR, 1);
    fake_write(b, GPIOD + LCKR, BIT(16) | 1);
    cr_assert_eq(fake_read(b, GPIOD + LCKR), BIT(16) | 1);
    fake_write(b, GPIOD + MODER, 0xE);
    cr_assert_eq(fake_read(b, GPIOD + MODER), 0xD, "pin 0 stays an output");
    fake_write(b, GPIOD + LCKR, 0);
    cr_assert_eq(fake_read(b, GPIOD + LCKR), BIT(16) | 1);
}

/* ------------------------------------------------------------------------------------------------
 * External interrupts */

Test(devices_basic, button) {
    clocks_on();
    fake_write(b, EXTI + 0x08, 1);
    fake_write(b, EXTI + 0x00, 1);
    board_pin_drive(b, 0, 0, true);
    cr_assert(fake_irq(b, 6));
    fake_write(b, EXTI + 0x14, 1);
    cr_assert_not(fake_irq(b, 6));
    board_pin_drive(b, 0, 0, false);
    cr_assert_not(fake_irq(b, 6), "falling edges are not asked for");
    fake_write(b, EXTI + 0x0C, 1);
    board_pin_drive(b, 0, 0, true);
    board_pin_drive(b, 0, 0, false);
    cr_assert_eq(fake_read(b, EXTI + 0x14), 1);
    board_pin_drive(b, 3, 1, true);
    cr_assert_eq(fake_read(b, EXTI + 0x14), 1, "PD1 is not line 1");
}

Test(devices_basic, lines_follow_exticr) {
    clocks_on();
    fake_write(b, EXTI + 0x08, BIT(9));
    fake_write(b, EXTI + 0x00, BIT(9));
    board_pin_drive(b, 3, 9, true);
    cr_assert_not(fake_irq(b, 23));
    board_pin_drive(b, 3, 9, false);
    fake_write(b, SYSCFG + 0x10, 3 << 4);
    board_pin_drive(b, 3, 9, true);
    cr_assert(fake_irq(b, 23));
}

Test(devices_basic, what_lies_at_address_0) {
    clocks_on();
    fake_write(b, SYSCFG, 3);
    cr_assert_eq(fake_memory0(b), BOARD_MEMORY0_SRAM);
    fake_write(b, SYSCFG, 1);
    cr_assert_eq(fake_memory0(b), BOARD_MEMORY0_ROM);
    board_reset(b, BOARD_RESET_SOFTWARE);
    cr_assert_eq(fake_memory0(b), BOARD_MEMORY0_FLASH);
}

Test(devices_basic, software_triggers) {
    fake_write(b, EXTI + 0x10, BIT(12) | BIT(0));
    cr_assert_not(fake_irq(b, 40), "masked");
    fake_write(b, EXTI + 0x00, BIT(12));
    cr_assert(fake_irq(b, 40));
    cr_assert_not(fake_irq(b, 6));
    fake_write(b, EXTI + 0x14, BIT(12));
    cr_assert_not(fake_irq(b, 40));
    cr_assert_eq(fake_read(b, EXTI + 0x10), 1);
}

/* ------------------------------------------------------------------------------------------------
 * Serial line */

static void usart2_on(uint32_t cr1) {
    clocks_on();
    fake_write(b, USART2 + 0x08, 139); /* 16 MHz / 139: 115200 */
    fake_write(b, USART2 + 0x0C, BIT(13) | BIT(3) | BIT(2) | cr1);
}

enum { FRAME = 1390 };

Test(devices_basic, serial_out) {
    usart2_on(0);
    fake_read(b, USART2);
    fake_write(b, USART2 + 0x04, 'a');
    cr_assert_eq(fake_read(b, USART2), 0x80, "DR is free again, the frame is not over");
    fake_write(b, USART2 + 0x04, 'b');
    cr_assert_eq(fake_read(b, USART2), 0);
    fake_run(b, FRAME - 1);
    cr_assert_str_empty(serial);
    fake_run(b, 1);
    cr_assert_str_eq(serial, "2a");
    cr_assert_eq(fake_read(b, USART2), 0x80);
    fake_run(b, FRAME);
    cr_assert_str_eq(serial, "2a2b");
    cr_assert_eq(fake_read(b, USART2), 0xC0);
    cr_assert_eq(fake_notes(b), 0);
}

Test(devices_basic, serial_interrupts) {
    usart2_on(BIT(7));
    cr_assert(fake_irq(b, 38), "TXE");
    usart2_on(BIT(5));
    cr_assert_not(fake_irq(b, 38));
    board_serial_send(b, 2, 'x');
    fake_run(b, FRAME);
    cr_assert(fake_irq(b, 38), "RXNE");
    cr_assert_eq(fake_read(b, USART2 + 0x04), 'x');
    cr_assert_not(fake_irq(b, 38));
}

Test(devices_basic, overrun_and_idle) {
    usart2_on(BIT(5));
    board_serial_send(b, 2, 'x');
    board_serial_send(b, 2, 'y');
    cr_assert_eq(board_serial_pending(b, 2), 2);
    fake_run(b, 2 * FRAME);
    cr_assert_eq(board_serial_pending(b, 2), 0);
    cr_assert_eq(fake_read(b, USART2), 0xE8, "RXNE and ORE, not idle yet");
    cr_assert_eq(fake_read(b, USART2 + 0x04), 'x');
    cr_assert_eq(fake_read(b, USART2), 0xC0);
    fake_run(b, FRAME);
    cr_assert_eq(fake_read(b, USART2), 0xD0, "idle");
    fake_read(b, USART2 + 0x04);
    fake_run(b, 100 * FRAME);
    cr_assert_eq(fake_read(b, USART2), 0xC0, "once");
}

/* An overrun that came after SR was read is not cleared by the read of DR. */
Test(devices_basic, flags_are_cleared_when_seen) {
    usart2_on(0);
    board_serial_send(b, 2, 'x');
    fake_run(b, FRAME);
    fake_read(b, USART2);
    board_serial_send(b, 2, 'y');
    fake_run(b, FRAME);
    cr_assert_eq(fake_read(b, USART2 + 0x04), 'x');
    cr_assert_eq(fake_read(b, USART2) & 0x28, 0x08);
}

Test(devices_basic, input_waits_for_a_receiver) {
    board_serial_send(b, 2, 'x');
    fake_run_us(b, 100000);
    cr_assert_eq(board_serial_pending(b, 2), 1);
    usart2_on(0);
    fake_run(b, FRAME);
    cr_assert_eq(fake_read(b, USART2 + 0x04), 'x');
}

Test(devices_basic, odd_rates_are_noted) {
    clocks_on();
    fake_write(b, USART2 + 0x08, 1111);
    fake_write(b, USART2 + 0x0C, BIT(13) | BIT(3));
    cr_assert(fake_noted(b, "USART2: 14401 baud is no usual rate"));
}
