/* SPDX-License-Identifier: MIT */
/* Runs directories of .data files on every engine, in parallel processes. */
#ifndef CONFORMANCE_SUITE_H
#define CONFORMANCE_SUITE_H

#include <stdbool.h>
#include <stddef.h>

#include "conformance/engine.h"

/*
 * Runs all .data files of the directories and below them on the given engines; prints what failed, a
 * table, and `N passed, N failed`. Returns the exit status: 0, 1 if something failed, 2 after a
 * message if there is nothing to run.
 */
int suite_run(char *const *dirs, size_t ndirs, const struct engine *const *on, size_t non);

#endif
