/* SPDX-License-Identifier: MIT */
/*
 * What unit tests of programs have in common: an arena and messages of their own for each test, and a
 * program from its text. A file that includes this says TestSuite(NAME, .init = setup, .fini = teardown).
 */
#ifndef UNIT_FIXTURE_H
#define UNIT_FIXTURE_H

#include "asm/asm.h"
#include "program/program.h"
#include "util/arena.h"
#include "util/diag.h"

#include <criterion/criterion.h>
#include <string.h>

enum { FIXTURE_MEM_SIZE = 64 }; /* bytes at r1 of the programs */

static struct arena *arena;
static struct diag *diag;

static inline void setup(void) {
    arena = arena_new();
    diag = diag_new();
}

static inline void teardown(void) {
    arena_free(arena);
    diag_free(diag);
}

/* Between the rows of a table. */
static inline void again(void) {
    teardown();
    setup();
}

static inline struct program *from_insns(const struct bpf_insn *insns, uint32_t count) {
    struct program *p = program_from_insns(arena, "main", insns, count, FIXTURE_MEM_SIZE, diag);

    cr_assert_not_null(p);
    return p;
}

static inline struct program *from_text(const char *text) {
    struct bpf_insn *insns;
    uint32_t count;

    cr_assert(asm_parse(arena, text, "test", &insns, &count, diag), "%s", text);
    return from_insns(insns, count);
}

/* Is `part` in a message of this severity? */
static inline bool has_message(enum diag_severity severity, const char *part) {
    for (size_t i = 0; i < diag_count(diag); i++)
        if (diag_get(diag, i)->severity == severity && strstr(diag_get(diag, i)->text, part))
            return true;
    return false;
}

#endif
