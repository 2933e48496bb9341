/* SPDX-License-Identifier: MIT
 *
 * NUCLEO-F446RE (MB1136) with an STM32F446RE (RM0390, UM1724). No board was at hand: this has been built,
 * looked at, and run where models of the STM32F405 and F407 are the same.
 */
#include "config.h"

enum { IRQS = 97, CAN2_TX = 63, CAN2_RX0 = 64 /* table 38 */ };

const char board_name[] = "STM32F446 Nucleo";
const uint8_t board_free_pins[2] = {GPIO_PIN('C', 8), GPIO_PIN('B', 8)};

/* At channel 1 of TIM2, which belongs to adc.c: no PWM. */
const struct gpio_led gpio_leds[] = {{"green", GPIO_PIN('A', 5)}};
const unsigned gpio_led_count = sizeof(gpio_leds) / sizeof(gpio_leds[0]);

const struct gpio_name gpio_names[] = {
    {"LD2", GPIO_PIN('A', 5), "green LED, D13"},
    {"B1", GPIO_PIN('C', 13), "user button, low when pressed"},
    {"TX", GPIO_PIN('A', 2), "console, USART2, ST-LINK"},
    {"RX", GPIO_PIN('A', 3), "console, USART2, ST-LINK"},
    {"TX3", GPIO_PIN('C', 10), "programs' line, USART3, CN7 1"},
    {"RX3", GPIO_PIN('C', 11), "programs' line, USART3, CN7 2"},
    {"M+", GPIO_PIN('A', 8), "motor, TIM1 channel 1, D7"},
    {"M-", GPIO_PIN('B', 13), "motor, its complement"},
    {"MBRK", GPIO_PIN('B', 12), "motor, break input, active low"},
    {"ENCA", GPIO_PIN('B', 4), "encoder, TIM3, D5"},
    {"ENCB", GPIO_PIN('B', 5), "encoder, TIM3, D4"},
    {"SWDIO", GPIO_PIN('A', 13), "debugger"},
    {"SWCLK", GPIO_PIN('A', 14), "debugger"},
};
const unsigned gpio_name_count = sizeof(gpio_names) / sizeof(gpio_names[0]);

/* Table 4. */
static const struct flash_run flash[] = {
    {0x08000000, 0x4000, 4}, {0x08010000, 0x10000, 1}, {0x08020000, 0x20000, 3}, {0, 0, 0}};

const struct board_config board_config = {
    .parts = PART_ALL & ~PART_BIT(RNG) & ~PART_BIT(GPIOE),
    /* LQFP64: no PB11 (VCAP_1 is there), no port D but PD2; PC14 and PC15 are the 32 kHz crystal's. */
    .pins = {0xFFFF, 0xF7FF, 0x3FFF, 0x0004, 0},
    .clock = {.core_hz = 168000000,
              /* As on the F407; output R, which that one has not, must be at least 2 (6.3.2). */
              .pllcfgr = 1u << 22 | 8u | 336u << 6 | 0u << 16 | 7u << 24 | 2u << 28,
              .power_scale = 3u << 14, /* VOS: scale 1, up to 168 MHz without over-drive (5.1) */
              .wait_states = 5,        /* 150 to 180 MHz at 2.7 to 3.6 V, table 5 */
              .bypass = true},         /* 8 MHz from the ST-LINK (UM1724 6.7.1) */
    .flash = flash,
    .store = {5, 7}, /* the library lies in 6 */
    .console = {GPIO_PIN('A', 2), GPIO_PIN('A', 3)},
    .line = {GPIO_PIN('C', 10), GPIO_PIN('C', 11)}, /* CN7, 1 and 2 */
    .button = {GPIO_PIN('C', 13), false},
    .motor = {GPIO_PIN('A', 8), GPIO_PIN('B', 13), GPIO_PIN('B', 12)},
    .encoder = {GPIO_PIN('B', 4), GPIO_PIN('B', 5)},
    .led_channels = 0,
    .irq_count = IRQS,
    .spare_irq = {CAN2_TX, CAN2_RX0},
};

BOARD_VECTORS(IRQS);
