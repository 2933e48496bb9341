/* SPDX-License-Identifier: MIT
 *
 * TIM5: a periodic interrupt. TIM4: PWM of the LEDs. TIM1: PWM of a motor's half bridge. TIM3: its
 * encoder. (RM0090 17, 18; TIM2 belongs to adc.c.)
 */
#include "hal/timers.h"
#include "bsp.h"
#include "hal/gpio.h"
#include "rtos/core.h"
#include "rtos/driver.h"
#include "rtos/priority.h"
#include "stm32f4.h"

/* ----- ticker ------------------------------------------------------------------------------------- */

enum { TICKER_MIN_US = 10 };

static struct {
    void (*handler)(void *argument); /* NULL: stopped */
    void *argument;
} ticker;

/* QEMU's TIM5 keeps what is written and counts, but raises no interrupt. */
static bool ticker_there(void) {
    return part_there(PART_TIM5) && clock_now()->source != CLOCK_NONE;
}

enum kernel_status ticker_start(uint32_t us, void (*handler)(void *argument), void *argument) {
    if (us < TICKER_MIN_US || !handler)
        return KERNEL_BAD_ARGUMENT;
    if (!ticker_there())
        return KERNEL_NOT_THERE;
    ticker_stop();
    ticker.argument = argument;
    ticker.handler = handler;
    TIM_PSC(TIM5_BASE) = clock_now()->timer1_hz / 1000000 - 1;
    TIM_ARR(TIM5_BASE) = us - 1; /* 32 bits in TIM2 and TIM5 */
    TIM_CR1(TIM5_BASE) = TIM_CR1_URS;
    TIM_EGR(TIM5_BASE) = TIM_EGR_UG; /* takes over the prescaler, sets the counter to 0 */
    TIM_SR(TIM5_BASE) = 0;
    TIM_DIER(TIM5_BASE) = TIM_DIER_UIE;
    irq_enable(IRQ_TIM5, PRIORITY_DEVICE);
    TIM_CR1(TIM5_BASE) = TIM_CR1_URS | TIM_CR1_CEN;
    return KERNEL_OK;
}

enum kernel_status ticker_stop(void) {
    if (!ticker_there())
        return KERNEL_NOT_THERE;
    uint32_t key = kernel_lock();
    TIM_DIER(TIM5_BASE) = 0;
    TIM_CR1(TIM5_BASE) = 0;
    ticker.handler = NULL;
    kernel_unlock(key);
    return KERNEL_OK;
}

void TIM5_Handler(void) {
    TIM_SR(TIM5_BASE) = ~TIM_SR_UIF; /* other flags are kept by ones */
    if (ticker.handler)
        ticker.handler(ticker.argument);
    BARRIER();
}

/* ----- PWM ---------------------------------------------------------------------------------------- */

enum { PWM_HZ_MAX = 100000, AF_TIM1 = 1, AF_TIM3 = 2, AF_TIM4 = 2 };

static const struct {
    uint8_t part;
    uint32_t base;
} units[PWM_UNITS] = {
    [PWM_LEDS] = {PART_TIM4, TIM4_BASE},
    [PWM_MOTOR] = {PART_TIM1, TIM1_BASE},
};
static bool running[PWM_UNITS];

static unsigned channels_of(enum pwm_unit unit) {
    return unit == PWM_MOTOR ? 1 : board_config.led_channels;
}

static unsigned first_pin(enum pwm_unit unit) {
    return unit == PWM_MOTOR ? board_config.motor.plus : gpio_leds[0].pin;
}

static enum kernel_status check(enum pwm_unit unit) {
    if (unit >= PWM_UNITS)
        return KERNEL_BAD_ARGUMENT;
    bool found = channels_of(unit) > 0 && part_there((enum part)units[unit].part) &&
                 part_there(part_of_pin(first_pin(unit)));
    return found ? KERNEL_OK : KERNEL_NOT_THERE;
}

static enum kernel_status check_running(enum pwm_unit unit) {
    enum kernel_status status = check(unit);
    return !status && !running[unit] ? KERNEL_NOT_STARTED : status;
}

static enum kernel_status check_motor(enum pwm_unit unit) {
    return unit == PWM_MOTOR ? check_running(unit) : KERNEL_BAD_ARGUMENT;
}

/* Mode 1 with preload: a new duty counts from the next period on, whole. All are 0 first. */
static void channels_init(uint32_t base, unsigned channels) {
    TIM_CCER(base) = 0;
    for (unsigned i = 0; i < channels; i++) {
        uint32_t shift = i % 2 * 8;
        TIM_CCMR(base, i) = (TIM_CCMR(base, i) & ~(0xFFu << shift)) | TIM_CCMR_PWM1_PRELOAD
                                                                          << shift;
        TIM_CCR(base, i) = 0;
        TIM_CCER(base) |= TIM_CCER_OUTPUT(i);
    }
}

/* The pins come last: by then the timer holds them low. */
static void leds_connect(void) {
    for (unsigned i = 0; i < board_config.led_channels; i++)
        pin_alternate(gpio_leds[i].pin, AF_TIM4, 0);
}

/* OSSI and OSSR: the timer drives both outputs low (OIS1 = OIS1N = 0) while MOE is off, after a break and
 * before a start, instead of letting go of them. The pull-downs are for what comes before that. AOE
 * stays off: only software turns the outputs on again. A break input that is not wired does not
 * break: pull-up, active low. A failure of the crystal breaks as well (17.3.12). */
static void motor_connect(void) {
    TIM_CCER(TIM1_BASE) |= TIM_CCER_COMPLEMENT(0);
    TIM_BDTR(TIM1_BASE) = timer_dead_time(clock_now()->timer2_hz, PWM_DEAD_TIME_NS) |
                          TIM_BDTR_OSSI | TIM_BDTR_OSSR | TIM_BDTR_BKE;
    pin_alternate(board_config.motor.brake, AF_TIM1, PIN_PULL_UP);
    pin_alternate(board_config.motor.plus, AF_TIM1, PIN_PULL_DOWN | PIN_FAST);
    pin_alternate(board_config.motor.minus, AF_TIM1, PIN_PULL_DOWN | PIN_FAST);
}

enum kernel_status pwm_start(enum pwm_unit unit, uint32_t hz) {
    enum kernel_status status = check(unit);
    if (status)
        return status;
    uint32_t base = units[unit].base;
    uint32_t clock_hz = unit == PWM_MOTOR ? clock_now()->timer2_hz : clock_now()->timer1_hz;
    struct timer_divisor divisor;
    if (hz > PWM_HZ_MAX || !timer_divide(clock_hz, hz, &divisor))
        return KERNEL_BAD_ARGUMENT;
    if (running[unit])
        pwm_stop(unit);
    TIM_PSC(base) = divisor.prescaler;
    TIM_ARR(base) = divisor.period;
    channels_init(base, channels_of(unit));
    TIM_CR1(base) = TIM_CR1_ARPE | TIM_CR1_URS;
    TIM_EGR(base) = TIM_EGR_UG; /* the preload registers, now */
    if (unit == PWM_MOTOR)
        motor_connect();
    else
        leds_connect();
    TIM_CR1(base) |= TIM_CR1_CEN;
    running[unit] = true;
    return unit == PWM_MOTOR ? pwm_rearm(unit) : KERNEL_OK;
}

enum kernel_status pwm_set(enum pwm_unit unit, unsigned channel, unsigned duty) {
    enum kernel_status status = check_running(unit);
    if (status)
        return status;
    if (channel >= channels_of(unit) || duty > PWM_FULL)
        return KERNEL_BAD_ARGUMENT;
    uint32_t base = units[unit].base;
    TIM_CCR(base, channel) = timer_compare(TIM_ARR(base), duty, PWM_FULL);
    return KERNEL_OK;
}

/* The motor's pins stay with the timer, which holds them low; the LEDs' may be used for other things. */
enum kernel_status pwm_stop(enum pwm_unit unit) {
    enum kernel_status status = check_running(unit);
    if (status)
        return status;
    if (unit == PWM_MOTOR)
        TIM_BDTR(TIM1_BASE) &= ~TIM_BDTR_MOE;
    else
        for (unsigned i = 0; i < board_config.led_channels; i++)
            pin_release(gpio_leds[i].pin);
    TIM_CR1(units[unit].base) = 0;
    running[unit] = false;
    return KERNEL_OK;
}

enum kernel_status pwm_break(enum pwm_unit unit) {
    enum kernel_status status = check_motor(unit);
    if (!status)
        TIM_EGR(TIM1_BASE) = TIM_EGR_BG;
    return status;
}

enum kernel_status pwm_broken(enum pwm_unit unit, bool *broken) {
    enum kernel_status status = check_motor(unit);
    if (!status)
        *broken = !(TIM_BDTR(TIM1_BASE) & TIM_BDTR_MOE);
    return status;
}

enum kernel_status pwm_rearm(enum pwm_unit unit) {
    enum kernel_status status = check_motor(unit);
    if (status)
        return status;
    TIM_SR(TIM1_BASE) = ~TIM_SR_BIF;
    TIM_BDTR(TIM1_BASE) |= TIM_BDTR_MOE;
    return TIM_BDTR(TIM1_BASE) & TIM_BDTR_MOE ? KERNEL_OK : KERNEL_FAILED;
}

/* ----- encoder ------------------------------------------------------------------------------------ */

static struct {
    int32_t steps;
    uint16_t last; /* counter */
    bool running;
} encoder;

enum kernel_status encoder_start(void) {
    if (!part_there(PART_TIM3) || !part_there(part_of_pin(board_config.encoder.a)))
        return KERNEL_NOT_THERE;
    pin_alternate(board_config.encoder.a, AF_TIM3, PIN_PULL_UP);
    pin_alternate(board_config.encoder.b, AF_TIM3, PIN_PULL_UP);
    TIM_CR1(TIM3_BASE) = 0;
    TIM_CCMR(TIM3_BASE, 0) = TIM_CCMR_INPUT_FILTERED | TIM_CCMR_INPUT_FILTERED << 8;
    TIM_CCER(TIM3_BASE) = 0;
    TIM_SMCR(TIM3_BASE) = TIM_SMCR_ENCODER_BOTH;
    TIM_ARR(TIM3_BASE) = 0xFFFF;
    TIM_CNT(TIM3_BASE) = 0;
    TIM_CR1(TIM3_BASE) = TIM_CR1_CEN;
    encoder.steps = encoder.last = 0;
    encoder.running = true;
    return KERNEL_OK;
}

enum kernel_status encoder_read(int32_t *steps) {
    if (!encoder.running)
        return part_there(part_of_pin(board_config.encoder.a)) ? KERNEL_NOT_STARTED
                                                               : KERNEL_NOT_THERE;
    uint32_t key = kernel_lock();
    uint16_t now = (uint16_t)TIM_CNT(TIM3_BASE);
    encoder.steps += (int16_t)(now - encoder.last);
    encoder.last = now;
    *steps = encoder.steps;
    kernel_unlock(key);
    return KERNEL_OK;
}
