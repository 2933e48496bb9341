/* SPDX-License-Identifier: MIT */
/* The pipeline: object file or linked program in, blob out. compile.c is the place to start reading. */
#ifndef COMPILE_H
#define COMPILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "program/program.h"
#include "thumb2/code.h"
#include "thumb2/layout.h"
#include "util/diag.h"

/* What of the verifier a compilation asks for. */
enum compile_verify {
    COMPILE_UNVERIFIED, /* the form that the compiler relies on */
    COMPILE_TRY,        /* all, and its facts, if it accepts the program; else like UNVERIFIED */
    COMPILE_VERIFIED,   /* all: what it refuses is not compiled */
};

struct compile_options {
    enum compile_verify verify;
    int level;             /* 0 to 2 */
    bool optimize_size;    /* -Os: level 2, and smaller rather than faster where they differ */
    const char *type;      /* --type: instead of what SEC() says; NULL: by SEC() */
    uint32_t mem_size;     /* --mem-size of raw programs; 0: BPF_RAW_MEM_DEFAULT */
    bool bytecode;         /* put the bytecode into the blob as well */
    bool bytecode_only;    /* and no compiled code */
    bool check_passes;     /* check the IR after every pass, not only between stages: for tests */
    const char *dump_pass; /* print the IR after this pass: one of compile_stages, a name of
                              passes.def, or "all"; NULL: nothing */
    FILE *dump;
};

/* What -O takes, for the tables of commands. */
#define COMPILE_LEVELS "0 1 2 s"

/* What dump_pass may name besides the passes of the optimiser; ends with NULL. */
#define COMPILE_STAGES(_) _(build) _(legalize) _(trim) _(final) _(isel) _(regalloc) _(finish)
extern const char *const compile_stages[];

/* "-O2" of the command line: "0", "1", "2", "s". False if it is none of them. */
bool compile_level(const char *text, struct compile_options *options);

struct compile_result {
    uint8_t *blob; /* 8-aligned */
    uint32_t blob_size;
    const struct program *prog;
    bool verified; /* the verifier has accepted the program, as the blob's header says */
    struct arena_layout layout;
    struct code_unit code;               /* lines, functions; code.size 0 with bytecode_only */
    int32_t *entry_func;                 /* by entry: index into code.funcs */
    int32_t *callable_func;              /* by function, or -1 */
    uint32_t ncopies, nspills, nreloads; /* left by register allocation, over all functions */
};

/* Checks and compiles a linked program. Everything lives in prog->arena. */
bool compile_program(const struct program *prog, const struct compile_options *options,
                     struct compile_result *out, struct diag *diag);

/* The same from a file: an eBPF object (.o), or C source (.c), which goes through clang first. */
bool compile_file(struct arena *arena, const char *path, const struct compile_options *options,
                  struct compile_result *out, struct diag *diag);

#endif
