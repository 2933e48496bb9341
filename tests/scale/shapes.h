/* SPDX-License-Identifier: MIT */
/* Programs of a named shape and about n instructions, as assembler text: what compile time depends on. */
#ifndef SCALE_SHAPES_H
#define SCALE_SHAPES_H

#include <stdint.h>
#include <stdio.h>

struct shape {
    const char *name, *what;
    void (*write)(FILE *out, uint32_t n);
};

extern const struct shape shapes[];
extern const unsigned shape_count;

#endif
