/* SPDX-License-Identifier: MIT */
/* Contexts that the emulator makes for each program type. */
#include "context.h"

#include "program/hook.h"

#include <criterion/criterion.h>
#include <string.h>

#define ROOM 512

static uint8_t context[ROOM];
static const struct context_input nothing = {.bytes = (const uint8_t *)""};

/* A field of the context that was made last. */
static uint64_t get(enum bpf_hook hook, const char *name) {
    struct hook_field field;
    uint64_t value = 0;

    for (size_t i = 0; hook_field(hook, i, &field); i++)
        if (strcmp(field.name, name) == 0) {
            memcpy(&value, context + field.offset, field.size);
            return value;
        }
    cr_expect_fail("no field %s", name);
    return 0;
}

static bool fill(enum bpf_hook hook, const char *section, const struct context_input *input,
                 uint32_t run) {
    const char *why = NULL;
    uint32_t length;

    memset(context, 0xee, sizeof(context));
    bool ok = context_fill(hook, section, input, 1234567, run, context, hook_ctx_size(hook),
                           &length, &why);
    cr_expect_eq(ok, why == NULL);
    cr_expect_eq(length, hook_ctx_size(hook));
    cr_expect_eq(context[hook_ctx_size(hook)], 0xee, "nothing behind the context is touched");
    cr_expect_eq(get(hook, "time_ns"), 1234567);
    return ok;
}

Test(context, timer) {
    cr_expect(fill(BPF_HOOK_TIMER, "timer/10ms", &nothing, 0));
    cr_expect_eq(get(BPF_HOOK_TIMER, "period_us"), 10000);
    cr_expect_eq(get(BPF_HOOK_TIMER, "overruns"), 0);
    cr_expect_eq(context_period(BPF_HOOK_TIMER, "timer/10ms"), 10000000);
    cr_expect_eq(context_period(BPF_HOOK_TIMER, "timer/500us"), 500000);
    cr_expect_eq(context_period(BPF_HOOK_TIMER, "timer/4000s"), 4000000000000);
}

Test(context, gpio) {
    cr_expect(fill(BPF_HOOK_GPIO, "gpio/PD12/rising", &nothing, 0));
    cr_expect_eq(get(BPF_HOOK_GPIO, "pin"), 60);
    cr_expect_eq(get(BPF_HOOK_GPIO, "level"), 1);
    cr_expect(fill(BPF_HOOK_GPIO, "gpio/PA0/falling", &nothing, 0));
    cr_expect_eq(get(BPF_HOOK_GPIO, "pin"), 0);
    cr_expect_eq(get(BPF_HOOK_GPIO, "level"), 0);
    for (uint32_t run = 0; run < 4; run++) {
        cr_expect(fill(BPF_HOOK_GPIO, "gpio/PA0/both", &nothing, run));
        cr_expect_eq(get(BPF_HOOK_GPIO, "level"), run % 2 == 0);
    }
}

Test(context, uart) {
    uint8_t frame[257] = "hello";
    struct context_input input = {.bytes = frame, .size = 5};

    cr_expect(fill(BPF_HOOK_UART, "uart/2", &input, 0));
    cr_expect_eq(get(BPF_HOOK_UART, "port"), 2);
    cr_expect_eq(get(BPF_HOOK_UART, "len"), 5);
    cr_expect_arr_eq(context + 16, "hello\0", 6);
    input.size = 256;
    cr_expect(fill(BPF_HOOK_UART, "uart/2", &input, 0));
    input.size = 257;
    cr_expect_not(fill(BPF_HOOK_UART, "uart/2", &input, 0));
}

Test(context, adc) {
    const uint16_t samples[] = {1, 4095};
    struct context_input input = {.samples = samples, .sample_count = 2};

    cr_expect(fill(BPF_HOOK_ADC, "adc/3/16/1kHz", &nothing, 0));
    cr_expect_eq(get(BPF_HOOK_ADC, "channel"), 3);
    cr_expect_eq(get(BPF_HOOK_ADC, "len"), 16);
    cr_expect(fill(BPF_HOOK_ADC, "adc/3", &input, 0));
    cr_expect_eq(get(BPF_HOOK_ADC, "len"), 2);
    cr_expect_arr_eq(context + 16, samples, sizeof(samples));
    cr_expect_eq(context_period(BPF_HOOK_ADC, "adc/3/16/1kHz"), 16000000);
    cr_expect_eq(context_period(BPF_HOOK_ADC, "adc/3/100/50Hz"), 2000000000);
    cr_expect_eq(context_period(BPF_HOOK_ADC, "adc/3"), 64000000);
}

Test(context, trace_and_cmd) {
    struct context_input input = {.bytes = (const uint8_t *)"on", .size = 2};

    cr_expect(fill(BPF_HOOK_TRACE, "trace/fault", &nothing, 0));
    cr_expect_eq(get(BPF_HOOK_TRACE, "event"), 2);
    cr_expect(fill(BPF_HOOK_CMD, "cmd/led", &input, 0));
    cr_expect_eq(get(BPF_HOOK_CMD, "len"), 2);
    cr_expect_arr_eq(context + 16, "on", 2);
}

Test(context, raw) {
    struct context_input input = {.bytes = (const uint8_t *)"abc", .size = 3};
    const char *why;
    uint32_t length;

    memset(context, 0xee, sizeof(context));
    cr_expect(context_fill(BPF_HOOK_RAW, "raw", &input, 0, 0, context, 8, &length, &why));
    cr_expect_eq(length, 3);
    cr_expect_arr_eq(context, "abc\0\0\0\0\0\xee", 9);
    cr_expect_not(context_fill(BPF_HOOK_RAW, "raw", &input, 0, 0, context, 2, &length, &why));
}
