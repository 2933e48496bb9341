/* SPDX-License-Identifier: MIT
 *
 * Stands in for a driver of hal/gpio.h until there is one: no pins.
 */
#include "hal/gpio.h"

__attribute__((weak)) const struct gpio_name gpio_names[1] = {{"PA0", 0, "button"}};
__attribute__((weak)) const unsigned gpio_name_count = 0;
__attribute__((weak)) const uint8_t gpio_leds[GPIO_LEDS] = {60, 61, 62, 63};

__attribute__((weak)) enum kernel_status gpio_configure(unsigned pin, enum gpio_mode mode) {
    (void)pin, (void)mode;
    return KERNEL_NOT_THERE;
}

__attribute__((weak)) enum kernel_status gpio_write(unsigned pin, bool high) {
    (void)pin, (void)high;
    return KERNEL_NOT_THERE;
}

__attribute__((weak)) enum kernel_status gpio_read(unsigned pin, bool *high) {
    (void)pin, (void)high;
    return KERNEL_NOT_THERE;
}
