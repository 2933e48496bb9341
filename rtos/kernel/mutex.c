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
void mutex_reprioritise(struct task *task) {
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
    task_wake(heir, result);
    own(mutex, heir);
}

static bool waits_for(const struct mutex *mutex, const struct task *task) {
    while (mutex && mutex->owner != task)
        mutex = mutex->owner->blocked_on;
    return mutex != NULL;
}

enum kernel_status mutex_init(struct mutex *mutex) {
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

enum kernel_status mutex_lock(struct mutex *mutex, uint32_t timeout) {
    enum kernel_status status = in_task();
    if (status)
        return status;
    uint32_t key = arch_lock();
    struct task *task = kernel.current;
    if (!mutex->owner) {
        own(mutex, task);
        arch_unlock(key);
        return KERNEL_OK;
    }
    status = may_wait_for(mutex, timeout, key);
    if (status) {
        arch_unlock(key);
        return status;
    }
    task->blocked_on = mutex;
    /* The boost needs the waiter in the queue, and task_wait() opens the masked section. */
    uint32_t inner = arch_lock();
    task_wait(&mutex->waiters, timeout, inner);
    mutex_reprioritise(mutex->owner);
    arch_unlock(key);
    return (enum kernel_status)task->result;
}

static void drop(struct task *task, struct mutex *mutex, enum kernel_status result) {
    struct mutex **link = &task->held;
    while (*link != mutex)
        link = &(*link)->next_held;
    *link = mutex->next_held;
    pass_on(mutex, result);
}

enum kernel_status mutex_unlock(struct mutex *mutex) {
    enum kernel_status status = in_task();
    if (status)
        return status;
    uint32_t key = arch_lock();
    struct task *task = kernel.current;
    if (mutex->owner == task) {
        drop(task, mutex, KERNEL_OK);
        mutex_reprioritise(task);
    } else {
        status = KERNEL_NOT_OWNER;
    }
    arch_unlock(key);
    return status;
}

void mutex_release_all(struct task *task) {
    while (task->held)
        drop(task, task->held, KERNEL_OWNER_DIED);
}
