/* SPDX-License-Identifier: MIT */
/*
 * What random programs reach: operations of the final IR by width and form of their operands, and
 * encodings of the code that is made of them. Every name that the tables allow must stand in
 * tests/fuzz/coverage.list, which says how it is reached or why not.
 */
#ifndef FUZZ_COVERAGE_H
#define FUZZ_COVERAGE_H

#include "bpf/blob.h"

#include <stdbool.h>
#include <stdio.h>

/* Adds the encodings in a blob's code. */
void coverage_code(const struct blob *blob);
/* Adds the operations in what compile_program() dumps after the stage "final". */
void coverage_ir(const char *text);

/* Writes `name hits` lines, for another process to add. */
void coverage_write(FILE *out);
bool coverage_read(FILE *in);
/*
 * Prints all hits, rarest first, if `all`; what is below `minimum` against the list, and what the list does
 * not know or contradicts. Returns the number of these defects; *passed counts the names that are fine.
 */
unsigned coverage_report(const char *list_path, uint64_t minimum, bool all, unsigned *passed);

#endif
