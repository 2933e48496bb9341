/* SPDX-License-Identifier: MIT
 *
 * The look at the promises is an entry in the list of deadlines, so the tick makes it: a task that never
 * lets others run cannot hold it up. What holds up the tick holds up the feeding, and then the hardware
 * restarts the board, without a record.
 */
#include "rtos/watchdog.h"
#include "hal/watchdog.h"
#include "kernel.h"
#include "rtos/fault.h"

enum { LOOKS = 4 }; /* in the hardware's time, which may be a third shorter than it should be */

static struct watchdog *first;
static uint32_t interval; /* ticks between two looks */
static uint32_t feeds;

static bool is_late(const struct watchdog *watchdog) {
    return (int32_t)((uint32_t)kernel.ticks - watchdog->deadline) > 0;
}

/* Locked, from the tick. The feed comes first: the report of a missing task takes time, too. */
static void look(struct timeout *timeout) {
    timeout_add(timeout, interval);
    board_watchdog_feed();
    feeds++;
    for (const struct watchdog *w = first; w; w = w->next)
        if (is_late(w))
            fault_panic_of(w->task, "watchdog: no check-in");
}

static struct timeout timeout = {.expire = look};

enum kernel_status watchdog_start(uint32_t ms) {
    enum kernel_status status = in_task();
    if (status)
        return status;
    if (ms < WATCHDOG_MS_MIN || ms > WATCHDOG_MS_MAX)
        return KERNEL_BAD_TIMEOUT;
    uint32_t key = arch_lock();
    interval = ms * KERNEL_TICK_HZ / 1000 / LOOKS;
    timeout_remove(&timeout);
    timeout_add(&timeout, interval);
    arch_unlock(key);
    board_watchdog_start(ms);
    return KERNEL_OK;
}

/* Locked. Where the promise is, or the end of the list. */
static struct watchdog **find(const struct watchdog *watchdog) {
    struct watchdog **link = &first;
    while (*link && *link != watchdog)
        link = &(*link)->next;
    return link;
}

/* Locked. */
static void promise(struct watchdog *watchdog) {
    watchdog->deadline = (uint32_t)kernel.ticks + watchdog->period;
}

enum kernel_status watchdog_register(struct watchdog *watchdog, uint32_t period) {
    enum kernel_status status = in_task();
    if (status)
        return status;
    if (!watchdog || period == 0 || period > INT32_MAX)
        return KERNEL_BAD_ARGUMENT;
    uint32_t key = arch_lock();
    struct watchdog **link = find(watchdog);
    if (!*link)
        watchdog->next = NULL;
    *link = watchdog;
    watchdog->task = kernel.current;
    watchdog->period = period;
    promise(watchdog);
    arch_unlock(key);
    return KERNEL_OK;
}

enum kernel_status watchdog_check_in(struct watchdog *watchdog) {
    enum kernel_status status = in_task();
    if (status)
        return status;
    uint32_t key = arch_lock();
    if (*find(watchdog))
        promise(watchdog);
    else
        status = KERNEL_BAD_ARGUMENT;
    arch_unlock(key);
    return status;
}

enum kernel_status watchdog_unregister(struct watchdog *watchdog) {
    enum kernel_status status = in_task();
    if (status)
        return status;
    uint32_t key = arch_lock();
    struct watchdog **link = find(watchdog);
    if (*link)
        *link = watchdog->next;
    else
        status = KERNEL_BAD_ARGUMENT;
    arch_unlock(key);
    return status;
}

uint32_t watchdog_feeds(void) {
    return feeds;
}
