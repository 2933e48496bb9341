/* SPDX-License-Identifier: MIT */
/*
 * What a relocation refers to. A symbol's value plus the addend is a place in a section; what lies there
 * is a function, a byte of data or a map. Static things go through the symbol of their section, global
 * ones through their own, and both come out the same.
 */
#include "elf/object.h"

#include <elf.h>
#include <string.h>

#define MEND_REBUILD "the file is damaged: compile it again with clang -target bpf"

#define MEND_HELPER                                                                                \
    "include bpf_mcu.h for the helpers of this board; kernel functions do not exist here"
#define MEND_LIBRARY                                                                               \
    "programs have no C library: write a loop, or use bpf_strncmp(), bpf_snprintf(), bpf_printk()"
#define MEND_DEFINE "define it in this object, or link the objects with bpftool gen object"
#define MEND_FUNCTION MEND_DEFINE "; a function that is `inline` must be `static inline`"

/* What to do about a name that is defined nowhere. */
static const char *mend_undefined(const char *name, bool call) {
    static const char *const library[] = {
        "abort",  "assert",  "atoi",     "bcmp",    "calloc",  "exit",   "free",    "malloc",
        "memchr", "memcmp",  "memcpy",   "memset",  "memmove", "printf", "putchar", "puts",
        "rand",   "realloc", "snprintf", "sprintf", "strcat",  "strchr", "strcmp",  "strcpy",
        "strlen", "strncmp", "strncpy",  "strstr",  "time"};

    if (call && strncmp(name, "bpf_", 4) == 0)
        return MEND_HELPER;
    for (size_t i = 0; i < sizeof(library) / sizeof(library[0]); i++)
        if (strcmp(name, library[i]) == 0)
            return MEND_LIBRARY;
    return call ? MEND_FUNCTION : MEND_DEFINE;
}

static bool undefined(const struct object *object, const struct object_reloc *reloc,
                      const struct object_symbol *symbol) {
    struct diag_loc loc = object_loc(object, reloc->section, reloc->offset);
    bool call = reloc->type == R_BPF_64_32;

    if (!*symbol->name)
        return diag_error(object->diag, DIAG_RELOC, &loc, MEND_REBUILD,
                          "corrupt relocation at offset %llu: it names no symbol",
                          (unsigned long long)reloc->offset);
    return diag_error(object->diag, DIAG_SYMBOL, &loc, mend_undefined(symbol->name, call),
                      "unresolved extern: %s%s is defined "
                      "nowhere",
                      symbol->name, call ? "()" : "");
}

bool resolve_func(const struct object *object, uint32_t section, int64_t offset,
                  uint32_t from_section, uint64_t from_offset, struct target *target) {
    uint32_t index = offset < 0 ? OBJECT_NONE : funcs_at(object, section, (uint64_t)offset);
    struct diag_loc loc = object_loc(object, from_section, from_offset);

    if (index == OBJECT_NONE)
        return diag_error(object->diag, DIAG_RELOC, &loc,
                          "refer to the first instruction of a function",
                          "a reference to offset %lld of section %s, where no function starts",
                          (long long)offset, object->sections.items[section].name);
    *target = (struct target){.kind = TARGET_FUNC, .index = index};
    return true;
}

static bool resolve_map(const struct object *object, const struct object_reloc *reloc,
                        int64_t offset, struct target *target) {
    struct diag_loc loc = object_loc(object, reloc->section, reloc->offset);

    for (size_t i = 0; i < object->maps.count; i++) {
        if (offset < 0 || object->maps.items[i].start != (uint64_t)offset)
            continue;
        *target = (struct target){.kind = TARGET_MAP, .index = (uint32_t)i};
        return true;
    }
    return diag_error(object->diag, DIAG_RELOC, &loc, "pass the address of the map itself",
                      "a reference to offset %lld of section .maps, where no map starts",
                      (long long)offset);
}

bool resolve(const struct object *object, const struct object_reloc *reloc, int64_t addend,
             struct target *target) {
    const struct object_symbol *symbol = &object->symbols.items[reloc->symbol];
    struct diag_loc loc = object_loc(object, reloc->section, reloc->offset);

    *target = (struct target){.kind = TARGET_NULL};
    if (symbol->section == OBJECT_NONE) {
        bool weak = symbol->binding == STB_WEAK && reloc->type != R_BPF_64_32;
        return weak || undefined(object, reloc, symbol);
    }
    const struct object_section *section = &object->sections.items[symbol->section];
    /* Both are below 2^63 in size: the value was checked against its section. */
    int64_t offset = (int64_t)((uint64_t)addend + symbol->value);
    switch (section->kind) {
    case SECTION_TEXT:
    case SECTION_PROGRAM:
        return resolve_func(object, symbol->section, offset, reloc->section, reloc->offset, target);
    case SECTION_MAPS: return resolve_map(object, reloc, offset, target);
    case SECTION_DATA:
        if (offset < 0 || (uint64_t)offset > section->size)
            return diag_error(object->diag, DIAG_RELOC, &loc, MEND_REBUILD,
                              "corrupt relocation: offset %lld leaves section %s of %llu bytes",
                              (long long)offset, section->name, (unsigned long long)section->size);
        *target = (struct target){
            .kind = TARGET_DATA, .index = symbol->section, .offset = (uint32_t)offset};
        return true;
    default:
        return diag_error(object->diag, DIAG_SYMBOL, &loc,
                          "place it in .data, .bss or .rodata, for example SEC(\".data.name\")",
                          "a reference to %s in section %s, which holds no data for programs",
                          symbol->type == STT_SECTION ? "something" : symbol->name, section->name);
    }
}
