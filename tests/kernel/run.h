/* SPDX-License-Identifier: MIT */
/*
 * Runs a raw program on random memory and stops it at whatever a verifier must exclude: an access outside of
 * an object, a register or a byte of the stack that was never written. The third opinion where the two
 * verifiers differ: one fault decides, no fault is evidence.
 */
#ifndef TESTS_KERNEL_RUN_H
#define TESTS_KERNEL_RUN_H

#include "program/program.h"
#include "verifier/verifier.h"

enum run_status {
    RUN_ENDED,
    RUN_FAULT,
    RUN_LONG,    /* more than RUN_STEPS instructions */
    RUN_UNKNOWN, /* something that is not modelled here, such as most helpers */
};
#define RUN_STEPS 2000000

struct run_result {
    enum run_status status; /* the worst of all runs */
    uint32_t slot;          /* FAULT: where */
    const char *what;       /* FAULT: what */
};

/* Each function has the stack that `funcs` says, so that a frame which is computed too small shows. */
struct run_result run_random(const struct program *program, const struct verify_func *funcs,
                             uint64_t seed, unsigned runs);

#endif
