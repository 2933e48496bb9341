/* SPDX-License-Identifier: MIT */
/* What the fixpoint leaves open is settled by following paths: see settle.c. */
#ifndef VERIFIER_SETTLE_H
#define VERIFIER_SETTLE_H

#include "verifier/explore.h"

/*
 * Follows paths until every check is settled that is open in the fixpoint (`open` by slot; `results` by slot
 * of a helper's call: of what its callback returns), and every loop that can be reached has a bound:
 * bounds[function][loop] is UINT64_MAX where there is none yet, and becomes what is found. False after an
 * error.
 */
bool settle(struct fixpoint *fp, const struct bitset *open, const struct bitset *results,
            uint64_t **bounds, struct verify_cost *cost);

#endif
