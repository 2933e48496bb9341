/* SPDX-License-Identifier: MIT */
#include "device/grant_words.h"

#include <stdio.h>
#include <stdlib.h>

enum { PORT_PINS = 16 };

/* The name of a number: "3", or "PD12". */
static void put_name(FILE *out, unsigned number, bool pin) {
    if (pin)
        fprintf(out, "P%c%u", 'A' + number / PORT_PINS, number % PORT_PINS);
    else
        fprintf(out, "%u", number);
}

/* "0", "0 to 3", "PD12 to PD15, PE0" */
static void put_runs(FILE *out, const uint16_t *masks, unsigned count, bool pin) {
    const char *separator = "";

    for (unsigned from = 0, to; from < count; from = to + 1) {
        to = from;
        if (!(masks[from / 16] >> from % 16 & 1))
            continue;
        while (to + 1 < count && (to + 1) % (pin ? PORT_PINS : count) != 0 &&
               masks[(to + 1) / 16] >> (to + 1) % 16 & 1)
            to++;
        fputs(separator, out);
        separator = ", ";
        put_name(out, from, pin);
        if (to > from) {
            fputs(to == from + 1 ? ", " : " to ", out);
            put_name(out, to, pin);
        }
    }
}

static bool any(const uint16_t *masks, unsigned words) {
    for (unsigned i = 0; i < words; i++)
        if (masks[i])
            return true;
    return false;
}

static void put_devices(FILE *out, const char *what, const uint16_t *masks, unsigned words,
                        bool pin, const char *rest) {
    if (!any(masks, words))
        return;
    fprintf(out, "%s ", what);
    put_runs(out, masks, words * 16, pin);
    fprintf(out, "%s\n", rest);
}

static void put_outputs(FILE *out, const struct bpf_grant *g) {
    uint16_t low[BPF_GRANT_PORTS];

    for (unsigned i = 0; i < BPF_GRANT_PORTS; i++)
        low[i] = g->gpio_out[i] & (uint16_t)~g->gpio_safe[i];
    put_devices(out, "sets pins", low, BPF_GRANT_PORTS, true, "; low when it is stopped");
    put_devices(out, "sets pins", g->gpio_safe, BPF_GRANT_PORTS, true, "; high when it is stopped");
}

static void put_time(FILE *out, uint32_t us) {
    if (us % 1000000 == 0)
        fprintf(out, "%u s", us / 1000000);
    else if (us % 1000 == 0)
        fprintf(out, "%u ms", us / 1000);
    else
        fprintf(out, "%u us", us);
}

static void put_budget(FILE *out, const struct bpf_grant *g) {
    fputs("runs for at most ", out);
    put_time(out, g->budget_us);
    fputs(" of every ", out);
    put_time(out, g->period_us);
    fprintf(out, ", with priority %u of %d\n", g->priority, BPF_GRANT_PRIORITY_MAX);
    fprintf(out, "takes at most %u bytes of RAM; %u events may wait\n", g->ram, g->queue);
}

static void put_policy(FILE *out, const struct bpf_grant *g) {
    switch (g->policy) {
    case BPF_POLICY_CONTINUE: fputs("goes on after a fault\n", out); break;
    case BPF_POLICY_STOP: fputs("is stopped by a fault\n", out); break;
    default:
        fprintf(out, "starts anew after a fault, %u time%s in ", g->restarts,
                g->restarts == 1 ? "" : "s");
        put_time(out, g->window_ms * 1000);
        fputs("; then it is stopped\n", out);
    }
}

const char *grant_words(const struct bpf_grant *g, struct arena *arena) {
    const uint16_t adc[2] = {(uint16_t)g->adc, (uint16_t)(g->adc >> 16)};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        abort();
    put_devices(out, "reads pins", g->gpio_in, BPF_GRANT_PORTS, true, "");
    put_outputs(out, g);
    put_devices(out, "switches LEDs", &g->leds, 1, false, "");
    put_devices(out, "sets PWM channels", &g->pwm, 1, false, "; off when it is stopped");
    put_devices(out, "reads encoders", &g->encoders, 1, false, "");
    put_devices(out, "measures ADC channels", adc, 2, false, "");
    put_devices(out, "reads and writes UARTs", &g->uart, 1, false, "");
    if (g->accel)
        fputs("reads the accelerometer\n", out);
    if (g->trace)
        fputs("sees what the kernel does: task switches, interrupts, faults\n", out);
    put_budget(out, g);
    put_policy(out, g);
    fclose(out);
    const char *copy = arena_strdup(arena, text);
    free(text);
    return copy;
}

const char *grant_text(const struct bpf_grant *grant, struct arena *arena) {
    char *text = arena_alloc(arena, BPF_GRANT_TEXT);

    bpf_grant_print(grant, text, BPF_GRANT_TEXT);
    return text;
}
