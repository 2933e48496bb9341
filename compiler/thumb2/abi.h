/* SPDX-License-Identifier: MIT */
/*
 * How eBPF arguments become machine words (architecture.md 6, AAPCS): one description per function,
 * used by both sides of a call.
 *
 * An eBPF function has five 64-bit arguments, ten words: word (reg - 1) * 2 + half of register reg,
 * half 1 being the high word. Positions 0 to 3 are r0 to r3, position p >= 4 is the stack word
 * [sp + (p - 4) * 4] at the call.
 */
#ifndef THUMB2_ABI_H
#define THUMB2_ABI_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/helper.h"
#include "ir/ir.h"

#define ABI_WORDS 10
#define ABI_REG_WORDS 4

enum abi_kind {
    ABI_ENTRY,     /* called by the domain: r0 = context address, raw: r1 = length; all else is 0 */
    ABI_DIRECT,    /* called by bl only: just the words that the callee uses, packed */
    ABI_CANONICAL, /* its address is taken: word w at position w */
};

struct fn_abi {
    enum abi_kind kind;
    int8_t position[ABI_WORDS]; /* of each word, -1: not passed */
    uint8_t npositions;         /* one more than the largest position */
};

/* The ABI of a function whose parameters are not known to be unused. */
void abi_init(struct fn_abi *abi, enum abi_kind kind, enum bpf_hook hook);
/* Narrows a DIRECT or CANONICAL ABI to the words that fn, legalised and trimmed, still reads. */
void abi_narrow(struct fn_abi *abi, const struct ir_fn *fn);

/* legalize.c: rewrites fn to 32-bit words. abis: by function index, of this one (its PARAMs are
 * numbered by word, those never passed become 0) and of its callees (complete). */
void legalize(struct ir_fn *fn, const struct fn_abi *own, const struct fn_abi *callees);

/* trim.c: drops words that nobody needs, shrinking word-pair operations to one instruction when
 * their high word is dead, and 64-bit comparisons whose high words are equal. */
void trim_words(struct ir_fn *fn);

#endif
