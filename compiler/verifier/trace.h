/* SPDX-License-Identifier: MIT */
/* What --log prints: see trace.c. */
#ifndef VERIFIER_TRACE_H
#define VERIFIER_TRACE_H

#include "verifier/fixpoint.h"

/* Every instruction with the state before it, as the fixpoint has it. */
void trace_fixpoint(struct fixpoint *fp, FILE *out);
/* The source line of an instruction, if it is another one than *last. */
void trace_line(const struct analysis *a, uint32_t slot, const struct prog_line **last, FILE *out);

#endif
