/* SPDX-License-Identifier: MIT */
/*
 * From an eBPF object file of clang (or of bpftool's static linker) to the linked program. Everything
 * in the file is distrusted: what is not as it should be is reported and refused.
 */
#ifndef ELF_ELF_H
#define ELF_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program/program.h"
#include "util/arena.h"
#include "util/diag.h"

struct elf_options {
    const char *type;  /* program type of all entries instead of their SEC() names; NULL: SEC() */
    const char *name;  /* of the file in messages, such as the C source of the object; NULL: path */
    uint32_t mem_size; /* bytes of memory of raw programs; 0: BPF_RAW_MEM_DEFAULT */
};

/*
 * Reads the object at `path`. The program lives on `arena`, with all that it refers to. False after at
 * least one error. `options` may be NULL.
 */
bool elf_read(const char *path, struct arena *arena, const struct elf_options *options,
              struct program **program, struct diag *diag);

/* The same for an object in memory, which is copied; `name` is for messages. */
bool elf_read_memory(const char *name, const void *bytes, size_t size, struct arena *arena,
                     const struct elf_options *options, struct program **program,
                     struct diag *diag);

#endif
