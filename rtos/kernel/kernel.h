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

/* What a fast path turns to, as a tail call: with it in line the fast path would have to save registers. */
#define KERNEL_SLOW __attribute__((noinline))

/* Which way a hurried path goes. */
#define LIKELY(condition) __builtin_expect(!!(condition), 1)

struct kernel {
    struct task *current;     /* the first seven: offsets.h */
    uint32_t ready_bits;      /* bit p: the queue of priority p is not empty */
    uint32_t switched_at;     /* kernel_cycles() when current began to run */
    volatile uint32_t *clock; /* counts cycles; NULL: nothing does */
    struct sandbox *inside;   /* whose code thread mode runs, without privilege; NULL: none's */
    struct sandbox *loaded;   /* whose regions the MPU has */
    struct task_queue
        ready[KERNEL_PRIORITIES]; /* by CLZ, 31 first; the running task is in it, too */
    struct task *tasks;           /* all that have not ended */
    struct timeout deadlines;     /* head of a ring, the next one due first */
    uint64_t ticks;               /* FIRST_TICK at the start */
    uint32_t wakeups;             /* of the idle task */
    bool started;
};
extern struct kernel kernel;

/* 32-bit ticks wrap half a second after the start, not for the first time after 49 days. */
static const uint64_t FIRST_TICK = (1ull << 32) - 500;

/* Locked. Stands still while the core sleeps. */
static inline uint32_t kernel_cycles(void) {
    return kernel.clock ? *kernel.clock : arch_time_now();
}

/* sched.c; all locked */
void queue_insert_ordered(struct task_queue *queue, struct task *task); /* into one with a head */
void sched_ready(struct task *task); /* may run from now on; pends a switch if it should run now */
void sched_unready(struct task *task); /* takes it out of the ready queue, if it is there */
void sched_move(struct task *task, unsigned priority); /* wherever it is queued */
void sched_rotate(void);                               /* current behind its equals */
enum kernel_status sched_yield_locked(void);           /* not locked: the same, with a lock */
void sched_account(void);                              /* current's cycles up to now */
void sched_reschedule(void); /* pends a switch if current is not the choice */

/* Locked: the two that every path goes through, in line. */
static inline void queue_insert(struct task_queue *queue, struct task *task) {
    task->queue = queue;
    if (queue->head)
        queue_insert_ordered(queue, task);
    else
        queue->head = task->next = task->prev = task;
}

/* The caller sets task.queue. */
static inline void queue_remove_of_many(struct task *task) {
    struct task *next = task->next, *prev = task->prev;
    if (task->queue->head == task)
        task->queue->head = next;
    prev->next = next;
    next->prev = prev;
}

static inline void queue_remove(struct task *task) {
    if (LIKELY(task->next == task))
        task->queue->head = NULL;
    else
        queue_remove_of_many(task);
    task->queue = NULL;
}

/* The other way: the tail of calls that wake one task. Unlocks with key, and returns KERNEL_OK. */
enum kernel_status task_wake(struct task *task, enum kernel_status result, uint32_t key);
static inline void task_wake_more(struct task *task, enum kernel_status result) {
    task_wake(task, result, arch_lock()); /* still locked afterwards */
}

/* time.c; locked */
uint32_t timeout_next(void); /* ticks to the first in the list, or to nothing */

/* task.c; locked */
void task_end(struct task *task, enum task_state how);

/* sched.c; locked: the one way in which tasks wait and are woken */
/* Before a wait: is it legal and wanted? KERNEL_OK means yes. */
enum kernel_status task_may_wait(uint32_t timeout, uint32_t key);
/* Begins it. queue may be NULL: only the time counts. Behind the unlock current->result has what it came to. */
void task_wait(struct task_queue *queue, uint32_t timeout);
/* All of that: the tail of every call that waits. Unlocks with key. */
enum kernel_status task_block(struct task_queue *queue, uint32_t timeout, uint32_t key);

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
