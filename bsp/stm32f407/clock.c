/* SPDX-License-Identifier: MIT
 *
 * 168 MHz from the 8 MHz crystal (RM0090 7.2, 3.5.1). Where something does not get ready in time the chip
 * stays on the 16 MHz of HSI, with everything else working. QEMU's model has no RCC: it reads 0, and
 * nothing there is waited for.
 */
#include "bsp.h"
#include "stm32f407.h"

enum {
    HSI_HZ = 16000000,
    PLL_HZ = 168000000,
    FLASH_WAIT_STATES = 5, /* 150 to 168 MHz at 2.7 to 3.6 V, table 10 */
    READY_TRIES = 500000,  /* at 16 MHz about 0.2 s; a crystal takes 2 ms */
};

/* Waits until the bits of a register have a value; false: it did not happen. */
static bool wait_for(volatile uint32_t *reg, uint32_t mask, uint32_t value) {
    for (uint32_t i = 0; i < READY_TRIES; i++)
        if ((*reg & mask) == value)
            return true;
    return false;
}

static bool pll_start(void) {
    RCC_CR |= RCC_CR_HSEON;
    if (!wait_for(&RCC_CR, RCC_CR_HSERDY, RCC_CR_HSERDY))
        return false;
    RCC_APB1ENR |= RCC_APB1ENR_PWR;
    (void)RCC_APB1ENR;    /* errata ES0182 2.1.13: two cycles before the peripheral answers */
    PWR_CR |= PWR_CR_VOS; /* scale 1, for more than 144 MHz */
    /* VCO 8 MHz / 8 * 336; / 2 = 168 MHz, / 7 = 48 MHz */
    RCC_PLLCFGR = RCC_PLLCFGR_SRC_HSE | 8u | 336u << 6 | 0u << 16 | 7u << 24;
    RCC_CR |= RCC_CR_PLLON;
    return wait_for(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY);
}

/* The flash must be slow enough before the core is fast; it says so itself. */
static bool flash_slow_down(void) {
    FLASH_ACR = FLASH_WAIT_STATES | FLASH_ACR_ICEN | FLASH_ACR_DCEN | FLASH_ACR_PRFTEN;
    return wait_for(&FLASH_ACR, FLASH_ACR_LATENCY_MASK, FLASH_WAIT_STATES);
}

static bool pll_use(void) {
    RCC_CFGR |= RCC_CFGR_PPRE1_DIV4 | RCC_CFGR_PPRE2_DIV2; /* 42 and 84 MHz, their limits */
    RCC_CFGR = (RCC_CFGR & ~RCC_CFGR_SW_MASK) | RCC_CFGR_SW_PLL;
    if (wait_for(&RCC_CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL))
        return true;
    RCC_CFGR = 0; /* HSI, no division */
    return false;
}

struct clock clock_init(void) {
    if (!(RCC_CR & RCC_CR_HSION)) /* the chip resets to HSI, so this is no chip */
        return (struct clock){CLOCK_NONE, PLL_HZ, PLL_HZ / 4};
    if (pll_start() && flash_slow_down() && pll_use())
        return (struct clock){CLOCK_HSE_PLL, PLL_HZ, PLL_HZ / 4};
    RCC_CR &= ~(RCC_CR_PLLON | RCC_CR_HSEON);
    return (struct clock){CLOCK_HSI, HSI_HZ, HSI_HZ};
}
