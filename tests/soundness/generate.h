/* SPDX-License-Identifier: MIT */
/*
 * Inside of the generator. It believes of each register whether it is a number, which is enough to make
 * programs that are mostly right; what has been bounded it forgets at once. Most accesses are meant to be
 * right, some are off by one or lack their test, so that a part of the programs is unsafe.
 *
 * r0 to r5 are free, r6 too but kept over calls; r7 is free or holds a pointer (`held`); r8 counts loops; r9
 * is the context, or in functions that are called: 16 bytes of a caller's stack.
 */
#ifndef SOUNDNESS_GENERATE_H
#define SOUNDNESS_GENERATE_H

#include "soundness/soundness.h"

enum belief { UNSET, NUMBER, POINTER };

#define FREE_REGISTERS 8 /* r0 to r7 */
#define WORDS 16         /* of the stack that a function uses: 8 of them free */
#define WORDS_AT (-80)   /* 16 bytes that callees may use */
#define KEY_AT (-72)     /* in there */
#define SPILL_AT (-96)   /* 2 words for pointers */
#define LIMIT_AT (-104)  /* of a loop */
#define FOUND_AT (-112)  /* an element of a map */
#define RECORD_AT (-120)
#define CURSOR_AT (-128) /* of a loop over pointers */
#define FIXUPS_MAX 100

struct fixup {
    uint32_t slot, func;
};

struct generator {
    struct source *out;
    uint64_t state;
    struct bpf_decoded code[SOURCE_MAX];
    uint32_t count;
    struct fixup calls[FIXUPS_MAX]; /* slots that call or name functions */
    uint32_t ncalls;
    /* Of the function that is being written. */
    uint32_t func;
    enum belief reg[BPF_NREGS];
    bool written[WORDS]; /* by word, from r10 downwards */
    unsigned depth;      /* of statements */
    uint16_t pinned;     /* registers that are not to be overwritten, bit r */
    bool counting;       /* r8 is in use */
    uint32_t held;       /* bytes behind r7; 0: it holds no pointer */
    bool held_constant;  /* they are not to be written */
    bool record;         /* a record is open */
    uint32_t outs[64];   /* jumps to the function's end */
    uint32_t nouts;
};

/* What is believed at one place. */
struct beliefs {
    enum belief reg[BPF_NREGS];
    bool written[WORDS];
    uint32_t held;
    bool held_constant;
};

/* Memory that can be indexed. */
struct region {
    uint32_t size;
    bool constant;
    enum { REGION_CONTEXT, REGION_STACK, REGION_CONST, REGION_VAR, REGION_HELD } kind;
    int off; /* of its first byte, from the base */
};

/* --- generate.c */
uint32_t pick(struct generator *g, uint32_t n); /* 0 to n - 1 */
bool chance(struct generator *g, uint32_t percent);
int64_t constant(struct generator *g);
unsigned width(struct generator *g); /* 32 or 64 */
unsigned size(struct generator *g);  /* 1 to 8 bytes */

uint32_t emit(struct generator *g, struct bpf_decoded d);
void alu_imm(struct generator *g, enum bpf_op op, unsigned w, unsigned dst, int64_t imm);
void alu_reg(struct generator *g, enum bpf_op op, unsigned w, unsigned dst, unsigned src);
void memory(struct generator *g, enum bpf_op op, unsigned bytes, unsigned dst, unsigned src,
            int off, int64_t imm);
void lddw(struct generator *g, unsigned dst, enum bpf_pseudo pseudo, uint32_t index, int off);
void helper(struct generator *g, uint32_t id); /* and forgets r1 to r5 */
/* A jump whose target is set later by land(); src < 0: compares with imm. */
uint32_t jump(struct generator *g, enum bpf_op op, unsigned w, unsigned dst, int src, int64_t imm);
void land(struct generator *g, uint32_t from);
/* To the function's end, where r0 becomes 0. */
void jump_out(struct generator *g, enum bpf_op op, unsigned w, unsigned dst, int src, int64_t imm);
enum bpf_op random_condition(struct generator *g);

enum func_kind kind_of(const struct generator *g);
int number_register(struct generator *g); /* one that is believed to hold a number, or made to */
unsigned other_register(struct generator *g, unsigned not_this); /* may be any */
void set_number(struct generator *g, unsigned reg);
void set_unset(struct generator *g, unsigned reg);
struct beliefs believe(const struct generator *g);
void restore(struct generator *g, const struct beliefs *b);
void join(struct generator *g, const struct beliefs *b);               /* what holds in both */
void write_words(struct generator *g, unsigned first, unsigned count); /* numbers, if not yet */
void statements(struct generator *g, unsigned count);

/* --- generate_memory.c */
/* Bounds r to at most `most`, or nearly. The slot of a jump that goes where it is not, or UINT32_MAX. */
uint32_t bound(struct generator *g, unsigned r, uint32_t most);
struct region any_region(struct generator *g);
void region_base(struct generator *g, const struct region *r, unsigned p);
void access(struct generator *g, unsigned p, unsigned bytes, int off, bool read_only);
void do_load(struct generator *g);
void do_spill(struct generator *g);
void do_fill(struct generator *g);
void do_indexed(struct generator *g);
void do_pointers(struct generator *g);
void do_pointer_spill(struct generator *g);
void do_tables(struct generator *g);
void do_held(struct generator *g);

/* --- generate_loop.c */
void do_loop(struct generator *g);
void do_data_loop(struct generator *g);
void do_pointer_loop(struct generator *g);

/* --- generate_code.c */
void do_code(struct generator *g);
void do_compare(struct generator *g);

/* --- generate_helper.c */
void do_lookup(struct generator *g);
void do_two_lookups(struct generator *g);
void do_map(struct generator *g);
void do_record(struct generator *g);
void do_buffer(struct generator *g);
void do_small_helper(struct generator *g);
void do_call(struct generator *g);
void do_find(struct generator *g);
void do_callback(struct generator *g);
void do_tail_call(struct generator *g);
void do_timer(struct generator *g);
void begin_function(struct generator *g); /* what arguments become */
void find_element(struct generator *g);   /* r0 becomes its address or null */

#endif
