/* SPDX-License-Identifier: MIT */
/*
 * From machine code back to the source: where an address came from, and the trace of a run. The
 * knowledge is the compiler's: a run of a bare blob has none, and shows machine code only.
 */
#ifndef EMULATOR_TRACE_H
#define EMULATOR_TRACE_H

#include "machine.h"

#include "program/program.h"
#include "thumb2/code.h"
#include "util/diag.h"

#include <stdbool.h>
#include <stdio.h>

struct trace_debug {
    const struct program *prog;    /* null: nothing is known */
    const struct code_line *lines; /* sorted by addr, which counts from code */
    size_t line_count;
    uint32_t code; /* guest address of the compiled code */
    /* Name of what the library has at an address (bit 0 clear); null: no name. */
    const char *(*library_name)(uint32_t address);
};

/* The eBPF slot that the instruction at a guest address was compiled from; false: none. */
bool trace_slot(const struct trace_debug *debug, uint32_t address, uint32_t *slot);
/* The location of a guest address for a message; false: unknown. */
bool trace_loc(const struct trace_debug *debug, uint32_t address, struct diag_loc *loc);

/*
 * Prints each instruction of the program as it runs: source line, eBPF, Thumb-2, and the registers
 * that it changed. What runs in the library is one line with its cycles.
 */
struct trace;
struct trace *trace_new(struct arena *arena, const struct trace_debug *debug, FILE *file);
machine_trace_fn trace_step; /* for machine_set_trace(), with the trace as user data */
/* The last instruction's registers, once the machine has stopped. */
void trace_finish(struct trace *t, struct machine *m);

#endif
