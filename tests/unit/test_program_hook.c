/* SPDX-License-Identifier: MIT */
/* SEC() names: which are read as which hook, which are refused and with what advice. */
#include "program/hook.h"

#include <criterion/criterion.h>
#include <string.h>

#define REFUSED (-1)

static const struct {
    const char *section;
    int hook;
    const char *message; /* part of why or mend, when refused */
} cases[] = {
    {"raw", BPF_HOOK_RAW, NULL},
    {"timer/10ms", BPF_HOOK_TIMER, NULL},
    {"timer/1us", BPF_HOOK_TIMER, NULL},
    {"timer/4294s", BPF_HOOK_TIMER, NULL},
    {"gpio/PA0/rising", BPF_HOOK_GPIO, NULL},
    {"gpio/PI15/both", BPF_HOOK_GPIO, NULL},
    {"uart/2", BPF_HOOK_UART, NULL},
    {"adc/1", BPF_HOOK_ADC, NULL},
    {"adc/18/64", BPF_HOOK_ADC, NULL},
    {"adc/1/128/1kHz", BPF_HOOK_ADC, NULL},
    {"adc/1/1/1000000Hz", BPF_HOOK_ADC, NULL},
    {"trace/sched_switch", BPF_HOOK_TRACE, NULL},
    {"cmd/status", BPF_HOOK_CMD, NULL},

    {"raw/1", REFUSED, "not of the form raw"},
    {"rawx", REFUSED, "no program type"},
    {"", REFUSED, "no program type"},
    {"timer", REFUSED, "for example SEC(\"timer/10ms\")"},
    {"timer/", REFUSED, "not of the form timer/<period>"},
    {"timer/0ms", REFUSED, ": 0 is out of range"},
    {"timer/10", REFUSED, "us, ms or s"},
    {"timer/10m", REFUSED, "us, ms or s"},
    {"timer/-1ms", REFUSED, "not of the form"},
    {"timer/4295s", REFUSED, ": 4295s is out of range"},
    {"timer/99999999999999999999ms", REFUSED, ": 99999999999999999999 is out of range"},
    {"timr/10ms", REFUSED, "perhaps SEC(\"timer/10ms\")"},
    {"Timer/10ms", REFUSED, "perhaps SEC(\"timer/10ms\")"},
    {"xdp", REFUSED, "use one of raw, timer/<period>, gpio/<pin>/<edge>"},
    {"gpio/PA16/rising", REFUSED, "PA0 to PI15"},
    {"gpio/PJ0/rising", REFUSED, "PA0 to PI15"},
    {"gpio/PA0", REFUSED, "gpio/PA0/rising"},
    {"gpio/PA0/up", REFUSED, "rising, falling or both"},
    {"uart/0", REFUSED, "1 to 6"},
    {"uart/2/x", REFUSED, "1 to 6"},
    {"adc/19", REFUSED, "0 to 18"},
    {"adc/1/129", REFUSED, "1 to 128"},
    {"adc/1/1/1001kHz", REFUSED, ": 1001kHz is out of range"},
    {"adc/1/1/1MHz", REFUSED, "Hz or kHz"},
    {"trace/other", REFUSED, "sched_switch, irq or fault"},
    {"cmd/", REFUSED, "not of the form cmd/<name>"},
    {"cmd/a b", REFUSED, "letters, digits"},
    {"cmd/a234567890123456789012345678901x", REFUSED, "1 to 31"},
};

Test(hook, sec_names) {
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *arena = arena_new();
        enum bpf_hook hook = BPF_HOOK_COUNT;
        const char *why = "", *mend = "";
        bool good = hook_parse(cases[i].section, arena, &hook, &why, &mend);

        cr_expect_eq(good, cases[i].hook != REFUSED, "%s: %s", cases[i].section, why);
        if (good)
            cr_expect_eq((int)hook, cases[i].hook, "%s", cases[i].section);
        else
            cr_expect(strstr(why, cases[i].message) || strstr(mend, cases[i].message),
                      "%s: no `%s` in `%s` or `%s`", cases[i].section, cases[i].message, why, mend);
        arena_free(arena);
    }
}

/* Every example of the table is itself accepted, as its own hook. */
Test(hook, examples_parse) {
    struct arena *arena = arena_new();

    for (int i = 0; i < BPF_HOOK_COUNT; i++) {
        const char *why, *mend;
        enum bpf_hook hook = BPF_HOOK_COUNT;
        cr_expect(hook_parse(hook_info((enum bpf_hook)i)->example, arena, &hook, &why, &mend));
        cr_expect_eq((int)hook, i);
    }
    arena_free(arena);
}

Test(hook, context_layout) {
    struct hook_field field;

    cr_expect_eq(hook_ctx_size(BPF_HOOK_RAW), 0);
    cr_expect_eq(hook_ctx_size(BPF_HOOK_TIMER), 16);
    cr_expect_eq(hook_ctx_size(BPF_HOOK_UART), 272);
    cr_assert(hook_field(BPF_HOOK_UART, 3, &field));
    cr_expect_str_eq(field.name, "data");
    cr_expect_eq(field.offset, 16);
    cr_expect_eq(field.count, 256);
    cr_expect_not(hook_field(BPF_HOOK_UART, 4, &field));
}
