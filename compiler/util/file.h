/* SPDX-License-Identifier: MIT */
/* Whole files: reading with a limit, and writing so that no half-written file is ever left. */
#ifndef UTIL_FILE_H
#define UTIL_FILE_H

#include "util/arena.h"
#include "util/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILE_SIZE_LIMIT (64u * 1024 * 1024) /* for inputs without a reason for another limit */

/*
 * Reads a file (or a pipe) into the arena; a zero byte follows the contents. False after an error
 * message when it cannot be read or is longer than `limit`.
 */
bool file_read(const char *path, size_t limit, struct arena *arena, uint8_t **bytes, size_t *size,
               struct diag *diag);

/*
 * Writes a temporary file in the directory of `path` and renames it: afterwards there is the whole
 * new file, or what was there before. A path that is not a regular file (/dev/stdout) is written
 * directly. False after an error message.
 */
bool file_write(const char *path, const void *bytes, size_t size, struct diag *diag);

/* The same for files that belong together: if one cannot be written, all stay what they were. */
struct file_output {
    const char *path;
    const void *bytes;
    size_t size;
    char *temporary; /* while they are written */
};
bool file_write_all(struct file_output *outputs, size_t count, struct diag *diag);

/* Whether two paths lead to one regular file, or would if it were there. */
bool file_same(const char *a, const char *b);

/* Whether writing `output` leaves `input` as it is. False after an error message. */
bool file_spares(const char *output, const char *input, struct diag *diag);

/* At a tool's end: whether standard output took all that was printed. False after a line on standard error. */
bool file_stdout_done(void);

#endif
