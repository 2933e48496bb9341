/* SPDX-License-Identifier: MIT */
/* The random generator's inside: random.c makes functions, random_maps.c what they do with maps,
 * random_idioms.c what is usual, random_shapes.c what instruction selection has patterns for. */
#ifndef TESTS_IR_RANDOM_GEN_H
#define TESTS_IR_RANDOM_GEN_H

#include "ir/random.h"

#include <stdbool.h>

#define MAX_FUNCS 7
#define PLAIN_FUNCS 4 /* without RANDOM_MAPS */
#define MAX_ITEMS 60
#define MAX_FIXUPS 400
#define FUEL BPF_R8
#define CTX BPF_R9
#define POINTER BPF_R7 /* to 32 bytes of stack, of this function or of its caller */
#define STACK 64       /* bytes below r10 in use */

struct fixup {
    uint32_t at;     /* slot of a jump or a call */
    uint32_t target; /* item of the function; or function */
    enum { FIX_JUMP, FIX_CALL, FIX_FUNC } kind;
};

/* LOOP, EACH: callbacks of bpf_loop() and for_each_map_elem(). TAIL: a program of its own. */
enum func_kind { FUNC_PLAIN, FUNC_LOOP, FUNC_EACH, FUNC_TAIL };

struct generator {
    uint64_t state;
    unsigned flags;
    struct bpf_insn *out;
    uint32_t n;
    uint32_t nfuncs, func;
    bool plain; /* this function's stack addresses go nowhere: its slots can be promoted */
    enum func_kind kind[MAX_FUNCS];
    uint32_t func_start[MAX_FUNCS];
    uint32_t item_start[MAX_ITEMS + 1], nitems;
    struct fixup fixups[MAX_FIXUPS];
    uint32_t nfixups;
};

uint32_t gen_below(struct generator *g, uint32_t n); /* 0 to n - 1 */
bool gen_one_in(struct generator *g, uint32_t n);
int64_t gen_value(struct generator *g); /* values at which things go wrong, and small ones */
uint8_t gen_any_reg(struct generator *g);
uint8_t gen_size(struct generator *g); /* 8 to 64 bits */

void gen_put(struct generator *g, struct bpf_decoded d);
void gen_mov(struct generator *g, uint8_t dst, uint8_t src);
void gen_alu_imm(struct generator *g, enum bpf_op op, unsigned width, uint8_t dst, int32_t imm);
void gen_constant(struct generator *g, uint8_t dst);
/* A load or store at base + [from, from + size). */
void gen_access(struct generator *g, uint8_t base, int32_t from, uint32_t size);
void gen_after_call(struct generator *g); /* r1 to r5 hold anything after a call */
/* The next instruction refers to an item or a function. */
void gen_fixup(struct generator *g, int kind, uint32_t target);

void gen_idiom(struct generator *g); /* random_idioms.c */
/* Operands side by side as compilers put them, and as instruction selection has patterns for. */
void gen_shape(struct generator *g);

/* Something with a map: look-up and access, update, queue, ring buffer, callbacks, tail calls. */
void gen_map_item(struct generator *g);
void gen_name_targets(struct generator *g);
void gen_callback_prologue(struct generator *g);
void gen_callback_epilogue(struct generator *g);

#endif
