/* SPDX-License-Identifier: MIT
 *
 * The helpers behind the supervisor call: one function each, in a table by helper id. They run as interrupts of the
 * kernel's band, so each is short, waits for nothing and gives the driver's latest sample. An instance that the
 * grant does not have is -EPERM, one that does not exist -EINVAL, memory that is not the program's -EFAULT: as the
 * emulator's devices have it (emulator/devices.c).
 */
#include "domain.h"

#include "bpf/helper.h"
#include "bpf/map.h"
#include "hal/accel.h"
#include "hal/adc.h"
#include "hal/gpio.h"
#include "hal/timers.h"
#include "hal/uart.h"

#include <string.h>

enum { EPERM = 1, EAGAIN = 11, EFAULT = 14, EBUSY = 16, EINVAL = BPF_EINVAL };

/* ----- time and text ------------------------------------------------------------------------------------ */

static int64_t ktime_get_ns(struct domain *domain, const uint32_t *words) {
    (void)domain, (void)words;
    return (int64_t)clock_ns();
}

/* A line that the library has formatted. */
static int64_t log_line(struct domain *domain, const uint32_t *words) {
    uint32_t size = words[1] < BPF_LOG_LINE ? words[1] : BPF_LOG_LINE;
    if (!domain_reads(domain, words[0], size))
        return -EFAULT;
    domain_log(domain, (const char *)words[0], size);
    return 0;
}

/* ----- pins ------------------------------------------------------------------------------------------------ */

enum { PINS = BPF_GRANT_PORTS * 16 };

static bool has_pin(const uint16_t *ports, uint32_t pin) {
    return ports[pin / 16] >> pin % 16 & 1;
}

static int64_t gpio_set(struct domain *domain, const uint32_t *words) {
    uint32_t pin = words[0];
    if (pin >= PINS)
        return -EINVAL;
    if (!has_pin(domain->grant->gpio_out, pin))
        return -EPERM;
    return gpio_write(pin, words[1] != 0) ? -EINVAL : 0;
}

static int64_t gpio_get(struct domain *domain, const uint32_t *words) {
    uint32_t pin = words[0];
    bool high;
    if (pin >= PINS)
        return -EINVAL;
    if (!has_pin(domain->grant->gpio_in, pin) && !has_pin(domain->grant->gpio_out, pin))
        return -EPERM;
    return gpio_read(pin, &high) ? -EINVAL : high;
}

static int64_t gpio_toggle(struct domain *domain, const uint32_t *words) {
    int64_t level = gpio_get(domain, words);
    if (level < 0)
        return level;
    const uint32_t set[2] = {words[0], !level};
    return gpio_set(domain, set);
}

static int64_t led_set(struct domain *domain, const uint32_t *words) {
    uint32_t led = words[0];
    if (led >= gpio_led_count)
        return -EINVAL;
    if (!(domain->grant->leds >> led & 1))
        return -EPERM;
    return gpio_write(gpio_leds[led].pin, words[1] != 0) ? -EINVAL : 0;
}

/* ----- PWM, encoder, samples ----------------------------------------------------------------------------------- */

/* Channels as programs count them, from 1 on. */
static const struct {
    uint8_t unit, channel;
} pwm_channels[] = {{0, 0},        {PWM_LEDS, 0}, {PWM_LEDS, 1},
                    {PWM_LEDS, 2}, {PWM_LEDS, 3}, {PWM_MOTOR, 0}};
enum { PWM_CHANNELS = sizeof(pwm_channels) / sizeof(pwm_channels[0]), PERMILLE = 1000 };
static const uint32_t pwm_hz[PWM_UNITS] = {[PWM_LEDS] = 1000, [PWM_MOTOR] = 20000};

static int64_t pwm_duty(struct domain *domain, const uint32_t *words) {
    uint32_t channel = words[0];
    if (channel == 0 || channel >= PWM_CHANNELS || words[1] > PERMILLE)
        return -EINVAL;
    if (!(domain->grant->pwm >> channel & 1))
        return -EPERM;
    enum pwm_unit unit = (enum pwm_unit)pwm_channels[channel].unit;
    return pwm_set(unit, pwm_channels[channel].channel, words[1] * (PWM_FULL / PERMILLE)) ? -EINVAL
                                                                                          : 0;
}

static int64_t encoder_steps(struct domain *domain, const uint32_t *words) {
    int32_t steps;
    if (words[0] != 0)
        return -EINVAL;
    if (!(domain->grant->encoders & 1))
        return -EPERM;
    return encoder_read(&steps) ? -EINVAL : steps;
}

static int64_t adc_sample(struct domain *domain, const uint32_t *words) {
    if (words[0] > ADC_CHANNEL_LAST)
        return -EINVAL;
    if (!(domain->grant->adc >> words[0] & 1))
        return -EPERM;
    return adc_latest(words[0]);
}

/* The accelerometer answers slowly: a task of its own asks it, programs get what it said last. */
enum { ACCEL_MS = 10, ACCEL_PRIORITY = 11 };
static struct {
    int16_t mg[3];
    uint8_t users;
    struct task task;
} accel;
static TASK_STACK(accel_stack, 512);

static void accel_task(void *argument) {
    (void)argument;
    for (;;) {
        int16_t mg[3];
        if (accel.users && accel_read(mg) == KERNEL_OK) {
            uint32_t key = kernel_lock();
            memcpy(accel.mg, mg, sizeof(mg));
            kernel_unlock(key);
        }
        task_sleep(ACCEL_MS);
    }
}

static int64_t accel_sample(struct domain *domain, const uint32_t *words) {
    if (!domain->grant->accel)
        return -EPERM;
    if (words[1] != sizeof(accel.mg))
        return -EINVAL;
    if (!sandbox_reaches(&domain->box, words[0], sizeof(accel.mg)))
        return -EFAULT;
    memcpy((void *)words[0], accel.mg, sizeof(accel.mg));
    return 0;
}

/* Of more than a frame's worth the rest is left to the next call: what is copied here holds up everybody. */
static int64_t uart_write(struct domain *domain, const uint32_t *words) {
    uint32_t port = words[0], size = words[2] < UART_FRAME ? words[2] : UART_FRAME;
    if (port >= 16)
        return -EINVAL;
    if (!(domain->grant->uart >> port & 1))
        return -EPERM;
    if (!domain_reads(domain, words[1], words[2]))
        return -EFAULT;
    switch (uart_send(port, (const void *)words[1], size)) {
    case KERNEL_OK: return size;
    case KERNEL_LIMIT: return -EAGAIN;
    case KERNEL_BUSY: return -EBUSY;
    default: return -EINVAL;
    }
}

/* ----- the table --------------------------------------------------------------------------------------------- */

static const struct {
    uint32_t helper;
    device_call *call;
} calls[] = {
    {BPF_FUNC_KTIME_GET_NS, ktime_get_ns},
    {BPF_FUNC_LOG, log_line},
    {BPF_FUNC_GPIO_WRITE, gpio_set},
    {BPF_FUNC_GPIO_READ, gpio_get},
    {BPF_FUNC_GPIO_TOGGLE, gpio_toggle},
    {BPF_FUNC_LED_SET, led_set},
    {BPF_FUNC_PWM_SET, pwm_duty},
    {BPF_FUNC_ENCODER_READ, encoder_steps},
    {BPF_FUNC_ADC_READ, adc_sample},
    {BPF_FUNC_ACCEL_READ, accel_sample},
    {BPF_FUNC_UART_WRITE, uart_write},
    {BPF_FUNC_TIMER_INIT, timers_init},
    {BPF_FUNC_TIMER_START, timers_start},
    {BPF_FUNC_TIMER_CANCEL, timers_cancel},
    {BPF_FUNC_TIMER_SET_CALLBACK, timers_set_callback},
};

/* A program that calls one without a row is killed, and no check before that knows. */
enum {
#define BPF_HELPER(NAME, id, name, RET, A1, A2, A3, A4, A5, WHERE, ...) +(BPF_##WHERE == BPF_SVC)
    SVC_HELPERS = 0
#include "bpf/helper.def"
};
_Static_assert(sizeof(calls) / sizeof(calls[0]) == SVC_HELPERS, "each helper behind SVC has a row");

device_call *device_call_of(uint32_t helper) {
    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (calls[i].helper == helper)
            return calls[i].call;
    return NULL;
}

/* ----- what a grant gives -------------------------------------------------------------------------------------- */

static uint8_t pwm_users[PWM_UNITS];

static bool uses_unit(const struct bpf_grant *grant, unsigned unit) {
    for (unsigned channel = 1; channel < PWM_CHANNELS; channel++)
        if (grant->pwm >> channel & 1 && pwm_channels[channel].unit == unit)
            return true;
    return false;
}

/*
 * An output has one owner. LEDs are pins, and so are the PWM channels that drive them: what a grant drives at a pin it
 * may call by three names. The timer takes the pins of all LEDs for one channel; its channels may belong to several.
 */
enum driver { DRIVES_NOT, DRIVES_PIN, DRIVES_TIMER };
static enum driver drives(const struct bpf_grant *grant, unsigned pin, uint32_t *output) {
    *output = pin;
    if (has_pin(grant->gpio_out, pin))
        return DRIVES_PIN;
    for (unsigned led = 0; led < gpio_led_count; led++) {
        if (gpio_leds[led].pin != pin)
            continue;
        *output = BPF_OUTPUT_LED + led;
        if (grant->leds >> led & 1)
            return DRIVES_PIN;
        *output = BPF_OUTPUT_PWM + (unsigned)__builtin_ctz(grant->pwm | 1u << PWM_CHANNELS);
        return uses_unit(grant, PWM_LEDS) ? DRIVES_TIMER : DRIVES_NOT;
    }
    return DRIVES_NOT;
}

bool devices_share_output(const struct bpf_grant *grant, const struct bpf_grant *owner,
                          uint32_t *output) {
    uint32_t own;
    for (unsigned pin = 0; pin < PINS; pin++) {
        enum driver one = drives(grant, pin, &own), other = drives(owner, pin, output);
        if (one && other && (one == DRIVES_PIN || other == DRIVES_PIN))
            return true;
    }
    uint32_t channels = grant->pwm & owner->pwm;
    *output = BPF_OUTPUT_PWM + (channels ? (unsigned)__builtin_ctz(channels) : 0);
    return channels != 0;
}

/* Pins that somebody drives. What is an output to one may be read by others, and stays an output. */
static uint16_t driven[BPF_GRANT_PORTS];

static void drive(const struct bpf_grant *grant, bool begin) {
    uint32_t output;
    for (unsigned pin = 0; pin < PINS; pin++)
        if (drives(grant, pin, &output) == DRIVES_PIN)
            driven[pin / 16] =
                (uint16_t)((driven[pin / 16] & ~(1u << pin % 16)) | (unsigned)begin << pin % 16);
}

/* What a driver says, as the installer is told. */
static enum bpf_status claimed(enum kernel_status status) {
    return status == KERNEL_OK ? BPF_OK : status == KERNEL_NOT_THERE ? BPF_NOT_THERE : BPF_BUSY;
}

static enum bpf_status claim_pins(const struct bpf_grant *grant) {
    for (unsigned pin = 0; pin < PINS; pin++) {
        bool out = has_pin(grant->gpio_out, pin), in = has_pin(grant->gpio_in, pin);
        enum bpf_status status = BPF_OK;
        if (out)
            status = claimed(gpio_write(pin, has_pin(grant->gpio_safe, pin)));
        if (!status && (out || (in && !has_pin(driven, pin))))
            status = claimed(gpio_configure(pin, out ? GPIO_OUTPUT : GPIO_INPUT));
        if (status)
            return status;
    }
    for (unsigned led = 0; led < 16; led++) {
        if (!(grant->leds >> led & 1))
            continue;
        enum bpf_status status = led < gpio_led_count
                                     ? claimed(gpio_configure(gpio_leds[led].pin, GPIO_OUTPUT))
                                     : BPF_NOT_THERE;
        if (status)
            return status;
    }
    return BPF_OK;
}

static enum bpf_status claim_pwm(const struct bpf_grant *grant) {
    enum bpf_status status = grant->pwm >> PWM_CHANNELS || grant->pwm & 1 ? BPF_NOT_THERE : BPF_OK;
    for (unsigned unit = 0; unit < PWM_UNITS; unit++)
        if (uses_unit(grant, unit) && pwm_users[unit]++ == 0 && !status)
            status = claimed(pwm_start((enum pwm_unit)unit, pwm_hz[unit]));
    return status;
}

static enum bpf_status claim_accel(const struct bpf_grant *grant) {
    static const struct task_config config = {.name = "accel",
                                              .entry = accel_task,
                                              .priority = ACCEL_PRIORITY,
                                              .stack = accel_stack,
                                              .stack_size = sizeof(accel_stack)};
    enum accel_part part;
    if (!grant->accel || accel.users++)
        return BPF_OK;
    enum bpf_status status = claimed(accel_start(&part));
    if (status)
        return status;
    if (accel.task.state == TASK_NONE && task_create(&accel.task, &config))
        return BPF_INTERNAL;
    return BPF_OK;
}

/* Who comes first starts it from 0; nobody's count is lost because of the second. */
static enum bpf_status claim_encoder(const struct bpf_grant *grant) {
    if (grant->encoders & ~1u)
        return BPF_NOT_THERE;
    int32_t steps;
    return grant->encoders && encoder_read(&steps) ? claimed(encoder_start()) : BPF_OK;
}

/* All of it is counted even where one fails: devices_release() takes back the same. */
enum bpf_status devices_claim(const struct bpf_grant *grant) {
    drive(grant, true);
    const enum bpf_status all[] = {claim_pwm(grant),     claim_pins(grant),
                                   claim_encoder(grant), adc_claim(grant->adc),
                                   claim_accel(grant),   uart_claim(grant->uart)};
    devices_safe(grant);
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i])
            return all[i];
    return BPF_OK;
}

void devices_safe(const struct bpf_grant *grant) {
    for (unsigned pin = 0; pin < PINS; pin++)
        if (has_pin(grant->gpio_out, pin))
            gpio_write(pin, has_pin(grant->gpio_safe, pin));
    for (unsigned led = 0; led < gpio_led_count; led++)
        if (grant->leds >> led & 1)
            gpio_write(gpio_leds[led].pin, false);
    for (unsigned channel = 1; channel < PWM_CHANNELS; channel++)
        if (grant->pwm >> channel & 1)
            pwm_set((enum pwm_unit)pwm_channels[channel].unit, pwm_channels[channel].channel, 0);
}

void devices_release(const struct bpf_grant *grant) {
    devices_safe(grant);
    drive(grant, false);
    for (unsigned unit = 0; unit < PWM_UNITS; unit++)
        if (uses_unit(grant, unit) && --pwm_users[unit] == 0)
            pwm_stop((enum pwm_unit)unit);
    adc_give_back(grant->adc);
    uart_give_back(grant->uart);
    if (grant->accel)
        accel.users--;
}
