/* SPDX-License-Identifier: MIT */
/*
 * The ways to run a bare program: the interpreter on this machine, its Cortex-M4 build in the
 * emulator, and compiled code in the emulator. All take the same path as `bpf2thumb compile
 * --unverified` and `bpf2thumb run`: program, blob, loader.
 */
#ifndef CONFORMANCE_ENGINE_H
#define CONFORMANCE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/insn.h"
#include "util/arena.h"
#include "util/diag.h"

enum engine_kind { ENGINE_NATIVE, ENGINE_INTERP, ENGINE_THUMB };

struct engine {
    enum engine_kind kind;
    char level; /* of optimisation, for ENGINE_THUMB: '0', '1', '2' or 's' */
    const char *name;
};

/* All of them, in the order of the table that --suite prints. */
extern const struct engine engines[];
extern const size_t engine_count;

#define ENGINE_MEM_SIZE 4096 /* memory of a program of type raw (architecture.md 5) */

/* A program and its memory. */
struct engine_input {
    const char *name; /* for messages */
    const struct bpf_insn *insns;
    uint32_t count;
    const uint8_t *elf; /* instead of insns: an object file; its first program is run */
    size_t elf_size;
    const uint8_t *mem; /* r1 points to a copy, r2 is mem_len; without memory both are 0 */
    uint32_t mem_len;
    uint32_t mem_size; /* zero-padded to this */
};

/* What serves many runs: an emulator costs more to set up than most programs to run. */
struct engine_session;
struct engine_session *engine_session_new(void);
void engine_session_free(struct engine_session *session);

/* Runs a program to its end. False after an error message when it is refused or stopped. */
bool engine_run(struct engine_session *session, const struct engine *engine, struct arena *arena,
                const struct engine_input *input, uint64_t *r0, struct diag *diag);

#endif
