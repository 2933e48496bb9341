/* SPDX-License-Identifier: MIT
 *
 * The tick and the list of deadlines. One ring in order of time holds the time-outs of tasks and the
 * software timers; kernel.deadlines is its head and belongs to no entry. Times are ticks modulo 2^32:
 * no entry is more than 2^31 - 1 ticks ahead, so the sign of a difference is its order.
 */
#include "kernel.h"

static bool is_later(uint32_t a, uint32_t b) {
    return (int32_t)(a - b) > 0;
}

void timeout_add(struct timeout *timeout, uint32_t ticks) {
    timeout->deadline = (uint32_t)kernel.ticks + ticks;
    struct timeout *before = kernel.deadlines.prev;
    while (before != &kernel.deadlines && is_later(before->deadline, timeout->deadline))
        before = before->prev;
    timeout->prev = before;
    timeout->next = before->next;
    before->next->prev = timeout;
    before->next = timeout;
}

uint32_t timeout_next(void) {
    const struct timeout *first = kernel.deadlines.next;
    return first == &kernel.deadlines ? UINT32_MAX : first->deadline - (uint32_t)kernel.ticks;
}

/* Locked. Takes out the first entry if it is due. */
static struct timeout *pop_due(void) {
    struct timeout *first = kernel.deadlines.next;
    if (first == &kernel.deadlines || is_later(first->deadline, (uint32_t)kernel.ticks))
        return NULL;
    timeout_remove(first);
    return first;
}

static void slice_tick(void) {
    struct task *task = kernel.current;
    if (kernel.inside)
        sandbox_tick(kernel.inside);
    if (task->slice > 1) {
        task->slice--;
        return;
    }
    sched_account(); /* the counter wraps: 25 s at 168 MHz */
    sched_rotate();
}

/* One masked section for the tick itself and one for each entry that is due: interrupts between them. */
KERNEL_COLD void kernel_tick(void) {
    uint32_t key = arch_lock();
    kernel.ticks++;
    if (kernel.started)
        slice_tick();
    arch_unlock(key);
    for (bool more = true; more;) {
        key = arch_lock();
        struct timeout *due = pop_due();
        if (due)
            due->expire(due);
        more = due != NULL;
        arch_unlock(key);
    }
}

uint32_t kernel_ticks(void) {
    return (uint32_t)kernel.ticks; /* the low word: one load */
}

uint32_t kernel_wakeups(void) {
    return kernel.wakeups;
}

KERNEL_COLD uint64_t kernel_uptime(void) {
    uint32_t key = arch_lock();
    uint64_t ticks = kernel.ticks - FIRST_TICK;
    arch_unlock_quiet(key);
    return ticks;
}
