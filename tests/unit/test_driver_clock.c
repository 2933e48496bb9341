/* SPDX-License-Identifier: MIT
 *
 * Clock start-up against an RCC in which this or that never gets ready (RM0090 7.2, 7.3). The model also
 * watches what would hang or break a chip: a core that is faster than its flash, a bus above its limit,
 * a PLL that is set while it runs.
 */
#include "driver/model.h"

#include "bsp/stm32f407/config.c"

#include "bsp/stm32f4/clock.c"

#include "bsp/stm32f4/parts.c"
#include <criterion/criterion.h>

enum { CR = RCC_BASE, PLLCFGR = RCC_BASE + 4, CFGR = RCC_BASE + 8 };

static struct rcc {
    bool absent, no_crystal, no_pll, no_switch, no_latency;
    unsigned delay; /* reads until something is ready */
    unsigned wait;
    unsigned uart_hz;
} rcc;

void flash_init(void) {
}

void uart_clock(uint32_t apb1_hz) {
    rcc.uart_hz = apb1_hz;
}

static bool is_ready(void) {
    return rcc.wait == 0 || --rcc.wait == 0;
}

static void ready_bit(uint32_t *cr, uint32_t on, uint32_t ready, bool never) {
    if (!(*cr & on))
        *cr &= ~ready;
    else if (!never && !(*cr & ready) && is_ready())
        *cr |= ready;
}

static uint32_t read_register(uint32_t address, uint32_t stored) {
    if (rcc.absent)
        return 0;
    if (address == CR) {
        ready_bit(&stored, RCC_CR_HSION, RCC_CR_HSIRDY, false);
        ready_bit(&stored, RCC_CR_HSEON, RCC_CR_HSERDY, rcc.no_crystal);
        ready_bit(&stored, RCC_CR_PLLON, RCC_CR_PLLRDY, rcc.no_pll);
    }
    if (address == CFGR && !(rcc.no_switch && (stored & 3) == RCC_CFGR_SW_PLL))
        stored = (stored & ~RCC_CFGR_SWS_MASK) | (stored & 3) << 2;
    if (address == FLASH_BASE && rcc.no_latency)
        stored &= ~FLASH_ACR_LATENCY_MASK;
    return stored;
}

static void rule(bool kept, const char *text) {
    cr_assert(kept || rcc.absent, "%s", text);
}

static void written(uint32_t address, uint32_t value, uint32_t before) {
    rcc.wait = rcc.delay;
    if (address == PLLCFGR)
        rule(!(model_get(CR) & RCC_CR_PLLON), "the PLL is set while it runs");
    if (address == CR && before & ~value & (RCC_CR_PLLON | RCC_CR_HSEON))
        rule((model_get(CFGR) & RCC_CFGR_SWS_MASK) == 0, "the clock in use is switched off");
    if (address == CFGR && (value & 3) == RCC_CFGR_SW_PLL) {
        rule(model_get(CR) & RCC_CR_PLLRDY, "a PLL that is not ready");
        rule((model_get(FLASH_BASE) & 7) == 5, "the flash is too slow");
        rule((value >> 10 & 7) == 5 && (value >> 13 & 7) == 4, "the buses are too fast");
    }
}

static void setup(void) {
    static const struct model_device device = {read_register, written};
    model_reset(&device);
    rcc = (struct rcc){.delay = 10};
    model_set(CR, 0x83);
    model_set(0x40007000, 0x4000); /* PWR_CR */
}

TestSuite(clocks, .init = setup);

Test(clocks, to_168_mhz) {
    struct clock c = clock_init();
    cr_assert_eq(c.source, CLOCK_HSE_PLL);
    cr_assert(c.core_hz == 168000000 && c.apb1_hz == 42000000 && c.apb2_hz == 84000000);
    cr_assert(c.timer1_hz == 84000000 && c.timer2_hz == 168000000 && c.usb);
    uint32_t pll = model_get(PLLCFGR), m = pll & 63, n = pll >> 6 & 511,
             p = (pll >> 16 & 3) * 2 + 2, q = pll >> 24 & 15;
    cr_assert_eq(8000000 / m * n / p, 168000000);
    cr_assert_eq(8000000 / m * n / q, 48000000);
    cr_assert(pll & RCC_PLLCFGR_SRC_HSE);
    cr_assert(model_get(CR) & RCC_CR_CSSON);
    cr_assert_eq(model_get(CFGR) & 0xF, 2 | 2 << 2);
}

/* The crystal is tried for long enough: 2 ms are 32000 cycles of HSI, a read takes a few of them. */
Test(clocks, slow_crystal) {
    rcc.delay = 30000;
    cr_assert_eq(clock_init().source, CLOCK_HSE_PLL);
}

static void falls_back(void) {
    struct clock c = clock_init();
    cr_assert_eq(c.source, CLOCK_HSI);
    cr_assert(c.core_hz == 16000000 && c.apb1_hz == 16000000 && c.timer2_hz == 16000000 && !c.usb);
    cr_assert_eq(model_get(CFGR) & ~RCC_CFGR_SWS_MASK, 0); /* HSI, no division */
    cr_assert(!(model_get(CR) & (RCC_CR_PLLON | RCC_CR_HSEON | RCC_CR_CSSON)));
}

Test(clocks, no_crystal) {
    rcc.no_crystal = true;
    falls_back();
}

Test(clocks, no_pll) {
    rcc.no_pll = true;
    falls_back();
}

Test(clocks, flash_keeps_its_latency) {
    rcc.no_latency = true;
    falls_back();
}

Test(clocks, switch_does_not_happen) {
    rcc.no_switch = true;
    falls_back();
}

/* A boot loader left everything on. */
Test(clocks, runs_on_the_pll_already) {
    model_set(CR, 0x83 | RCC_CR_HSEON | RCC_CR_HSERDY | RCC_CR_PLLON | RCC_CR_PLLRDY);
    model_set(FLASH_BASE, 5);
    model_set(CFGR, RCC_CFGR_SW_PLL | RCC_CFGR_SWS_PLL | RCC_CFGR_PPRE1_DIV4 | RCC_CFGR_PPRE2_DIV2);
    cr_assert_eq(clock_init().source, CLOCK_HSE_PLL);
}

Test(clocks, no_rcc) {
    rcc.absent = true;
    struct clock c = clock_init();
    cr_assert_eq(c.source, CLOCK_NONE);
    cr_assert_eq(c.core_hz, 168000000);
    for (unsigned i = 0; i < PARTS; i++)
        cr_assert(!part_there((enum part)i));
}

/* What keeps its pattern is there, and is left as it was. */
Test(clocks, parts) {
    model_set(0x40020024, 0xABC); /* GPIOA_AFRH */
    clock_init();
    for (unsigned i = 0; i < PARTS; i++) {
        cr_assert(part_there((enum part)i));
        cr_assert(model_get(RCC_BASE + parts[i].enable) >> parts[i].bit & 1);
    }
    cr_assert_eq(model_get(0x40020024), 0xABC);
    cr_assert_eq(model_get(0x50060800), 0);
}
