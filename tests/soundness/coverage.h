/* SPDX-License-Identifier: MIT */
/* What the programs that were run have done: see coverage.c. */
#ifndef SOUNDNESS_COVERAGE_H
#define SOUNDNESS_COVERAGE_H

#include <stdio.h>

#include "bpf/helper.h"
#include "bpf/insn.h"
#include "verifier/state.h"

#define COVERAGE_NULLABLE (VALUE_FUNC_ANY + 1) /* a row of its own: pointers that may be null */
#define COVERAGE_KINDS (COVERAGE_NULLABLE + 1)
#define COVERAGE_OPERATIONS 14
#define COVERAGE_ARGS (BPF_ARG_U64 + 1)
#define COVERAGE_HELPERS 2048

/* Numbers of executions, of all programs of this process, and of those that were added. Only uint64_t. */
struct coverage {
    uint64_t did[COVERAGE_KINDS][COVERAGE_OPERATIONS];
    uint64_t argument[COVERAGE_ARGS][COVERAGE_KINDS];
    uint64_t insn[BPF_OP_COUNT][8][2]; /* by width (lddw: pseudo), immediate or register */
    uint64_t helper[COVERAGE_HELPERS];
};
extern struct coverage coverage;

/* *d is executed in *s, which the machine's state is in. */
void coverage_note(const struct state *s, const struct bpf_decoded *d);
void coverage_add(const struct coverage *more);
void coverage_print(FILE *out);

#endif
