/* SPDX-License-Identifier: MIT */
/* Loading ARM ELF files into the bare machine. */
#include "native.h"

#include "util/file.h"

#include <assert.h>
#include <gelf.h>
#include <string.h>

/* The library for native code: the way out, svc #0. */
static const uint16_t exit_stub[] = {0xdf00 | LIBRARY_SVC_EXIT};

struct loader {
    struct machine *m;
    const char *path;
    const char *symbol;
    uint32_t memory_size;
    struct arena *arena;
    struct native *native;
    struct diag *diag;
    Elf *elf;
};

static bool refuse(const struct loader *l, const char *mend, const char *what) {
    struct diag_loc loc = DIAG_OBJECT(l->path);
    return diag_error(l->diag, DIAG_ELF, &loc, mend, "%s", what);
}

static bool inside(uint64_t address, uint64_t size, uint64_t start, uint64_t room) {
    return address >= start && size <= room && address - start <= room - size;
}

static bool check_file(const struct loader *l) {
    GElf_Ehdr header;

    if (!l->elf || elf_kind(l->elf) != ELF_K_ELF || !gelf_getehdr(l->elf, &header))
        return refuse(l, NULL, "not an ELF file");
    if (header.e_machine != EM_ARM || header.e_type != ET_EXEC)
        return refuse(l, "link it with arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb",
                      "not a linked ARM executable");
    return true;
}

/* Copies the segments: those in flash into one image, those in SRAM into the arena. */
static bool load_segments(const struct loader *l, const uint8_t *file, size_t size) {
    uint8_t *flash = arena_alloc(l->arena, MEMMAP_STORE_SIZE);
    uint32_t flash_end = 0, data_end = NATIVE_DATA;
    GElf_Phdr p;

    for (int pass = 0; pass < 2; pass++) {
        uint8_t *arena = NULL;
        if (pass == 1) { /* its size is known now */
            l->native->memory = (data_end + 7) & ~7u;
            uint64_t end = (uint64_t)l->native->memory + l->memory_size - MEMMAP_ARENA;
            if (end > MEMMAP_ARENA_SIZE)
                return refuse(l, NULL, "data and memory do not fit the arena");
            arena = machine_set_arena(l->m, end);
        }
        for (int i = 0; gelf_getphdr(l->elf, i, &p); i++) {
            if (p.p_type != PT_LOAD || p.p_memsz == 0)
                continue;
            if (!inside(p.p_offset, p.p_filesz, 0, size) || p.p_filesz > p.p_memsz)
                return refuse(l, NULL, "a segment lies outside the file");
            if (inside(p.p_vaddr, p.p_memsz, MEMMAP_STORE, MEMMAP_STORE_SIZE)) {
                uint32_t at = p.p_vaddr - MEMMAP_STORE;
                memcpy(flash + at, file + p.p_offset, p.p_filesz);
                if (at + p.p_memsz > flash_end)
                    flash_end = at + p.p_memsz;
            } else if (inside(p.p_vaddr, p.p_memsz, NATIVE_DATA,
                              MEMMAP_ARENA_SIZE - NATIVE_STACK)) {
                if (p.p_vaddr + p.p_memsz > data_end)
                    data_end = p.p_vaddr + p.p_memsz;
                if (arena)
                    memcpy(arena + (p.p_vaddr - MEMMAP_ARENA), file + p.p_offset, p.p_filesz);
            } else {
                return refuse(l, "link text at 0x080c0000 and data at 0x20012000",
                              "a segment lies neither in the program's flash nor in its data");
            }
        }
    }
    machine_set_program(l->m, flash, flash_end);
    return true;
}

static void measure(const struct loader *l) {
    GElf_Shdr s;

    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(l->elf, scn));) {
        if (!gelf_getshdr(scn, &s) || !(s.sh_flags & SHF_ALLOC))
            continue;
        if (s.sh_flags & SHF_EXECINSTR)
            l->native->text += s.sh_size;
        else if (s.sh_flags & SHF_WRITE)
            l->native->data += s.sh_size;
        else
            l->native->rodata += s.sh_size;
    }
}

static bool find_symbol(const struct loader *l) {
    GElf_Shdr s;
    GElf_Sym sym;

    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(l->elf, scn));) {
        if (!gelf_getshdr(scn, &s) || s.sh_type != SHT_SYMTAB)
            continue;
        Elf_Data *data = elf_getdata(scn, NULL);
        for (int i = 0; data && gelf_getsym(data, i, &sym); i++) {
            const char *name = elf_strptr(l->elf, s.sh_link, sym.st_name);
            if (name && GELF_ST_TYPE(sym.st_info) == STT_FUNC && strcmp(name, l->symbol) == 0) {
                l->native->entry = sym.st_value & ~1u;
                return true;
            }
        }
    }
    struct diag_loc loc = DIAG_OBJECT(l->path);
    return diag_error(l->diag, DIAG_ELF, &loc, NULL, "it has no function '%s'", l->symbol);
}

bool native_load(struct machine *m, const char *path, const char *symbol, uint32_t memory_size,
                 struct arena *arena, struct native *native, struct diag *diag) {
    struct loader l = {m, path, symbol, memory_size, arena, native, diag, NULL};
    uint8_t *file;
    size_t size;

    memset(native, 0, sizeof(*native));
    native->memory_size = memory_size;
    if (!file_read(path, FILE_SIZE_LIMIT, arena, &file, &size, diag))
        return false;
    elf_version(EV_CURRENT);
    l.elf = elf_memory((char *)file, size);
    bool ok = check_file(&l) && find_symbol(&l) && load_segments(&l, file, size);
    if (ok)
        measure(&l);
    elf_end(l.elf);
    machine_set_library(m, exit_stub, sizeof(exit_stub));
    return ok;
}

void native_call(struct machine *m, const struct native *native, const void *bytes, uint32_t length,
                 struct machine_result *result) {
    uint8_t *memory = machine_writable(m, native->memory, native->memory_size);

    assert(memory && length <= native->memory_size);
    memcpy(memory, bytes, length);
    memset(memory + length, 0, native->memory_size - length);
    const struct machine_call call = {.pc = native->entry,
                                      .sp = NATIVE_DATA,
                                      .lr = MEMMAP_LIBRARY | 1,
                                      .r0 = native->memory,
                                      .r1 = length,
                                      .r9 = NATIVE_DATA};
    machine_call(m, &call, result);
}
