/* SPDX-License-Identifier: MIT */
/* The part of the verifier that follows values: see values.c. */
#ifndef VERIFIER_VALUES_H
#define VERIFIER_VALUES_H

#include "verifier/analysis.h"

struct facts;
struct fixpoint;
struct fixpoint_visitor;
struct verifier;

/* Follows values through the program: false after at least one error. The checks of checks.h have
 * passed. */
bool verify_values(struct verifier *v);

/* What both analyses need; NULL after an error. For tests as well. */
struct analysis *values_analysis(struct verifier *v, struct arena *arena);
/* The check of any instruction. */
bool values_check(const struct analysis *a, const struct state *s, uint32_t slot,
                  struct problem *problem);

/* A new walk over all entry points (fixpoint.h). */
void values_walk(struct fixpoint *fp, const struct fixpoint_visitor *visitor);

/* --- depth.c: the lowest stack offset that functions use. An access whose check holds; and, when all are
 * noted, what that does to the depth of the stack: false if it is too deep. */
void depth_note(const struct analysis *a, const struct state *s, uint32_t slot);
bool depth_take(const struct analysis *a);

/* --- facts.c: what the compiler is told, collected in a walk over the fixpoint's states */
struct facts_collector;
struct summary;
struct facts_collector *facts_start(const struct analysis *a);
/* The state before an instruction, and behind one that does not end its block. */
void facts_before(struct facts_collector *c, const struct summary *summary, uint32_t slot,
                  const struct state *s);
void facts_after(struct facts_collector *c, uint32_t slot, const struct state *s);
/* All that was seen, on `arena`. */
struct facts *facts_finish(const struct facts_collector *c, struct arena *arena);

#endif
