/* SPDX-License-Identifier: MIT
 *
 * Software timers. The tick only notes that a timer is due; its callback runs in the timer task. A
 * callback out of the tick would run at the tick's priority, hold up drivers and all tasks for as long
 * as it likes, and could use only _isr calls; in a task it may do what tasks may do, and what it costs
 * is seen in the statistics of a task. The price is one switch.
 *
 * A callback should not wait: all timers share the task. A periodic timer is armed again by the tick,
 * from its own deadline, so it does not drift with the load.
 */
#include "kernel.h"

static TASK_STACK(timer_stack, 1024);
static struct task timer_task;
static struct semaphore timers_due;                      /* wakes the task; a hint, not a count */
static struct timer *first_due, **last_due = &first_due; /* in order of expiry */

static struct timer *timer_of_timeout(struct timeout *timeout) {
    return (struct timer *)((char *)timeout - offsetof(struct timer, timeout));
}

/* Locked, from the tick. */
KERNEL_COLD static void timer_expire(struct timeout *timeout) {
    struct timer *timer = timer_of_timeout(timeout);
    if (timer->period) {
        /* From the deadline, which is this tick or, if ticks were late, one before it. */
        uint32_t late = (uint32_t)kernel.ticks - timeout->deadline;
        timeout_add(timeout, timer->period > late ? timer->period - late : 1);
    }
    if (timer->due) {
        timer->overruns++;
        return;
    }
    timer->due = true;
    timer->next = NULL;
    *last_due = timer;
    last_due = &timer->next;
    if (timers_due.waiters.head)
        task_wake_more(timers_due.waiters.head, KERNEL_OK);
    else
        timers_due.count = 1;
}

/* Locked. */
KERNEL_COLD static void due_remove(struct timer *timer) {
    struct timer **link = &first_due;
    while (*link != timer)
        link = &(*link)->next;
    *link = timer->next;
    if (last_due == &timer->next)
        last_due = link;
    timer->due = false;
}

KERNEL_COLD static bool run_one(void) {
    uint32_t key = arch_lock();
    struct timer *timer = first_due;
    if (!timer) {
        arch_unlock_quiet(key);
        return false;
    }
    due_remove(timer);
    void (*callback)(void *) = timer->callback;
    void *argument = timer->argument;
    arch_unlock_quiet(key); /* the callback may start, stop or reuse the timer */
    callback(argument);
    return true;
}

KERNEL_COLD static void timer_loop(void *argument) {
    (void)argument;
    for (;;) {
        while (run_one())
            ;
        semaphore_take(&timers_due, KERNEL_FOREVER);
    }
}

KERNEL_COLD void timer_task_init(void) {
    const struct task_config config = {.name = "timer",
                                       .entry = timer_loop,
                                       .priority = KERNEL_PRIORITY_TIMER,
                                       .stack = timer_stack,
                                       .stack_size = sizeof(timer_stack)};
    semaphore_init(&timers_due, 0, 1);
    first_due = NULL;
    last_due = &first_due;
    timer_task = (struct task){0};
    task_create(&timer_task, &config);
}

KERNEL_COLD enum kernel_status timer_init(struct timer *timer, void (*callback)(void *),
                                          void *argument) {
    if (!timer || !callback)
        return KERNEL_BAD_ARGUMENT;
    *timer =
        (struct timer){.timeout.expire = timer_expire, .callback = callback, .argument = argument};
    return KERNEL_OK;
}

/* Locked. */
static inline void disarm(struct timer *timer) {
    timeout_remove(&timer->timeout);
    if (timer->due)
        due_remove(timer);
}

KERNEL_SLOW static enum kernel_status start(struct timer *timer, uint32_t delay, uint32_t period) {
    if (delay == 0 || delay > INT32_MAX || period > INT32_MAX)
        return KERNEL_BAD_TIMEOUT;
    uint32_t key = arch_lock();
    disarm(timer);
    timer->period = period;
    timeout_add(&timer->timeout, delay);
    arch_unlock_quiet(key);
    return KERNEL_OK;
}

/* A callback that is running goes on; one that was due does not come any more. */
KERNEL_SLOW static enum kernel_status stop(struct timer *timer) {
    uint32_t key = arch_lock();
    disarm(timer);
    arch_unlock_quiet(key);
    return KERNEL_OK;
}

enum kernel_status timer_start(struct timer *timer, uint32_t delay, uint32_t period) {
    enum kernel_status status = in_task();
    return status ? status : start(timer, delay, period);
}

enum kernel_status timer_start_isr(struct timer *timer, uint32_t delay, uint32_t period) {
    enum kernel_status status = in_isr();
    return status ? status : start(timer, delay, period);
}

enum kernel_status timer_stop(struct timer *timer) {
    enum kernel_status status = in_task();
    return status ? status : stop(timer);
}

enum kernel_status timer_stop_isr(struct timer *timer) {
    enum kernel_status status = in_isr();
    return status ? status : stop(timer);
}
