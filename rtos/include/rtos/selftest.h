/* SPDX-License-Identifier: MIT
 *
 * The firmware's own tests. Each prints `selftest: <suite>.<name>: PASS` or FAIL with the reason, and
 * the last line is `selftest: result: PASS` or FAIL. The last suite restarts the board.
 */
#ifndef RTOS_SELFTEST_H
#define RTOS_SELFTEST_H

#include <stdbool.h>

struct fault_record;

/* All, or one suite. From a task of priority 10. Comes back only after a suite that does not restart the
 * board, or with false: there is no such suite. */
bool selftest_run(const char *suite);
const char *selftest_suite(unsigned index); /* a name; NULL: there are no more */
void selftest_resume(
    const struct fault_record *crash); /* after each start: goes on, if there is one */
bool selftest_failed(void);            /* the last run, or it did not come to its end */

#endif
