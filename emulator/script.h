/* SPDX-License-Identifier: MIT */
/*
 * Scripts of events for `run --events`: when a program runs and what its event carries. A line is the time in
 * microseconds and the bytes in hex digits (memory of raw programs, frame of uart, arguments of cmd, samples of adc as
 * pairs of bytes, low one first); `#` begins a comment.
 */
#ifndef EMULATOR_SCRIPT_H
#define EMULATOR_SCRIPT_H

#include "util/arena.h"
#include "util/diag.h"

#include <stddef.h>
#include <stdint.h>

struct script_event {
    uint64_t time;        /* ns; not before that of the event in front of it */
    const uint8_t *bytes; /* aligned for samples */
    size_t size;
};

struct script {
    struct script_event *events;
    size_t count; /* at least 1 */
};

/* Null: there is an error message. */
const struct script *script_read(const char *path, struct arena *arena, struct diag *diag);

#endif
