/* SPDX-License-Identifier: MIT
 *
 * Mutex with priority inheritance. A task's priority is a function of the present, never a value that
 * is saved and put back: the largest of its base and of the first waiter of each mutex that it holds.
 * mutex_reprioritise() computes it anew after every change and follows the chain of owners while
 * something changes. So mutexes may be released in any order, a time-out takes back what the waiter had
 * lent, and a change of the base priority while boosted comes out right.
 */
#include "kernel.h"

static unsigned inherited(const struct task *task) {
    unsigned priority = task->base;
    for (const struct mutex *m = task->held; m; m = m->next_held)
        if (m->waiters.head && m->waiters.head->priority > priority)
            priority = m->waiters.head->priority;
    return priority;
}

/* Ends at the first task whose priority stays: nothing behind it can change. */
KERNEL_COLD void mutex_reprioritise(struct task *task) {
    while (task) {
        unsigned priority = inherited(task);
        if (priority == task->priority)
            return;
        sched_move(task, priority);
        task = task->blocked_on ? task->blocked_on->owner : NULL;
    }
}

static void own(struct mutex *mutex, struct task *task) {
    mutex->owner = task;
    mutex->next_held = task->held;
    task->held = mutex;
}

/* To the first waiter, or to nobody. Those that are left are not more urgent than the new owner: it has
 * nothing to inherit from them now. */
static void pass_on(struct mutex *mutex, enum kernel_status result) {
    struct task *heir = mutex->waiters.head;
    mutex->owner = NULL;
    if (!heir)
        return;
    task_wake_more(heir, result);
    own(mutex, heir);
}

static bool waits_for(const struct mutex *mutex, const struct task *task) {
    while (mutex && mutex->owner != task)
        mutex = mutex->owner->blocked_on;
    return mutex != NULL;
}

KERNEL_COLD enum kernel_status mutex_init(struct mutex *mutex) {
    if (!mutex)
        return KERNEL_BAD_ARGUMENT;
    *mutex = (struct mutex){0};
    return KERNEL_OK;
}

/* Locked, and another task owns the mutex. */
static enum kernel_status may_wait_for(const struct mutex *mutex, uint32_t timeout, uint32_t key) {
    if (mutex->owner == kernel.current)
        return KERNEL_ALREADY_OWNER;
    enum kernel_status status = task_may_wait(timeout, key);
    if (!status && waits_for(mutex, kernel.current))
        status = KERNEL_DEADLOCK;
    return status;
}

KERNEL_COLD static enum kernel_status lock_later(struct mutex *mutex, uint32_t timeout,
                                                 uint32_t key) {
    enum kernel_status status = may_wait_for(mutex, timeout, key);
    if (status) {
        arch_unlock_quiet(key);
        return status;
    }
    struct task *task = kernel.current;
    task->blocked_on = mutex;
    task_wait(&mutex->waiters, timeout);
    mutex_reprioritise(mutex->owner); /* the boost needs the waiter in the queue */
    arch_unlock(key);
    return (enum kernel_status)task->result;
}

enum kernel_status mutex_lock(struct mutex *mutex, uint32_t timeout) {
    if (arch_exception())
        return KERNEL_IN_INTERRUPT;
    uint32_t key = arch_lock();
    if (mutex->owner)
        return lock_later(mutex, timeout, key);
    own(mutex, kernel.current);
    arch_unlock_quiet(key);
    return KERNEL_OK;
}

static void drop(struct task *task, struct mutex *mutex, enum kernel_status result) {
    struct mutex **link = &task->held;
    while (*link != mutex)
        link = &(*link)->next_held;
    *link = mutex->next_held;
    pass_on(mutex, result);
}

KERNEL_COLD static enum kernel_status unlock_others(struct mutex *mutex, uint32_t key) {
    enum kernel_status status = KERNEL_NOT_OWNER;
    struct task *task = kernel.current;
    if (mutex->owner == task) {
        drop(task, mutex, KERNEL_OK);
        mutex_reprioritise(task);
        status = KERNEL_OK;
    }
    arch_unlock(key);
    return status;
}

/* In most cases nobody waits, so that nothing had been inherited, and it is the one that was locked last. */
enum kernel_status mutex_unlock(struct mutex *mutex) {
    if (arch_exception())
        return KERNEL_IN_INTERRUPT;
    uint32_t key = arch_lock();
    struct task *task = kernel.current;
    if (mutex->waiters.head || mutex->owner != task || task->held != mutex)
        return unlock_others(mutex, key);
    task->held = mutex->next_held;
    mutex->owner = NULL;
    arch_unlock_quiet(key);
    return KERNEL_OK;
}

KERNEL_COLD void mutex_release_all(struct task *task) {
    while (task->held)
        drop(task, task->held, KERNEL_OWNER_DIED);
}
