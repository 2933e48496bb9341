/* SPDX-License-Identifier: MIT */
/* Ranking (rank.h) on the fixpoint's states: see bounds.c. */
#ifndef VERIFIER_BOUNDS_H
#define VERIFIER_BOUNDS_H

#include "verifier/fixpoint.h"
#include "verifier/rank.h"

/* Cuts s, a state at a loop's header, down to what ranking says of it when the loop is entered in the
 * state `forward`. */
void bounds_apply(const struct analysis *a, uint32_t func, uint32_t loop,
                  const struct state *forward, struct state *s);
/* The bound of a loop of a summary's function: most executions of its header each time it is entered.
 * UINT64_MAX: none is proven. 0: the loop is never entered. */
uint64_t bounds_of(struct fixpoint *fp, const struct summary *m, uint32_t loop);

#endif
