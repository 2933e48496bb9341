/* SPDX-License-Identifier: MIT */
/*
 * Verifier cases as data. A *.cases file holds cases of this form; what is not needed is left out:
 *
 *     == name of the case
 *     type: raw 64                       a SEC() name; raw with its bytes of memory (default 64)
 *     map: counts array 4 8 16           name, type, key size, value size, entries
 *     map: jobs hash 4 24 8 timer 8      the same, with a timer at byte 8 of each value
 *     data: .rodata 01 02 ff             section and its bytes in hex, or `zero N`
 *     pointer: .rodata 8 func f          an 8-byte pointer at an offset: func, map or data
 *     program: f                         a further program that begins at label f
 *     values: progs 0 f                  element 0 of a prog_array is that program (or main)
 *     runs: 2                            random inputs when it is accepted (default 8)
 *     asm:                               compiler/asm, and `lddw r1, map counts`, `data .rodata+8`
 *         ldxb r0, [r1+64] #here         the error has to point to this line
 *         exit
 *     expect: refuse bounds "byte 64" "64 bytes"
 *
 * Instead of `asm:` there may be `c:` (source for clang, behind `#include "bpf_mcu.h"`) or `raw:`
 * (64-bit words, for encodings that the assembler does not write). `expect` is `accept`, or `refuse`
 * with a category; each quoted text must occur somewhere in what is printed, or must not if `not`
 * stands before it. With `message:` all that is printed follows, indented by four, and has to be the
 * same. `long: N` repeats the lines of a program between `#{` and `#}` N times, with $ as the number
 * of the copy. Lines that begin with # are comments.
 */
#ifndef TESTS_VERIFIER_CASE_H
#define TESTS_VERIFIER_CASE_H

#include "program/program.h"
#include "util/vec.h"

enum case_form { CASE_ASM, CASE_RAW, CASE_C };

/* A directive's words, for the builder of the program. */
struct case_row {
    char *word[7]; /* those that are not there are NULL */
    char *rest;    /* of the line, behind the first word */
    unsigned line;
};

typedef VEC(struct case_row) case_rows;

struct verifier_case {
    const char *file, *name;
    unsigned line;
    const char *type;
    uint32_t mem_size;
    unsigned runs;
    enum case_form form;
    char *text;         /* of the program; line breaks as in the file */
    unsigned text_line; /* where it begins */
    case_rows maps, datas, pointers, programs, values;
    unsigned here; /* line of the file that the error points to; 0: not tested */
    bool accept;
    const char *category;
    VEC(const char *) parts, absent; /* what is to be printed, and what is not */
    const char *message;             /* NULL: not tested */
};

typedef VEC(struct verifier_case) case_list;

/* Appends the cases of a file; false after a line on stdout. */
bool case_read(struct arena *arena, const char *path, case_list *out);

struct case_paths {
    const char *include;   /* directory of bpf_mcu.h */
    const char *directory; /* for temporary files */
};

/* The linked program, or NULL after an error. */
struct program *case_build(struct arena *arena, const struct verifier_case *c,
                           const struct case_paths *paths, struct diag *diag);
/* The line of the cases' file that an instruction of an assembler text stands in. */
unsigned case_line_of(const struct verifier_case *c, long slot);

/* Runs an accepted program on the interpreter and as compiled code: NULL, or what is wrong. */
struct runner;
struct runner *runner_new(void);
void runner_free(struct runner *r);
const char *runner_run(struct runner *r, const struct program *p, unsigned runs);

#endif
