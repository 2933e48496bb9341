/* SPDX-License-Identifier: MIT
 *
 * Life of a task.
 */
#include "kernel.h"

/* What a stack that was never used holds. Not an address of code or RAM, and odd as a float. */
static const uint32_t STACK_FILL = 0xDEADBEEF;

/* The guard is a region of the MPU without any access. It has to be larger than the largest step that a
 * stack pointer makes between two accesses, or the first access may fall below it, into what belongs to
 * somebody else: a frame with the FPU's part is 108 bytes, of which the lowest 32 are written at first,
 * and STMDB writes its lowest word first. A function whose locals are larger than the guard can still
 * step over it. */
static const size_t GUARD_WORDS = KERNEL_GUARD / 4;

static struct task *task_of_timeout(struct timeout *timeout) {
    return (struct task *)((char *)timeout - offsetof(struct task, timeout));
}

static bool is_alive(const struct task *task) {
    return task && (task->state == TASK_READY || task->state == TASK_WAITING);
}

/* The time-out of a wait has passed, or a sleep is over. */
static void task_expire(struct timeout *timeout) {
    struct task *task = task_of_timeout(timeout);
    struct task *owner = task->blocked_on ? task->blocked_on->owner : NULL;
    task_wake_more(task, KERNEL_TIMEOUT);
    if (owner)
        mutex_reprioritise(owner); /* it inherits from one waiter less */
}

/* ----- beginning and end -------------------------------------------------------------------------- */

static enum kernel_status check_config(const struct task *task, const struct task_config *config) {
    if (!task || !config || !config->entry || !config->name)
        return KERNEL_BAD_ARGUMENT;
    if (is_alive(task))
        return KERNEL_BAD_ARGUMENT;
    if (config->priority == KERNEL_PRIORITY_IDLE || config->priority >= KERNEL_PRIORITIES)
        return KERNEL_BAD_PRIORITY;
    if (config->stack_size < KERNEL_STACK_MIN || (uintptr_t)config->stack % KERNEL_GUARD ||
        config->stack_size % 8 || !config->stack)
        return KERNEL_BAD_STACK;
    return KERNEL_OK;
}

static void fill(uint32_t *from, const uint32_t *to) {
    while (from < to)
        *from++ = STACK_FILL;
}

/* A task that is created again after its end lies in zeroed or left-over memory: all fields are set. */
KERNEL_COLD enum kernel_status task_create(struct task *task, const struct task_config *config) {
    enum kernel_status status = in_task();
    if (!status)
        status = check_config(task, config);
    if (status)
        return status;
    uint32_t *top = config->stack + config->stack_size / 4;
    /* The stack may have been the running task's guard a moment ago, but not now: it has ended. */
    fill(config->stack, top);
    *task = (struct task){
        .sp = arch_stack_init(top, config->entry, config->argument, task_exit),
        .timeout.expire = task_expire,
        .state = TASK_READY,
        .priority = config->priority,
        .base = config->priority,
        .options = config->options,
        .name = config->name,
        .stack = config->stack,
        .stack_top = top,
        .guard = arch_guard_of(config->stack),
    };
    uint32_t key = arch_lock();
    task->next_task = kernel.tasks;
    kernel.tasks = task;
    sched_ready(task);
    arch_unlock(key);
    return KERNEL_OK;
}

KERNEL_COLD void task_end(struct task *task, enum task_state how) {
    /* Its stack had room for the call that waits, and none for the switch behind it. */
    if (task->state == TASK_WAITING)
        task_expire(&task->timeout);
    sched_unready(task);
    task->state = (uint8_t)how;
    mutex_release_all(task);
    struct task **link = &kernel.tasks;
    while (*link != task)
        link = &(*link)->next_task;
    *link = task->next_task;
}

_Noreturn void task_exit(void) {
    arch_lock();
    task_end(kernel.current, TASK_ENDED);
    arch_unlock(0); /* whatever the task had masked ends with it */
    for (;;)
        ;
}

/* From the fault handler. It is more urgent than the kernel's band, but found nothing masked: no kernel
 * code has been interrupted. */
void kernel_fault_end(void) {
    task_end(kernel.current, TASK_FAULTED);
}

/* ----- what tasks do to each other ---------------------------------------------------------------- */

KERNEL_COLD enum kernel_status task_suspend(struct task *task) {
    enum kernel_status status = in_task();
    if (status)
        return status;
    uint32_t key = arch_lock();
    if (!is_alive(task))
        status = KERNEL_TASK_ENDED;
    else if (task == kernel.current && key)
        status = KERNEL_MASKED;
    else {
        task->suspended = true;
        sched_unready(task); /* if it waits, it goes on waiting, and stays suspended when woken */
    }
    arch_unlock(key);
    return status;
}

KERNEL_COLD static enum kernel_status resume(struct task *task) {
    enum kernel_status status = KERNEL_OK;
    uint32_t key = arch_lock();
    if (!is_alive(task))
        status = KERNEL_TASK_ENDED;
    else if (task->suspended) {
        task->suspended = false;
        if (task->state == TASK_READY)
            sched_ready(task);
    }
    arch_unlock(key);
    return status;
}

enum kernel_status task_resume(struct task *task) {
    enum kernel_status status = in_task();
    return status ? status : resume(task);
}

enum kernel_status task_resume_isr(struct task *task) {
    enum kernel_status status = in_isr();
    return status ? status : resume(task);
}

/* Sleeps for at least ticks - 1 full ticks and returns at the ticks-th tick from now. */
KERNEL_COLD enum kernel_status task_sleep(uint32_t ticks) {
    if (ticks == 0)
        return task_yield();
    enum kernel_status status = in_task();
    if (status)
        return status;
    uint32_t key = arch_lock();
    status = task_block(NULL, ticks, key);
    return status == KERNEL_TIMEOUT ? KERNEL_OK : status;
}

/* Turns the ring of equals as sched_rotate() does, without a lock. An interrupt that comes between the
 * two exclusive accesses makes the second one fail, whatever it has done to the ring; then, and where the
 * task is not the head (a switch is held pending), the locked way decides. No barrier: who yields does not mind
 * if the switch comes a few instructions later. */
KERNEL_SLOW enum kernel_status task_yield(void) {
    enum kernel_status status = in_task();
    if (status)
        return status;
    struct task *task = kernel.current;
    struct task_queue *equals = task->queue;
    const struct task *head = arch_load_exclusive(&equals->head);
    struct task *next = task->next;
    if (head != task)
        return sched_yield_locked();
    task->slice = KERNEL_SLICE_TICKS;
    if (next == task)
        return KERNEL_OK;
    if (arch_store_exclusive(&equals->head, next))
        return sched_yield_locked();
    arch_pend_switch(); /* the new head is as urgent as the old one */
    return KERNEL_OK;
}

enum kernel_status task_yield_isr(void) {
    return arch_exception() ? sched_yield_locked() : KERNEL_NOT_IN_INTERRUPT;
}

KERNEL_COLD enum kernel_status task_set_priority(struct task *task, unsigned priority) {
    enum kernel_status status = in_task();
    if (status)
        return status;
    if (priority == KERNEL_PRIORITY_IDLE || priority >= KERNEL_PRIORITIES)
        return KERNEL_BAD_PRIORITY;
    uint32_t key = arch_lock();
    if (is_alive(task) && task->base != KERNEL_PRIORITY_IDLE) {
        task->base = (uint8_t)priority;
        mutex_reprioritise(task);
    } else {
        status = KERNEL_TASK_ENDED;
    }
    arch_unlock(key);
    return status;
}

/* ----- questions ---------------------------------------------------------------------------------- */

struct task *task_self(void) {
    return kernel.current;
}

struct task *task_iterate(const struct task *previous) {
    return previous ? previous->next_task : kernel.tasks;
}

KERNEL_COLD size_t task_stack_unused(const struct task *task) {
    const uint32_t *word = task->stack + GUARD_WORDS; /* the guard cannot be read */
    const uint32_t *first = word;
    while (word < task->stack_top && *word == STACK_FILL)
        word++;
    return (size_t)(word - first) * 4;
}

KERNEL_COLD uint64_t task_cycles(const struct task *task) {
    uint32_t key = arch_lock();
    if (kernel.started)
        sched_account();
    uint64_t cycles = task->cycles;
    arch_unlock_quiet(key);
    return cycles;
}
