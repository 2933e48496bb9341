/* SPDX-License-Identifier: MIT
 *
 * Pins (RM0090 8.3): who has them, and what mode they are in. Registers that several pins share are
 * changed inside kernel_lock(); BSRR needs none.
 */
#include "hal/gpio.h"
#include "bsp.h"
#include "stm32f4.h"

enum { MODER_INPUT, MODER_OUTPUT, MODER_ALTERNATE, MODER_ANALOG };
enum { PULL_NONE, PULL_UP, PULL_DOWN };

/* Pins of drivers; the debugger's from the start. */
static uint16_t taken[GPIO_PORTS] = {1u << 13 | 1u << 14};

static uint32_t base_of(unsigned pin) {
    return GPIO_BASE(pin / 16);
}

static enum kernel_status check(unsigned pin) {
    if (pin >= GPIO_PORTS * 16 || !(board_config.pins[pin / 16] >> pin % 16 & 1))
        return KERNEL_BAD_ARGUMENT;
    return part_there(part_of_pin(pin)) ? KERNEL_OK : KERNEL_NOT_THERE;
}

static bool is_taken(unsigned pin) {
    return taken[pin / 16] >> pin % 16 & 1;
}

/* A field of `bits` bits for each pin. */
static void set_field(volatile uint32_t *reg, unsigned place, unsigned bits, uint32_t value) {
    uint32_t mask = ((1u << bits) - 1) << place * bits;
    *reg = (*reg & ~mask) | value << place * bits;
}

/* The mode last: until then the pin stays what it was. */
static void set_pin(unsigned pin, unsigned mode, unsigned pull, bool open_drain) {
    unsigned number = pin % 16;
    set_field(&GPIO_PUPDR(base_of(pin)), number, 2, pull);
    set_field(&GPIO_OTYPER(base_of(pin)), number, 1, open_drain);
    set_field(&GPIO_MODER(base_of(pin)), number, 2, mode);
}

static void take(unsigned pin, bool yes) {
    if (yes)
        taken[pin / 16] |= (uint16_t)(1u << pin % 16);
    else
        taken[pin / 16] &= (uint16_t) ~(1u << pin % 16);
}

enum kernel_status gpio_configure(unsigned pin, enum gpio_mode mode) {
    static const struct {
        uint8_t mode, pull;
        bool open_drain;
    } modes[GPIO_MODES] = {
        [GPIO_INPUT] = {MODER_INPUT, PULL_NONE, false},
        [GPIO_INPUT_PULL_UP] = {MODER_INPUT, PULL_UP, false},
        [GPIO_INPUT_PULL_DOWN] = {MODER_INPUT, PULL_DOWN, false},
        [GPIO_OUTPUT] = {MODER_OUTPUT, PULL_NONE, false},
        [GPIO_OUTPUT_OPEN_DRAIN] = {MODER_OUTPUT, PULL_UP, true},
        [GPIO_ANALOG] = {MODER_ANALOG, PULL_NONE, false},
    };
    if (mode >= GPIO_MODES)
        return KERNEL_BAD_ARGUMENT;
    enum kernel_status status = check(pin);
    if (status)
        return status;
    uint32_t key = kernel_lock();
    if (is_taken(pin))
        status = KERNEL_PIN_TAKEN;
    else
        set_pin(pin, modes[mode].mode, modes[mode].pull, modes[mode].open_drain);
    kernel_unlock(key);
    return status;
}

enum kernel_status gpio_write(unsigned pin, bool high) {
    enum kernel_status status = check(pin);
    if (status)
        return status;
    if (is_taken(pin))
        return KERNEL_PIN_TAKEN;
    pin_set(pin, high);
    return KERNEL_OK;
}

enum kernel_status gpio_read(unsigned pin, bool *high) {
    enum kernel_status status = check(pin);
    if (!status)
        *high = GPIO_IDR(base_of(pin)) >> pin % 16 & 1;
    return status;
}

/* ----- for drivers -------------------------------------------------------------------------------- */

void pin_set(unsigned pin, bool high) {
    GPIO_BSRR(base_of(pin)) = 1u << (pin % 16 + (high ? 0 : 16));
}

void pin_alternate(unsigned pin, unsigned function, unsigned options) {
    unsigned pull = options & PIN_PULL_UP     ? PULL_UP
                    : options & PIN_PULL_DOWN ? PULL_DOWN
                                              : PULL_NONE;
    uint32_t key = kernel_lock();
    take(pin, true);
    set_field(&GPIO_AFR(base_of(pin), pin % 16), pin % 8, 4, function);
    set_field(&GPIO_OSPEEDR(base_of(pin)), pin % 16, 2, options & PIN_FAST ? 2 : 0);
    set_pin(pin, MODER_ALTERNATE, pull, false);
    kernel_unlock(key);
}

void pin_output(unsigned pin, bool high) {
    uint32_t key = kernel_lock();
    take(pin, true);
    pin_set(pin, high);
    set_pin(pin, MODER_OUTPUT, PULL_NONE, false);
    kernel_unlock(key);
}

void pin_release(unsigned pin) {
    uint32_t key = kernel_lock();
    take(pin, false);
    set_pin(pin, MODER_INPUT, PULL_NONE, false);
    kernel_unlock(key);
}
