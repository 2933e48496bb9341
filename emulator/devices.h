/* SPDX-License-Identifier: MIT */
/*
 * The devices behind the helpers: what a program does to them is recorded with its time, what it reads
 * comes from stimuli given beforehand. They stand for the drivers of the board: the same argument
 * checks, the same error codes (negative errno), no electronics.
 */
#ifndef EMULATOR_DEVICES_H
#define EMULATOR_DEVICES_H

#include "machine.h"

#include "util/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct cJSON;
struct devices;

/* DEVICE(NAME, name in output and options, what a stimulus looks like; null: takes none) */
#define DEVICE_LIST(_)                                                                             \
    _(GPIO, "gpio", "PIN=LEVEL,...")                                                               \
    _(LED, "led", NULL)                                                                            \
    _(PWM, "pwm", NULL)                                                                            \
    _(ENCODER, "encoder", "N=COUNT,...")                                                           \
    _(ADC, "adc", "CHANNEL=VALUE,...")                                                             \
    _(UART, "uart", NULL)                                                                          \
    _(ACCEL, "accel", "X,Y,Z,...")                                                                 \
    _(LOG, "log", NULL)

enum device {
#define DEVICE(NAME, name, stimulus) DEVICE_##NAME,
    DEVICE_LIST(DEVICE)
#undef DEVICE
        DEVICE_COUNT
};

/* Something that a program did. */
struct device_event {
    uint64_t time; /* ns */
    enum device device;
    uint32_t index;   /* pin, LED, channel or port */
    uint32_t value;   /* level or permille */
    const char *text; /* LOG, UART: bytes */
    uint32_t length;  /* of text */
};

struct devices *devices_new(struct arena *arena);

/*
 * Values that reads of a device return one after another; the last one stays. Without a stimulus a
 * pin reads as it was last written, everything else 0. False: *why says what is wrong with the text.
 */
bool devices_stimulus(struct devices *d, enum device device, const char *text, const char **why);
const char *device_name(enum device device);
const char *device_stimulus_syntax(enum device device);

/* From now on it is `now` for programs and in the log, however long they run. */
void devices_freeze(struct devices *d, uint64_t now);

/* A helper that is called by whatever engine. */
enum { DEVICE_WORDS = 3 }; /* no device takes more */
struct device_call {
    uint32_t words[DEVICE_WORDS]; /* arguments */
    uint64_t time;                /* ns */
    /* The program's memory as the engine has it, null: it is not the program's. */
    void *(*memory)(void *user, uint32_t address, uint32_t size, bool write);
    void *user;
};
/* False: no device's helper. */
bool devices_call(struct devices *d, uint32_t helper, const struct device_call *from, uint64_t *r0);

/* A line of bpf_printk() of an engine that does not call a helper for it. */
void devices_log(struct devices *d, uint64_t time, const char *line, uint32_t length);

/* The helpers, for machine_set_svc() with the devices as user data. */
machine_svc_fn devices_helper;

size_t devices_event_count(const struct devices *d);
const struct device_event *devices_event(const struct devices *d, size_t i);

/* One line per event: `gpio PD12 = 1 at 3.2 ms`. From event `first` on. */
void devices_print(const struct devices *d, size_t first, FILE *file);
struct cJSON *devices_json(const struct devices *d);

/* "3.2 ms" */
const char *time_text(uint64_t ns, char *buffer, size_t size);

#endif
