/* SPDX-License-Identifier: MIT
 *
 * What the kernel does, for whoever wants to watch: switches, interrupts, faults. It costs nothing while nobody
 * does: the vectors that point to the recorder lie in a second table, which the processor uses only then.
 */
#ifndef RTOS_TRACE_H
#define RTOS_TRACE_H

#include <stdbool.h>
#include <stdint.h>

enum trace_kind { TRACE_SWITCH, TRACE_IRQ, TRACE_FAULT, TRACE_KINDS };
enum { TRACE_EVENTS = 64 }; /* a power of two: the newest that are kept */

struct trace_event {
    uint64_t time_ns;
    uint32_t kind; /* enum trace_kind */
    /* TRACE_SWITCH: the tasks left and entered, by the first four letters of their names, as a little-endian
     * number; TRACE_IRQ: the interrupt's number; TRACE_FAULT: CFSR and the address. */
    uint32_t arg0, arg1;
    uint32_t task; /* that ran, by its name's letters, too */
};

/* Watches from now on; told() is called for each event, inside kernel_lock(), in an exception. It may wake tasks.
 * Nests: as many stops as starts. One function for all. */
void trace_start(void (*told)(const struct trace_event *event));
void trace_stop(void);
/* A fault that somebody has seen. From tasks. */
void trace_fault(const char *task, uint32_t status, uint32_t address);
/* As events have it. */
uint32_t trace_name(const char *name);

/* Events are numbered from 0 on; *cursor is the next to be read, and goes on. False: there is none yet. *lost: as many
 * have been overwritten since the last call. */
bool trace_read(uint32_t *cursor, struct trace_event *out, uint32_t *lost);
uint32_t trace_written(void);

#endif
