/* SPDX-License-Identifier: MIT
 *
 * Counting semaphore. A unit that is given while somebody waits goes to the first waiter and is never
 * seen in count: a task that takes in between cannot overtake.
 */
#include "kernel.h"

KERNEL_COLD enum kernel_status semaphore_init(struct semaphore *sem, uint32_t count,
                                              uint32_t limit) {
    if (!sem || limit == 0 || count > limit)
        return KERNEL_BAD_ARGUMENT;
    *sem = (struct semaphore){.count = count, .limit = limit};
    return KERNEL_OK;
}

enum kernel_status semaphore_take(struct semaphore *sem, uint32_t timeout) {
    if (arch_exception())
        return KERNEL_IN_INTERRUPT;
    uint32_t key = arch_lock(), count = sem->count;
    if (!count)
        return task_block(&sem->waiters, timeout, key);
    sem->count = count - 1;
    arch_unlock_quiet(key);
    return KERNEL_OK;
}

KERNEL_COLD enum kernel_status semaphore_take_isr(struct semaphore *sem) {
    enum kernel_status status = in_isr();
    if (status)
        return status;
    uint32_t key = arch_lock();
    if (sem->count)
        sem->count--;
    else
        status = KERNEL_WOULD_BLOCK;
    arch_unlock_quiet(key);
    return status;
}

static inline enum kernel_status give(struct semaphore *sem) {
    uint32_t key = arch_lock();
    if (sem->waiters.head)
        return task_wake(sem->waiters.head, KERNEL_OK, key);
    uint32_t count = sem->count;
    if (count >= sem->limit) {
        arch_unlock_quiet(key);
        return KERNEL_LIMIT;
    }
    sem->count = count + 1;
    arch_unlock_quiet(key);
    return KERNEL_OK;
}

enum kernel_status semaphore_give(struct semaphore *sem) {
    if (arch_exception())
        return KERNEL_IN_INTERRUPT;
    return give(sem);
}

enum kernel_status semaphore_give_isr(struct semaphore *sem) {
    if (!arch_exception())
        return KERNEL_NOT_IN_INTERRUPT;
    return give(sem);
}
