/* SPDX-License-Identifier: MIT */
/*
 * Random eBPF programs that end: for differential tests of everything that claims to keep a
 * program's meaning. Loops run on fuel that only falls; jumps go anywhere, so that many programs are
 * irreducible. r9 always is the context, r7 points into the stack; r1 to r5 are written again after
 * calls, stack slots before they are read, so an engine may do with them there as it likes.
 */
#ifndef TESTS_IR_RANDOM_H
#define TESTS_IR_RANDOM_H

#include <stdint.h>

#include "bpf/insn.h"

enum random_flags {
    RANDOM_HELPERS = 1, /* calls of helpers, with arguments of the kinds that they take */
    RANDOM_CALLX = 2,   /* callx of functions whose address was taken */
    RANDOM_CALLS = 4,   /* local calls */
    RANDOM_MAPS = 8,    /* maps, data, callbacks, tail calls: the program needs random_attach() */
};

#define RANDOM_MAX_INSNS 6000
#define RANDOM_CTX_SIZE 128 /* bytes at r1 that the program reads and writes */

/* Writes a program for program_from_insns() to out[RANDOM_MAX_INSNS]; returns its slots. */
uint32_t random_program(uint64_t seed, unsigned flags, struct bpf_insn *out);

/* Gives what program_from_insns() made of a program with RANDOM_MAPS its maps, data and programs. */
struct program;
void random_attach(struct program *program);

#endif
