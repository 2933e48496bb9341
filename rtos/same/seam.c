/* SPDX-License-Identifier: MIT
 *
 * Drivers and clock as the script has them. The linker leads calls of NAME here, to __wrap_NAME (rules.mk); the driver
 * itself is __real_NAME. Outputs still go to the drivers, and pins are read back from them.
 */
#include "same.h"

#include "bpf/helper.h"
#include "hal/accel.h"
#include "hal/adc.h"
#include "hal/gpio.h"
#include "hal/timers.h"
#include "hal/uart.h"
#include "rtos/clock.h"
#include "rtos/print.h"

#include <string.h>

enum { CALLS = 128, TEXT = 2048, STIMULI = 8 };

/* clang-format off */
#define SEAM(_) \
    _(uint64_t, clock_ns, (void)) \
    _(enum kernel_status, gpio_read, (unsigned pin, bool *high)) \
    _(enum kernel_status, encoder_read, (int32_t *steps)) \
    _(int32_t, adc_latest, (uint32_t channel)) \
    _(enum kernel_status, accel_read, (int16_t mg[3])) \
    _(enum kernel_status, adc_start, (const struct adc_config *config)) \
    _(enum kernel_status, uart_start, (unsigned port, uart_frame_fn *frame, void *argument)) \
    _(enum kernel_status, exti_start, (unsigned pin, enum exti_edge edge, void (*handler)(void *), void *argument)) \
    _(device_call *, device_call_of, (uint32_t helper))
/* clang-format on */
#define DECLARE(type, name, arguments)                                                             \
    type __real_##name arguments;                                                                  \
    type __wrap_##name arguments;
SEAM(DECLARE)

static const struct same_case *given;
static uint64_t now;
static uint32_t taken[STIMULI];  /* values of each stimulus */
static volatile uint32_t helper; /* that runs; 0: none */
static struct {
    uart_frame_fn *frame;
    void *argument;
} line;
static struct adc_config converter;
static struct {
    void (*handler)(void *argument);
    void *argument;
} input;

void same_devices(const struct same_case *next) {
    given = next;
    memset(taken, 0, sizeof(taken));
}

void same_clock(uint64_t ns) {
    now = ns;
}

uint64_t __wrap_clock_ns(void) {
    return given ? now : __real_clock_ns();
}

/* ----- what programs read -------------------------------------------------------------------------------- */

/* The next value, if it is the program that reads and the script has one. */
static bool stimulus(uint32_t reader, uint32_t index, int32_t *value) {
    if (!given || helper != reader)
        return false;
    const struct same_stimulus *all = same_at(given->stimuli);
    for (uint32_t i = 0; i < given->stimulus_count && i < STIMULI; i++) {
        const int32_t *values = same_at(all[i].values);
        if (all[i].helper != reader || all[i].index != index)
            continue;
        if (taken[i] < all[i].count)
            taken[i]++;
        *value = values[taken[i] - 1];
        return true;
    }
    return false;
}

enum kernel_status __wrap_gpio_read(unsigned pin, bool *high) {
    int32_t value;
    if (!stimulus(BPF_FUNC_GPIO_READ, pin, &value))
        return __real_gpio_read(pin, high);
    *high = value != 0;
    return KERNEL_OK;
}

enum kernel_status __wrap_encoder_read(int32_t *steps) {
    return stimulus(BPF_FUNC_ENCODER_READ, 0, steps) ? KERNEL_OK : __real_encoder_read(steps);
}

int32_t __wrap_adc_latest(uint32_t channel) {
    int32_t value;
    return stimulus(BPF_FUNC_ADC_READ, channel, &value) ? value : __real_adc_latest(channel);
}

/* Another task asks, again and again: always the same. */
enum kernel_status __wrap_accel_read(int16_t mg[3]) {
    const struct same_stimulus *all = given ? same_at(given->stimuli) : NULL;
    for (uint32_t i = 0; given && i < given->stimulus_count; i++)
        if (all[i].helper == BPF_FUNC_ACCEL_READ) {
            for (uint32_t axis = 0; axis < 3; axis++)
                mg[axis] = (int16_t)((const int32_t *)same_at(all[i].values))[axis];
            return KERNEL_OK;
        }
    return __real_accel_read(mg);
}

/* ----- what comes from outside ------------------------------------------------------------------------------ */

enum kernel_status __wrap_uart_start(unsigned port, uart_frame_fn *frame, void *argument) {
    line.frame = frame;
    line.argument = argument;
    return __real_uart_start(port, frame, argument);
}

/* Nothing comes from the converter or the pin itself: adc_stop() and exti_stop() then find nothing to stop. */
enum kernel_status __wrap_adc_start(const struct adc_config *config) {
    if (!given)
        return __real_adc_start(config);
    converter = *config;
    return KERNEL_OK;
}

enum kernel_status __wrap_exti_start(unsigned pin, enum exti_edge edge, void (*handler)(void *),
                                     void *argument) {
    if (!given)
        return __real_exti_start(pin, edge, handler, argument);
    input.handler = handler;
    input.argument = argument;
    return KERNEL_OK;
}

void same_frame(const void *bytes, uint32_t size) {
    line.frame(bytes, size, line.argument);
}

void same_samples(const void *samples) {
    converter.done(samples, converter.argument);
}

void same_edge(void) {
    input.handler(input.argument);
}

/* ----- what programs do ----------------------------------------------------------------------------------- */

static struct record {
    uint32_t helper, index, value, text; /* text: where its bytes begin */
} records[CALLS];
static uint8_t texts[TEXT];
static uint32_t record_count, text_used;
static bool too_many;

static bool level_of(uint32_t pin) {
    bool high = false;
    __real_gpio_read(pin, &high);
    return high;
}

static void record(const uint32_t *words, int64_t result) {
    uint32_t from = helper == BPF_FUNC_UART_WRITE ? words[1] : words[0];
    uint32_t size = helper == BPF_FUNC_UART_WRITE ? (uint32_t)result : words[1];
    struct record row = {helper, words[0], words[1], text_used};
    switch (helper) {
    case BPF_FUNC_GPIO_TOGGLE: row.helper = BPF_FUNC_GPIO_WRITE; /* fall through */
    case BPF_FUNC_GPIO_WRITE: row.value = level_of(words[0]); break;
    case BPF_FUNC_LED_SET: row.value = level_of(gpio_leds[words[0]].pin); break;
    case BPF_FUNC_PWM_SET: break;
    case BPF_FUNC_LOG: row.index = 0; /* fall through */
    case BPF_FUNC_UART_WRITE: row.value = size; break;
    default: return;
    }
    bool text = helper == BPF_FUNC_LOG || helper == BPF_FUNC_UART_WRITE;
    too_many |= record_count == CALLS || (text && size > TEXT - text_used);
    if (too_many)
        return;
    records[record_count++] = row;
    if (!text)
        return;
    memcpy(texts + text_used, (const void *)from, size);
    text_used += size;
}

static int64_t recorded(struct domain *domain, const uint32_t *words) {
    helper = words[4]; /* r12 of the frame: svc.c has looked it up */
    int64_t result = __real_device_call_of(helper)(domain, words);
    if (result >= 0)
        record(words, result);
    helper = 0;
    return result;
}

device_call *__wrap_device_call_of(uint32_t id) {
    device_call *call = __real_device_call_of(id);
    return given && call ? recorded : call;
}

const char *same_bytes(const void *bytes, uint32_t size, char text[SAME_TEXT]) {
    if (size > 32) {
        format(text, SAME_TEXT, "%u:%08x", (unsigned)size, (unsigned)bpf_crc32(0, bytes, size));
        return text;
    }
    text[0] = '\0';
    for (uint32_t i = 0; i < size; i++)
        format(text + 2 * i, 3, "%02x", ((const uint8_t *)bytes)[i]);
    return text;
}

bool same_print_calls(void) {
    char text[SAME_TEXT];
    bool complete = !too_many;
    for (uint32_t i = 0; i < record_count; i++) {
        const struct record *row = &records[i];
        unsigned index = (unsigned)row->index, value = (unsigned)row->value;
        switch (row->helper) {
        case BPF_FUNC_GPIO_WRITE: print("gpio %u = %u\n", index, value); break;
        case BPF_FUNC_LED_SET: print("led %u = %u\n", index, value); break;
        case BPF_FUNC_PWM_SET: print("pwm %u = %u\n", index, value); break;
        default:
            print("%s %u = %s\n", row->helper == BPF_FUNC_LOG ? "log" : "uart", index,
                  same_bytes(texts + row->text, row->value, text));
        }
    }
    record_count = text_used = 0;
    too_many = false;
    return complete;
}
