/* SPDX-License-Identifier: MIT */
/* Starting clang on a user's program, with the right flags, and saying in plain words what it said. */
#ifndef CLANG_H
#define CLANG_H

#include "util/arena.h"
#include "util/diag.h"

#include <stdbool.h>
#include <stddef.h>

struct clang_job {
    const char *source;
    const char *object;       /* written as a whole or not at all */
    const char *cpu;          /* -mcpu: "v1" to "v4"; null: CLANG_DEFAULT_CPU */
    const char *const *flags; /* more flags, in the user's words */
    size_t flag_count;
};

#define CLANG_DEFAULT_CPU "v4"

/* False after messages that quote the source. Warnings of clang become warnings. */
bool clang_compile(const struct clang_job *job, struct arena *arena, struct diag *diag);

/*
 * An object for a path that may be C: X.c is compiled into a temporary directory as X.o, anything else
 * is taken as an object. Close it when the object has been read, also after a failure.
 */
struct clang_object {
    const char *path;
    const char *directory; /* to be removed, or null */
};

bool clang_object_open(struct clang_object *object, const char *path, struct arena *arena,
                       struct diag *diag);
void clang_object_close(struct clang_object *object);

/* X.bpf.c -> X.bpf.o, beside its source. */
const char *clang_object_name(const char *source, struct arena *arena);

#endif
