/* SPDX-License-Identifier: MIT */
/* How control gets to an instruction that may not run, for people: see explain.c. */
#ifndef VERIFIER_EXPLAIN_H
#define VERIFIER_EXPLAIN_H

#include "verifier/explore.h"

/* Adds notes to the message before: where the value comes from that is the matter, and which way control
 * has taken. */
void explain_path(const struct analysis *a, const struct explore_failure *failure);
/* The same path, instruction by instruction. */
void explain_trace(const struct analysis *a, const struct explore_failure *failure, FILE *out);

/* --- explain_condition.c, for explain.c */
/* What the source says a conditional jump tests, e.g. "i < n", and whether that is true when it goes the
 * given way; NULL if one or the other cannot be told. goes_on: 1 if this way leads into a loop or on in it, 0
 * if it leads past it or out of it, -1 if neither. */
const char *explain_condition(const struct analysis *a, uint32_t slot, bool taken, int goes_on,
                              bool *holds);

#endif
