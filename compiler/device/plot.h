/* SPDX-License-Identifier: MIT */
/*
 * Numbers as pictures of plain characters: a bar, and a curve that goes down the terminal, one line a sample.
 * The scale of a curve grows with what it has to show, and never shrinks.
 */
#ifndef DEVICE_PLOT_H
#define DEVICE_PLOT_H

#include <stdbool.h>
#include <stdint.h>

enum { PLOT_WIDTH = 60 };

struct plot {
    int64_t low, high; /* of the scale */
    bool begun;
};

/* Whether the scale had to change for this value: then it is time to show it. */
bool plot_fit(struct plot *plot, int64_t value);
/* A line of PLOT_WIDTH columns with the value's mark, and one where 0 is if that is on it. */
void plot_line(const struct plot *plot, int64_t value, char out[PLOT_WIDTH + 1]);
/* `length` of PLOT_WIDTH by which value fills most. */
void plot_bar(uint64_t value, uint64_t most, char out[PLOT_WIDTH + 1]);

#endif
