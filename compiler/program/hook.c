/* SPDX-License-Identifier: MIT */
/*
 * Program types: the table of hook.def, and the syntax of what follows the type in SEC(). Each type
 * has one small parser of its own for that; whether a pin or a port exists and is free is the board's
 * matter, here only what no board of this family could mean is refused.
 */
#include "program/hook.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Limits of the chips that the hooks stand for (STM32F405/407, RM0090). */
#define GPIO_LAST_PORT 'I'
#define GPIO_PINS 16
#define UART_PORTS 6
#define ADC_CHANNELS 19 /* 16 pins, temperature, reference and battery voltage */
#define ADC_BLOCK 128   /* elements of the context's data */
#define ADC_MAX_HZ 1000000u
#define CMD_NAME_MAX 31

static const struct hook_info hooks[BPF_HOOK_COUNT] = {
#define BPF_HOOK(NAME, prefix, pattern, example, min, max, what)                                   \
    [BPF_HOOK_##NAME] = {#prefix, pattern, example, what, min, max},
#include "bpf/hook.def"
};

const char hook_examples[] =
#define BPF_HOOK(NAME, prefix, pattern, example, min, max, what) " " example
#include "bpf/hook.def"
    ;

static const struct {
    enum bpf_hook hook;
    const char *name, *what;
    uint32_t size, count;
} fields[] = {
#define BPF_CTX(HOOK, prefix, ctype, name, count, what)                                            \
    {BPF_HOOK_##HOOK, #name, what, sizeof(ctype), count},
#include "bpf/hook.def"
};

const struct hook_info *hook_info(enum bpf_hook hook) {
    assert(hook < BPF_HOOK_COUNT);
    return &hooks[hook];
}

bool hook_field(enum bpf_hook hook, size_t index, struct hook_field *field) {
    uint32_t offset = 0;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].hook != hook)
            continue;
        /* hook.def promises natural alignment, so that no compiler inserts anything. */
        assert(offset % fields[i].size == 0);
        if (index-- == 0) {
            *field = (struct hook_field){.name = fields[i].name,
                                         .what = fields[i].what,
                                         .offset = offset,
                                         .size = fields[i].size,
                                         .count = fields[i].count};
            return true;
        }
        offset += fields[i].size * fields[i].count;
    }
    return false;
}

uint32_t hook_ctx_size(enum bpf_hook hook) {
    struct hook_field field;
    uint32_t size = 0;

    for (size_t i = 0; hook_field(hook, i, &field); i++)
        size = field.offset + field.size * field.count;
    return (size + 7) / 8 * 8;
}

/* ---- Arguments ---- */

/* What follows the / of a SEC(), as it is read. */
struct argument {
    const char *at;     /* not read yet */
    const char *number; /* one that is out of range, or null */
    int length;         /* of it, with its unit */
};

/* The number from `start` to the end is; always false. */
static bool out_of_range(struct argument *arg, const char *start) {
    arg->number = start;
    arg->length = (int)strlen(start);
    return false;
}

/* A decimal number in [min, max] at arg->at, which moves behind it. */
static bool take_number(struct argument *arg, unsigned long min, unsigned long max,
                        unsigned long *number) {
    const char *start = arg->at;
    char *end;

    if (!isdigit((unsigned char)*start))
        return false;
    *number = strtoul(start, &end, 10);
    arg->at = end;
    if (*number >= min && *number <= max)
        return true;
    arg->number = start;
    arg->length = (int)(end - start);
    return false;
}

static bool is_one_of(const char *text, const char *const *words) {
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

/* Microseconds of a unit of time; 0: it is none. */
static uint32_t unit_us(const char *unit) {
    return strcmp(unit, "us") == 0   ? 1
           : strcmp(unit, "ms") == 0 ? 1000
           : strcmp(unit, "s") == 0  ? 1000000
                                     : 0;
}

/* 10ms: at most what period_us of the context can hold. */
static bool timer_argument(struct argument *arg) {
    const char *start = arg->at;
    unsigned long number;

    if (!take_number(arg, 1, UINT32_MAX, &number) || !unit_us(arg->at))
        return false;
    return number <= UINT32_MAX / unit_us(arg->at) || out_of_range(arg, start);
}

uint32_t hook_timer_us(const char *section) {
    char *unit;
    uint32_t number = (uint32_t)strtoul(strchr(section, '/') + 1, &unit, 10);

    return number * unit_us(unit);
}

/* PA0/rising */
static bool gpio_argument(struct argument *arg) {
    static const char *const edges[] = {"/rising", "/falling", "/both", NULL};
    unsigned long pin;

    if (arg->at[0] != 'P' || arg->at[1] < 'A' || arg->at[1] > GPIO_LAST_PORT)
        return false;
    arg->at += 2;
    return take_number(arg, 0, GPIO_PINS - 1, &pin) && is_one_of(arg->at, edges);
}

static bool uart_argument(struct argument *arg) {
    unsigned long port;

    return take_number(arg, 1, UART_PORTS, &port) && *arg->at == '\0';
}

/* 1, 1/64, 1/64/1kHz */
static bool adc_argument(struct argument *arg) {
    unsigned long channel, samples, rate;

    if (!take_number(arg, 0, ADC_CHANNELS - 1, &channel))
        return false;
    if (*arg->at == '\0')
        return true;
    if (*arg->at++ != '/' || !take_number(arg, 1, ADC_BLOCK, &samples))
        return false;
    if (*arg->at == '\0')
        return true;
    const char *start = arg->at + 1;
    if (*arg->at++ != '/' || !take_number(arg, 1, ADC_MAX_HZ, &rate))
        return false;
    if (strcmp(arg->at, "kHz") != 0)
        return strcmp(arg->at, "Hz") == 0;
    return rate <= ADC_MAX_HZ / 1000 || out_of_range(arg, start);
}

static bool trace_argument(struct argument *arg) {
    static const char *const events[] = {"sched_switch", "irq", "fault", NULL};

    return is_one_of(arg->at, events);
}

static bool cmd_argument(struct argument *arg) {
    size_t length =
        strspn(arg->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    return length > 0 && length <= CMD_NAME_MAX && arg->at[length] == '\0';
}

/* NULL: the type takes no argument. */
static bool (*const arguments[BPF_HOOK_COUNT])(struct argument *) = {
    [BPF_HOOK_TIMER] = timer_argument, [BPF_HOOK_GPIO] = gpio_argument,
    [BPF_HOOK_UART] = uart_argument,   [BPF_HOOK_ADC] = adc_argument,
    [BPF_HOOK_TRACE] = trace_argument, [BPF_HOOK_CMD] = cmd_argument,
};

static const char *const argument_help[BPF_HOOK_COUNT] = {
    [BPF_HOOK_RAW] = "nothing follows raw",
    [BPF_HOOK_TIMER] = "<period> is a number with us, ms or s, from 1us to 4294s",
    [BPF_HOOK_GPIO] = "<pin> is PA0 to PI15, <edge> is rising, falling or both",
    [BPF_HOOK_UART] = "<port> is 1 to 6",
    [BPF_HOOK_ADC] = "<channel> is 0 to 18, <samples> 1 to 128, <rate> a number with Hz or kHz, "
                     "from 1Hz to 1000kHz",
    [BPF_HOOK_TRACE] = "<event> is sched_switch, irq or fault",
    [BPF_HOOK_CMD] = "<name> is 1 to 31 letters, digits, _ and -",
};

/* ---- SEC() ---- */

/* The hook whose prefix shares the most letters with the word, if that is a likely typing error. */
static const struct hook_info *nearest(const char *word, size_t length) {
    const struct hook_info *best = NULL;
    size_t best_common = 1;

    for (size_t i = 0; i < BPF_HOOK_COUNT; i++) {
        size_t common = 0;
        while (common < length && hooks[i].prefix[common] &&
               hooks[i].prefix[common] == tolower((unsigned char)word[common]))
            common++;
        if (common > best_common) {
            best = &hooks[i];
            best_common = common;
        }
    }
    return best;
}

static const char *list_of_hooks(struct arena *arena) {
    const char *list = "";

    for (size_t i = 0; i < BPF_HOOK_COUNT; i++)
        list = arena_printf(arena, "%s%s%s%s%s", list, i ? ", " : "", hooks[i].prefix,
                            *hooks[i].pattern ? "/" : "", hooks[i].pattern);
    return list;
}

bool hook_parse(const char *section, struct arena *arena, enum bpf_hook *hook, const char **why,
                const char **mend) {
    size_t length = strcspn(section, "/");
    bool has_argument = section[length] == '/';
    size_t i = 0;

    while (i < BPF_HOOK_COUNT &&
           (strlen(hooks[i].prefix) != length || memcmp(hooks[i].prefix, section, length) != 0))
        i++;
    if (i == BPF_HOOK_COUNT) {
        const struct hook_info *near = nearest(section, length);
        *why = arena_printf(arena, "SEC(\"%s\") is no program type", section);
        *mend = arena_printf(arena, "use one of %s%s%s%s", list_of_hooks(arena),
                             near ? "; perhaps SEC(\"" : "", near ? near->example : "",
                             near ? "\")" : "");
        return false;
    }
    *hook = (enum bpf_hook)i;
    struct argument arg = {.at = section + length + 1};
    assert(argument_help[i]); /* every type has its sentence */
    if (arguments[i] ? has_argument && arguments[i](&arg) : !has_argument)
        return true;
    *why = arg.number
               ? arena_printf(arena, "SEC(\"%s\"): %.*s is out of range", section, arg.length,
                              arg.number)
               : arena_printf(arena, "SEC(\"%s\") is not of the form %s%s%s", section,
                              hooks[i].prefix, *hooks[i].pattern ? "/" : "", hooks[i].pattern);
    *mend = arena_printf(arena, "%s, for example SEC(\"%s\")", argument_help[i], hooks[i].example);
    return false;
}
