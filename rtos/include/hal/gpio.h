/* SPDX-License-Identifier: MIT
 *
 * Pins. A pin is port * 16 + number, as BPF_PIN() has it; those that the board names are in gpio_names[].
 * Pins of drivers, of the console and of the debugger are refused with KERNEL_PIN_TAKEN.
 */
#ifndef HAL_GPIO_H
#define HAL_GPIO_H

#include "rtos/kernel.h"

#define GPIO_PIN(port, number) ((unsigned)((port) - 'A') * 16 + (number))

enum gpio_mode {
    GPIO_INPUT,
    GPIO_INPUT_PULL_UP,
    GPIO_INPUT_PULL_DOWN,
    GPIO_OUTPUT,
    GPIO_OUTPUT_OPEN_DRAIN, /* with pull-up */
    GPIO_ANALOG,
    GPIO_MODES,
};

/* From anywhere, before kernel_start() too. An output keeps the level that was written last. */
enum kernel_status gpio_configure(unsigned pin, enum gpio_mode mode);
enum kernel_status gpio_write(unsigned pin, bool high);
enum kernel_status gpio_read(unsigned pin, bool *high); /* the level at the pin; taken ones too */

struct gpio_name {
    const char *name; /* as printed on the board */
    uint8_t pin;
    const char *use;
};
extern const struct gpio_name gpio_names[];
extern const unsigned gpio_name_count;

/* The LEDs, in their order on the board. */
struct gpio_led {
    const char *name; /* its colour */
    uint8_t pin;
};
extern const struct gpio_led gpio_leds[];
extern const unsigned gpio_led_count;

/* Interrupts of pins. All pins of one number share a line: KERNEL_BUSY if another port has it. The
 * handler runs in the interrupt. */
enum exti_edge { EXTI_RISING = 1, EXTI_FALLING = 2, EXTI_BOTH = 3 };
enum kernel_status exti_start(unsigned pin, enum exti_edge edge, void (*handler)(void *argument),
                              void *argument);
enum kernel_status exti_stop(unsigned pin);
bool exti_in_use(unsigned pin);                /* its line has a handler, of whatever port */
enum kernel_status exti_trigger(unsigned pin); /* by software, as if the edge had come */

/* The user button as it is now, for boot: nobody has watched it yet. */
bool button_held(void);
/* The user button, debounced. changed() runs in the timer task. */
enum kernel_status button_start(void (*changed)(bool pressed, void *argument), void *argument);
enum kernel_status button_pressed(bool *pressed);

#endif
