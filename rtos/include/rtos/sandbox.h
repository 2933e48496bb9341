/* SPDX-License-Identifier: MIT
 *
 * A function that is run without privilege, by the task that calls sandbox_run(). It reaches three areas
 * of memory and the calls in its table, for a limited time, and nothing that it does harms anybody else:
 * rtos/kernel/sandbox.c says how, docs/kernel.md shows it by example.
 */
#ifndef RTOS_SANDBOX_H
#define RTOS_SANDBOX_H

#include "rtos/fault.h"
#include "rtos/kernel.h"
#include "rtos/mpu.h"

struct sandbox;

/* What code in the sandbox may ask the kernel for: `svc #n` is calls[n - 1]. It runs as an interrupt of
 * the kernel's band, so it must be short and may use _isr calls only. Arguments are read from frame (enum
 * fault_register), the result goes to r0 and r1. It may call sandbox_kill(). */
typedef uint64_t sandbox_call(struct sandbox *box, const uint32_t *frame);

enum {
    SANDBOX_SVC_EXIT = 0,    /* the end of the function; its result is in r1:r0 */
    SANDBOX_SVC_ENTER = 255, /* the kernel's own */
    SANDBOX_FRAME =
        32, /* bytes of stack that an exception takes, 4 more if it was not aligned to 8 */
};

struct sandbox_layout {
    /* MPU_CODE; MPU_DATA, where only eighths at the ends may be off; MPU_LIBRARY. "The arena" means what
     * is on of its area. */
    struct mpu_area code, arena, library;
    uint32_t stack_top; /* in the arena; the stack grows down from here, out of it at its low end */
    uint32_t static_base; /* in the arena, or its end: r9 at the beginning */
    uint32_t leave;       /* where the function returns to; `svc #0` has to stand there */
    sandbox_call *const *calls;
    uint32_t call_count; /* below SANDBOX_SVC_ENTER */
};

enum sandbox_end {
    SANDBOX_EXIT,     /* it returned */
    SANDBOX_FAULT,    /* it did what it must not: result.fault */
    SANDBOX_BUDGET,   /* it ran for longer than it may */
    SANDBOX_KILLED,   /* sandbox_kill() */
    SANDBOX_BAD_CALL, /* a number that is not in the table */
};

struct sandbox_result {
    union {
        uint64_t value; /* SANDBOX_EXIT: r1:r0 */
        struct {
            uint32_t cfsr, mmfar;
        } fault; /* SANDBOX_FAULT; all that is known of it: sandbox_last_fault() */
    };
    uint32_t cycles; /* of the core's clock, interrupts on top of it included */
    enum sandbox_end end;
};

/* Fields are the kernel's, but result. */
struct sandbox {
    uint32_t context[9]; /* r4-r11 and SAVED_SANDBOX while another task runs: switch.S */
    uint32_t *sp;        /* its PSP then; never looked behind without a range check */
    uint32_t *caller;    /* PSP of the privileged caller: a frame that leads back */
    struct task *task;   /* that runs it; NULL: nobody */
    struct mpu_region regions[3];
    uint32_t frame_low,
        frame_span; /* where a frame may lie: from low, where the arena begins, to low + span */
    uint32_t stack_top, static_base, leave; /* of the layout */
    sandbox_call *const *calls;
    uint32_t call_count;
    uint32_t budget;              /* cycles */
    uint32_t since;               /* inside: arch_time() when result.cycles would have been 0 */
    uint8_t kill;                 /* enum sandbox_end; 0: go on */
    struct sandbox_result result; /* for the caller of sandbox_run(), when it has returned */
};

/* Once. KERNEL_BAD_ARGUMENT: the layout cannot be held by the MPU. */
enum kernel_status sandbox_init(struct sandbox *box, const struct sandbox_layout *layout);

/* For those who run it, between two runs: another stack_top. KERNEL_BAD_ARGUMENT: not in the arena. */
enum kernel_status sandbox_set_stack(struct sandbox *box, uint32_t stack_top);

/* Runs function(arguments...) to its end, however it ends: box->result. budget: cycles, below 2^31, looked
 * at once a tick. From a task, not inside kernel_lock(). KERNEL_RUNNING: another task is inside. */
enum kernel_status sandbox_run(struct sandbox *box, uint32_t function, const uint32_t arguments[4],
                               uint32_t budget);

/* From anywhere; takes effect before its next instruction. KERNEL_NOT_RUNNING: nobody runs it. */
enum kernel_status sandbox_kill(struct sandbox *box);

/* Of whichever sandbox has faulted last; kind NONE: none has. Another one's may come at any time. */
const struct fault_record *sandbox_last_fault(void);

/* For calls: all of [address, address + size) lies in the arena. */
bool sandbox_reaches(const struct sandbox *box, uint32_t address, uint32_t size);

#endif
