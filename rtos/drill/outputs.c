/* SPDX-License-Identifier: MIT
 *
 * Two programs and one output: the second one is refused, whatever the two call it, until the first one has gone. What
 * only reads may share.
 */
#include "drill.h"

#include "hal/gpio.h"
#include "rtos/print.h"

enum { PIN = GPIO_PIN('D', 13) }; /* LED 1, channel 2 of PWM */

static enum bpf_status load(struct drill *drill, enum bpf_engine engine, const char *grant) {
    char text[80];
    format(text, sizeof(text), "gpio:PA0=in %s", grant); /* its hook's */
    return drill_load(drill, drill_empty, drill_empty_end, engine, text);
}

static struct drill a, b;
static const char *wrong;

/* QEMU has no pins. */
static bool skips(void) {
    wrong = gpio_configure(PIN, GPIO_INPUT) ? DRILL_SKIP : NULL;
    return wrong;
}

static const char *finish(void) {
    drill_unload(&a);
    drill_unload(&b);
    return wrong;
}

static const char *one_owner(enum bpf_engine engine) {
    static const struct {
        const char *first, *second;
        uint32_t output; /* what the first one calls it */
    } rows[] = {
        {"gpio:PD13=out", "gpio:PD12-15=out", PIN},
        {"gpio:PD12-15=out", "led:1", PIN},
        {"led:1", "gpio:PD13=out/safe=1", BPF_OUTPUT_LED + 1},
        {"led:0-3", "led:3", BPF_OUTPUT_LED + 3},
        {"led:1", "pwm:4", BPF_OUTPUT_LED + 1}, /* the timer takes the pins of all LEDs */
        {"pwm:4", "gpio:PD13=out", BPF_OUTPUT_PWM + 4},
        {"pwm:1+5", "pwm:5", BPF_OUTPUT_PWM + 5},
        {"gpio:PA1=out", "gpio:PA1=out", 1},
    };
    if (skips())
        return wrong;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t output;
        EXPECT(!load(&a, engine, rows[i].first));
        EXPECT(load(&b, engine, rows[i].second) == BPF_OUTPUT);
        EXPECT(domain_output_owner(&output)[0] == 'd'); /* rill7, for example */
        EXPECT(output == rows[i].output);
        drill_unload(&a);
        EXPECT(!load(&b, engine, rows[i].second));
        EXPECT(load(&a, engine, rows[i].first) == BPF_OUTPUT);
        drill_unload(&b);
    }
end:
    return finish();
}

static const char *shared(enum bpf_engine engine) {
    static const struct {
        const char *first, *second;
    } rows[] = {
        {"adc:1 encoder:0 accel", "adc:1 encoder:0 accel"},
        {"gpio:PD13=out", "gpio:PD13=in gpio:PD12=out"},
        {"gpio:PD13=in", "led:1"},
        {"pwm:1", "pwm:2-5"},
        {"led:0", "led:1-3"},
    };
    if (skips())
        return wrong;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        EXPECT(!load(&a, engine, rows[i].first));
        EXPECT(!load(&b, engine, rows[i].second));
        drill_unload(&a);
        drill_unload(&b);
    }
end:
    return finish();
}

/* Who reads what another drives does not make an input of it. */
static const char *read_back(enum bpf_engine engine) {
    bool high = false;
    if (skips())
        return wrong;
    EXPECT(!load(&a, engine, "gpio:PD13=out/safe=1"));
    EXPECT(!load(&b, engine, "gpio:PD13=in"));
    EXPECT(!gpio_read(PIN, &high) && high);
    EXPECT(!gpio_write(PIN, false) && !gpio_read(PIN, &high) && !high);
end:
    return finish();
}

/* A program that its policy has stopped keeps them, at their safe levels. */
static const char *stopped(enum bpf_engine engine) {
    bool high = true;
    if (skips())
        return wrong;
    EXPECT(!load(&a, engine, "gpio:PD13=out"));
    EXPECT(!gpio_write(PIN, true));
    domain_stop(a.domain);
    EXPECT(!gpio_read(PIN, &high) && !high);
    EXPECT(load(&b, engine, "led:1") == BPF_OUTPUT);
end:
    return finish();
}

const struct drill_row drill_output_tests[] = {{"output_one_owner", one_owner},
                                               {"output_shared", shared},
                                               {"output_read_back", read_back},
                                               {"output_stopped", stopped},
                                               {NULL, NULL}};
