/* SPDX-License-Identifier: MIT */
/*
 * A line without a board: what is to come is put in beforehand, what was sent is kept, and time passes only
 * while somebody waits.
 */
#ifndef TESTS_DEVICE_FAKE_LINE_H
#define TESTS_DEVICE_FAKE_LINE_H

#include "device/line.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_line {
    int64_t now;      /* ms */
    size_t piece;     /* most bytes that one read gives */
    bool lost, stuck; /* reads say that it is gone; writes fail */
    unsigned sent;    /* questions */
    uint8_t in[65536], out[16384];
    size_t in_at, in_end, out_end;
    /* Called for each question before its answer is waited for; may put bytes in. */
    void (*asked)(struct fake_line *line);
};

struct line fake_line(struct fake_line *line);
void fake_line_put(struct fake_line *line, const void *bytes, size_t size);
/* A packet: header and body in frames. */
void fake_line_answer(struct fake_line *line, unsigned op, unsigned group, unsigned id,
                      unsigned sequence, const void *body, size_t size);

#endif
