/* SPDX-License-Identifier: MIT */
/*
 * The abstract state of the verifier: what is known of every register and of every byte of stack before
 * one instruction. Fixpoint and path exploration work on the same states with the same operations.
 *
 * A value is a number or a pointer into an object. Two more things are kept of it:
 *
 *   identity   Values of the same `base` (not 0) differ by constants: value i is base + delta[i]. So
 *              what a branch says about one of them is learnt for all. A `width` of 32 says so of the
 *              low 32 bits only. Of a pointer it is the offset that is meant. A constant belongs to no
 *              base: it stands for itself, and joins treat all constants as one base. Copies of a
 *              pointer that may be null share a base with delta 0: testing one of them tests all.
 *   nullable   The value is 0 or the pointer. No arithmetic is allowed on such a value.
 *
 * Stack memory is kept by byte (initialised or not) and by cell: a cell is a place of 1, 2, 4 or 8 bytes
 * whose value is known as a whole; cells do not overlap. What is not readable (never written, the rest of
 * a pointer that was partly overwritten, different kinds on different paths) is VALUE_NONE in registers and
 * an uninitialised byte on the stack; VALUE_NONE is the top of the lattice.
 *
 * Bases are numbered afresh in each state (state_tidy()), so that equal states are equal bit by bit.
 */
#ifndef VERIFIER_STATE_H
#define VERIFIER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/insn.h"
#include "util/arena.h"
#include "verifier/scalar.h"
#include "verifier/verifier.h"

enum value_kind {
    VALUE_NONE,
    VALUE_SCALAR,
    VALUE_CTX,       /* the program's context, or a raw program's memory */
    VALUE_STACK,     /* object = index into frames; offsets are from its r10, so negative */
    VALUE_MAP,       /* a map itself; object = map index */
    VALUE_MAP_VALUE, /* a value in map `object` */
    VALUE_MAP_KEY,   /* a key in map `object`, read-only: what for_each hands to its callback */
    VALUE_RECORD, /* a ring buffer record of `size` bytes; object = slot of the call that reserved it */
    VALUE_DATA,     /* data section `object` */
    VALUE_FUNC,     /* code pointer of function `object` */
    VALUE_FUNC_OF,  /* code pointer out of a read-only table: data section `object`, at offset n */
    VALUE_FUNC_ANY, /* code pointer of one of the functions whose address is taken */
};

/* Why a value cannot be read: for messages only; all are equal in the lattice. */
enum none_reason {
    NONE_UNWRITTEN, /* never assigned */
    NONE_CALL,      /* r1 to r5 after a call */
    NONE_MIXED,     /* a pointer on one path and something else on another */
    NONE_RELEASED,  /* a record that was submitted or discarded */
    NONE_FRAME,     /* points into the frame of a function that has returned */
    NONE_POINTER,   /* arithmetic that no pointer survives */
    NONE_CALLBACK,  /* a key that a helper gave to its callback, which has returned */
};

struct value {
    uint8_t kind; /* enum value_kind */
    bool nullable;
    uint8_t width;   /* of the relation to its base: 64 or 32; 0 without a base */
    uint8_t reason;  /* VALUE_NONE: enum none_reason */
    bool owner;      /* a nullable VALUE_RECORD: it is null if and only if the record is not open */
    uint32_t object; /* see enum value_kind */
    uint32_t size; /* VALUE_RECORD: bytes. VALUE_MAP_VALUE: slot + 1 of the look-up that found this
                        very element last, 0: any element. Equal ones not 0 are one element */
    uint32_t base; /* 0: none */
    int64_t delta;
    struct scalar n; /* the number, or the pointer's offset from the start of its object */
};

struct cell {
    int16_t off;    /* of its first byte, from r10: -512 to -1 */
    uint8_t size;   /* 1, 2, 4, 8 */
    struct value v; /* below 8 bytes: a number that is zero-extended */
};

/* What made the first frame, in place of a call's slot. */
#define STATE_CALL_ENTRY UINT32_MAX       /* the hook of a program */
#define STATE_CALL_TIMER (UINT32_MAX - 1) /* a timer, which calls back */

/* The frame of one function. Shared between states; cloned before a write unless refs is 1. */
struct frame {
    uint32_t refs;
    uint32_t func;                        /* whose it is */
    uint32_t call;                        /* slot of the call that made it, or STATE_CALL_... */
    struct value saved[4];                /* r6 to r9 of the caller */
    uint64_t init[VERIFY_STACK_MAX / 64]; /* bit i: byte i - 512 from r10 is initialised */
    int16_t
        lost_key; /* for messages only: where a key was that a helper gave to its callback; 0: nowhere */
    uint32_t ncells, room;
    struct cell *cells; /* by offset */
};

/* The last comparison of two registers that was decided, as long as both keep their values: the same test has the
 * same outcome. Paths that compilers test twice for one condition are told apart by it. */
struct compared {
    uint8_t op; /* enum bpf_op, a JSET apart: it holds for dst and src */
    uint8_t dst, src;
    uint8_t width; /* 0: there is none */
};

#define STATE_RECORDS_MAX 8
#define STATE_RECORD_LOST                                                                          \
    UINT32_MAX /* open, and nothing gives it back: more than there is room for came together */

struct state {
    struct value reg[BPF_NREGS];
    uint32_t nframes;                       /* the last one is the running function's */
    struct frame *frame[VERIFY_FRAMES_MAX]; /* NULL: out of reach of the function analysed */
    uint32_t written; /* bit i: frame i may have been written to since the running function began */
    /* Ring buffer records that may be open: slots of their reservations, ascending. */
    uint32_t nrecords;
    uint32_t record[STATE_RECORDS_MAX];
    uint32_t next_base; /* greater than every base in use */
    struct compared compared;
};

/* Memory of states: freed ones are used again. One for each analysis. */
struct state_pool;
struct state_pool *state_pool_new(struct arena *arena);
uint64_t state_pool_used(const struct state_pool *pool); /* bytes in states that are not free */
/* Work on states, so that it ends in seconds whatever the program is: in units of about an instruction's transfer.
 * When VERIFY_WORK is spent, analyses stop where they are, and what they have is worth nothing: verify_values()
 * refuses the program. */
void state_pool_charge(struct state_pool *pool, uint64_t units);
bool state_pool_spent(const struct state_pool *pool);
uint64_t state_pool_work(const struct state_pool *pool); /* what was charged */

/* --- values (value.c) */
struct value value_none(enum none_reason reason);
struct value value_scalar(struct scalar n);
struct value value_const(uint64_t v);
/* A pointer to the start of an object. */
struct value value_pointer(enum value_kind kind, uint32_t object);
static inline bool value_is_pointer(const struct value *v) {
    return v->kind >= VALUE_CTX;
}
/* A code pointer. */
static inline bool value_is_code(const struct value *v) {
    return v->kind == VALUE_FUNC || v->kind == VALUE_FUNC_OF || v->kind == VALUE_FUNC_ANY;
}
/* Pointers into one piece of memory, so that their offsets tell their order and distance. */
bool value_same_object(const struct value *a, const struct value *b);
/* Forgets what v is related to. */
static inline void value_unrelate(struct value *v) {
    v->base = 0;
    v->width = 0;
    v->delta = 0;
}
/* 0 and nothing else. */
bool value_is_null(const struct value *v);
/* The same set of values, relations left aside. */
bool value_equal(const struct value *a, const struct value *b);
bool value_subset(const struct value *a, const struct value *b);
/* The least value that covers both, without relation; with thresholds: b widens a. */
struct value value_join(const struct value *a, const struct value *b,
                        const struct thresholds *widen);

/* --- states (state.c) */
/* The state before the first instruction of a function that nothing is known of: r10 and one frame. */
struct state *state_new(struct state_pool *pool, uint32_t func);
struct state *state_copy(struct state_pool *pool, const struct state *s);
void state_free(struct state_pool *pool, struct state *s); /* NULL is allowed */
/* Forgets the comparison if it is of a register in `regs` (bit r). */
void state_forget_comparison(struct state *s, uint16_t regs);
/* Drops registers that are not in `live` (bit r) and numbers bases afresh. */
void state_tidy(struct state_pool *pool, struct state *s, uint16_t live);
/* *into covers both afterwards; with thresholds, by widening *into. False if it covered s already. */
bool state_join(struct state_pool *pool, struct state *into, const struct state *s,
                const struct thresholds *widen);
/* Whether two entry states have the same frames in reach, of the same functions, so that they can be compared
 * and joined, and what is written to them is known to be whose. */
bool state_same_frames(const struct state *a, const struct state *b);
/* Everything that a stands for, b stands for, too. Both are tidy, and as many frames deep. */
bool state_subset(const struct state *a, const struct state *b);

/* A function is entered by the call at `slot` (r1 to r5 are its arguments), or left (r0 is its result). */
void state_enter(struct state_pool *pool, struct state *s, uint32_t func, uint32_t slot);
void state_leave(struct state_pool *pool, struct state *s);

/* Calls visit for each value, in registers and cells, that has this base. */
void state_each(struct state_pool *pool, struct state *s, uint32_t base,
                void (*visit)(void *arg, struct value *v), void *arg);
/* Every copy of the record reserved at `slot` becomes unreadable, and the record is no longer open. */
void state_release_record(struct state_pool *pool, struct state *s, uint32_t slot);
/* A look-up at `slot` finds perhaps another element than it did before. */
void state_forget_lookup(struct state_pool *pool, struct state *s, uint32_t slot);
/* The record reserved at `slot` has turned out not to exist: the reservation failed. Every copy of the pointer is
 * null, related or not: one that stayed would be taken for the next record of the same place. */
void state_release_null_record(struct state_pool *pool, struct state *s, uint32_t slot);
/* One of the open records may have been given back, nobody knows which. */
void state_doubt_records(struct state_pool *pool, struct state *s);
/* Pointers to keys of a map become unreadable: what for_each gave to its callback is gone. */
void state_lose_keys(struct state_pool *pool, struct state *s, uint32_t map);
/* The record reserved at `slot` is open from here on. */
void state_open_record(struct state *s, uint32_t slot);
bool state_has_record(const struct state *s, uint32_t slot);

/* Cells in frames that the two do not share: what makes it slow to compare or join them. */
uint32_t state_unshared_cells(const struct state *a, const struct state *b);
/* Exchanges two states. */
void state_swap(struct state *a, struct state *b);
/* Frame `index` goes out of reach. */
void state_drop_frame(struct state_pool *pool, struct state *s, uint32_t index);
/* Frame `index` of s becomes f, which other states may have as well. */
void state_share_frame(struct state_pool *pool, struct state *s, uint32_t index, struct frame *f);

/* --- relations (relate.c) */
/* Gives *v a base, if it has none and is worth one: a number or offset that is not constant, or a
 * nullable pointer. */
void state_give_base(struct state *s, struct value *v);
/* What is now known of *v (one of the state's values) is learnt by all that share its base. False: no
 * such state exists. */
bool state_learn(struct state_pool *pool, struct state *s, const struct value *v);
/* A nullable pointer, of which *v is a copy, has turned out to be null or not. */
void state_learn_null(struct state_pool *pool, struct state *s, const struct value *v, bool null);

/* --- stack memory (stack.c); offsets from r10 of the frame */
/* Whether all of these bytes are. */
bool stack_is_init(const struct frame *f, int off, int size);
/* Whether a pointer, whole or in part, lies in these bytes. */
bool stack_has_pointer(const struct frame *f, int off, int size);
/* The bytes as one value; they are initialised. A piece of a pointer is VALUE_NONE. The cell's value
 * has its relation. */
struct value stack_read(const struct frame *f, int off, int size);
/* The frame `index` of s, cloned if others share it. */
struct frame *state_own_frame(struct state_pool *pool, struct state *s, uint32_t index);
/* The same, for a write by the program. */
struct frame *state_write_frame(struct state_pool *pool, struct state *s, uint32_t index);
/* The bytes become *v: a number of `size` bytes, or, of 8 bytes, any value; unreadable if that is NONE. f has no
 * other owner (state_own_frame(), state_write_frame()). */
void stack_write(struct state_pool *pool, struct frame *f, int off, int size,
                 const struct value *v);
/* The bytes become unreadable. */
void stack_poison(struct state_pool *pool, struct frame *f, int off, int size);
/* Some bytes in [off, off + size) get unknown numbers: all of them (strong: they are then initialised), or
 * perhaps some (weak). Pointers in there are lost. */
void stack_clobber(struct state_pool *pool, struct frame *f, int off, int size, bool strong);

/* --- text (state_print.c): registers and cells in one line each, for --log and tests */
void state_print(const struct state *s, const struct program *p, FILE *out);

#endif
