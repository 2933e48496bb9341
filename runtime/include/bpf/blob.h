/* SPDX-License-Identifier: MIT */
/*
 * The blob: what the compiler hands to the board. docs/blob.md describes it for readers; this
 * header fixes it for both sides. All fields are little-endian and naturally aligned; offsets count
 * bytes from the start of the blob unless a comment says otherwise. A blob is position independent
 * and is never patched: what depends on addresses lives in the arena, built from the tables.
 *
 * One object file = one blob = one domain: its programs share one arena.
 */
#ifndef BPF_BLOB_H
#define BPF_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/error.h"
#include "bpf/insn.h"

#define BLOB_MAGIC 0x31543242u /* "B2T1" */
#define BLOB_ABI 1             /* compiled code's contract with library and arena */
#define BLOB_NONE 0xffffffffu  /* "no such thing" in an offset or index field */
#define BLOB_MAX_SIZE 0x00020000u

enum blob_flags {
    BLOB_VERIFIED = 1u << 0, /* the full verifier accepted it; a claim that grants nothing */
    BLOB_THUMB = 1u << 1,    /* has compiled code */
    BLOB_BYTECODE = 1u << 2, /* has bytecode */
};

/* A table of `count` rows at `off`; for code, bytes and bytecode slots are counted. */
struct blob_span {
    uint32_t off, count;
};

struct blob_header {
    uint32_t magic;
    uint16_t abi;
    uint16_t header_size;      /* sizeof(struct blob_header) */
    uint32_t size;             /* of the whole blob; a multiple of 8 */
    uint32_t crc;              /* CRC-32 (zlib's) of the whole blob with this field 0 */
    uint64_t id;               /* hash of everything else: the key of the host's line tables */
    uint32_t flags;            /* enum blob_flags */
    uint32_t arena_size;       /* from r9 to the end: head, slots, data, maps, context copy */
    uint32_t stack_thumb;      /* worst stack below r9 in bytes, each engine, helpers' and */
    uint32_t stack_interp;     /* an exception frame included; multiples of 8 */
    uint32_t ctx_off;          /* context copy, offset from r9, 8-aligned */
    uint32_t ctx_size;         /* room for it: the largest context of the programs */
    struct blob_span programs; /* struct blob_program */
    struct blob_span funcs;    /* struct blob_func */
    struct blob_span maps;     /* struct blob_map */
    struct blob_span datas;    /* struct blob_data */
    struct blob_span relocs;   /* struct blob_reloc */
    struct blob_span helpers;  /* uint32_t ids: slot i of the arena holds helper i's entry */
    struct blob_span ranges;   /* struct blob_range, sorted, covering all of code */
    struct blob_span strings;  /* bytes: NUL-terminated strings, first one empty */
    struct blob_span code;     /* bytes, 4-aligned: Thumb-2 code and read-only data */
    struct blob_span bytecode; /* struct bpf_insn; pseudo lddw hold table indices */
};

/* A program: an entry point with a hook. */
struct blob_program {
    uint32_t name;                      /* string: offset into strings */
    uint32_t section;                   /* string: SEC() as written */
    uint32_t func;                      /* index into funcs */
    uint32_t entry;                     /* Thumb-2 entry, offset into code, or BLOB_NONE */
    uint16_t hook;                      /* enum bpf_hook */
    uint16_t flags;                     /* 0 */
    uint32_t ctx_size;                  /* bytes that r1 points to */
    uint32_t stack_thumb, stack_interp; /* of this program alone, as in the header */
    uint32_t stack_bpf;                 /* eBPF stack of its chain of calls, part of stack_interp */
    uint32_t wcet;                      /* cycles, model R; 0: unknown */
};

/* A function of the linked program, in the order of the bytecode. */
struct blob_func {
    uint32_t name;  /* string */
    uint32_t entry; /* address-taken: canonical entry (five word pairs, AAPCS), offset into code;
                            else BLOB_NONE */
    uint32_t code, code_size; /* its Thumb-2 code, bytes into code; BLOB_NONE, 0 without */
    uint32_t start, len;      /* slots in the bytecode */
    uint32_t stack;           /* bytes of eBPF stack below r10, a multiple of 8, at most 512 */
};

struct blob_map {
    uint32_t name;      /* string */
    uint32_t off, size; /* header and contents in the arena, offset from r9, 8-aligned */
    uint32_t type;      /* enum bpf_map_type */
    uint32_t key_size, value_size, max_entries, map_flags;
    uint64_t btf_hash; /* of the key's and value's types; 0 without */
};

enum blob_data_flags { BLOB_DATA_ARENA = 1, BLOB_DATA_WRITABLE = 2 };

/* A data section. Read-only data without relocations stays in code; the rest is copied to the arena. */
struct blob_data {
    uint32_t name;  /* string */
    uint32_t flags; /* enum blob_data_flags */
    uint32_t size;  /* bytes */
    uint32_t image; /* offset into the blob, or BLOB_NONE: zeros (.bss) */
    uint32_t off;   /* ARENA: offset from r9; else equal to image */
};

enum blob_reloc_kind {
    BLOB_RELOC_DATA, /* address of data section `target` plus addend */
    BLOB_RELOC_MAP,  /* address of map `target` */
    BLOB_RELOC_FUNC, /* code pointer of function `target` (its canonical entry) */
    BLOB_RELOC_PROG, /* prog_array value: index of program `target` plus 1 (0 = empty) */
};

/* A word that instantiation writes into the arena, at r9 + off: 8 bytes for DATA, MAP and FUNC (an
 * eBPF pointer), 4 for PROG. */
struct blob_reloc {
    uint32_t off;
    uint32_t kind; /* enum blob_reloc_kind */
    uint32_t target;
    int32_t addend;
};

enum blob_range_kind { BLOB_RANGE_CODE, BLOB_RANGE_DATA };
struct blob_range {
    uint32_t off, size; /* bytes, offset into code */
    uint32_t kind;      /* enum blob_range_kind */
};

_Static_assert(sizeof(struct blob_header) == 128, "wire format");
_Static_assert(sizeof(struct blob_program) == 40, "wire format");
_Static_assert(sizeof(struct blob_func) == 28, "wire format");
_Static_assert(sizeof(struct blob_map) == 40, "wire format");
_Static_assert(sizeof(struct blob_data) == 20, "wire format");
_Static_assert(sizeof(struct blob_reloc) == 16, "wire format");
_Static_assert(sizeof(struct blob_range) == 12, "wire format");

/* A checked blob: pointers into it. Filled by blob_parse(), valid while `base` is. */
struct blob {
    const uint8_t *base; /* 8-aligned */
    const struct blob_header *header;
    const struct blob_program *programs;
    const struct blob_func *funcs;
    const struct blob_map *maps;
    const struct blob_data *datas;
    const struct blob_reloc *relocs;
    const uint32_t *helpers;
    const struct blob_range *ranges;
    const char *strings;
    const uint8_t *code;
    const struct bpf_insn *bytecode;
};

/* Checks everything that instantiation and execution rely on: CRC, sizes, every table and index in
 * bounds, alignment, arena layout without overlap. Returns BPF_OK or the first status that applies
 * (error.def); *where is then the offset of the offending field. Reads only data[0..size). */
enum bpf_status blob_parse(const void *data, size_t size, struct blob *out, uint32_t *where);
/* The same of a blob that blob_parse() has accepted, without another look. */
static inline struct blob blob_tables(const struct blob_header *checked) {
    const uint8_t *base = (const uint8_t *)checked;
    const struct blob_header *h = checked;
    return (struct blob){
        .base = base,
        .header = h,
        .programs = (const struct blob_program *)(const void *)(base + h->programs.off),
        .funcs = (const struct blob_func *)(const void *)(base + h->funcs.off),
        .maps = (const struct blob_map *)(const void *)(base + h->maps.off),
        .datas = (const struct blob_data *)(const void *)(base + h->datas.off),
        .relocs = (const struct blob_reloc *)(const void *)(base + h->relocs.off),
        .helpers = (const uint32_t *)(const void *)(base + h->helpers.off),
        .ranges = (const struct blob_range *)(const void *)(base + h->ranges.off),
        .strings = (const char *)(base + h->strings.off),
        .code = base + h->code.off,
        .bytecode = (const struct bpf_insn *)(const void *)(base + h->bytecode.off),
    };
}
uint32_t bpf_crc32(uint32_t crc, const void *data, size_t size);

/* Compiled code that this ABI can run. A blob of another ABI has bytecode, or blob_parse() refuses it. */
static inline bool blob_has_code(const struct blob *b) {
    return b->header->flags & BLOB_THUMB && b->header->abi == BLOB_ABI;
}

static inline const char *blob_string(const struct blob *b, uint32_t off) {
    return b->strings + off;
}

#endif
