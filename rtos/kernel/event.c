/* SPDX-License-Identifier: MIT
 *
 * Event flags. A set wakes every waiter whose wish has come true; what they clear is cleared after the
 * last of them has been looked at, so that the order of the waiters makes no difference.
 */
#include "kernel.h"

KERNEL_COLD enum kernel_status event_init(struct event *event) {
    if (!event)
        return KERNEL_BAD_ARGUMENT;
    *event = (struct event){0};
    return KERNEL_OK;
}

static bool satisfied(uint32_t flags, uint32_t bits, unsigned mode) {
    return mode & EVENT_ALL ? (flags & bits) == bits : (flags & bits) != 0;
}

enum kernel_status event_wait(struct event *event, uint32_t bits, unsigned mode, uint32_t *got,
                              uint32_t timeout) {
    enum kernel_status status = in_task();
    if (status)
        return status;
    if (bits == 0 || mode > (EVENT_ALL | EVENT_CLEAR))
        return KERNEL_BAD_ARGUMENT;
    uint32_t key = arch_lock();
    struct task *task = kernel.current;
    if (satisfied(event->flags, bits, mode)) {
        task->wait.bits = event->flags & bits;
        if (mode & EVENT_CLEAR)
            event->flags &= ~bits;
        arch_unlock_quiet(key);
    } else {
        task->wait.bits = bits;
        task->wait_mode = (uint8_t)mode;
        status = task_block(&event->waiters, timeout, key);
    }
    if (!status && got)
        *got = task->wait.bits;
    return status;
}

/* Locked. Returns the waiter to look at after this one, NULL at the end of the ring. */
static struct task *after(const struct event *event, const struct task *task) {
    return task->next == event->waiters.head ? NULL : task->next;
}

static void set(struct event *event, uint32_t bits) {
    uint32_t key = arch_lock(), clear = 0;
    event->flags |= bits;
    for (struct task *task = event->waiters.head, *next; task; task = next) {
        next = after(event, task);
        uint32_t wanted = task->wait.bits;
        if (!satisfied(event->flags, wanted, task->wait_mode))
            continue;
        if (task->wait_mode & EVENT_CLEAR)
            clear |= wanted;
        task->wait.bits = event->flags & wanted;
        task_wake_more(task, KERNEL_OK);
    }
    event->flags &= ~clear;
    arch_unlock(key);
}

enum kernel_status event_set(struct event *event, uint32_t bits) {
    enum kernel_status status = in_task();
    if (!status)
        set(event, bits);
    return status;
}

enum kernel_status event_set_isr(struct event *event, uint32_t bits) {
    enum kernel_status status = in_isr();
    if (!status)
        set(event, bits);
    return status;
}

enum kernel_status event_clear(struct event *event, uint32_t bits) {
    uint32_t key = arch_lock();
    event->flags &= ~bits;
    arch_unlock_quiet(key);
    return KERNEL_OK;
}
