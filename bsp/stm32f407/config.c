/* SPDX-License-Identifier: MIT
 *
 * STM32F4DISCOVERY (MB997) with an STM32F407VG (RM0090, UM1472).
 */
#include "config.h"

enum { IRQS = 82, CAN2_TX = 63, CAN2_RX0 = 64 /* table 62 */ };

const char board_name[] = "STM32F407 Discovery";
const uint8_t board_free_pins[2] = {GPIO_PIN('D', 3), GPIO_PIN('B', 3)};

/* Around the button. */
const struct gpio_led gpio_leds[] = {{"green", GPIO_PIN('D', 12)},
                                     {"orange", GPIO_PIN('D', 13)},
                                     {"red", GPIO_PIN('D', 14)},
                                     {"blue", GPIO_PIN('D', 15)}};
const unsigned gpio_led_count = sizeof(gpio_leds) / sizeof(gpio_leds[0]);

/* What the board prints beside its parts (UM1472), and what drivers take (docs/drivers.md). */
const struct gpio_name gpio_names[] = {
    {"LD4", GPIO_PIN('D', 12), "green LED, TIM4"},
    {"LD3", GPIO_PIN('D', 13), "orange LED, TIM4"},
    {"LD5", GPIO_PIN('D', 14), "red LED, TIM4"},
    {"LD6", GPIO_PIN('D', 15), "blue LED, TIM4"},
    {"B1", GPIO_PIN('A', 0), "user button, high when pressed"},
    {"TX", GPIO_PIN('A', 2), "console, USART2"},
    {"RX", GPIO_PIN('A', 3), "console, USART2"},
    {"TX3", GPIO_PIN('D', 8), "programs' line, USART3"},
    {"RX3", GPIO_PIN('D', 9), "programs' line, USART3"},
    {"SCK", GPIO_PIN('A', 5), "accelerometer, SPI1"},
    {"MISO", GPIO_PIN('A', 6), "accelerometer, SPI1"},
    {"MOSI", GPIO_PIN('A', 7), "accelerometer, SPI1"},
    {"CS", GPIO_PIN('E', 3), "accelerometer"},
    {"M+", GPIO_PIN('E', 9), "motor, TIM1 channel 1"},
    {"M-", GPIO_PIN('E', 8), "motor, its complement"},
    {"MBRK", GPIO_PIN('E', 15), "motor, break input, active low"},
    {"ENCA", GPIO_PIN('B', 4), "encoder, TIM3"},
    {"ENCB", GPIO_PIN('B', 5), "encoder, TIM3"},
    {"SWDIO", GPIO_PIN('A', 13), "debugger"},
    {"SWCLK", GPIO_PIN('A', 14), "debugger"},
};
const unsigned gpio_name_count = sizeof(gpio_names) / sizeof(gpio_names[0]);

/* Table 5. */
static const struct flash_run flash[] = {
    {0x08000000, 0x4000, 4}, {0x08010000, 0x10000, 1}, {0x08020000, 0x20000, 7}, {0, 0, 0}};

const struct board_config board_config = {
    .parts = PART_ALL,
    .pins = {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF}, /* LQFP100; PH0 and PH1 are the crystal's */
    .clock = {.core_hz = 168000000,
              /* VCO 8 MHz / 8 * 336; P: / 2 = 168 MHz, Q: / 7 = 48 MHz */
              .pllcfgr = 1u << 22 | 8u | 336u << 6 | 0u << 16 | 7u << 24,
              .power_scale = 1u << 14, /* VOS: scale 1, for more than 144 MHz (5.4.1) */
              .wait_states = 5},       /* 150 to 168 MHz at 2.7 to 3.6 V, table 10 */
    .flash = flash,
    .store = {10, 11}, /* MEMMAP_STORE */
    .console = {GPIO_PIN('A', 2), GPIO_PIN('A', 3)},
    /* PB10 is the microphone's clock, PC10 the audio DAC's: UM1472 table 6 */
    .line = {GPIO_PIN('D', 8), GPIO_PIN('D', 9)},
    .button = {GPIO_PIN('A', 0), true},
    .motor = {GPIO_PIN('E', 9), GPIO_PIN('E', 8), GPIO_PIN('E', 15)},
    .encoder = {GPIO_PIN('B', 4), GPIO_PIN('B', 5)},
    .led_channels = 4,
    .accel_select = GPIO_PIN('E', 3),
    .irq_count = IRQS,
    .spare_irq = {CAN2_TX, CAN2_RX0},
};

BOARD_VECTORS(IRQS);
