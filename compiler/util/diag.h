/* SPDX-License-Identifier: MIT */
/*
 * Messages to the user. What the user did wrong is collected here with its place, what was expected
 * and how to mend it; what we did wrong is an assert. A stage that fails returns false after at least
 * one error; the command prints all messages at its end, as text or as JSON.
 */
#ifndef UTIL_DIAG_H
#define UTIL_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct cJSON;

enum diag_severity { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

enum diag_category {
#define DIAG_CATEGORY(id, name, about) DIAG_##id,
#include "util/diag.def"
#undef DIAG_CATEGORY
};

/*
 * Where a message points. What is not known stays null or 0 (use -1 for no instruction). All strings
 * are copied when a message is added.
 */
struct diag_loc {
    const char *object;  /* file that bpf2thumb reads: prog.bpf.o */
    const char *section; /* section of the object, or name of the program */
    long insn;           /* index of the instruction in its section, or -1 */
    const char *file;    /* source file as the compiler recorded it */
    unsigned line;       /* from 1; 0 is not known */
    unsigned column;     /* from 1; 0 is not known */
    const char *text;    /* the source line itself */
};

/* A location that names only the object file: `struct diag_loc loc = DIAG_OBJECT(path);` */
#define DIAG_OBJECT(path)                                                                          \
    { .object = (path), .insn = -1 }

struct diag_message {
    enum diag_severity severity;
    enum diag_category category;
    bool has_loc;
    struct diag_loc loc;
    const char *text;
    const char *mend; /* what to do about it, or null */
};

struct diag;

struct diag *diag_new(void);
void diag_free(struct diag *diag); /* null is allowed */

/*
 * Add a message. `loc` and `mend` may be null. The result is always false, so that a stage can write
 * `return diag_error(...)`. A note belongs to the message before it.
 */
bool diag_error(struct diag *diag, enum diag_category category, const struct diag_loc *loc,
                const char *mend, const char *format, ...) __attribute__((format(printf, 5, 6)));
bool diag_warn(struct diag *diag, enum diag_category category, const struct diag_loc *loc,
               const char *mend, const char *format, ...) __attribute__((format(printf, 5, 6)));
bool diag_note(struct diag *diag, enum diag_category category, const struct diag_loc *loc,
               const char *mend, const char *format, ...) __attribute__((format(printf, 5, 6)));

bool diag_has_errors(const struct diag *diag);
size_t diag_count(const struct diag *diag);
const struct diag_message *diag_get(const struct diag *diag, size_t index);
const char *diag_severity_name(enum diag_severity severity);

/* Whether `file` is a terminal that understands control sequences (TERM is not dumb). */
bool diag_is_terminal(FILE *file);

/* Whether text on `file` may be coloured: it is such a terminal, and NO_COLOR is not set. */
bool diag_wants_colour(FILE *file);

/* prog.bpf.c:12:9: error: ..., the source line with a caret, and `  fix: ...`. */
void diag_print(const struct diag *diag, FILE *file, bool colour);

/* A JSON array of all messages; the caller deletes it. */
struct cJSON *diag_json(const struct diag *diag);

#endif
