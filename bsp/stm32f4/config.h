/* SPDX-License-Identifier: MIT
 *
 * What a board says about itself. The code of this directory is compiled once for all boards with a chip
 * of the family; tables and numbers of the board reach it when it is linked, from the config.c of the
 * board's directory. That file defines all that is declared here, and of hal/ these: board_name,
 * board_free_pins, gpio_names, gpio_leds and their counts. (docs/porting.md)
 */
#ifndef STM32F4_CONFIG_H
#define STM32F4_CONFIG_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "hal/board.h"
#include "hal/gpio.h"

/* The units that drivers know. */
enum part {
#define PART(name, enable, bit, probe, pattern) PART_##name,
#include "parts.def"
#undef PART
    PARTS
};
#define PART_ALL ((1u << PARTS) - 1)
#define PART_BIT(name) (1u << PART_##name)

/* Ports A to E, those of parts.def. */
enum { GPIO_PORTS = 5 };

/* Sectors of one size that follow each other; size 0 ends a list. */
struct flash_run {
    uint32_t address, size, count;
};

struct board_config {
    uint32_t parts; /* bits of enum part: what the chip has; the others are not even asked */
    uint16_t pins[GPIO_PORTS]; /* a bit for each pin that the package brings out */
    struct {
        uint32_t core_hz; /* what pllcfgr makes of HSE; up to 168 MHz, as over-drive is not used */
        uint32_t pllcfgr; /* RCC_PLLCFGR; output Q is 48 MHz */
        uint32_t power_scale; /* bits of PWR_CR that core_hz needs */
        uint8_t wait_states;  /* of the flash */
        bool bypass;          /* HSE is fed with a clock; else it has a crystal */
    } clock;
    const struct flash_run *flash; /* in the order of addresses */
    uint8_t store[2]; /* sectors of installed programs: of one size, neither firmware nor library */
    struct {
        uint8_t tx, rx;
    } console; /* pins of USART2 */
    struct {
        uint8_t tx, rx;
    } line; /* pins of USART3, the programs' */
    struct {
        uint8_t pin;
        bool pressed; /* the level then; the board has the resistor */
    } button;
    struct {
        uint8_t plus, minus, brake;
    } motor; /* pins of TIM1: channel 1, its complement, its break input */
    struct {
        uint8_t a, b;
    } encoder;            /* pins of TIM3: channels 1 and 2 */
    uint8_t led_channels; /* so many of gpio_leds[] are at channels 1, 2, ... of TIM4 */
    uint8_t accel_select; /* pin, where accel.c is linked */
    uint8_t irq_count;
    uint8_t
        spare_irq[BOARD_SPARES]; /* of units that nobody uses; their order is that of priority */
};
extern const struct board_config board_config;

/* The vector table in RAM. VTOR wants its alignment to be a power of two that it fits in (PM0214 4.4.4). */
union vector {
    uint32_t *stack;
    void (*handler)(void);
};
enum { VECTORS_ALIGN = 512 };
extern union vector board_vectors[]; /* 16 + irq_count */
#define BOARD_VECTORS(irqs)                                                                        \
    alignas(VECTORS_ALIGN) union vector board_vectors[16 + (irqs)];                                \
    _Static_assert((16 + (irqs)) * 4 <= VECTORS_ALIGN, "its alignment")

#endif
