/* SPDX-License-Identifier: MIT */
/* What both commands share: reading --mem, and showing how a run ended. */
#ifndef EMULATOR_REPORT_H
#define EMULATOR_REPORT_H

#include "machine.h"

#include "util/cmd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of --mem: hex digits in pairs (spaces between pairs allowed) or @FILE; at most `limit`. */
bool report_read_memory(struct cmd_args *args, const char *text, size_t limit, uint8_t **bytes,
                        size_t *size);

/* The same from text alone; `bytes` has room for half of its length. */
bool report_parse_hex(const char *text, uint8_t *bytes, size_t *size);
const char *report_hex(const uint8_t *bytes, size_t size, struct arena *arena);

/* r0 of a run that ended well: a line of text, or fields of `json`. */
void report_result(const struct machine_result *result, struct cJSON *json);
/* Cycles, instructions and stack. */
void report_cycles(const struct machine_result *result, struct cJSON *json);
/* Memory as a hex dump, or a string of hex digits. */
void report_memory(const uint8_t *bytes, size_t size, struct cmd_args *args);

/* The error message of a run that did not; `loc` may be null. */
void report_fault(const struct machine_result *result, const struct diag_loc *loc,
                  struct cmd_args *args);

#endif
