/* SPDX-License-Identifier: MIT */
/*
 * What the value-following part of the verifier shares: the program with its control flow, the transfer
 * functions (what does an instruction change?), the checks (may it run?), and the two analyses that use
 * both, the fixpoint over all paths at once and the exploration of single paths.
 *
 * Transfer and check are separate, so that each can be reviewed alone. A transfer function relies on no
 * check: where a check has failed it still describes every execution that gets past the instruction.
 */
#ifndef VERIFIER_ANALYSIS_H
#define VERIFIER_ANALYSIS_H

#include "bpf/helper.h"
#include "program/hook.h"
#include "util/vec.h"
#include "verifier/cfg.h"
#include "verifier/state.h"

struct verifier;

/* Offsets of pointers beyond this are never compared, so that an address order is an offset order. */
#define POINTER_OFFSET_MAX 65536

/* Read-only tables are read element by element up to this many elements. */
#define TABLE_ELEMENTS_MAX 1024

struct analysis {
    const struct program *program;
    struct verifier *verifier; /* for errors and options */
    struct verify_result *result;
    struct arena *arena;
    struct state_pool *pool;
    struct cfg *cfgs;              /* by function */
    struct thresholds *thresholds; /* by function */
    struct loop_shape **shapes;    /* by function: by loop (rank.h) */
    const uint16_t *live_args;     /* by function: of r1 to r5, what it reads */
    int *lowest;                   /* by function: lowest offset from r10 in use (depth.c) */
    struct bitset *wild;           /* calls of what even the fixpoint does not know */
    uint64_t budget;               /* most instructions that paths may be explored for */
};

/* What is wrong with an instruction. Texts live on the analysis' arena. */
struct problem {
    enum diag_category category;
    uint32_t slot;
    const char *text; /* a sentence in the user's terms */
    const char *mend;
};

/* --- transfer.c: straight-line instructions: arithmetic, moves, memory, lddw */
void transfer_insn(const struct analysis *a, struct state *s, uint32_t slot);
/* A conditional jump that is taken or not: what that teaches. False: it cannot be. */
bool transfer_branch(const struct analysis *a, struct state *s, uint32_t slot, bool taken);
/* A write of a number, or perhaps of a pointer, to where nobody knows. */
void transfer_write_anywhere(const struct analysis *a, struct state *s, bool number);
/* --- transfer_helper.c: the call of a helper but for what its callback does: r0, memory it writes,
 * records, r1 to r5 */
void transfer_helper(const struct analysis *a, struct state *s, uint32_t slot, uint32_t id);

/* --- check.c. Each is quiet, and quicker, if `problem` is NULL. */
/* Straight-line instructions and jumps. False: it may not run, *problem says why. */
bool check_insn(const struct analysis *a, const struct state *s, uint32_t slot,
                struct problem *problem);
/* The end of a program (s has one frame), or of a sub-program. */
bool check_exit(const struct analysis *a, const struct state *s, uint32_t slot,
                struct problem *problem);
/* A call through a register. */
bool check_callx(const struct analysis *a, const struct state *s, uint32_t slot,
                 struct problem *problem);
/* The state in which a callback returns to the helper called at slot. */
bool check_callback_result(const struct analysis *a, const struct state *s, uint32_t slot,
                           struct problem *problem);
/* --- check_helper.c: the call of a helper by id, its arguments in r1 to r5; of an id that there is not: false */
bool check_helper(const struct analysis *a, const struct state *s, uint32_t slot, uint32_t id,
                  struct problem *problem);
/* --- check_memory.c: an access of up to `size` bytes at pointer + off */
struct access {
    const struct value *pointer;
    int64_t off;
    uint64_t size; /* bytes, the most that may be touched */
    bool write;
    bool atomic;
    bool uninit_ok;  /* a helper writes all of it */
    const char *who; /* "the key of bpf_map_lookup_elem()"; NULL: the instruction itself */
};
bool check_access(const struct analysis *a, const struct state *s, uint32_t slot,
                  const struct access *access, struct problem *problem);

/* --- objects.c: what lies behind pointers */
/* Bytes of the object that v points into. */
uint64_t object_size(const struct analysis *a, const struct value *v);
/* "map config", "the stack of main", "the context": for messages. */
const char *object_name(const struct analysis *a, const struct state *s, const struct value *v);
/* The value of a load of `size` bytes (zero-extended) of the object, at pointer + off. Not the stack. */
struct value object_load(const struct analysis *a, const struct value *pointer, int64_t off,
                         unsigned size);
/* The offset that an access has, pointer offset plus off, as signed bounds; false if it may be beyond
 * +-2^31. */
bool object_range(const struct value *pointer, int64_t off, int64_t *low, int64_t *high);
/* Whether a pointer's offset is within POINTER_OFFSET_MAX, so that it may be compared. */
bool object_is_near(const struct value *pointer);
/* Whether these bytes of a data section, which are inside it, had a part of a pointer in them at the start. */
bool object_has_pointer(const struct analysis *a, uint32_t data, int64_t low, uint64_t size);
/* All functions that a code pointer may be of. */
void taken_functions(const struct analysis *a, void (*visit)(void *arg, uint32_t func), void *arg);
/* Functions that a code pointer may be of: calls visit for each; false if an element of its table is
 * none. */
bool object_functions(const struct analysis *a, const struct value *v,
                      void (*visit)(void *arg, uint32_t func), void *arg);

/* --- problem.c */
/* Fills *problem if it is not NULL; always false. */
bool problem_set(const struct analysis *a, struct problem *problem, enum diag_category category,
                 uint32_t slot, const char *mend, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* `return PROBLEM(c, category, mend, format, ...);` where a check of check*.c fails: c is its struct
 * checking. */
#define PROBLEM(c, category, mend, ...)                                                            \
    problem_set((c)->a, (c)->problem, (category), (c)->slot, (mend), __VA_ARGS__)
/* The expression of the source that an instruction belongs to, "data[i]", or NULL. */
const char *problem_expression(const struct analysis *a, uint32_t slot);
/* The index in its last brackets, "i", or NULL. */
const char *problem_index(const struct analysis *a, uint32_t slot);

#endif
