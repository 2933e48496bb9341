/* SPDX-License-Identifier: MIT */
/*
 * The linked program: what the ELF reader makes and every later stage reads. All functions of the
 * object stand one after another in one instruction array; relocations are resolved to table
 * indices, so that nothing below knows ELF. Owned by the arena it was made in; immutable after the
 * reader (or program_from_insns) is done.
 */
#ifndef PROGRAM_PROGRAM_H
#define PROGRAM_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/hook.h"
#include "bpf/insn.h"
#include "util/arena.h"
#include "util/diag.h"

/* A function: program entry, sub-program or callback. */
struct prog_func {
    const char *name;
    const char *section; /* ELF section it came from */
    uint32_t start, len; /* slots in insns */
    int32_t entry;       /* index into entries, or -1 for a sub-program */
    bool address_taken;  /* target of a pseudo FUNC lddw or of a relocation in data */
    uint32_t elf_insn;   /* index of its first instruction in its ELF section, for messages */
};

/* An entry point: a function with a hook. */
struct prog_entry {
    const char *name;
    const char *section; /* SEC() as written, e.g. "timer/10ms" */
    uint32_t func;
    enum bpf_hook hook;
    uint32_t ctx_size; /* bytes that r1 points to; raw: --mem-size */
};

/* A number inside a key or value. */
struct prog_field {
    const char *name; /* "kp", "limits[1].high"; "" if the whole is the number */
    uint32_t offset, size;
    bool is_signed;
};

struct prog_fields {
    const struct prog_field *items;
    uint32_t count; /* 0: no types, or not made of numbers only */
};

struct prog_map {
    const char *name;
    uint32_t type, key_size, value_size, max_entries, map_flags; /* type: enum bpf_map_type */
    uint32_t bytes;                                              /* bpf_map_bytes() of it */
    uint64_t btf_hash;                           /* of key and value types; 0: no types */
    bool has_timer;                              /* each value has a struct bpf_timer */
    uint32_t timer_off;                          /* where; only with has_timer */
    struct prog_fields key_fields, value_fields; /* for people */
};

struct prog_data {
    const char *name;     /* ELF section name */
    const uint8_t *image; /* NULL: zeros */
    uint32_t size, align; /* bytes */
    bool writable;        /* .data, .bss; not .rodata */
    bool relocated;       /* some prog_reloc writes into it: it cannot stay in flash */
};

enum prog_reloc_kind { PROG_RELOC_DATA, PROG_RELOC_MAP, PROG_RELOC_FUNC, PROG_RELOC_PROG };

/* An 8-byte pointer inside a data section (or, for PROG, a prog_array's slot). */
struct prog_reloc {
    enum prog_reloc_kind kind;
    uint32_t data, off; /* place: data section and byte offset. PROG: map index and array index */
    uint32_t target;    /* data section, map, function or entry */
    int32_t addend;     /* DATA: offset in the target */
};

/* Line table row: holds from insn up to the next row's. Sorted by insn. */
struct prog_line {
    uint32_t insn; /* slot in insns */
    uint32_t line, column;
    const char *file;
    const char *text; /* the source line, "" if unknown */
};

struct program {
    struct arena *arena;
    const char *file;            /* object file name, for messages */
    struct bpf_insn *insns;      /* pseudo lddw hold table indices (enum bpf_pseudo) */
    struct bpf_decoded *decoded; /* decoded[i] of insns[i]; len 0 for the second half of an lddw */
    uint32_t ninsns;
    struct prog_func *funcs; /* sorted by start, covering insns without gaps */
    uint32_t nfuncs;
    struct prog_entry *entries;
    uint32_t nentries;
    struct prog_map *maps;
    uint32_t nmaps;
    struct prog_data *datas;
    uint32_t ndatas;
    struct prog_reloc *relocs;
    uint32_t nrelocs;
    struct prog_line *lines;
    uint32_t nlines;
    const char *license; /* accepted, gates nothing; NULL if absent */
};

/* Function that holds a slot; never NULL for slot < ninsns. */
const struct prog_func *program_func_at(const struct program *p, uint32_t slot);
/* Index of the function that a direct call (BPF_CALL_LOCAL) at a slot calls. */
uint32_t program_callee(const struct program *p, uint32_t slot);
/* Line row of a slot, or NULL. */
const struct prog_line *program_line_at(const struct program *p, uint32_t slot);
/* Fills a message location for a slot: section, instruction, source file, line, column, text. */
void program_loc(const struct program *p, uint32_t slot, struct diag_loc *loc);

/* Decodes every instruction into p->decoded; reports what cannot be decoded, with its name where it
 * is a refused one. To be called once insns is final. */
bool program_decode(struct program *p, struct diag *diag);

/* A program of type raw from bare instructions (conformance, tests, fuzzing): one entry at slot 0;
 * functions start at 0 and at each local-call or FUNC target. FUNC immediates are slots on input
 * and function indices in the result. */
struct program *program_from_insns(struct arena *arena, const char *name,
                                   const struct bpf_insn *insns, uint32_t count, uint32_t mem_size,
                                   struct diag *diag);

#endif
