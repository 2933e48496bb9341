/* SPDX-License-Identifier: MIT
 *
 * Counting semaphore. A unit that is given while somebody waits goes to the first waiter and is never
 * seen in count: a task that takes in between cannot overtake.
 */
#include "kernel.h"

enum kernel_status semaphore_init(struct semaphore *sem, uint32_t count, uint32_t limit) {
    if (!sem || limit == 0 || count > limit)
        return KERNEL_BAD_ARGUMENT;
    *sem = (struct semaphore){.count = count, .limit = limit};
    return KERNEL_OK;
}

enum kernel_status semaphore_take(struct semaphore *sem, uint32_t timeout) {
    enum kernel_status status = in_task();
    if (status)
        return status;
    uint32_t key = arch_lock();
    if (sem->count) {
        sem->count--;
    } else {
        status = task_may_wait(timeout, key);
        if (!status)
            return task_wait(&sem->waiters, timeout, key);
    }
    arch_unlock(key);
    return status;
}

enum kernel_status semaphore_take_isr(struct semaphore *sem) {
    enum kernel_status status = in_isr();
    if (status)
        return status;
    uint32_t key = arch_lock();
    if (sem->count)
        sem->count--;
    else
        status = KERNEL_WOULD_BLOCK;
    arch_unlock(key);
    return status;
}

static enum kernel_status give(struct semaphore *sem) {
    enum kernel_status status = KERNEL_OK;
    uint32_t key = arch_lock();
    if (sem->waiters.head)
        task_wake(sem->waiters.head, KERNEL_OK);
    else if (sem->count < sem->limit)
        sem->count++;
    else
        status = KERNEL_LIMIT;
    arch_unlock(key);
    return status;
}

enum kernel_status semaphore_give(struct semaphore *sem) {
    enum kernel_status status = in_task();
    return status ? status : give(sem);
}

enum kernel_status semaphore_give_isr(struct semaphore *sem) {
    enum kernel_status status = in_isr();
    return status ? status : give(sem);
}
