/* SPDX-License-Identifier: MIT
 *
 * Timers of the chip: a periodic interrupt, PWM, the encoder. (The kernel's timers are those of
 * rtos/kernel.h.)
 */
#ifndef HAL_TIMERS_H
#define HAL_TIMERS_H

#include "rtos/kernel.h"

/* A handler every `us` microseconds, in an interrupt of the drivers' priority; us >= 10. */
enum kernel_status ticker_start(uint32_t us, void (*handler)(void *argument), void *argument);
enum kernel_status ticker_stop(void);

/* PWM. A duty is in parts of PWM_FULL; from 0 (never high) to PWM_FULL (always). */
enum pwm_unit {
    PWM_LEDS,  /* channels 0, 1, ...: the LEDs, in the order of gpio_leds[] */
    PWM_MOTOR, /* channel 0 and its complement, with dead time and a break input */
    PWM_UNITS,
};
enum { PWM_FULL = 10000, PWM_DEAD_TIME_NS = 500 };
enum kernel_status pwm_start(enum pwm_unit unit, uint32_t hz); /* all duties 0; 1 Hz to 100 kHz */
enum kernel_status pwm_set(enum pwm_unit unit, unsigned channel, unsigned duty);
enum kernel_status pwm_stop(enum pwm_unit unit); /* all outputs low */

/* After a break both outputs of the motor are low until pwm_rearm(), which fails while the input that
 * caused it is active. */
enum kernel_status pwm_break(enum pwm_unit unit); /* by software */
enum kernel_status pwm_broken(enum pwm_unit unit, bool *broken);
enum kernel_status pwm_rearm(enum pwm_unit unit);

/* The motor's quadrature encoder: four steps a line, since the start. */
enum kernel_status encoder_start(void);
enum kernel_status encoder_read(int32_t *steps); /* at least once in 32767 steps */

#endif
