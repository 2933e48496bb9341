/* SPDX-License-Identifier: MIT
 *
 * The helpers behind the supervisor call: one function each, in a table by helper id. They run as interrupts of the
 * kernel's band, so each is short, waits for nothing and gives the driver's latest sample. An instance that the
 * grant does not have is -EPERM, one that does not exist -EINVAL, memory that is not the program's -EFAULT: as the
 * emulator's devices have it (emulator/devices.c).
 */
#include "domain.h"

#include "bpf/format.h"
#include "bpf/helper.h"
#include "bpf/map.h"
#include "hal/gpio.h"

#include <string.h>

enum { EPERM = 1, EFAULT = 14, EINVAL = BPF_EINVAL };
enum { LINE = 128, LINE_ARGUMENTS = 12 }; /* bytes of a line of printk, its 0 included */

/* ----- time and text ------------------------------------------------------------------------------------ */

static int64_t ktime_get_ns(struct domain *domain, const uint32_t *words) {
    (void)domain, (void)words;
    return (int64_t)domain_time_ns();
}

/* A byte of a string argument: the format may not have been the verifier's. */
static int read_byte(void *user, uint32_t address) {
    return domain_reads(user, address, 1) ? *(const uint8_t *)address : -1;
}

static int64_t print_line(struct domain *domain, uint32_t text, uint32_t size,
                          const uint64_t *arguments, uint32_t count) {
    char line[LINE];
    if (size == 0 || size > LINE)
        return -EINVAL;
    if (!domain_reads(domain, text, size))
        return -EFAULT;
    int32_t length = bpf_format(line, sizeof(line), (const char *)text, size, arguments, count,
                                read_byte, domain);
    if (length >= 0)
        domain_log(domain, line, (uint32_t)strlen(line));
    return length;
}

/* Format and size, then three 64-bit words: one in r3:r2, two on the stack. */
static int64_t trace_printk(struct domain *domain, const uint32_t *words) {
    uint32_t stack[4];
    if (!domain_stack_words(domain, words, stack))
        return -EFAULT;
    const uint64_t arguments[3] = {words[2] | (uint64_t)words[3] << 32,
                                   stack[0] | (uint64_t)stack[1] << 32,
                                   stack[2] | (uint64_t)stack[3] << 32};
    return print_line(domain, words[0], words[1], arguments, 3);
}

static int64_t trace_vprintk(struct domain *domain, const uint32_t *words) {
    uint64_t arguments[LINE_ARGUMENTS];
    uint32_t size = words[3];
    if (size > sizeof(arguments) || size % 8)
        return -EINVAL;
    if (size && !domain_reads(domain, words[2], size))
        return -EFAULT;
    memcpy(arguments, (const void *)words[2], size);
    return print_line(domain, words[0], words[1], arguments, size / 8);
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

/* ----- the table --------------------------------------------------------------------------------------------- */

static const struct {
    uint32_t helper;
    device_call *call;
} calls[] = {
    {BPF_FUNC_KTIME_GET_NS, ktime_get_ns},
    {BPF_FUNC_TRACE_PRINTK, trace_printk},
    {BPF_FUNC_TRACE_VPRINTK, trace_vprintk},
    {BPF_FUNC_GPIO_WRITE, gpio_set},
    {BPF_FUNC_GPIO_READ, gpio_get},
    {BPF_FUNC_GPIO_TOGGLE, gpio_toggle},
    {BPF_FUNC_LED_SET, led_set},
};

device_call *device_call_of(uint32_t helper) {
    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (calls[i].helper == helper)
            return calls[i].call;
    return NULL;
}

/* ----- what a grant gives -------------------------------------------------------------------------------------- */

enum bpf_status devices_claim(const struct bpf_grant *grant) {
    for (unsigned pin = 0; pin < PINS; pin++) {
        bool out = has_pin(grant->gpio_out, pin), in = has_pin(grant->gpio_in, pin);
        if (out && gpio_write(pin, has_pin(grant->gpio_safe, pin)))
            return BPF_BUSY;
        if ((out || in) && gpio_configure(pin, out ? GPIO_OUTPUT : GPIO_INPUT))
            return BPF_BUSY;
    }
    for (unsigned led = 0; led < gpio_led_count; led++)
        if (grant->leds >> led & 1 && gpio_configure(gpio_leds[led].pin, GPIO_OUTPUT))
            return BPF_BUSY;
    devices_safe(grant);
    return BPF_OK;
}

void devices_safe(const struct bpf_grant *grant) {
    for (unsigned pin = 0; pin < PINS; pin++)
        if (has_pin(grant->gpio_out, pin))
            gpio_write(pin, has_pin(grant->gpio_safe, pin));
    for (unsigned led = 0; led < gpio_led_count; led++)
        if (grant->leds >> led & 1)
            gpio_write(gpio_leds[led].pin, false);
}
