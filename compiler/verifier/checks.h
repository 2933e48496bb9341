/* SPDX-License-Identifier: MIT */
/*
 * What the checks of the form share (verify_*.c, registers.c), in the order in which verify() makes them, and
 * how they and the analyses of values report. The checks of values, check*.c, are declared in analysis.h.
 */
#ifndef VERIFIER_CHECKS_H
#define VERIFIER_CHECKS_H

#include "verifier/verifier.h"

#include "util/vec.h"

struct verifier {
    const struct program *program;
    struct verify_result *result;
    struct diag *diag;
    unsigned errors, warnings;
    FILE *log;   /* --log; or NULL */
    bool strict; /* some entry is a program for the board, not of type raw */
};

/* An error at a slot, with its source line. Always false. */
bool verify_error(struct verifier *v, enum diag_category category, uint32_t slot, const char *mend,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Enough has been said: nobody reads more than this. */
bool verify_gave_up(const struct verifier *v);
/* A warning, unless there have been enough. */
void verify_warn(struct verifier *v, enum diag_category category, uint32_t slot, const char *mend,
                 const char *text);

/* The same about the object as a whole. */
void verify_warn_object(struct verifier *v, enum diag_category category, const char *mend,
                        const char *text);

/* --- verify_encoding.c: operands of single instructions */
bool verify_encoding(struct verifier *v);

/* --- verify_cfg.c: jumps, ends of functions, what is reachable */
bool verify_cfg(struct verifier *v);

/* --- registers.c: which registers hold frame addresses, functions and constants */
enum reg_kind {
    REG_CONST,    /* a number known now */
    REG_SCALAR,   /* a number, or the address of something other than these */
    REG_FUNC,     /* code pointer of one function */
    REG_ANY,      /* may be a code pointer too: from memory, a parameter, a call */
    REG_FRAME,    /* r10 plus a constant */
    REG_FRAME_AT, /* r10 plus something unknown, or perhaps not a frame address at all */
};
struct reg {
    enum reg_kind kind;
    int32_t value; /* CONST: the number; FUNC: its index; FRAME: bytes from r10 */
};
struct registers {
    struct reg reg[BPF_NREGS];
};
/* What a walk over a function may want to know of the effects of an instruction. */
enum frame_use {
    FRAME_POINTER,   /* an address r10 + low has been made */
    FRAME_UNBOUNDED, /* an address whose distance below r10 has no known bound */
};
typedef void frame_visitor(void *arg, enum frame_use use, int32_t low);
/* Calls visit() for each reachable slot of a function with the registers before it, and frame() for
 * each frame address that its instructions make. */
void registers_walk(struct verifier *v, uint32_t func,
                    void (*visit)(void *arg, uint32_t slot, const struct registers *before),
                    frame_visitor *frame, void *arg);

/* --- verify_stack.c: stack use of each function */
bool verify_stack(struct verifier *v);

/* --- verify_calls.c: the graph of calls; recursion, frames, stack of chains, tail calls */
bool verify_calls(struct verifier *v);
/* The stack of all chains anew, when functions need more than they seemed to. */
bool verify_chains(struct verifier *v);

/* --- verify_object.c: warnings about the object as a whole */
void verify_object(struct verifier *v);

/* --- linux_helpers.c: the name that Linux has for a helper id, or NULL */
const char *linux_helper_name(uint32_t id);

#endif
