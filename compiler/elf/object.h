/* SPDX-License-Identifier: MIT */
/*
 * The object file as the files of this directory share it, between the ELF and the linked program:
 * sections by what they are for, symbols, relocations, functions, maps, source lines. Built in the
 * order of reader.c; every index and offset in it has been checked.
 */
#ifndef ELF_OBJECT_H
#define ELF_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/elf.h"
#include "util/vec.h"

struct btf;
struct btf_type;

#define OBJECT_NONE UINT32_MAX

enum section_kind {
    SECTION_IGNORED, /* debug information, names, what nothing may refer to */
    SECTION_TEXT,    /* .text and .text.*: sub-programs */
    SECTION_PROGRAM, /* other code: its global functions are entries, its name their type */
    SECTION_DATA,    /* .data, .bss, .rodata, with what follows a dot; common symbols */
    SECTION_MAPS,
    SECTION_LICENSE,
};

struct object_section {
    const char *name;
    enum section_kind kind;
    const uint8_t *bytes; /* NULL: zeros */
    uint64_t size;
    uint32_t align; /* a power of two */
    bool writable;
    bool reached;  /* data: a kept function refers to it */
    uint32_t data; /* data: its index in the program once linked */
};

struct object_symbol {
    const char *name;
    uint32_t section; /* OBJECT_NONE: undefined */
    uint64_t value;   /* offset in the section */
    uint64_t size;
    uint8_t type;    /* STT_* */
    uint8_t binding; /* STB_* */
};

/* Sorted by section and offset; those of ignored sections are left out. */
struct object_reloc {
    uint32_t section;
    uint64_t offset;
    uint32_t type;   /* R_BPF_* */
    uint32_t symbol; /* index into symbols */
};

/* Sorted by section and start; the functions of a section cover it. */
struct object_func {
    const char *name;
    uint32_t section;
    uint64_t start, end; /* bytes in the section, multiples of 8 */
    bool global;
    bool entry;
    bool reached;
    bool address_taken;
    uint32_t index; /* in the program once linked, else OBJECT_NONE */
};

struct object_map {
    const char *name;
    uint64_t start, end;    /* bytes in the section .maps */
    bool has_values;        /* `.values = {...}`: pointers to programs from here to `end` */
    uint64_t values_offset; /* in the section */
};

/* Source line of the instruction at `offset` and of those behind it. Sorted by section, offset. */
struct object_line {
    uint32_t section;
    uint32_t offset;
    uint32_t line, column;
    const char *file, *text;
};

struct object {
    struct arena *arena;
    struct diag *diag;
    const char *path;
    const uint8_t *image;
    size_t size;
    VEC(struct object_section) sections; /* by ELF index; a common section may follow */
    uint64_t code_size;                  /* bytes of all sections with code together */
    VEC(struct object_symbol) symbols;
    VEC(struct object_reloc) relocs;
    VEC(struct object_func) funcs;
    VEC(struct object_map) maps;
    VEC(struct object_line) lines;
    uint32_t maps_section;                /* OBJECT_NONE: there is none */
    uint32_t btf_section, btfext_section; /* the same */
    struct btf *btf;                      /* NULL: no type information */
    const char *strings;                  /* of .BTF, the last byte is zero */
    uint32_t strings_size;
};

/* --- object.c: sections, symbols, relocations */
bool object_open(struct object *object);
/* A place in a section for messages, with the source line where it is known. */
struct diag_loc object_loc(const struct object *object, uint32_t section, uint64_t offset);
struct diag_loc object_loc_section(const struct object *object, uint32_t section);
/* The first relocation of a section at or behind `offset`; relocs.count if there is none. */
size_t object_reloc_from(const struct object *object, uint32_t section, uint64_t offset);
/* A little-endian number of 1 to 8 bytes. */
uint64_t object_number(const uint8_t *bytes, unsigned size);

/* --- btf.c: type information */
bool btf_load(struct object *object);
void btf_unload(struct object *object);
/* A string of .BTF; NULL if the offset is outside. */
const char *btf_string(const struct object *object, uint32_t offset);
/* Type `id` without typedefs and qualifiers; NULL if it is void or they never end. */
const struct btf_type *btf_plain_type(const struct object *object, uint32_t id);
/* Mixes the structure of a type into *hash: names, kinds, sizes and offsets, not ids, typedefs or
 * qualifiers. False if the type is nested too deeply to be one of a map. */
bool btf_hash_type(const struct object *object, uint32_t id, uint64_t *hash);

/* --- fields.c: the numbers that a type of `size` bytes is made of */
struct prog_fields fields_of(const struct object *object, uint32_t id, uint32_t size);

/* --- quiet.c: libbpf prints nothing from here on */
void libbpf_quiet(void);

/* --- lines.c: .BTF.ext */
bool lines_read(struct object *object);

/* --- maps.c: definitions in .maps */
bool maps_read(struct object *object, struct program *program);

/* --- funcs.c: functions from the symbols, and which of them are entries */
bool funcs_find(struct object *object, const struct elf_options *options);
/* Index of the function that starts exactly there, or OBJECT_NONE. */
uint32_t funcs_at(const struct object *object, uint32_t section, uint64_t offset);

/* --- resolve.c: what relocations refer to */
enum target_kind {
    TARGET_NULL, /* a weak symbol that nobody defined */
    TARGET_FUNC, /* index into funcs */
    TARGET_DATA, /* index into sections, with an offset in [0, size] */
    TARGET_MAP,  /* index into maps */
};
struct target {
    enum target_kind kind;
    uint32_t index;
    uint32_t offset;
};
/* The symbol of `reloc` plus `addend`; false after an error message. */
bool resolve(const struct object *object, const struct object_reloc *reloc, int64_t addend,
             struct target *target);
/* The function at a place of a section, for a reference from (from_section, from_offset). */
bool resolve_func(const struct object *object, uint32_t section, int64_t offset,
                  uint32_t from_section, uint64_t from_offset, struct target *target);

/* --- link.c: what the entries reach, laid out, with the relocations applied */
bool link_program(struct object *object, const struct elf_options *options,
                  struct program *program);

#endif
