/* SPDX-License-Identifier: MIT */
/*
 * Control flow of one function as the verifier sees it: basic blocks of eBPF slots, dominators,
 * natural loops, live registers. Made after verify_cfg(), so jumps are valid. Everything is owned by
 * the arena it was made in, and takes time and memory nearly linear in the function's length, however
 * deep its loops are nested.
 */
#ifndef VERIFIER_CFG_H
#define VERIFIER_CFG_H

#include <stdbool.h>
#include <stdint.h>

#include "program/program.h"
#include "util/bitset.h"

#define CFG_NONE UINT32_MAX

/* Jumps and exit end a block, calls do not. */
struct cfg_block {
    uint32_t start, end;   /* slots of the program [start, end), reachable ones */
    uint32_t last;         /* slot of its last instruction */
    uint32_t nsucc;        /* 0 exit, 1, or 2 for a conditional jump */
    uint32_t succ[2];      /* blocks; of a conditional jump: [0] fall-through, [1] taken. Where
                                     both are the same block, nsucc is 2 and the two are equal */
    uint32_t npreds;       /* the entry may have some, too */
    const uint32_t *preds; /* blocks; one that jumps here on both sides stands twice */
    uint32_t idom;         /* block, CFG_NONE for the entry */
    uint32_t dom_first, dom_last; /* the dominator tree's preorder numbers of what it dominates, its
                                     own one first: see cfg_dominates() */
    uint32_t loop;                /* innermost loop, or CFG_NONE; of a header: its own */
    uint16_t live_in; /* bit r: register r may be read before it is written. r10 always */
};

struct cfg_loop {
    uint32_t header; /* block, the first of its blocks */
    uint32_t parent; /* loop around it, or CFG_NONE */
    uint32_t depth;  /* 1: outermost */
    uint32_t nblocks;
    const uint32_t *blocks; /* its blocks, those of inner loops included: header, header + 1, ... */
    uint32_t nlatches;
    const uint32_t *latches; /* blocks with an edge to the header, inside; each once, ascending */
};

struct cfg {
    uint32_t func; /* index into program->funcs */
    uint32_t nblocks;
    /* In a reverse post-order in which the blocks of a loop stand together, before what follows the loop;
     * blocks[0] is the entry. */
    struct cfg_block *blocks;
    uint32_t nloops;
    struct cfg_loop *loops; /* outer loops before inner ones: in the order of their headers */
    /* By slot - funcs[func].start: block, or CFG_NONE for unreachable slots and second halves of 64-bit
     * loads. */
    const uint32_t *block_of;
};

/* False if the function is irreducible (a loop with two ways in): *culprit is then the slot of an
 * instruction (mostly a jump) from which control gets into the middle of a loop. `live_args[f]` says
 * which of r1 to r5 function f reads (bit r), for calls; NULL: all of them. */
bool cfg_build(struct arena *arena, const struct program *program, uint32_t func,
               const uint16_t *live_args, struct cfg *out, uint32_t *culprit);

/* Whether every path from the entry to b goes through a (a block dominates itself). */
bool cfg_dominates(const struct cfg *cfg, uint32_t a, uint32_t b);

bool cfg_in_loop(const struct cfg *cfg, uint32_t block, uint32_t loop);

/* Registers live before a slot (bit r); the slot is reachable. Scans its block backwards: not for hot
 * paths. */
uint16_t cfg_live_at(const struct cfg *cfg, const struct program *program, uint32_t slot,
                     const uint16_t *live_args);

/* Registers that an instruction reads and writes (bit r); calls read r1 to r5 as far as the callee
 * has arguments (of a call through a register: all), write r0 and clobber r1 to r5. */
void cfg_effects(const struct program *program, uint32_t slot, const uint16_t *live_args,
                 uint16_t *reads, uint16_t *writes);

#endif
