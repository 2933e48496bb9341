/* SPDX-License-Identifier: MIT
 *
 * The firmware's own tests. Each prints `selftest: <suite>.<name>: PASS` or FAIL with the reason, and
 * the last line is `selftest: result: PASS` or FAIL. The last suite restarts the board.
 */
#ifndef RTOS_SELFTEST_H
#define RTOS_SELFTEST_H

#include <stdbool.h>

struct fault_record;

void selftest_run(void); /* from a task of priority 10; does not return, the board restarts */
void selftest_resume(
    const struct fault_record *crash); /* after each start: goes on, if there is one */
bool selftest_passed(void);            /* the last run, to its end */

#endif
