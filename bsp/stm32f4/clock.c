/* SPDX-License-Identifier: MIT
 *
 * The board's speed from HSE (RM0090 7.2, 3.5.1; 168 MHz from 8 MHz), and 48 MHz for the RNG. Where
 * something does not get ready in time the chip stays on the 16 MHz of HSI, with everything else working
 * except the RNG.
 * QEMU's model has no RCC: it reads 0, and nothing there is waited for.
 *
 * A crystal that stops later is found by the clock security system: it puts the chip back on HSI and
 * raises NMI (7.2.7). That restarts the board, because all that was derived from the clock is wrong then.
 */
#include "bsp.h"
#include "rtos/fault.h"
#include "stm32f4.h"

enum {
    HSI_HZ = 16000000,
    READY_TRIES = 500000, /* at 16 MHz about 0.2 s; a crystal takes 2 ms */
};

static struct clock now;

static bool rcc_wait(uint32_t offset, uint32_t mask, uint32_t value) {
    return wait_for(RCC_BASE + offset, mask, value, READY_TRIES);
}

/* A boot loader or a debugger may have left the PLL on, which cannot be set while it runs (7.3.2). */
static bool hsi_use(void) {
    RCC_CR |= RCC_CR_HSION;
    if (!rcc_wait(0x00, RCC_CR_HSIRDY, RCC_CR_HSIRDY))
        return false;
    RCC_CFGR = RCC_CFGR_SW_HSI; /* and no division */
    if (!rcc_wait(0x08, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_HSI))
        return false;
    RCC_CR &= ~(RCC_CR_PLLON | RCC_CR_CSSON);
    return rcc_wait(0x00, RCC_CR_PLLRDY, 0);
}

/* HSEBYP is taken only while HSE is off (7.3.1), and the core is on HSI here. */
static bool hse_start(void) {
    if (board_config.clock.bypass) {
        RCC_CR &= ~RCC_CR_HSEON;
        if (!rcc_wait(0x00, RCC_CR_HSERDY, 0))
            return false;
        RCC_CR |= RCC_CR_HSEBYP;
    }
    RCC_CR |= RCC_CR_HSEON;
    return rcc_wait(0x00, RCC_CR_HSERDY, RCC_CR_HSERDY);
}

static bool pll_start(void) {
    if (!hse_start())
        return false;
    RCC_APB1ENR |= RCC_APB1ENR_PWR;
    (void)RCC_APB1ENR; /* errata ES0182 2.1.13: two cycles before the peripheral answers */
    PWR_CR |= board_config.clock.power_scale; /* taken while the PLL is off (5.1.3) */
    RCC_PLLCFGR = board_config.clock.pllcfgr;
    RCC_CR |= RCC_CR_PLLON;
    return rcc_wait(0x00, RCC_CR_PLLRDY, RCC_CR_PLLRDY);
}

/* The flash must be slow enough before the core is fast; it says so itself. */
static bool flash_slow_down(void) {
    uint32_t wait_states = board_config.clock.wait_states;
    FLASH_ACR = wait_states | FLASH_ACR_ICEN | FLASH_ACR_DCEN | FLASH_ACR_PRFTEN;
    return wait_for(FLASH_BASE, FLASH_ACR_LATENCY_MASK, wait_states, READY_TRIES);
}

static bool pll_use(void) {
    RCC_CFGR |= RCC_CFGR_PPRE1_DIV4 | RCC_CFGR_PPRE2_DIV2; /* 42 and 84 MHz, their limits */
    RCC_CFGR = (RCC_CFGR & ~RCC_CFGR_SW_MASK) | RCC_CFGR_SW_PLL;
    return rcc_wait(0x08, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL);
}

static struct clock start(void) {
    const uint32_t hz = board_config.clock.core_hz;
    const struct clock pll = {.source = CLOCK_HSE_PLL,
                              .core_hz = hz,
                              .apb1_hz = hz / 4,
                              .apb2_hz = hz / 2,
                              .timer1_hz = hz / 2, /* twice the bus's when that is divided, 7.2 */
                              .timer2_hz = hz,
                              .usb = true};
    if (!(RCC_CR & RCC_CR_HSION)) { /* the chip resets to HSI, so this is no chip */
        struct clock model = pll;
        model.source = CLOCK_NONE;
        return model;
    }
    if (hsi_use() && pll_start() && flash_slow_down() && pll_use()) {
        RCC_CR |= RCC_CR_CSSON;
        return pll;
    }
    hsi_use();
    RCC_CR &= ~RCC_CR_HSEON;
    return (struct clock){CLOCK_HSI, HSI_HZ, HSI_HZ, HSI_HZ, HSI_HZ, HSI_HZ, false};
}

struct clock clock_init(void) {
    now = start();
    parts_probe();
    flash_init();
    return now;
}

const struct clock *clock_now(void) {
    return &now;
}

void clock_failed(void) {
    if (!(RCC_CIR & RCC_CIR_CSSF))
        fault_panic("NMI");
    RCC_CIR |= RCC_CIR_CSSC;
    uart_clock(HSI_HZ / 4); /* for the report; the prescalers are as they were */
    fault_panic("the crystal has stopped");
}
