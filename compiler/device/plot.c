/* SPDX-License-Identifier: MIT */
#include "device/plot.h"

#include <string.h>

/* The next 1, 2 or 5 times a power of ten: scales that people read easily. */
static int64_t round_up(int64_t value) {
    static const int64_t steps[] = {1, 2, 5};
    int64_t ten = 1;

    for (;;) {
        for (unsigned i = 0; i < 3; i++)
            if (value <= steps[i] * ten)
                return steps[i] * ten;
        if (ten > INT64_MAX / 50)
            return INT64_MAX;
        ten *= 10;
    }
}

bool plot_fit(struct plot *plot, int64_t value) {
    struct plot before = *plot;

    if (!plot->begun)
        *plot = (struct plot){.low = 0, .high = 10, .begun = true};
    if (value > plot->high)
        plot->high = round_up(value);
    if (value < plot->low)
        plot->low = value == INT64_MIN ? INT64_MIN : -round_up(-value);
    return !before.begun || before.low != plot->low || before.high != plot->high;
}

/* In double: the width of a scale may be more than 64 bits hold. */
static unsigned column(const struct plot *plot, int64_t value) {
    double whole = (double)plot->high - (double)plot->low;
    double part = ((double)value - (double)plot->low) / whole * (PLOT_WIDTH - 1) + 0.5;

    return part < 0 ? 0 : part >= PLOT_WIDTH ? PLOT_WIDTH - 1 : (unsigned)part;
}

void plot_line(const struct plot *plot, int64_t value, char out[PLOT_WIDTH + 1]) {
    unsigned zero = column(plot, 0), mark = column(plot, value);

    memset(out, ' ', PLOT_WIDTH);
    out[zero] = '|';
    out[mark] = '*';
    out[(zero > mark ? zero : mark) + 1] = '\0';
}

void plot_bar(uint64_t value, uint64_t most, char out[PLOT_WIDTH + 1]) {
    unsigned length = most ? (unsigned)((double)value / (double)most * PLOT_WIDTH) : 0;

    length = length > PLOT_WIDTH ? PLOT_WIDTH : length;
    if (value && !length)
        length = 1; /* little is not nothing */
    memset(out, '#', length);
    out[length] = '\0';
}
