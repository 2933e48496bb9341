/* SPDX-License-Identifier: MIT */
/*
 * What the verifier has proven of values, for the compiler: facts of the fixpoint, which hold whenever
 * control gets to their place. The compiler never needs them in order to be right.
 *
 * A fact belongs to a place, not to a number: what holds behind a test does not hold in front of it.
 * The IR builder turns facts into operations of their own (a value becomes the zero-extension of its low
 * word), which later passes may move as they like.
 */
#ifndef PROGRAM_FACTS_H
#define PROGRAM_FACTS_H

#include <stdint.h>

#include "bpf/insn.h"

enum fact_kind {
    FACT_NONE,
    FACT_ZEXT,  /* the high word is 0 */
    FACT_SEXT,  /* the high word is the sign of the low word */
    FACT_CONST, /* the value is known */
};

struct fact {
    uint8_t kind;   /* enum fact_kind */
    uint64_t value; /* FACT_CONST */
};

enum fact_branch { BRANCH_EITHER, BRANCH_TAKEN, BRANCH_NOT_TAKEN };

struct facts {
    const struct fact *after;     /* by slot: of fact_register(), behind the instruction */
    const struct fact *const *at; /* by slot that starts a block: r0 to r9; others NULL */
    const uint8_t *branch;        /* by slot of a conditional jump: enum fact_branch */
};

/* The register that an instruction writes, and that the fact behind it is about; of one that writes none,
 * some register that it reads. */
static inline unsigned fact_register(const struct bpf_decoded *d) {
    if (bpf_op_is_call(d->op))
        return BPF_R0;
    return bpf_op_is_atomic(d->op) ? bpf_atomic_result(d) : d->dst;
}

#endif
