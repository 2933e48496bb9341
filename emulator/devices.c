/* SPDX-License-Identifier: MIT */
/*
 * Devices: one function per helper, a log, and stimuli. Every pointer that a program hands over is
 * checked against the arena and the blob, as the board's SVC handler does (architecture.md 8).
 */
#include "devices.h"

#include "bpf/helper.h"
#include "util/vec.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PINS (9 * 16) /* PA0 to PI15 */
#define LEDS 4
#define PWM_CHANNELS 5 /* four LEDs, the motor */
#define PERMILLE 1000
#define ENCODERS 1
#define ADC_CHANNELS 19 /* 16 pins, temperature, reference, battery */
#define UARTS 6
#define UART_MOST 256 /* bytes that a call takes */
/* Cycles of the library's stub around the SVC, which the machine has counted by itself. */
#define STUB_CYCLES 16

/* Values that one instance of a device gives. */
struct stimulus {
    enum device device;
    uint32_t index;
    int32_t *values;
    size_t count, next;
};

struct devices {
    struct arena *arena;
    VEC(struct device_event) events;
    VEC(struct stimulus) stimuli;
    uint8_t levels[PINS];
    bool frozen; /* it is `now`, whatever the engine says */
    uint64_t now;
};

static const struct {
    const char *name, *stimulus;
} infos[DEVICE_COUNT] = {
#define DEVICE(NAME, name, stimulus) {name, stimulus},
    DEVICE_LIST(DEVICE)
#undef DEVICE
};

const char *device_name(enum device device) {
    return infos[device].name;
}

const char *device_stimulus_syntax(enum device device) {
    return infos[device].stimulus;
}

struct devices *devices_new(struct arena *arena) {
    struct devices *d = arena_alloc(arena, sizeof(*d));
    d->arena = arena;
    return d;
}

/* ------------------------------------------------------------------------------------------------
 * Stimuli */

/* "PD12" or a number; the rest of the text, or null. */
static const char *parse_index(const char *text, enum device device, uint32_t *index) {
    char *end;
    unsigned base = 0;

    if (device == DEVICE_GPIO) {
        if (text[0] != 'P' || text[1] < 'A' || text[1] > 'I')
            return NULL;
        base = (text[1] - 'A') * 16;
        text += 2;
    }
    if (*text < '0' || *text > '9')
        return NULL;
    unsigned long number = strtoul(text, &end, 10);
    if (number > (device == DEVICE_GPIO ? 15 : 255))
        return NULL;
    *index = base + number;
    return end;
}

bool devices_stimulus(struct devices *d, enum device device, const char *text, const char **why) {
    struct stimulus s = {.device = device};
    VEC(int32_t) values = {0};

    if (device != DEVICE_ACCEL) {
        text = parse_index(text, device, &s.index);
        if (!text || *text++ != '=') {
            *why = device == DEVICE_GPIO ? "it must begin with a pin, as in PA0=1"
                                         : "it must begin with a number, as in 1=100";
            return false;
        }
    }
    for (;;) {
        char *end;
        errno = 0;
        long value = strtol(text, &end, 0);
        if (end == text || errno || value < INT32_MIN || value > INT32_MAX) {
            *why = "values are numbers of 32 bits, separated by commas";
            return false;
        }
        vec_push(d->arena, &values, (int32_t)value);
        text = end;
        if (*text == '\0')
            break;
        if (*text++ != ',') {
            *why = "values are separated by commas";
            return false;
        }
    }
    if (device == DEVICE_ACCEL && values.count % 3 != 0) {
        *why = "values come in threes: x, y, z";
        return false;
    }
    s.values = values.items;
    s.count = values.count;
    vec_push(d->arena, &d->stimuli, s);
    return true;
}

/* The next `count` values of a device, the last ones again after the end; null without stimulus. */
static const int32_t *sample(struct devices *d, enum device device, uint32_t index, size_t count) {
    vec_for_each(struct stimulus, s, &d->stimuli) {
        if (s->device != device || s->index != index)
            continue;
        if (s->next + count <= s->count)
            s->next += count;
        return &s->values[s->next - count];
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------------------
 * Helpers. Each reads its argument words and returns what the C function would. */

struct call {
    struct devices *devices;
    const struct device_call *from;
    uint64_t time;
};

static uint32_t arg(const struct call *c, unsigned i) {
    return c->from->words[i];
}

static void *memory(const struct call *c, uint32_t address, uint32_t size, bool write) {
    return c->from->memory(c->from->user, address, size, write);
}

static void record(const struct call *c, enum device device, uint32_t index, uint32_t value) {
    vec_push(c->devices->arena, &c->devices->events,
             (struct device_event){c->time, device, index, value, NULL, 0});
}

static void record_text(const struct call *c, enum device device, uint32_t index, const char *text,
                        uint32_t length) {
    char *copy = arena_alloc(c->devices->arena, length + 1);
    memcpy(copy, text, length);
    vec_push(c->devices->arena, &c->devices->events,
             (struct device_event){c->time, device, index, 0, copy, length});
}

static int gpio_write(const struct call *c, uint32_t pin, bool level) {
    if (pin >= PINS)
        return -EINVAL;
    c->devices->levels[pin] = level;
    record(c, DEVICE_GPIO, pin, level);
    return 0;
}

static int gpio_read(const struct call *c, uint32_t pin) {
    if (pin >= PINS)
        return -EINVAL;
    const int32_t *given = sample(c->devices, DEVICE_GPIO, pin, 1);
    return given ? *given != 0 : c->devices->levels[pin];
}

static int gpio_toggle(const struct call *c, uint32_t pin) {
    if (pin >= PINS)
        return -EINVAL;
    return gpio_write(c, pin, !c->devices->levels[pin]);
}

static int led_set(const struct call *c, uint32_t led, bool on) {
    if (led >= LEDS)
        return -EINVAL;
    record(c, DEVICE_LED, led, on);
    return 0;
}

static int pwm_set(const struct call *c, uint32_t channel, uint32_t permille) {
    if (channel < 1 || channel > PWM_CHANNELS || permille > PERMILLE)
        return -EINVAL;
    record(c, DEVICE_PWM, channel, permille);
    return 0;
}

static int read_value(const struct call *c, enum device device, uint32_t count, uint32_t index) {
    if (index >= count)
        return -EINVAL;
    const int32_t *given = sample(c->devices, device, index, 1);
    return given ? *given : 0;
}

static int accel_read(const struct call *c, uint32_t to, uint32_t size) {
    int16_t xyz[3] = {0};
    void *out = memory(c, to, size, true);
    const int32_t *given = sample(c->devices, DEVICE_ACCEL, 0, 3);

    if (!out)
        return -EFAULT;
    if (size != sizeof(xyz))
        return -EINVAL;
    for (int i = 0; given && i < 3; i++)
        xyz[i] = (int16_t)given[i];
    memcpy(out, xyz, size);
    return 0;
}

static int uart_write(const struct call *c, uint32_t port, uint32_t from, uint32_t size) {
    const char *bytes = memory(c, from, size, false);

    if (port < 1 || port > UARTS)
        return -EINVAL;
    if (!bytes)
        return -EFAULT;
    if (size > UART_MOST)
        size = UART_MOST;
    record_text(c, DEVICE_UART, port, bytes, size);
    return (int)size;
}

static int log_line(const struct call *c, uint32_t from, uint32_t size) {
    const char *line = memory(c, from, size, false);

    if (!line)
        return -EFAULT;
    record_text(c, DEVICE_LOG, 0, line, size < BPF_LOG_LINE ? size : BPF_LOG_LINE);
    return 0;
}

bool devices_call(struct devices *d, uint32_t helper, const struct device_call *from,
                  uint64_t *r0) {
    struct call call = {d, from, d->frozen ? d->now : from->time}, *c = &call;
    int result = 0;

    switch (helper) {
    case BPF_FUNC_KTIME_GET_NS: *r0 = c->time; break;
    case BPF_FUNC_LOG: result = log_line(c, arg(c, 0), arg(c, 1)); break;
    case BPF_FUNC_GPIO_WRITE: result = gpio_write(c, arg(c, 0), arg(c, 1)); break;
    case BPF_FUNC_GPIO_READ: result = gpio_read(c, arg(c, 0)); break;
    case BPF_FUNC_GPIO_TOGGLE: result = gpio_toggle(c, arg(c, 0)); break;
    case BPF_FUNC_LED_SET: result = led_set(c, arg(c, 0), arg(c, 1)); break;
    case BPF_FUNC_PWM_SET: result = pwm_set(c, arg(c, 0), arg(c, 1)); break;
    case BPF_FUNC_ENCODER_READ: result = read_value(c, DEVICE_ENCODER, ENCODERS, arg(c, 0)); break;
    case BPF_FUNC_ADC_READ: result = read_value(c, DEVICE_ADC, ADC_CHANNELS, arg(c, 0)); break;
    case BPF_FUNC_UART_WRITE: result = uart_write(c, arg(c, 0), arg(c, 1), arg(c, 2)); break;
    case BPF_FUNC_ACCEL_READ: result = accel_read(c, arg(c, 0), arg(c, 1)); break;
    case BPF_FUNC_TIMER_INIT: /* nobody is here between the runs of a program, to call back */
    case BPF_FUNC_TIMER_SET_CALLBACK:
    case BPF_FUNC_TIMER_START:
    case BPF_FUNC_TIMER_CANCEL: result = -EOPNOTSUPP; break;
    default: return false;
    }
    /* An int is returned in r0 alone; r1 is left to chance, so that whoever forgets to extend the
     * sign is found out by a negative result. */
    if (helper != BPF_FUNC_KTIME_GET_NS)
        *r0 = (uint32_t)result;
    return true;
}

/* Only the program's own memory: what lies in the library is not its to hand over. */
static void *machine_memory(void *user, uint32_t address, uint32_t size, bool write) {
    if (write)
        return machine_writable(user, address, size);
    if (address - MEMMAP_LIBRARY < MEMMAP_LIBRARY_SIZE)
        return NULL;
    return (void *)(uintptr_t)machine_readable(user, address, size);
}

enum bpf_status devices_helper(void *user, struct machine *m, uint32_t helper, uint64_t *r0,
                               unsigned *cycles) {
    struct device_call call = {.time = machine_time(m), .memory = machine_memory, .user = m};

    for (unsigned i = 0; i < DEVICE_WORDS; i++)
        machine_arg(m, i, &call.words[i]);
    if (!devices_call(user, helper, &call, r0))
        return BPF_FAULT_CALL;
    *cycles = bpf_helper_by_id(helper)->cycles - STUB_CYCLES;
    return BPF_OK;
}

void devices_log(struct devices *d, uint64_t time, const char *line, uint32_t length) {
    const struct call call = {.devices = d, .time = d->frozen ? d->now : time};

    record_text(&call, DEVICE_LOG, 0, line, length);
}

void devices_freeze(struct devices *d, uint64_t now) {
    d->frozen = true;
    d->now = now;
}

/* ------------------------------------------------------------------------------------------------
 * The log */

size_t devices_event_count(const struct devices *d) {
    return d->events.count;
}

const struct device_event *devices_event(const struct devices *d, size_t i) {
    return &d->events.items[i];
}

const char *time_text(uint64_t ns, char *buffer, size_t size) {
    static const struct {
        uint64_t ns;
        const char *name;
    } units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
    size_t i = 0;

    while (i < 3 && ns < units[i].ns)
        i++;
    /* Three digits after the point, without trailing zeros. */
    uint64_t thousandths = ns % units[i].ns * 1000 / units[i].ns;
    int digits = 3;
    for (; digits > 0 && thousandths % 10 == 0; digits--)
        thousandths /= 10;
    if (digits)
        snprintf(buffer, size, "%" PRIu64 ".%0*u %s", ns / units[i].ns, digits,
                 (unsigned)thousandths, units[i].name);
    else
        snprintf(buffer, size, "%" PRIu64 " %s", ns / units[i].ns, units[i].name);
    return buffer;
}

/* Bytes as a C string literal. */
static void print_quoted(const char *text, size_t length, FILE *file) {
    fputc('"', file);
    for (size_t i = 0; i < length; i++) {
        static const char from[] = "\n\r\t\"\\", to[] = "nrt\"\\";
        unsigned char c = text[i];
        const char *special = c ? strchr(from, c) : NULL;
        if (special)
            fprintf(file, "\\%c", to[special - from]);
        else if (c < ' ' || c >= 0x7f)
            fprintf(file, "\\x%02x", c);
        else
            fputc(c, file);
    }
    fputc('"', file);
}

void devices_print(const struct devices *d, size_t first, FILE *file) {
    char when[32];

    for (size_t i = first; i < d->events.count; i++) {
        const struct device_event *e = &d->events.items[i];
        switch (e->device) {
        case DEVICE_GPIO:
            fprintf(file, "gpio P%c%u = %u", 'A' + e->index / 16, e->index % 16, e->value);
            break;
        case DEVICE_LED: fprintf(file, "led %u = %s", e->index, e->value ? "on" : "off"); break;
        case DEVICE_PWM:
            fprintf(file, "pwm %u = %u.%u %%", e->index, e->value / 10, e->value % 10);
            break;
        case DEVICE_UART:
            fprintf(file, "uart %u: ", e->index);
            print_quoted(e->text, e->length, file);
            break;
        default:
            fprintf(file, "log: ");
            print_quoted(e->text, e->length, file);
            break;
        }
        fprintf(file, " at %s\n", time_text(e->time, when, sizeof(when)));
    }
}

/* Text as JSON can hold it: each byte becomes the character of its number, and 0, at which a string
 * of cJSON would end, the replacement character. */
static char *json_text(struct arena *arena, const char *text, size_t length) {
    char *out = arena_alloc(arena, length * 3 + 1), *at = out;

    for (size_t i = 0; i < length; i++) {
        unsigned char c = text[i];
        if (c == 0) {
            at = stpcpy(at, "\xef\xbf\xbd");
        } else if (c >= 0x80) {
            *at++ = (char)(0xc0 | c >> 6);
            *at++ = (char)(0x80 | (c & 0x3f));
        } else {
            *at++ = (char)c;
        }
    }
    return out;
}

struct cJSON *devices_json(const struct devices *d) {
    cJSON *array = cJSON_CreateArray();

    for (size_t i = 0; i < d->events.count; i++) {
        const struct device_event *e = &d->events.items[i];
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "device", device_name(e->device));
        cJSON_AddNumberToObject(row, "time_ns", (double)e->time);
        if (e->device != DEVICE_LOG)
            cJSON_AddNumberToObject(row, "index", e->index);
        if (e->text)
            cJSON_AddStringToObject(row, "text", json_text(d->arena, e->text, e->length));
        else
            cJSON_AddNumberToObject(row, "value", e->value);
        cJSON_AddItemToArray(array, row);
    }
    return array;
}
