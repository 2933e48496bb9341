/* SPDX-License-Identifier: MIT */
/*
 * The bare machine: a Cortex-M4 that runs one program as the board would run it, without privilege
 * and behind three regions (architecture.md 8): the program (read, execute), the library (read,
 * execute) and the arena (read, write). Whatever the board would stop, stops the run with a status.
 * Every instruction is charged by the cycle model (cycles.h).
 *
 *     struct machine *m = machine_new();
 *     machine_set_library(m, image, size);
 *     machine_set_program(m, code, size);
 *     uint8_t *arena = machine_set_arena(m, 4096);
 *     machine_call(m, &(struct machine_call){.pc = MEMMAP_STORE, .sp = ...}, &result);
 *
 * One machine serves many programs: a new one costs 0.6 ms, another program some microseconds.
 * load.h runs blobs, native.h runs ARM ELF files; both are built on this.
 */
#ifndef EMULATOR_MACHINE_H
#define EMULATOR_MACHINE_H

#include "cycles.h"

#include "bpf/arena.h"
#include "bpf/error.h"
#include "bpf/library.h"
#include "bpf/memmap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Cycles of one call, unless machine_set_budget() says other; the board's 12 s. */
#define MACHINE_BUDGET 2000000000ull

struct machine;

struct machine *machine_new(void);
void machine_free(struct machine *m); /* null is allowed */

/* Each copies its bytes in and forgets what was there. `size` is what the program may touch. */
void machine_set_library(struct machine *m, const void *image, size_t size);
void machine_set_program(struct machine *m, const void *code, size_t size); /* at MEMMAP_STORE */
const void *machine_program(const struct machine *m); /* where it lies in the host */
/* The arena at MEMMAP_ARENA, zeroed; returns where it lies in the host. */
uint8_t *machine_set_arena(struct machine *m, size_t size);

/* Host address of guest memory that the program can read (write); null unless all of it can be. */
const void *machine_readable(const struct machine *m, uint32_t address, uint32_t size);
void *machine_writable(const struct machine *m, uint32_t address, uint32_t size);

/*
 * Called for a helper behind SVC. Returns BPF_OK with its result in *r0 and the cycles to charge in
 * *cycles, or BPF_FAULT_CALL when there is no such helper: that stops the program.
 */
typedef enum bpf_status machine_svc_fn(void *user, struct machine *m, uint32_t helper, uint64_t *r0,
                                       unsigned *cycles);
void machine_set_svc(struct machine *m, machine_svc_fn *fn, void *user);

/* Called before each instruction runs; null: no trace. */
typedef void machine_trace_fn(void *user, struct machine *m, uint32_t pc);
void machine_set_trace(struct machine *m, machine_trace_fn *fn, void *user);

void machine_set_budget(struct machine *m, uint64_t cycles);

/* The time that the next call starts at. Within a call it advances by the model's cycles. */
void machine_set_time(struct machine *m, uint64_t ns);
uint64_t machine_time(const struct machine *m);

/* While the program stands still (in a callback): r0 to r15, and word `i` of an AAPCS argument list;
 * false if that word lies on a stack that the program may not read. */
uint32_t machine_reg(struct machine *m, unsigned number);
bool machine_arg(struct machine *m, unsigned i, uint32_t *word);
/* What the call has cost so far. */
const struct cycles *machine_cycles(const struct machine *m);

struct machine_call {
    uint32_t pc, sp, lr; /* bit 0 of lr is the Thumb bit; pc is even */
    uint32_t r0, r1, r2, r9;
};

struct machine_result {
    enum bpf_status status;
    uint64_t r0;          /* valid if status is BPF_OK */
    struct cycles cycles; /* up to the end or the fault */
    uint32_t stack_used;  /* bytes below the sp of the call */
    /* The fault. */
    uint32_t pc; /* instruction that faulted, or that jumped there */
    uint32_t
        program_pc; /* the last instruction of the program itself: pc, or its call of the library */
    uint32_t address;   /* what it accessed or where it jumped */
    bool has_address;   /* whether `address` says anything */
    const char *detail; /* more than the status can say; "" if nothing */
    bool has_slot;      /* the library's interpreter stopped at this slot of the bytecode */
    uint32_t slot;
};

/* Runs until the program leaves by LIBRARY_SVC_EXIT, faults, or has used up the budget. */
void machine_call(struct machine *m, const struct machine_call *call,
                  struct machine_result *result);

#endif
