/* SPDX-License-Identifier: MIT
 *
 * The hardware that restarts the board when nobody feeds it. rtos/watchdog.h is for tasks.
 */
#ifndef HAL_WATCHDOG_H
#define HAL_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/* From now on, or with another time: a restart after about this many milliseconds without a feed. It cannot
 * be stopped. False: there is no such hardware, feeds go nowhere. */
bool board_watchdog_start(uint32_t ms);
void board_watchdog_feed(void); /* from anywhere */

#endif
