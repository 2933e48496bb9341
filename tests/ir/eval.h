/* SPDX-License-Identifier: MIT */
/*
 * Executes IR, at both levels, so that tests can ask whether a function still means the same after a
 * pass: same result, same effects in the same order, same memory outside the stack. Clear rather
 * than fast.
 *
 * Memory is sparse and never faults: a byte that nothing wrote has a value that its address decides,
 * but stack bytes are 0 when a function is entered. Helpers are a model that depends on what they
 * are given (arguments, memory they may read) and answers with hashes, in the range of their kind.
 */
#ifndef TESTS_IR_EVAL_H
#define TESTS_IR_EVAL_H

#include "ir/ir.h"

enum eval_status {
    EVAL_RETURNED,
    EVAL_TAIL_CALLED,
    EVAL_TRAPPED,
    EVAL_STEPS, /* too many: not comparable */
    EVAL_DEPTH,
};

struct eval_unit {
    const struct program *prog; /* may be NULL: maps then have keys of 4 and values of 8 bytes */
    struct ir_fn *const *fns;   /* by function index */
    uint32_t nfns;
    /* Legalised functions: where word w of the arguments is passed, -1: nowhere (thunk of
     * thumb2/abi.h's struct fn_abi.position). NULL: at position w. */
    const int8_t *const *positions; /* by function index */
    uint64_t max_steps;             /* 0: a million */
};

struct eval_result {
    enum eval_status status;
    uint64_t value;   /* r0 if RETURNED */
    uint64_t memory;  /* hash of all bytes outside the stack that differ from their initial value */
    uint64_t effects; /* hash of calls with their arguments, in order */
    uint64_t steps;
};

#define EVAL_CTX 0x20000100u /* what a program's r1 usually is: below this, memory is the stack's */
#define EVAL_STACK_TOP 0x1fff8000u
#define EVAL_STACK_SIZE 0x8000u

/* Runs function `func` with r1 to r5 = args. `init`, `init_size`: bytes at EVAL_CTX, may be NULL. */
struct eval_result eval_run(const struct eval_unit *unit, uint32_t func, const uint64_t args[5],
                            const uint8_t *init, size_t init_size);

/* Whether two runs agree (a run that exceeded its steps agrees with everything). */
bool eval_agree(const struct eval_result *a, const struct eval_result *b);

#endif
