/* SPDX-License-Identifier: MIT */
/*
 * Events for programs: the contexts that the board's hooks would give them, and when. What an event
 * carries (a frame, samples, a level) comes from the command line; everything else is what SEC() says.
 */
#ifndef EMULATOR_CONTEXT_H
#define EMULATOR_CONTEXT_H

#include "bpf/hook.h"
#include "util/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct context_input {
    const uint8_t *bytes; /* raw: the memory; uart: the frame; cmd: the arguments */
    size_t size;
    const uint16_t *samples; /* adc; null: zeros */
    size_t sample_count;
};

/* Nanoseconds from one event to the next: the period of a timer, the duration of a block of samples,
 * and CONTEXT_EVENT_NS for what has no period. */
uint64_t context_period(enum bpf_hook hook, const char *section);
#define CONTEXT_EVENT_NS 100000000u

/*
 * Fills the context of event number `run` (from 0) at `time`; `room` is the context's size, *length
 * the part of it that is given (all but for raw). False: the input does not fit, *why says how.
 */
bool context_fill(enum bpf_hook hook, const char *section, const struct context_input *input,
                  uint64_t time, uint32_t run, uint8_t *context, uint32_t room, uint32_t *length,
                  const char **why);

#endif
