/* SPDX-License-Identifier: MIT */
/*
 * ARM ELF output (ELF for the Arm Architecture, AAELF32): a relocatable object without relocations.
 * Functions are Thumb symbols (bit 0 set); mapping symbols $t and $d tell disassemblers code from
 * data (AAELF32 5.5.5).
 *
 * libelf writes to a file descriptor, so the object is made in an unnamed temporary file and copied
 * from there as a whole.
 */
#include "blob/elf_write.h"

#include <assert.h>
#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "blob/dwarf.h"
#include "util/file.h"
#include "util/vec.h"

struct output {
    struct arena *arena;
    Elf *elf;
    VEC(char) names; /* section names, then symbol names: one string table for both */
    VEC(Elf32_Sym) symbols;
    uint32_t nlocal;
};

static uint32_t name(struct output *o, const char *text) {
    uint32_t off = (uint32_t)o->names.count;
    do
        vec_push(o->arena, &o->names, *text);
    while (*text++);
    return off;
}

static void symbol(struct output *o, const char *text, uint32_t value, uint32_t size, int bind,
                   int type) {
    vec_push(o->arena, &o->symbols,
             (Elf32_Sym){
                 .st_name = name(o, text),
                 .st_value = value,
                 .st_size = size,
                 .st_info = (unsigned char)ELF32_ST_INFO(bind, type),
                 .st_shndx = 1, /* .text is the first section */
             });
}

/* Local symbols come first in a symbol table. */
static void collect_symbols(struct output *o, const struct code_unit *code) {
    vec_push(o->arena, &o->symbols, (Elf32_Sym){0});
    vec_for_each(const struct code_line, range, &code->data)
        symbol(o, range->insn ? "$d" : "$t", range->addr, 0, STB_LOCAL, STT_NOTYPE);
    o->nlocal = (uint32_t)o->symbols.count;
    vec_for_each(const struct code_func, func, &code->funcs)
        symbol(o, func->name, func->addr | 1, func->size, STB_GLOBAL, STT_FUNC);
}

static Elf_Scn *section(struct output *o, const char *text, uint32_t type, uint32_t flags,
                        const void *bytes, size_t size, size_t align) {
    Elf_Scn *scn = elf_newscn(o->elf);
    Elf_Data *data = scn ? elf_newdata(scn) : NULL;
    Elf32_Shdr *header = scn ? elf32_getshdr(scn) : NULL;
    if (!data || !header)
        return NULL;
    data->d_buf = (void *)bytes;
    data->d_size = size;
    data->d_align = align;
    data->d_type = type == SHT_SYMTAB ? ELF_T_SYM : ELF_T_BYTE;
    header->sh_name = name(o, text);
    header->sh_type = type;
    header->sh_flags = flags;
    header->sh_addralign = (Elf32_Word)align;
    return scn;
}

static bool fill(struct output *o, const struct program *prog, const struct code_unit *code) {
    Elf32_Ehdr *header = elf32_newehdr(o->elf);
    if (!header)
        return false;
    header->e_ident[EI_DATA] = ELFDATA2LSB;
    header->e_type = ET_REL;
    header->e_machine = EM_ARM;
    header->e_version = EV_CURRENT;
    header->e_flags = EF_ARM_EABI_VER5;
    name(o, "");
    if (!section(o, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, code->bytes, code->size, 8))
        return false;
    struct dwarf_section dwarf[DWARF_SECTIONS];
    if (dwarf_sections(prog, code, dwarf))
        for (int i = 0; i < DWARF_SECTIONS; i++)
            if (!section(o, dwarf[i].name, SHT_PROGBITS, 0, dwarf[i].bytes, dwarf[i].size, 1))
                return false;
    collect_symbols(o, code);
    Elf_Scn *table = section(o, ".symtab", SHT_SYMTAB, 0, o->symbols.items,
                             o->symbols.count * sizeof(Elf32_Sym), 4);
    uint32_t strings_name = name(o, ".strtab");
    Elf_Scn *strings =
        table ? section(o, "", SHT_STRTAB, 0, o->names.items, o->names.count, 1) : NULL;
    if (!strings)
        return false;
    Elf32_Shdr *symtab = elf32_getshdr(table);
    symtab->sh_link = (Elf32_Word)elf_ndxscn(strings);
    symtab->sh_info = o->nlocal;
    symtab->sh_entsize = sizeof(Elf32_Sym);
    elf32_getshdr(strings)->sh_name = strings_name;
    header->e_shstrndx = (Elf32_Half)elf_ndxscn(strings);
    return elf_update(o->elf, ELF_C_WRITE) >= 0;
}

static bool copy_out(FILE *from, struct arena *arena, struct file_output *out, struct diag *diag) {
    long size = fseek(from, 0, SEEK_END) == 0 ? ftell(from) : -1;
    rewind(from);
    uint8_t *bytes = size > 0 ? arena_alloc(arena, (size_t)size) : NULL;
    if (!bytes || fread(bytes, 1, (size_t)size, from) != (size_t)size)
        return diag_error(diag, DIAG_IO, NULL, NULL, "cannot read back the ELF file");
    out->bytes = bytes;
    out->size = (size_t)size;
    return true;
}

bool elf_write(const struct program *prog, const struct code_unit *code, struct file_output *out,
               struct diag *diag) {
    FILE *temporary = tmpfile();
    if (!temporary)
        return diag_error(diag, DIAG_IO, NULL,
                          "is there room in the directory for temporary files?",
                          "cannot make a temporary file: %s", strerror(errno));
    struct output o = {.arena = prog->arena};
    elf_version(EV_CURRENT);
    o.elf = elf_begin(fileno(temporary), ELF_C_WRITE, NULL);
    bool ok = o.elf && fill(&o, prog, code);
    if (!ok)
        diag_error(diag, DIAG_IO, NULL, NULL, "cannot write %s: %s", out->path, elf_errmsg(-1));
    elf_end(o.elf);
    ok = ok && copy_out(temporary, prog->arena, out, diag);
    fclose(temporary);
    return ok;
}
