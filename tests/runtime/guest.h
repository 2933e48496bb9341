/* SPDX-License-Identifier: MIT */
/*
 * Blobs for tests of the runtime: compiled from assembler text, with maps, data and several entries;
 * then, where a test wants what the compiler never writes, patched and sealed anew.
 */
#ifndef TESTS_RUNTIME_GUEST_H
#define TESTS_RUNTIME_GUEST_H

#include "bpf/host.h"
#include "compile.h"
#include "program/program.h"
#include "util/arena.h"

struct guest_spec {
    const char *text; /* asm/asm.h; maps and data by number: lddw %r1, map 0 */
    const struct prog_map *maps;
    uint32_t nmaps;
    const struct prog_data *datas;
    uint32_t ndatas;
    const struct prog_reloc *relocs;
    uint32_t nrelocs;
    const uint32_t
        *entries; /* functions, by number, that are programs; NULL: the first one alone */
    uint32_t nentries;
    uint32_t mem_size;
};

struct guest {
    struct arena *arena;
    struct diag *diag;
    struct program *prog;
    struct compile_result compiled;
    struct bpf_host *host; /* NULL until guest_start() */
};

/* Assembles and compiles, with bytecode; a failure is a failure of the test, which is aborted. */
struct guest *guest_new(const struct guest_spec *spec, const struct compile_options *options);
void guest_free(struct guest *g); /* NULL is allowed */

/* The blob's header, and its bytecode, to be changed. */
struct blob_header *guest_header(struct guest *g);
struct bpf_insn *guest_bytecode(struct guest *g);
/* Puts the assembled text over the bytecode from slot `at` on. */
void guest_patch(struct guest *g, uint32_t at, const char *text);

/* Makes the CRC right again. */
void guest_seal(uint8_t *blob, uint32_t size);

/* (Re)starts the interpreter with the blob as it is now, sealed; the status of bpf_host_new(). */
enum bpf_status guest_start(struct guest *g);
/* A map in the running interpreter's arena. */
struct bpf_map *guest_map(const struct guest *g, uint32_t index);

#endif
