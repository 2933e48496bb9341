/* SPDX-License-Identifier: MIT
 *
 * Inside the kernel. "Locked" in a comment: the caller has masked the kernel's interrupts.
 */
#ifndef KERNEL_INTERNAL_H
#define KERNEL_INTERNAL_H

#include "arch.h"
#include "rtos/kernel.h"

/* No path with a goal for its length leads here: compiled for size, and only once. */
#define KERNEL_COLD __attribute__((cold, noinline))

struct kernel {
    struct task *current;                       /* first: switch.S */
    uint32_t ready_bits;                        /* bit p: ready[p] is not empty */
    struct task_queue ready[KERNEL_PRIORITIES]; /* the running task is in it, too */
    struct task *tasks;                         /* all that have not ended */
    struct timeout deadlines;                   /* head of a ring, the next one due first */
    uint64_t ticks;                             /* FIRST_TICK at the start */
    uint32_t switched_at;                       /* arch_cycles() when current began to run */
    uint32_t wakeups;                           /* of the idle task */
    bool started;
};
extern struct kernel kernel;

/* 32-bit ticks wrap half a second after the start, not for the first time after 49 days. */
static const uint64_t FIRST_TICK = (1ull << 32) - 500;

/* sched.c; all locked */
void queue_insert(struct task_queue *queue, struct task *task);
void queue_remove(struct task *task);
void sched_ready(struct task *task); /* may run from now on; pends a switch if it should run now */
void sched_unready(struct task *task); /* takes it out of the ready queue, if it is there */
void sched_move(struct task *task, unsigned priority); /* wherever it is queued */
void sched_rotate(void);                               /* current behind its equals */
void sched_account(void);                              /* current's cycles up to now */
void sched_reschedule(void); /* pends a switch if current is not the choice */

/* time.c; locked */
void timeout_add(struct timeout *timeout, uint32_t ticks);
uint32_t timeout_next(void);                  /* ticks to the first in the list, or to nothing */
void timeout_remove(struct timeout *timeout); /* nothing if it is not in the list */

/* task.c; locked, except where it is said */
void task_end(struct task *task, enum task_state how);
void task_wake(struct task *task, enum kernel_status result);
/* Unlocks with key, returns what the wait came to. queue may be NULL: only the time counts. */
enum kernel_status task_wait(struct task_queue *queue, uint32_t timeout, uint32_t key);
/* Before a wait: is it legal and wanted? KERNEL_OK means yes. */
enum kernel_status task_may_wait(uint32_t timeout, uint32_t key);

/* mutex.c; locked */
void mutex_reprioritise(struct task *task); /* after anything changed that it may inherit from */
void mutex_release_all(struct task *task);  /* it ends */

/* sandbox.c; locked, box is what current is inside of */
void sandbox_tick(struct sandbox *box);

/* timer.c */
void timer_task_init(void);

/* First line of a call that belongs to tasks, or to interrupts. */
static inline enum kernel_status in_task(void) {
    return arch_exception() ? KERNEL_IN_INTERRUPT : KERNEL_OK;
}

static inline enum kernel_status in_isr(void) {
    return arch_exception() ? KERNEL_OK : KERNEL_NOT_IN_INTERRUPT;
}

#endif
