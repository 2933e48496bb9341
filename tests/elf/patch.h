/* SPDX-License-Identifier: MIT */
/* Finding places in an ELF object in memory, to damage them. For well-formed 64-bit objects only. */
#ifndef TESTS_ELF_PATCH_H
#define TESTS_ELF_PATCH_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline Elf64_Ehdr *elf_header(uint8_t *image) {
    return (Elf64_Ehdr *)image;
}

static inline Elf64_Shdr *elf_section(uint8_t *image, const char *name) {
    const Elf64_Ehdr *h = elf_header(image);
    Elf64_Shdr *sections = (Elf64_Shdr *)(image + h->e_shoff);
    const char *names = (const char *)image + sections[h->e_shstrndx].sh_offset;

    for (unsigned i = 0; i < h->e_shnum; i++)
        if (strcmp(names + sections[i].sh_name, name) == 0)
            return &sections[i];
    return NULL;
}

static inline Elf64_Sym *elf_symbol(uint8_t *image, const char *name) {
    const Elf64_Shdr *table = elf_section(image, ".symtab"), *names = elf_section(image, ".strtab");
    Elf64_Sym *symbols = (Elf64_Sym *)(image + table->sh_offset);

    for (size_t i = 1; i < table->sh_size / sizeof(*symbols); i++)
        if (strcmp((char *)image + names->sh_offset + symbols[i].st_name, name) == 0)
            return &symbols[i];
    return NULL;
}

static inline uint32_t elf_symbol_index(uint8_t *image, const char *name) {
    const Elf64_Shdr *table = elf_section(image, ".symtab");

    return (uint32_t)(elf_symbol(image, name) - (Elf64_Sym *)(image + table->sh_offset));
}

#endif
