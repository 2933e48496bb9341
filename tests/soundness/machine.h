/* SPDX-License-Identifier: MIT */
/*
 * A machine that knows what its values are. It works on the decoded instructions and shares with the
 * verifier the tables only; maps and formatting are the runtime's. Where a program does something that a
 * verified one must not, it stops and says so.
 */
#ifndef SOUNDNESS_MACHINE_H
#define SOUNDNESS_MACHINE_H

#include "soundness/soundness.h"
#include "verifier/state.h"
#include "verifier/verifier.h"

struct word {
    enum { WORD_NONE, WORD_NUMBER, WORD_POINTER } kind;
    uint8_t object_kind; /* enum value_kind */
    uint32_t object;     /* as in struct value */
    uint32_t element; /* STACK: serial number of the frame. MAP_VALUE, MAP_KEY: offset in the map's
                            memory, or the iteration (KEY_OF_ARRAY). RECORD: its number */
    int64_t off;
    uint64_t n; /* what the program sees */
};

/* Element of a key that no map holds, but the helper that iterates over an array: plus its number. */
#define KEY_OF_ARRAY 0x80000000u

struct byte {
    uint8_t value;
    uint8_t index;    /* which byte of a pointer */
    uint16_t pointer; /* 0: a number; else a pointer that was stored, from 1 */
};

/* A helper that is calling back. */
struct iteration {
    enum { CALLED, LOOPS, WALKS, TIMED } kind; /* CALLED: by an instruction, TIMED: by a timer */
    uint32_t number;                           /* of this iteration */
    uint32_t runs, limit;                      /* runs that have begun; LOOPS: of how many */
    uint32_t map, cursor, key;                 /* WALKS */
    struct word context;
};

#define STACK_WORDS (VERIFY_STACK_MAX / 64)

struct call_frame {
    uint32_t func, back; /* back: slot behind the call */
    uint32_t serial;     /* no other frame has it */
    struct word saved[4];
    uint64_t init[STACK_WORDS];    /* by byte: it was written */
    uint64_t pointer[STACK_WORDS]; /* by byte: it is of a pointer */
    struct byte stack[VERIFY_STACK_MAX];
    struct iteration iteration;
};

struct record {
    uint32_t slot; /* that reserved it */
    uint32_t at;   /* in the map's memory */
    uint32_t size;
    bool open;
};

/* Of an element of a map. */
struct timer {
    uint32_t map, element; /* where its value lies in the map's memory */
    uint32_t func;
    bool set, started; /* it has a callback; it runs */
};

#define TIMERS_MAX 16
#define FIRED_MAX 8 /* callbacks in one run */
#define POINTERS_MAX 2048
#define RECORDS_MAX 256
#define MAP_MEMORY 1024 /* of one map */
#define CONTEXT_MAX 512

struct machine {
    const struct program *program;
    const struct verify_func *funcs; /* what the verifier says of stack; NULL: nothing */
    struct word reg[BPF_NREGS];
    uint32_t depth; /* frames in use */
    uint32_t slot;
    uint32_t entry; /* that runs */
    bool done;
    const char *fault; /* what it did wrong */
    bool too_deep;     /* deeper than `funcs` says */
    uint32_t serial, iterations, tail_calls, npointers, nrecords;
    uint64_t random;
    struct call_frame frame[VERIFY_FRAMES_MAX];
    struct record record[RECORDS_MAX];
    struct word pointers[POINTERS_MAX]; /* that were stored */
    struct timer timer[TIMERS_MAX];
    uint32_t ntimers, fired;
    _Alignas(8) uint8_t map[MAPS][MAP_MEMORY];
    uint8_t data[DATAS][DATA_BYTES];
    uint8_t context[CONTEXT_MAX];
};

/* --- machine.c */
void machine_start(struct machine *m, const struct program *p, uint64_t seed);
void machine_step(struct machine *m);
/* Whether a pointer leads to something that is still there. */
bool machine_alive(const struct machine *m, const struct word *w);
/* The same object, so that offsets tell order and distance. */
bool machine_same_object(const struct word *a, const struct word *b);
/* Stored bytes as one value; false if they are pieces of a pointer, or were never written. */
bool machine_stack_word(const struct machine *m, const struct call_frame *f, int off, unsigned size,
                        struct word *out);

/* --- inside the machine */
uint64_t machine_random(struct machine *m);
uint64_t machine_any_number(struct machine *m); /* boundary values and others */
void machine_fail(struct machine *m, const char *what);
struct word machine_number(uint64_t n);
struct word machine_pointer(enum value_kind kind, uint32_t object, uint32_t element, int64_t off);
void machine_enter(struct machine *m, uint32_t func, uint32_t back);
void machine_clobber(struct machine *m); /* r1 to r5 */
/* machine_memory.c */
struct word machine_load(struct machine *m, const struct word *p, int64_t off, unsigned size);
void machine_store(struct machine *m, const struct word *p, int64_t off, unsigned size,
                   struct word w);
/* Numbers that a helper reads or writes. */
bool machine_gather(struct machine *m, const struct word *p, uint8_t *out, uint32_t size);
void machine_scatter(struct machine *m, const struct word *p, const uint8_t *in, uint32_t size);
/* Whether a helper may write there. */
bool machine_writable(struct machine *m, const struct word *p, uint32_t size);
/* machine_helper.c */
void machine_helper(struct machine *m, uint32_t id);
/* A callback has returned in the frame that was the last one. */
void machine_next_run(struct machine *m, const struct call_frame *f);
void machine_init_maps(struct machine *m);
/* The callback of a timer that has run out begins; false if there is none. */
bool machine_fire(struct machine *m);

/* --- member.c */
/* NULL, or what of the machine's state is not in s, before the instruction at its slot. */
const char *not_member(const struct machine *m, const struct state *s);

#endif
