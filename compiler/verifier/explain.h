/* SPDX-License-Identifier: MIT */
/* How control gets to an instruction that may not run, for people: see explain.c. */
#ifndef VERIFIER_EXPLAIN_H
#define VERIFIER_EXPLAIN_H

#include "verifier/explore.h"

/* Adds notes to the message before: where the value comes from that is the matter, and which way control
 * has taken. */
void explain_path(const struct analysis *a, const struct explore_failure *failure);

#endif
