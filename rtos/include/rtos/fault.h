/* SPDX-License-Identifier: MIT
 *
 * Faults. A fault in a task with TASK_MAY_FAULT, outside the kernel's masked sections, ends this task;
 * fault_last() tells what it was. Every other fault restarts the board, and the record survives in RAM.
 */
#ifndef RTOS_FAULT_H
#define RTOS_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;

enum { FAULT_NAME = 16, FAULT_RETURNS = 8, FAULT_FRAME = 8 };

enum fault_kind {
    FAULT_NONE,
    FAULT_HARD,
    FAULT_MEMORY,
    FAULT_BUS,
    FAULT_USAGE,
    FAULT_STACK_OVERFLOW,
    FAULT_PANIC, /* fault_panic(): no exception */
};

/* Registers in the order in which the processor stacks them. */
enum fault_register {
    FRAME_R0,
    FRAME_R1,
    FRAME_R2,
    FRAME_R3,
    FRAME_R12,
    FRAME_LR,
    FRAME_PC,
    FRAME_PSR
};

struct fault_record {
    uint32_t magic;     /* FAULT_MAGIC: the rest is meant to be here */
    uint32_t checksum;  /* of all words after it */
    uint32_t kind;      /* enum fault_kind */
    uint32_t exception; /* IPSR of the code that faulted: 0 is a task */
    uint32_t cfsr, hfsr, mmfar, bfar;
    uint32_t frame_valid; /* 0: the stack pointer was bad, frame[] is not known */
    uint32_t frame[FAULT_FRAME];
    uint32_t r4_r11[8];
    uint32_t psp, msp, exc_return;
    uint32_t ticks;                  /* since start */
    uint32_t returns[FAULT_RETURNS]; /* stack words that follow a BL or BLX; 0 ends the list */
    char task[FAULT_NAME];
    char text[32]; /* of fault_panic() */
};

/* fault.c */
bool fault_crash_take(
    struct fault_record *out);               /* the record of the run before, once; false: none */
const struct fault_record *fault_last(void); /* of the task that ended last; kind NONE: none */
/* Restarts the board; task, if not NULL, is at fault, else the running one. */
_Noreturn void fault_panic_of(const struct task *task, const char *text);

static inline _Noreturn void fault_panic(const char *text) {
    fault_panic_of(NULL, text);
}

/* lib/report.c */
const struct fault_record *
fault_previous(void); /* of the run before this one; NULL: it did not crash */
void fault_print(const struct fault_record *record);
void fault_report_isr(void);  /* prints fault_last(), a tick later */
bool fault_report_busy(void); /* it has not been printed yet, or not to its end */

#endif
