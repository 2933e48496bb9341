/* SPDX-License-Identifier: MIT */
/*
 * Random programs at the edge of what verifiers accept: numbers out of memory, computed with at both widths,
 * bounded by comparisons of all forms, kept on the stack, counted in loops, and used as offsets into memory
 * whose size is near the constants of the program.
 */
#ifndef TESTS_KERNEL_GENERATE_H
#define TESTS_KERNEL_GENERATE_H

#include "program/program.h"

#define GENERATE_MAX_INSNS 6000

/* Writes a program to out[GENERATE_MAX_INSNS]; returns its slots, and the bytes at r1 in *mem_size. */
uint32_t generate(uint64_t seed, struct bpf_insn *out, uint32_t *mem_size);

/* Gives what program_from_insns() made of it its maps. */
void generate_attach(struct program *program);

#endif
