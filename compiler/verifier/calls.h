/* SPDX-License-Identifier: MIT */
/* Calls in the fixpoint: see calls.c. */
#ifndef VERIFIER_CALLS_H
#define VERIFIER_CALLS_H

#include "verifier/fixpoint.h"

/* Like fixpoint_call(), and walks the summaries that the call uses. */
bool calls_walk(struct fixpoint *fp, struct state *s, uint32_t slot, const struct summary *caller,
                const struct fixpoint_visitor *visitor);

#endif
