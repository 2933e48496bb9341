/* SPDX-License-Identifier: MIT */
/* The compiled code of a blob as Thumb-2 for people, and the same as JSON. */
#ifndef ASM_LISTING_H
#define ASM_LISTING_H

#include "bpf/blob.h"
#include "program/program.h"
#include "thumb2/code.h"
#include "util/arena.h"

#include <stdio.h>

struct cJSON;

/* What the blob itself does not hold: which instruction and source line code stems from. */
struct asm_debug {
    const struct program *prog; /* NULL: not known */
    const struct code_line *lines;
    size_t nlines;
};

/* The blob has compiled code. */
void asm_list(struct arena *arena, const struct blob *blob, const struct asm_debug *debug,
              FILE *out);
/* Adds an array `asm` to an object, one row per instruction or piece of data. */
void asm_list_json(struct arena *arena, const struct blob *blob, const struct asm_debug *debug,
                   struct cJSON *out);

#endif
