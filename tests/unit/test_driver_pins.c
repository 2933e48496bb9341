/* SPDX-License-Identifier: MIT
 *
 * Pins, their interrupts and the button.
 */
#include "driver/model.h"

#include "bsp/stm32f407/config.c"

#include "bsp/stm32f4/exti.c"
#define check gpio_check
#include "bsp/stm32f4/gpio.c"
#undef check
#include "bsp/stm32f4/parts.c"
#include <criterion/criterion.h>

enum { PA = 0x40020000, PC = 0x40020800, PD = 0x40020C00 };
enum { IMR = EXTI_BASE, SWIER = EXTI_BASE + 0x10, PR = EXTI_BASE + 0x14 };

/* BSRR sets and clears ODR, which the pin follows; PR is cleared by ones. */
/* PR has a bit that no write of the driver has, so that each write is seen. */
enum { PR_READ = 1u << 30 };

static uint32_t read_register(uint32_t address, uint32_t stored) {
    return address == PR ? stored | PR_READ : stored;
}

static uint32_t pending_lines(void) {
    return model_get(PR) & ~(uint32_t)PR_READ;
}

static void written(uint32_t address, uint32_t value, uint32_t before) {
    if (address >= PA && address < PA + 0x1400 && address % 0x400 == 0x18) {
        uint32_t odr = model_get(address - 4);
        odr = (odr & ~(value >> 16)) | (value & 0xFFFF);
        model_set(address - 4, odr);
        model_set(address - 8, odr);
        model_set(address, 0);
    } else if (address == PR) {
        model_set(PR, before & ~value);
        model_set(SWIER, model_get(SWIER) & ~value);
    } else if (address == SWIER) {
        model_set(PR, model_get(PR) | (value & ~before));
    }
}

static void setup(void) {
    static const struct model_device device = {read_register, written};
    model_reset(&device);
    parts_there = UINT32_MAX;
    memset(lines, 0, sizeof(lines));
    memset(&button, 0, sizeof(button));
    taken[0] = 1u << 13 | 1u << 14;
    for (int i = 1; i < GPIO_PORTS; i++)
        taken[i] = 0;
}

TestSuite(pins, .init = setup);
TestSuite(exti, .init = setup);

static uint32_t field(uint32_t address, unsigned place, unsigned bits) {
    return model_get(address) >> place * bits & ((1u << bits) - 1);
}

/* Each pin of each port, in each mode, and no other pin. */
Test(pins, modes) {
    static const struct {
        uint8_t moder, pupdr, otyper;
    } want[GPIO_MODES] = {{0, 0, 0}, {0, 1, 0}, {0, 2, 0}, {1, 0, 0}, {1, 1, 1}, {3, 0, 0}};
    for (unsigned pin = 0; pin < 5 * 16; pin++)
        for (unsigned mode = 0; mode < GPIO_MODES; mode++) {
            setup();
            taken[0] = 0;
            uint32_t base = PA + pin / 16 * 0x400, number = pin % 16;
            model_set(base, 0xAAAAAAAA);
            cr_assert_eq(gpio_configure(pin, (enum gpio_mode)mode), KERNEL_OK);
            cr_assert_eq(field(base, number, 2), want[mode].moder);
            cr_assert_eq(field(base + 0xC, number, 2), want[mode].pupdr);
            cr_assert_eq(field(base + 4, number, 1), want[mode].otyper);
            cr_assert_eq((model_get(base) ^ 0xAAAAAAAA) & ~(3u << number * 2), 0);
        }
}

Test(pins, levels) {
    bool level;
    cr_assert_eq(GPIO_PIN('D', 12), 60); /* as BPF_PIN */
    cr_assert_eq(gpio_write(60, true), KERNEL_OK);
    cr_assert_eq(model_get(PD + 0x14), 1u << 12);
    cr_assert_eq(gpio_read(60, &level), KERNEL_OK);
    cr_assert(level);
    cr_assert_eq(gpio_write(60, false), KERNEL_OK);
    gpio_read(60, &level);
    cr_assert(!level);
}

Test(pins, taken) {
    bool level;
    cr_assert_eq(gpio_configure(GPIO_PIN('A', 13), GPIO_INPUT), KERNEL_PIN_TAKEN);
    pin_alternate(GPIO_PIN('C', 10), 7, PIN_PULL_UP | PIN_FAST);
    cr_assert_eq(field(PC, 10, 2), 2);
    cr_assert_eq(field(PC + 0xC, 10, 2), 1);
    cr_assert_eq(field(PC + 0x24, 2, 4), 7);
    cr_assert_eq(gpio_configure(GPIO_PIN('C', 10), GPIO_OUTPUT), KERNEL_PIN_TAKEN);
    cr_assert_eq(gpio_write(GPIO_PIN('C', 10), true), KERNEL_PIN_TAKEN);
    cr_assert_eq(gpio_read(GPIO_PIN('C', 10), &level), KERNEL_OK);
    cr_assert_eq(field(PC, 10, 2), 2);
    pin_release(GPIO_PIN('C', 10));
    cr_assert_eq(gpio_configure(GPIO_PIN('C', 10), GPIO_OUTPUT), KERNEL_OK);
}

Test(pins, refused) {
    bool level;
    cr_assert_eq(gpio_configure(80, GPIO_OUTPUT), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(gpio_configure(UINT32_MAX, GPIO_OUTPUT), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(gpio_configure(1, GPIO_MODES), KERNEL_BAD_ARGUMENT);
    parts_there = ~(1u << PART_GPIOB);
    cr_assert_eq(gpio_read(16, &level), KERNEL_NOT_THERE);
    cr_assert_eq(gpio_read(15, &level), KERNEL_OK);
}

/* Names are unique, and so are the pins. */
Test(pins, names) {
    for (unsigned i = 0; i < gpio_name_count; i++)
        for (unsigned j = 0; j < i; j++)
            cr_assert(strcmp(gpio_names[i].name, gpio_names[j].name) &&
                      gpio_names[i].pin != gpio_names[j].pin);
}

/* ----- EXTI --------------------------------------------------------------------------------------- */

static unsigned calls[16];

static void count(void *argument) {
    calls[(uintptr_t)argument]++;
}

Test(exti, each_line_has_its_source_and_edge) {
    for (unsigned line = 0; line < 16; line++) {
        unsigned pin = (line * 3 % 5) * 16 + line;
        cr_assert_eq(
            exti_start(pin, (enum exti_edge)(1 + line % 3), count, (void *)(uintptr_t)line),
            KERNEL_OK);
    }
    for (unsigned line = 0; line < 16; line++) {
        cr_assert_eq(model_get(0x40013808 + line / 4 * 4) >> line % 4 * 4 & 15, line * 3 % 5);
        cr_assert_eq(model_get(EXTI_BASE + 8) >> line & 1, (1 + line % 3) & 1);
        cr_assert_eq(model_get(EXTI_BASE + 0xC) >> line & 1, (1 + line % 3) >> 1);
        cr_assert_eq(model_get(IMR) >> line & 1, 1);
        cr_assert_eq(exti_trigger((line * 3 % 5) * 16 + line), KERNEL_OK);
        EXTI_Handler();
        for (unsigned i = 0; i < 16; i++)
            cr_assert_eq(calls[i], i <= line);
        cr_assert_eq(pending_lines(), 0);
    }
    cr_assert_eq(model_kernel.worst_priority, PRIORITY_DEVICE);
}

/* What is not masked in has no handler to call, and stays pending. */
Test(exti, others_are_left_alone) {
    memset(calls, 0, sizeof(calls));
    exti_start(3, EXTI_RISING, count, (void *)3);
    model_set(PR, 1u << 3 | 1u << 4 | 1u << 20);
    EXTI_Handler();
    cr_assert_eq(calls[3], 1);
    cr_assert_eq(pending_lines(), 1u << 4 | 1u << 20);
}

Test(exti, one_port_at_a_time) {
    cr_assert_eq(exti_start(3, EXTI_RISING, count, NULL), KERNEL_OK);
    cr_assert_eq(exti_start(19, EXTI_RISING, count, NULL), KERNEL_BUSY);
    cr_assert_eq(exti_stop(19), KERNEL_NOT_STARTED);
    cr_assert_eq(exti_start(3, EXTI_BOTH, count, NULL), KERNEL_OK); /* itself anew */
    cr_assert_eq(exti_stop(3), KERNEL_OK);
    cr_assert_eq(exti_start(19, EXTI_RISING, count, NULL), KERNEL_OK);
    cr_assert_eq(exti_start(4, (enum exti_edge)0, count, NULL), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(exti_start(4, EXTI_BOTH, NULL, NULL), KERNEL_BAD_ARGUMENT);
}

/* ----- the button --------------------------------------------------------------------------------- */

static int pressed_calls, released_calls;

static void changed(bool pressed, void *argument) {
    (void)argument;
    pressed ? pressed_calls++ : released_calls++;
}

static void level(bool high) {
    model_set(PA + 0x10, high);
    model_set(PR, 1);
    EXTI_Handler();
}

/* Lets the samples run out; returns how many there were. */
static int settle(void) {
    int samples = 0;
    while (model_kernel.timer_active && samples < 100) {
        model_timer_expire();
        samples++;
    }
    return samples;
}

Test(exti, button_bounces) {
    bool pressed;
    cr_assert_eq(button_pressed(&pressed), KERNEL_NOT_STARTED);
    cr_assert_eq(button_start(changed, NULL), KERNEL_OK);
    cr_assert_eq(button_start(changed, NULL), KERNEL_BUSY);
    level(true);
    level(false);
    level(true);
    cr_assert_leq(settle(), 2 * DEBOUNCE_SAMPLES);
    cr_assert(pressed_calls == 1 && released_calls == 0);
    cr_assert_eq(button_pressed(&pressed), KERNEL_OK);
    cr_assert(pressed);
    level(false);
    model_timer_expire();
    level(true); /* a short glitch is no release */
    settle();
    cr_assert(pressed_calls == 1 && released_calls == 0);
    level(false);
    settle();
    cr_assert(pressed_calls == 1 && released_calls == 1);
    cr_assert(!model_kernel.timer_active);
}

Test(exti, button_held_at_the_start) {
    bool pressed = false;
    model_set(PA + 0x10, 1);
    cr_assert_eq(button_start(NULL, NULL), KERNEL_OK);
    EXTI_Handler();
    settle();
    cr_assert_eq(button_pressed(&pressed), KERNEL_OK);
    cr_assert(pressed);
}
