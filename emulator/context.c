/* SPDX-License-Identifier: MIT */
/* Contexts by the rows of hook.def. Sections are ones that hook_parse() accepted. */
#include "context.h"

#include "program/hook.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ADC_SAMPLES 64 /* of a block, where SEC() names neither number nor rate */
#define ADC_HZ 1000

struct filler {
    enum bpf_hook hook;
    uint8_t *context;
    uint32_t room;
};

/* Stores a number in the context's field of that name. */
static void put(const struct filler *f, const char *name, uint64_t value) {
    struct hook_field field;

    for (size_t i = 0; hook_field(f->hook, i, &field); i++)
        if (strcmp(field.name, name) == 0) {
            assert(field.count == 1 && field.offset + field.size <= f->room);
            memcpy(f->context + field.offset, &value, field.size);
            return;
        }
    assert(!"hook.def has the field");
}

/* Stores an array in `data` and its length in `len`; false if it is too long. */
static bool put_data(const struct filler *f, const void *elements, size_t count) {
    struct hook_field field;

    for (size_t i = 0; hook_field(f->hook, i, &field); i++)
        if (field.count > 1) {
            if (count > field.count)
                return false;
            assert(field.offset + field.size * field.count <= f->room);
            memcpy(f->context + field.offset, elements, count * field.size);
            put(f, "len", count);
            return true;
        }
    assert(!"hook.def has an array here");
    return false;
}

/* What stands behind the n-th '/' of a section, or "". */
static const char *argument(const char *section, int n) {
    while (n-- > 0) {
        section = strchr(section, '/');
        if (!section++)
            return "";
    }
    return section;
}

static uint32_t adc_samples(const char *section) {
    uint32_t samples = strtoul(argument(section, 2), NULL, 10);
    return samples ? samples : ADC_SAMPLES;
}

static uint32_t adc_hz(const char *section) {
    char *unit;
    uint32_t rate = strtoul(argument(section, 3), &unit, 10);
    return rate ? rate * (*unit == 'k' ? 1000 : 1) : ADC_HZ;
}

uint64_t context_period(enum bpf_hook hook, const char *section) {
    switch (hook) {
    case BPF_HOOK_TIMER: return hook_timer_us(section) * UINT64_C(1000);
    case BPF_HOOK_ADC: return adc_samples(section) * UINT64_C(1000000000) / adc_hz(section);
    default: return CONTEXT_EVENT_NS;
    }
}

static void fill_gpio(const struct filler *f, const char *section, uint32_t run) {
    const char *pin = argument(section, 1), *edge = argument(section, 2);
    uint32_t level = strcmp(edge, "rising") == 0    ? 1
                     : strcmp(edge, "falling") == 0 ? 0
                                                    : !(run & 1);

    put(f, "pin", (pin[1] - 'A') * 16 + strtoul(pin + 2, NULL, 10));
    put(f, "level", level);
}

static bool fill_adc(const struct filler *f, const char *section,
                     const struct context_input *input) {
    static const uint16_t zeros[1024];

    put(f, "channel", strtoul(argument(section, 1), NULL, 10));
    if (input->samples)
        return put_data(f, input->samples, input->sample_count);
    return put_data(f, zeros, adc_samples(section));
}

static void fill_trace(const struct filler *f, const char *section, uint32_t run) {
    static const char *const events[] = {"sched_switch", "irq", "fault"};

    for (uint32_t i = 0; i < 3; i++)
        if (strcmp(argument(section, 1), events[i]) == 0)
            put(f, "event", i);
    put(f, "arg0", run & 1); /* two tasks in turn, or whatever the event means by it */
    put(f, "arg1", !(run & 1));
}

bool context_fill(enum bpf_hook hook, const char *section, const struct context_input *input,
                  uint64_t time, uint32_t run, uint8_t *context, uint32_t room, uint32_t *length,
                  const char **why) {
    struct filler f = {hook, context, room};
    bool fits = true;

    memset(context, 0, room);
    *length = room;
    if (hook != BPF_HOOK_RAW)
        put(&f, "time_ns", time);
    switch (hook) {
    case BPF_HOOK_RAW:
        *length = (uint32_t)input->size;
        fits = input->size <= room;
        if (fits)
            memcpy(context, input->bytes, input->size);
        break;
    case BPF_HOOK_TIMER: put(&f, "period_us", hook_timer_us(section)); break;
    case BPF_HOOK_GPIO: fill_gpio(&f, section, run); break;
    case BPF_HOOK_UART:
        put(&f, "port", strtoul(argument(section, 1), NULL, 10));
        fits = put_data(&f, input->bytes, input->size);
        break;
    case BPF_HOOK_ADC: fits = fill_adc(&f, section, input); break;
    case BPF_HOOK_TRACE: fill_trace(&f, section, run); break;
    case BPF_HOOK_CMD: fits = put_data(&f, input->bytes, input->size); break;
    case BPF_HOOK_COUNT: assert(!"a hook");
    }
    if (!fits)
        *why = "there are more bytes or samples than the context holds";
    return fits;
}
