/* SPDX-License-Identifier: MIT */
/*
 * Is the verifier sound? Random programs, unsafe ones among them, run on a machine of its own that knows
 * of every value whether it is a number or a pointer, and into what. Before each instruction the machine's
 * state must be among those that the fixpoint has for that place, and no program that verify() accepts may
 * do anything wrong.
 */
#ifndef SOUNDNESS_SOUNDNESS_H
#define SOUNDNESS_SOUNDNESS_H

#include "program/program.h"
#include "verifier/state.h"
#include "verifier/verifier.h"

#define MEMORY 64 /* bytes of the raw program's memory */
#define MAP_ELEMENTS 4
#define MAP_VALUE 16
#define DATA_BYTES 32 /* of a section of constants, and of one of variables */

/* --- generate.c */
/* A program: raw, with map 0 (array) and map 1 (hash), data 0 (constants) and data 1 (variables). */
struct program *generate(struct arena *arena, uint64_t seed);

/* --- machine.c */
struct word {
    enum { WORD_NONE, WORD_NUMBER, WORD_POINTER } kind;
    uint8_t object_kind; /* enum value_kind */
    uint32_t object;     /* STACK: frame; MAP, MAP_VALUE: map; DATA: section; FUNC: function */
    uint32_t element;    /* MAP_VALUE */
    int64_t off;
    uint64_t n; /* what the program sees */
};

struct byte {
    uint8_t value;
    uint8_t index;    /* which byte of a pointer */
    uint16_t pointer; /* 0: a number; else a pointer that was stored, from 1 */
    bool init;
};

struct call_frame {
    uint32_t func, back; /* back: slot behind the call */
    struct word saved[4];
    struct byte stack[VERIFY_STACK_MAX];
    bool callback; /* of bpf_loop(): */
    uint32_t runs, index;
    struct word context;
};

#define POINTERS_MAX 4096

struct machine {
    const struct program *program;
    struct word reg[BPF_NREGS];
    uint32_t depth; /* frames in use */
    struct call_frame frame[VERIFY_FRAMES_MAX];
    uint8_t memory[MEMORY];
    uint8_t values[2][MAP_ELEMENTS][MAP_VALUE];
    bool present[MAP_ELEMENTS]; /* of the hash, by key */
    uint8_t data[2][DATA_BYTES];
    struct word pointers[POINTERS_MAX];
    uint32_t npointers;
    uint32_t slot;
    uint64_t random;
    const char *fault; /* what it did wrong */
    bool done;
    const struct verify_func *funcs; /* by function: how deep its frame is; NULL: not known */
};

void machine_start(struct machine *m, const struct program *p, uint64_t seed);
void machine_step(struct machine *m);

/* --- member.c */
/* NULL, or what of the machine's state is not in s. `live`: registers that matter. */
const char *not_member(const struct machine *m, const struct state *s, uint16_t live);

#endif
