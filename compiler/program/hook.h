/* SPDX-License-Identifier: MIT */
/*
 * Program types for the host: the rows of hook.def with the layout of their contexts, and SEC() names
 * read as one of them.
 */
#ifndef PROGRAM_HOOK_H
#define PROGRAM_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/hook.h"
#include "util/arena.h"

/* One field of a context structure. */
struct hook_field {
    const char *name;
    const char *what;
    uint32_t offset, size; /* bytes; size of one element */
    uint32_t count;        /* elements; 1: a scalar */
};

struct hook_info {
    const char *prefix;  /* SEC() up to the first '/' */
    const char *pattern; /* what follows it; "" if nothing does */
    const char *example; /* a whole SEC() */
    const char *what;
    int64_t min, max; /* range of r0 that the hook accepts */
};

/* The examples of all hooks, separated by blanks: what --type may be, for the tables of commands. */
extern const char hook_examples[];

const struct hook_info *hook_info(enum bpf_hook hook);

/* Bytes of the context structure, a multiple of 8; 0 for raw, whose memory the user sizes. */
uint32_t hook_ctx_size(enum bpf_hook hook);

/* Field `index` of the context, in order; false when there are no more. */
bool hook_field(enum bpf_hook hook, size_t index, struct hook_field *field);

/*
 * Reads a SEC() name: its hook, with the argument's syntax checked. False: *why says what is wrong and
 * *mend what to write instead, both on the arena.
 */
bool hook_parse(const char *section, struct arena *arena, enum bpf_hook *hook, const char **why,
                const char **mend);

/* The period of SEC("timer/<period>"), which hook_parse() has accepted, in microseconds. */
uint32_t hook_timer_us(const char *section);

#endif
