/* SPDX-License-Identifier: MIT */
/*
 * Is the verifier sound? Random programs, unsafe ones among them, run on a machine of its own that knows
 * of every value whether it is a number or a pointer, and into what. Before each instruction the machine's
 * state must be among those that the fixpoint has for that place; a program that verify() accepts must do
 * nothing wrong, stay within the bounds of its loops and its stack, and have the values that the compiler
 * is told of.
 *
 * source.c     a program with the tables that all share; files
 * generate*.c  random programs
 * machine*.c   the machine
 * member.c     is a concrete state in an abstract one?
 * trial.c      one program: verified, run, compared
 * coverage.c   what the programs did, and never did
 * shrink.c     what of a program is needed to show an error
 */
#ifndef SOUNDNESS_SOUNDNESS_H
#define SOUNDNESS_SOUNDNESS_H

#include <stdio.h>

#include "bpf/hook.h"
#include "program/program.h"

/* --- source.c */

#define RAW_MEMORY 64   /* bytes of a raw program's memory */
#define SOURCE_MAX 2000 /* slots */
#define SOURCE_FUNCS 8
#define TABLE_ELEMENTS 4 /* of the table of functions */

/* The tables are the same for all programs. */
enum { MAP_ARRAY, MAP_HASH, MAP_LRU, MAP_QUEUE, MAP_STACK, MAP_RING, MAP_PROGRAMS, MAP_JOBS, MAPS };
enum {
    DATA_CONST,
    DATA_VAR,
    DATA_FUNCS,
    DATA_POINTERS,
    DATA_TEXT,
    DATA_NULLS, /* as DATA_FUNCS, with a null in it */
    DATA_FORMATS,
    DATAS
};
#define DATA_BYTES 32 /* of each section */
#define ARRAY_VALUE 24
#define ARRAY_ELEMENTS 4
#define HASH_VALUE 16
#define LRU_VALUE 12
#define QUEUE_VALUE 8
#define JOB_VALUE 40
#define JOB_TIMER 16 /* in there */
#define RING_BYTES 256
#define FORMAT_AT 0 /* in DATA_TEXT: a format with two numbers */
#define WORD_AT 16  /* and a word */
/* In DATA_FORMATS: two numbers; a percent sign and a number; a string; a number and a string; two numbers. */
#define FORMATS_AT                                                                                 \
    { 0, 5, 11, 16, 24 }

enum func_kind {
    FUNC_MAIN,  /* function 0: the program */
    FUNC_SUB,   /* r1: a number, r2: 16 bytes of a caller's stack */
    FUNC_LOOP,  /* callback of bpf_loop(); its context is such 16 bytes */
    FUNC_EACH,  /* callback of bpf_for_each_map_elem() */
    FUNC_TABLE, /* stands in the table of functions; arguments as of FUNC_SUB */
    FUNC_TAIL,  /* a program of its own, for tail calls */
    FUNC_FIND,  /* r1: a number; looks an element up and returns its address, or null */
    FUNC_TIMER, /* callback of the timers of MAP_JOBS */
};

/* Instructions as in a linked program: pseudo lddw hold indices. */
struct source {
    enum bpf_hook hook; /* of all programs in it */
    uint64_t seed;      /* of the inputs */
    uint32_t nfuncs, count;
    uint32_t start[SOURCE_FUNCS]; /* by function, ascending */
    enum func_kind kind[SOURCE_FUNCS];
    struct bpf_insn insns[SOURCE_MAX];
};

/* NULL if an instruction cannot be decoded. */
struct program *source_program(const struct source *s, struct arena *arena);
/* As text: what is needed to read it back, and each instruction disassembled. */
void source_print(const struct source *s, FILE *out);
bool source_read(struct source *s, const char *path);

/* --- generate.c */
void generate(struct source *s, uint64_t seed);

/* --- trial.c */
enum violation {
    VIOLATION_NONE,
    VIOLATION_STATE, /* a state that the fixpoint does not have */
    VIOLATION_FAULT, /* an accepted program has done something wrong */
    VIOLATION_BOUND, /* a loop went on beyond its bound */
    VIOLATION_DEPTH, /* more frames or more stack than the verifier says */
    VIOLATION_FACT,  /* a value is not what the compiler was told */
};

struct trial_result {
    bool accepted, form; /* form: verify_form() let it pass, so it was run */
    int category;        /* enum diag_category of the first error, if not accepted */
    bool faulted;        /* some run did something wrong */
    enum violation violation;
    char what[300];    /* is wrong; without a violation: why it is refused */
    uint32_t slot;     /* where */
    uint64_t steps;    /* instructions executed and compared */
    uint64_t compared; /* abstract states that were looked at */
    uint64_t faults;   /* runs that did something wrong */
};

/* For the test of the shrinker: `mul` of two registers is taken for a violation. */
extern bool trial_injected_error;
/* Verifies and runs `runs` times. `log`: where the state of a violation is printed to, or NULL. */
void trial(const struct source *s, unsigned runs, FILE *log, struct trial_result *out);

/* --- shrink.c */
/* Makes *s as small as it can be with a violation of the same kind. */
void shrink(struct source *s, unsigned runs, enum violation violation);

#endif
