/* SPDX-License-Identifier: MIT */
/*
 * Grants: text to structure and back, and the check of one that came from outside (docs/grant.md has the
 * grammar). Devices that are numbers are one table, which reader, writer and check share.
 */
#include "bpf/grant.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
    PINS = 16, /* of a port */
    PERIOD_MAX_US = 60 * 1000000,
    WINDOW_MAX_MS = 60 * 60 * 1000,
    DEFAULT_RAM = 8 * 1024,
};

const struct bpf_grant bpf_grant_default = {
    .version = BPF_GRANT_VERSION,
    .priority = 3,
    .policy = BPF_POLICY_RESTART,
    .budget_us = 1000,
    .period_us = 10000,
    .ram = DEFAULT_RAM,
    .window_ms = 10000,
    .restarts = 3,
    .queue = 8,
};

/* Devices by number: a mask of 16 bits, or of 32. */
static const struct numbers {
    const char *word;
    uint16_t offset;
    uint8_t bits;
} numbers[] = {
    {"led:", offsetof(struct bpf_grant, leds), 16},
    {"pwm:", offsetof(struct bpf_grant, pwm), 16},
    {"encoder:", offsetof(struct bpf_grant, encoders), 16},
    {"uart:", offsetof(struct bpf_grant, uart), 16},
    {"adc:", offsetof(struct bpf_grant, adc), 32},
};

/* Devices of which a board has one. */
static const struct flag {
    const char *word;
    uint16_t offset;
} flags[] = {
    {"accel", offsetof(struct bpf_grant, accel)},
    {"trace", offsetof(struct bpf_grant, trace)},
};

static const struct unit {
    const char *word;
    uint32_t value;
} time_units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}};

static uint32_t mask_of(const struct bpf_grant *grant, const struct numbers *row) {
    const void *field = (const uint8_t *)grant + row->offset;
    return row->bits == 16 ? *(const uint16_t *)field : *(const uint32_t *)field;
}

/* ---- Reading --------------------------------------------------------------------------------- */

struct reader {
    const char *text;
    size_t at, length;
    struct bpf_grant grant;
    struct bpf_grant_error error;
};

/* Says what should stand at a place; always false. */
static bool expected_at(struct reader *r, size_t at, const char *what) {
    r->error = (struct bpf_grant_error){at, what};
    return false;
}

static bool expected(struct reader *r, const char *what) {
    return expected_at(r, r->at, what);
}

static char next(const struct reader *r) {
    return r->at < r->length ? r->text[r->at] : '\0';
}

static bool is_separator(char c) {
    return c == ',' || c == ' ';
}

static bool take_char(struct reader *r, char c) {
    if (r->at == r->length || r->text[r->at] != c)
        return false;
    r->at++;
    return true;
}

static bool take_word(struct reader *r, const char *word) {
    size_t length = strlen(word);
    if (length > r->length - r->at || memcmp(r->text + r->at, word, length) != 0)
        return false;
    r->at += length;
    return true;
}

/* A decimal number in [min, max]. */
static bool take_number(struct reader *r, uint32_t min, uint32_t max, const char *what,
                        uint32_t *number) {
    size_t start = r->at;
    uint64_t value = 0;
    for (; next(r) >= '0' && next(r) <= '9'; r->at++) {
        value = value * 10 + (uint32_t)(next(r) - '0');
        if (value > max)
            return expected_at(r, start, what);
    }
    *number = (uint32_t)value;
    return (r->at > start && value >= min) || expected_at(r, start, what);
}

/* N or N-M, as bits. */
static bool take_range(struct reader *r, uint32_t bits, const char *what, uint32_t *mask) {
    uint32_t first, last;
    if (!take_number(r, 0, bits - 1, what, &first))
        return false;
    last = first;
    if (take_char(r, '-') && !take_number(r, first, bits - 1, what, &last))
        return false;
    *mask |= (UINT32_MAX >> (31 - last)) & (UINT32_MAX << first);
    return true;
}

static bool take_numbers(struct reader *r, const struct numbers *row) {
    const char *what = row->bits == 16 ? "a number from 0 to 15" : "a number from 0 to 31";
    uint32_t mask = mask_of(&r->grant, row);
    void *field = (uint8_t *)&r->grant + row->offset;
    do {
        if (!take_range(r, row->bits, what, &mask))
            return false;
    } while (take_char(r, '+'));
    if (row->bits == 16)
        *(uint16_t *)field = (uint16_t)mask;
    else
        *(uint32_t *)field = mask;
    return true;
}

/* PD12, PD12-15, PA0+1+PD12: after a + there may be a new port, or one more pin of the last. */
static bool take_pins(struct reader *r, uint16_t *pins) {
    static const char what[] = "a pin such as PD12, of PA0 to PI15";
    bool first = true;
    unsigned port = 0;
    do {
        size_t start = r->at;
        uint32_t mask = 0;
        if (take_char(r, 'P')) {
            if (next(r) < 'A' || next(r) >= 'A' + BPF_GRANT_PORTS)
                return expected_at(r, start, what);
            port = (unsigned)(r->text[r->at++] - 'A');
        } else if (first) {
            return expected(r, what);
        }
        if (!take_range(r, PINS, "the number of a pin, 0 to 15", &mask))
            return false;
        pins[port] |= (uint16_t)mask;
        first = false;
    } while (take_char(r, '+'));
    return true;
}

static bool take_gpio(struct reader *r) {
    uint16_t pins[BPF_GRANT_PORTS] = {0};
    uint32_t safe = 0;
    if (!take_pins(r, pins))
        return false;
    if (!take_char(r, '='))
        return expected(r, "=in or =out");
    bool out = take_word(r, "out");
    if (!out && !take_word(r, "in"))
        return expected(r, "in or out");
    if (out && take_word(r, "/safe=") && !take_number(r, 0, 1, "0 or 1", &safe))
        return false;
    for (unsigned port = 0; port < BPF_GRANT_PORTS; port++) {
        uint16_t *set = out ? r->grant.gpio_out : r->grant.gpio_in;
        set[port] |= pins[port];
        if (out)
            r->grant.gpio_safe[port] =
                (uint16_t)((r->grant.gpio_safe[port] & ~pins[port]) | (safe ? pins[port] : 0));
    }
    return true;
}

/* 10ms, in microseconds, from 1 to max. */
static bool take_time(struct reader *r, uint32_t max, const char *what, uint32_t *us) {
    size_t start = r->at;
    uint32_t number;
    if (!take_number(r, 1, UINT32_MAX, what, &number))
        return false;
    for (size_t i = 0; i < COUNT(time_units); i++)
        if (take_word(r, time_units[i].word)) {
            *us = number * time_units[i].value;
            return number <= max / time_units[i].value || expected_at(r, start, what);
        }
    return expected(r, "a unit: us, ms or s");
}

static bool take_budget(struct reader *r) {
    size_t start = r->at;
    struct bpf_grant *g = &r->grant;
    if (!take_time(r, PERIOD_MAX_US, "a time such as 2ms, of 1us to 60s", &g->budget_us))
        return false;
    if (!take_char(r, '/'))
        return expected(r, "/ and a period such as 10ms");
    if (!take_time(r, PERIOD_MAX_US, "a period such as 10ms, of 1us to 60s", &g->period_us))
        return false;
    return g->budget_us <= g->period_us ||
           expected_at(r, start, "a budget that is not more than its period");
}

static bool take_policy(struct reader *r) {
    struct bpf_grant *g = &r->grant;
    uint32_t restarts = 0, window_us = 0;
    if (take_word(r, "continue")) {
        g->policy = BPF_POLICY_CONTINUE;
    } else if (take_word(r, "stop")) {
        g->policy = BPF_POLICY_STOP;
    } else if (take_word(r, "restart:")) {
        static const char window[] = "a time such as 10s, of 1ms to 3600s";
        if (!take_number(r, 1, UINT8_MAX, "a number of restarts, 1 to 255", &restarts))
            return false;
        if (!take_char(r, '/'))
            return expected(r, "/ and a time such as 10s");
        size_t start = r->at;
        if (!take_time(r, WINDOW_MAX_MS * UINT32_C(1000), window, &window_us))
            return false;
        if (window_us % 1000)
            return expected_at(r, start, window);
        g->policy = BPF_POLICY_RESTART;
    } else {
        return expected(r, "continue, stop or restart:3/10s");
    }
    g->restarts = (uint8_t)restarts;
    g->window_ms = window_us / 1000;
    return true;
}

static bool take_ram(struct reader *r) {
    static const char what[] = "a number of bytes such as 8K, 1 to 128K";
    size_t start = r->at;
    if (!take_number(r, 1, BPF_GRANT_RAM_MAX, what, &r->grant.ram))
        return false;
    if (take_char(r, 'K')) {
        if (r->grant.ram > BPF_GRANT_RAM_MAX / 1024)
            return expected_at(r, start, what);
        r->grant.ram *= 1024;
    }
    return true;
}

static bool take_byte(struct reader *r, uint32_t max, const char *what, uint8_t *field) {
    uint32_t number;
    if (!take_number(r, 1, max, what, &number))
        return false;
    *field = (uint8_t)number;
    return true;
}

static bool take_setting(struct reader *r) {
    if (take_word(r, "budget="))
        return take_budget(r);
    if (take_word(r, "priority="))
        return take_byte(r, BPF_GRANT_PRIORITY_MAX, "a priority, 1 to 9", &r->grant.priority);
    if (take_word(r, "ram="))
        return take_ram(r);
    if (take_word(r, "queue="))
        return take_byte(r, BPF_GRANT_QUEUE_MAX, "a number of events, 1 to 32", &r->grant.queue);
    if (take_word(r, "policy="))
        return take_policy(r);
    return expected(r,
                    "gpio:, led:, pwm:, encoder:, uart:, adc:, accel, trace, budget=, priority=, "
                    "ram=, queue= or policy=");
}

static bool take_item(struct reader *r) {
    if (take_word(r, "gpio:"))
        return take_gpio(r);
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (take_word(r, numbers[i].word))
            return take_numbers(r, &numbers[i]);
    for (size_t i = 0; i < COUNT(flags); i++)
        if (take_word(r, flags[i].word)) {
            ((uint8_t *)&r->grant)[flags[i].offset] = 1;
            return true;
        }
    return take_setting(r);
}

static bool take_all(struct reader *r) {
    for (;;) {
        while (r->at < r->length && is_separator(r->text[r->at]))
            r->at++;
        if (r->at == r->length)
            return true;
        if (!take_item(r))
            return false;
        if (r->at < r->length && !is_separator(r->text[r->at]))
            return expected(r, "a comma, a space or the end");
    }
}

bool bpf_grant_parse(const char *text, size_t length, struct bpf_grant *grant,
                     struct bpf_grant_error *error) {
    struct reader r = {.text = text, .length = length, .grant = *grant};
    bool good = take_all(&r);
    *error = r.error;
    if (good)
        *grant = r.grant;
    return good;
}

/* ---- Writing --------------------------------------------------------------------------------- */

struct writer {
    char *out;
    size_t size, length;
};

static void put(struct writer *w, const char *text) {
    for (; *text; text++, w->length++)
        if (w->length + 1 < w->size)
            w->out[w->length] = *text;
}

static void put_number(struct writer *w, uint32_t number) {
    char digits[11];
    char *at = digits + sizeof(digits) - 1;
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    put(w, at);
}

/* The beginning of an item. */
static void put_item(struct writer *w, const char *word) {
    if (w->length)
        put(w, " ");
    put(w, word);
}

/* The largest unit that leaves a whole number. */
static void put_time(struct writer *w, uint32_t us) {
    size_t unit = COUNT(time_units) - 1;
    while (us % time_units[unit].value)
        unit--;
    put_number(w, us / time_units[unit].value);
    put(w, time_units[unit].word);
}

/* 0-3+7, each after the separator that it needs. */
static void put_mask(struct writer *w, uint32_t mask) {
    const char *between = "";
    for (uint32_t bit = 0; bit < 32; bit++) {
        if (!(mask >> bit & 1))
            continue;
        put(w, between);
        put_number(w, bit);
        uint32_t last = bit;
        while (last < 31 && mask >> (last + 1) & 1)
            last++;
        if (last > bit) {
            put(w, "-");
            put_number(w, last);
        }
        bit = last;
        between = "+";
    }
}

/* Those pins of `pins` whose bit in `level` is `value`, as one item. */
static void put_pins(struct writer *w, const uint16_t *pins, const uint16_t *level, bool value,
                     const char *use) {
    bool any = false;
    for (unsigned port = 0; port < BPF_GRANT_PORTS; port++) {
        uint16_t mask = level ? pins[port] & (value ? level[port] : ~level[port]) : pins[port];
        const char name[] = {'P', (char)('A' + port), '\0'};
        if (!mask)
            continue;
        if (any)
            put(w, "+");
        else
            put_item(w, "gpio:");
        put(w, name);
        put_mask(w, mask);
        any = true;
    }
    if (any)
        put(w, use);
}

static void put_devices(struct writer *w, const struct bpf_grant *g) {
    put_pins(w, g->gpio_in, NULL, false, "=in");
    put_pins(w, g->gpio_out, g->gpio_safe, false, "=out");
    put_pins(w, g->gpio_out, g->gpio_safe, true, "=out/safe=1");
    for (size_t i = 0; i < COUNT(numbers); i++) {
        uint32_t mask = mask_of(g, &numbers[i]);
        if (mask) {
            put_item(w, numbers[i].word);
            put_mask(w, mask);
        }
    }
    for (size_t i = 0; i < COUNT(flags); i++)
        if (((const uint8_t *)g)[flags[i].offset])
            put_item(w, flags[i].word);
}

static void put_settings(struct writer *w, const struct bpf_grant *g) {
    put_item(w, "budget=");
    put_time(w, g->budget_us);
    put(w, "/");
    put_time(w, g->period_us);
    put_item(w, "priority=");
    put_number(w, g->priority);
    put_item(w, "ram=");
    put_number(w, g->ram % 1024 ? g->ram : g->ram / 1024);
    put(w, g->ram % 1024 ? "" : "K");
    put_item(w, "queue=");
    put_number(w, g->queue);
    put_item(w, "policy=");
    put(w, g->policy == BPF_POLICY_CONTINUE ? "continue"
           : g->policy == BPF_POLICY_STOP   ? "stop"
                                            : "restart:");
    if (g->policy == BPF_POLICY_RESTART) {
        put_number(w, g->restarts);
        put(w, "/");
        put_time(w, g->window_ms * 1000);
    }
}

size_t bpf_grant_print(const struct bpf_grant *grant, char *out, size_t size) {
    struct writer w = {.out = out, .size = size};
    put_devices(&w, grant);
    put_settings(&w, grant);
    if (size)
        out[w.length < size ? w.length : size - 1] = '\0';
    return w.length;
}

void bpf_output_name(uint32_t output, char name[BPF_OUTPUT_NAME]) {
    struct writer w = {.out = name, .size = BPF_OUTPUT_NAME};
    const char port[] = {'P', (char)('A' + output / PINS), '\0'};
    if (output >= BPF_OUTPUT_PWM)
        put(&w, "pwm:");
    else if (output >= BPF_OUTPUT_LED)
        put(&w, "led:");
    else
        put(&w, port);
    put_number(&w, output % (output < BPF_OUTPUT_LED ? PINS : BPF_OUTPUT_LED));
    name[w.length] = '\0';
}

/* ---- Checking -------------------------------------------------------------------------------- */

static const char *check_policy(const struct bpf_grant *g) {
    if (g->policy > BPF_POLICY_STOP)
        return "the policy is none of continue, restart and stop";
    if (g->policy != BPF_POLICY_RESTART)
        return g->restarts || g->window_ms ? "restarts without the policy restart" : NULL;
    if (g->restarts == 0)
        return "the policy restart allows no restart";
    return g->window_ms >= 1 && g->window_ms <= WINDOW_MAX_MS
               ? NULL
               : "the window of restarts is not 1 ms to an hour";
}

static const char *check_reserved(const struct bpf_grant *g) {
    uint32_t bits = g->reserved;
    for (size_t i = 0; i < COUNT(g->zero); i++)
        bits |= g->zero[i];
    return bits ? "reserved bits are not 0" : NULL;
}

const char *bpf_grant_check(const void *bytes, size_t size) {
    struct bpf_grant g;
    if (size != sizeof(g))
        return "a grant has 108 bytes";
    memcpy(&g, bytes, sizeof(g));
    if (g.version != BPF_GRANT_VERSION)
        return "the grant has another version";
    if (g.priority < 1 || g.priority > BPF_GRANT_PRIORITY_MAX)
        return "the priority is not 1 to 9";
    if (g.period_us > PERIOD_MAX_US)
        return "the period is longer than 60 s";
    if (g.budget_us < 1 || g.budget_us > g.period_us)
        return "the budget is not 1 us to its period";
    if (g.ram < 1 || g.ram > BPF_GRANT_RAM_MAX)
        return "the RAM is not 1 to 128K";
    if (g.queue < 1 || g.queue > BPF_GRANT_QUEUE_MAX)
        return "the queue is not 1 to 32 events";
    if (g.accel > 1 || g.trace > 1)
        return "accel and trace are 0 or 1";
    for (unsigned port = 0; port < BPF_GRANT_PORTS; port++)
        if (g.gpio_safe[port] & ~g.gpio_out[port])
            return "a safe level of a pin that is no output";
    const char *why = check_policy(&g);
    return why ? why : check_reserved(&g);
}

/* ---- What a blob asks for -------------------------------------------------------------------- */

/* One string that fills its section: what BPF_GRANT() makes. */
static bool is_text(const char *text, uint32_t size) {
    for (uint32_t i = 0; i + 1 < size; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return size > 0 && text[size - 1] == '\0';
}

const char *bpf_grant_request(const struct blob *blob) {
    for (uint32_t i = 0; i < blob->header->datas.count; i++) {
        const struct blob_data *d = &blob->datas[i];
        if (strcmp(blob_string(blob, d->name), BPF_GRANT_SECTION) != 0)
            continue;
        if (d->flags || d->image == BLOB_NONE)
            return NULL;
        const char *text = (const char *)blob->base + d->image;
        return is_text(text, d->size) ? text : NULL;
    }
    return NULL;
}
