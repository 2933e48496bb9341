/* SPDX-License-Identifier: MIT */
/* Between the pins and the devices that listen to them or act by their alternate functions. */
#ifndef EMULATOR_BOARD_DEVICES_GPIO_H
#define EMULATOR_BOARD_DEVICES_GPIO_H

#include "board/device.h"

/* The alternate function that a pin is switched to; -1: it is no alternate function. */
int gpio_alternate(const struct board *b, unsigned port, unsigned pin);

/* The level of a pin has changed (exti.c, spi.c). */
void exti_pin_changed(struct board *b, unsigned port, unsigned pin, bool level);
void spi_pin_changed(struct board *b, unsigned port, unsigned pin, bool level);
void tim_pins_changed(struct board *b); /* levels or functions: break inputs (tim_pins.c) */
/* What a timer drives a pin to now; -1: none drives it, or not to a level that is modelled. */
int tim_pin_level(const struct board *b, unsigned port, unsigned pin);

#endif
