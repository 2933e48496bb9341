/* SPDX-License-Identifier: MIT */
/* Blobs as input of host commands: checking one, and reading its bytecode as a program again. */
#ifndef BLOB_FILE_H
#define BLOB_FILE_H

#include "bpf/blob.h"
#include "program/program.h"
#include "util/arena.h"
#include "util/diag.h"

/*
 * Whether a file is to be taken for a blob: it says so of itself; or, being no object, its name says so
 * (`asked`: or the user did). What is damaged is then called a damaged blob.
 */
bool blob_is_meant(const uint8_t *bytes, size_t size, const char *path, bool asked);

/* Checks a blob; *out points into `bytes`. False after a message with the reason and the offset of the
 * field at fault. `bytes` come from an arena: 8-aligned. */
bool blob_check(const uint8_t *bytes, size_t size, const char *path, struct blob *out,
                struct diag *diag);

/* The bytecode of a blob as a program: functions, names and what instructions refer to. No lines. NULL
 * after a message. */
struct program *blob_program(struct arena *arena, const struct blob *blob, const char *path,
                             struct diag *diag);

#endif
