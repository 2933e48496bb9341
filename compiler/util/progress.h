/* SPDX-License-Identifier: MIT */
/*
 * One line on the terminal that says what takes so long. Without a terminal on stderr, with --json, and in
 * whatever is done within half a second there is none. There is one terminal, so there is one state.
 */
#ifndef UTIL_PROGRESS_H
#define UTIL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#define PROGRESS_MS 100 /* how often the line changes */

/* Before the first begin: whether the command may show a line at all. The default is not. */
void progress_allow(bool allow);

/* Starts `what`, a text that outlives it, in `total` steps; 0: nobody knows how many. */
void progress_begin(const char *what, uint64_t total);
/* So many steps are done. Cheap enough for a loop. */
void progress_step(uint64_t done);
/* Time goes by. */
void progress_tick(void);
/* Takes the line away: before something else is printed. The next tick shows it again. */
void progress_clear(void);
void progress_end(void);

/* Whether ticks are wanted at all. */
bool progress_wanted(void);

#endif
