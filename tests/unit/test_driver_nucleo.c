/* SPDX-License-Identifier: MIT
 *
 * The tables of the Nucleo-F446RE, through the drivers that use them: a clock that comes from outside, an
 * RNG that is not asked, the flash's sectors (RM0390 6.3, 3.3), a button that is low when pressed, pins that the
 * package has not.
 */
#include "driver/model.h"

#include "bsp/stm32f446/config.c"

#include "bsp/stm32f4/clock.c"
#include "bsp/stm32f4/parts.c"
#define lock flash_lock
#define run flash_run_operation
#include "bsp/stm32f4/flash.c"
#undef lock
#undef run
#include "bsp/stm32f4/exti.c"
#define check gpio_check
#include "bsp/stm32f4/gpio.c"
#undef check
#include <criterion/criterion.h>

enum { CR = RCC_BASE, PLLCFGR = RCC_BASE + 4, CFGR = RCC_BASE + 8, RNG = 0x50060800 };

static bool bypass_while_on, rng_touched, fed;

void uart_clock(uint32_t apb1_hz) {
    (void)apb1_hz;
}

/* HSERDY follows HSEON where a clock comes in: only in bypass, as there is no crystal. */
static uint32_t read_register(uint32_t address, uint32_t stored) {
    if (address == CR) {
        bool ready =
            fed && (stored & (RCC_CR_HSEON | RCC_CR_HSEBYP)) == (RCC_CR_HSEON | RCC_CR_HSEBYP);
        stored &= ~(RCC_CR_HSERDY | RCC_CR_PLLRDY);
        stored |= (ready ? RCC_CR_HSERDY : 0) | (stored & RCC_CR_PLLON ? RCC_CR_PLLRDY : 0);
    }
    if (address == CFGR)
        stored = (stored & ~RCC_CFGR_SWS_MASK) | (stored & 3) << 2;
    if (address == EXTI_BASE + 0x14)
        stored |= 1u << 30; /* has no line: each write differs */
    rng_touched |= address >= RNG && address < RNG + 0x400;
    return stored;
}

static void written(uint32_t address, uint32_t value, uint32_t before) {
    if (address == CR && (value & ~before) & RCC_CR_HSEBYP)
        bypass_while_on |= (before & RCC_CR_HSEON) != 0;
}

static void setup(void) {
    static const struct model_device device = {read_register, written};
    model_reset(&device);
    bypass_while_on = rng_touched = false;
    fed = true;
    model_set(CR, 0x83 | RCC_CR_HSEON); /* a boot loader has tried */
    model_set(0x1FFF7A20, 512u << 16);
}

TestSuite(nucleo, .init = setup);

Test(nucleo, clock_from_outside) {
    struct clock c = clock_init();
    cr_assert_eq(c.source, CLOCK_HSE_PLL);
    cr_assert(!bypass_while_on);
    uint32_t pll = model_get(PLLCFGR), m = pll & 63, n = pll >> 6 & 511,
             p = (pll >> 16 & 3) * 2 + 2, q = pll >> 24 & 15, r = pll >> 28 & 7;
    cr_assert_eq(8000000 / m * n / p, c.core_hz);
    cr_assert_eq(8000000 / m * n / q, 48000000);
    cr_assert_geq(r, 2);
    cr_assert_eq(model_get(0x40007000) >> 14 & 3, 3);
}

Test(nucleo, nothing_is_fed) {
    fed = false;
    cr_assert_eq(clock_init().source, CLOCK_HSI);
}

Test(nucleo, parts_that_the_chip_has_not) {
    clock_init();
    cr_assert(!rng_touched && !part_there(PART_RNG) && !part_there(PART_GPIOE));
    cr_assert(part_there(PART_TIM1) && part_there(PART_SPI1));
}

Test(nucleo, sectors) {
    struct flash_sector sector;
    clock_init();
    cr_assert_eq(flash_sector_count(), 8);
    cr_assert_eq(flash_sector(7, &sector), KERNEL_OK);
    cr_assert_eq(sector.address + sector.size, 0x08080000);
}

Test(nucleo, pins_of_the_package) {
    clock_init();
    cr_assert_eq(gpio_configure(GPIO_PIN('B', 11), GPIO_OUTPUT), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(gpio_configure(GPIO_PIN('D', 3), GPIO_OUTPUT), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(gpio_configure(GPIO_PIN('E', 0), GPIO_OUTPUT), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(gpio_configure(GPIO_PIN('D', 2), GPIO_OUTPUT), KERNEL_OK);
}

static unsigned presses, releases;

static void changed(bool down, void *argument) {
    (void)argument;
    down ? presses++ : releases++;
}

/* PC13 gets a level; the samples that follow run out. */
static void level(bool high) {
    model_set(0x40020810, (uint32_t)high << 13);
    model_set(EXTI_BASE + 0x14, 1u << 13);
    EXTI_Handler();
    for (int i = 0; model_kernel.timer_active && i < 100; i++)
        model_timer_expire();
}

Test(nucleo, button_is_low_when_pressed) {
    clock_init();
    model_set(0x40020810, 1u << 13);
    cr_assert_eq(button_start(changed, NULL), KERNEL_OK);
    cr_assert_eq(presses + releases, 0);
    level(false);
    cr_assert(presses == 1 && releases == 0);
    level(true);
    cr_assert(presses == 1 && releases == 1);
}
