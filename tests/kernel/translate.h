/* SPDX-License-Identifier: MIT */
/*
 * A raw program of ours as a Linux program of type socket filter. A prologue stands in front:
 *
 *     r1 = the value of an array of one element, N bytes     (lddw of a map's value: no call, no stack)
 *     r2 = a number out of another array, at most N
 *
 * so that all other registers are as uninitialised as ours. Code that control flow does not get to is left
 * out (Linux refuses it); maps and data become maps of Linux.
 */
#ifndef TESTS_KERNEL_TRANSLATE_H
#define TESTS_KERNEL_TRANSLATE_H

#include "kernel/kernel.h"
#include "program/program.h"

#define TRANSLATE_MAPS 64

struct translation {
    struct kernel_program program;
    const char *skip; /* not NULL: what of it Linux does not have in this form */
    int fds[TRANSLATE_MAPS];
    unsigned nfds;
};

/* For entry number `entry`. */
void translate(const struct program *program, uint32_t entry, struct translation *out);
/* Instructions that program_from_insns() refuses: as they are. */
void translate_bare(struct arena *arena, const struct bpf_insn *insns, uint32_t count,
                    uint32_t mem_size, struct translation *out);
void translate_free(struct translation *t);

#endif
