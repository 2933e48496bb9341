/* SPDX-License-Identifier: MIT */
/*
 * The verifier (docs/verifier.md). First the form, which needs no values and on which the compiler relies:
 * instructions and their operands, control flow, the graph of calls, the depth of the stack. Then values:
 * memory, pointers, records, termination (values.c).
 */
#ifndef VERIFIER_VERIFIER_H
#define VERIFIER_VERIFIER_H

#include <stdbool.h>
#include <stdint.h>

#include "program/facts.h"
#include "program/program.h"
#include "util/bitset.h"
#include "util/diag.h"

#define VERIFY_STACK_MAX 512      /* bytes, over every chain of calls */
#define VERIFY_FRAMES_MAX 8       /* of functions active at one time */
#define VERIFY_BUDGET 1000000     /* instructions, over all paths that are explored one by one */
#define VERIFY_BUDGET_ALL 3000000 /* the same, of all programs and callbacks of an object */
#define VERIFY_WORK 12000000      /* of all that is not explored: see state_pool_charge() */

/* What is known about a function. */
struct verify_func {
    uint32_t stack;          /* bytes of eBPF stack below r10, a multiple of 8 */
    const uint32_t *callees; /* functions that it may call, directly or through a pointer; sorted */
    uint32_t ncallees;
    const uint32_t *helpers; /* ids that it calls; sorted. Calls through a register are not in it */
    uint32_t nhelpers;
    bool callx;           /* calls through a register */
    uint32_t frames;      /* functions on the longest chain of calls from here, itself included */
    uint32_t chain_stack; /* bytes of eBPF stack on the chain of calls that needs most */
    /* Functions that timers may call back later, of those that it sets, or whatever runs because of it;
     * sorted. Each begins a chain of its own. */
    const uint32_t *timers;
    uint32_t ntimers;
};

/* What a function and the callbacks of its timers need, of which one runs at a time: the deepest chain. */
struct verify_depth {
    uint32_t frames, stack; /* bytes of eBPF stack */
};

/* A loop of a function, and its proof. */
struct verify_loop {
    uint32_t func, slot; /* slot: where its header begins */
    /* Most executions of the header each time the loop is entered; 0: never entered. */
    uint64_t bound;
};

/* What the verifier took. */
struct verify_cost {
    uint64_t explored; /* instructions, over all paths that were followed one by one */
    uint64_t visited;  /* states kept for that */
    uint64_t pruned;   /* paths that ended where such a state had been */
    uint64_t bytes;    /* of memory, at most */
    uint64_t work;     /* of all that was not explored, see VERIFY_WORK */
};

struct verify_result {
    struct verify_func *funcs; /* by function index */
    uint32_t *order;           /* all function indices, callees before callers */
    struct bitset *reachable; /* slots that control flow can get to; ir_build() leaves out others */
    const struct facts *facts;       /* of values; NULL after verify_form() */
    const struct verify_loop *loops; /* of all functions, by slot; after verify() */
    uint32_t nloops;
    struct verify_cost cost; /* 0 after verify_form() */
};

struct verify_depth verify_depth_of(const struct verify_result *result, uint32_t func);

/*
 * What the compiler relies on: instructions, control flow, graph of calls, depth of the stack. False after
 * at least one error. The result lives on the program's arena.
 */
bool verify_form(const struct program *program, struct verify_result *result, struct diag *diag);

/* That, and everything else: memory, initialisation, pointers, records, termination. */
bool verify(const struct program *program, struct verify_result *result, struct diag *diag);

/* The same; what is known before each instruction, and the paths that fail, go to `log`, unless NULL. */
bool verify_logged(const struct program *program, struct verify_result *result, struct diag *diag,
                   FILE *log);

#endif
