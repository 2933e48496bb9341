/* SPDX-License-Identifier: MIT */
/* The .data files of the public conformance suite: a program, its memory, and what must come out. */
#ifndef CONFORMANCE_DATA_H
#define CONFORMANCE_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/insn.h"
#include "util/arena.h"
#include "util/diag.h"

/*
 * Sections start with a line `-- NAME`:
 *   asm     the program as text (asm/asm.h)
 *   raw     the program as 64-bit words; it counts if there are both
 *   mem     bytes in hex, what r1 points to
 *   result  r0 at the end, decimal or 0x; the last line counts
 *   error   the program must be refused or stopped; the text is for readers
 *   c, no register offset   for readers
 * Outside C text, # starts a comment.
 */
struct vector {
    const char *file;
    struct bpf_insn *insns;
    uint32_t count;
    uint8_t *mem;
    uint32_t mem_len;
    uint64_t result;
    bool error; /* expects an error, not a result */
};

/* Reads a file. False after an error message with its line. */
bool vector_read(struct arena *arena, const char *path, struct vector *out, struct diag *diag);

/* Parses hexadecimal bytes, blanks between them allowed; false at anything else. `out` has room for
 * strlen(text) / 2 bytes. */
bool vector_hex(const char *text, size_t length, uint8_t *out, uint32_t *count);

#endif
