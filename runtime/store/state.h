/* SPDX-License-Identifier: MIT */
/* Inside the store: what the records of a log come to. */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include "log.h"

struct store_program *state_seq(struct store *s, uint32_t seq); /* null: none */
const struct store_program *state_current(const struct store *s, const char *name);

/* Applies the committed record at `at` of the active sector; what it says of programs that are not there
 * changes nothing. False: a program for which the table has no entry. */
bool state_apply(struct store *s, uint32_t at);

#endif
