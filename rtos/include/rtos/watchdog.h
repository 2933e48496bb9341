/* SPDX-License-Identifier: MIT
 *
 * One watchdog for all tasks. A task that registers promises to check in at least once in every period; a
 * task that does not restarts the board, with its name in the crash record. The hardware is fed only
 * while all promises are kept.
 */
#ifndef RTOS_WATCHDOG_H
#define RTOS_WATCHDOG_H

#include "rtos/kernel.h"

/* A promise; the caller's, as all objects. */
struct watchdog {
    struct watchdog *next;
    const struct task *task;
    uint32_t period, deadline; /* ticks */
};

enum { WATCHDOG_MS_MIN = 20, WATCHDOG_MS_MAX = 30000 };

/* Starts the hardware, or changes its time; looks at all promises four times in it. */
enum kernel_status watchdog_start(uint32_t ms);
enum kernel_status watchdog_register(struct watchdog *watchdog,
                                     uint32_t period); /* of the caller */
enum kernel_status watchdog_check_in(struct watchdog *watchdog);
enum kernel_status watchdog_unregister(struct watchdog *watchdog);
uint32_t watchdog_feeds(void); /* since the start, for tests and statistics */

#endif
