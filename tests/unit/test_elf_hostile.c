/* SPDX-License-Identifier: MIT */
/*
 * Small objects that ask for a great deal: sections that lie over each other, thousands of symbols with one
 * long name, zeros without end. Each is refused, or read, at a cost that its size explains.
 */
#include "elf/elf.h"

#include <bpf/btf.h>
#include <criterion/criterion.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* Of the address sanitizer; Debian's gcc comes without <sanitizer/allocator_interface.h>. */
size_t __sanitizer_get_current_allocated_bytes(void);

#define SECTIONS_MAX 4096
#define FILE_MAX (4u << 20)
#define MEBIBYTE (1u << 20)
#define EXIT_INSN 0x95

/* An object under construction: contents first, the section headers behind them. */
struct builder {
    uint8_t *image;
    size_t size;
    Elf64_Shdr sections[SECTIONS_MAX];
    uint16_t count;
};

enum { NAMES = 1, SYMBOLS, CODE, FIRST_FREE };

/* Names in the only table of strings. */
static const char names[] =
    "\0.strtab\0.symtab\0raw\0.text.x\0.bss.x\0.rel\0.BTF\0.maps\0map\0main";

static uint32_t name_of(const char *name) {
    for (uint32_t at = 1; at < sizeof(names); at += (uint32_t)strlen(names + at) + 1)
        if (strcmp(names + at, name) == 0)
            return at;
    abort();
}

static uint64_t add_bytes(struct builder *b, const void *bytes, size_t size) {
    uint64_t at = (b->size + 7) & ~(size_t)7;

    cr_assert(at + size < FILE_MAX);
    memcpy(b->image + at, bytes, size);
    b->size = at + size;
    return at;
}

static Elf64_Shdr *add_section(struct builder *b, const char *name, uint32_t type, uint64_t at,
                               uint64_t size) {
    Elf64_Shdr *s = &b->sections[b->count++];

    cr_assert(b->count < SECTIONS_MAX);
    *s = (Elf64_Shdr){.sh_name = name_of(name), .sh_type = type, .sh_offset = at, .sh_size = size};
    return s;
}

static Elf64_Sym symbol(const char *name, unsigned type, uint16_t section, uint64_t size) {
    return (Elf64_Sym){.st_name = name_of(name),
                       .st_info = ELF64_ST_INFO(STB_GLOBAL, type),
                       .st_shndx = section,
                       .st_size = size};
}

/* Strings, symbols and a program `main` of the given instructions. */
static struct builder *start(struct arena *arena, const Elf64_Sym *symbols, size_t nsymbols,
                             const struct bpf_insn *insns, size_t ninsns) {
    struct builder *b = arena_alloc(arena, sizeof(*b));

    b->image = arena_alloc(arena, FILE_MAX);
    b->size = sizeof(Elf64_Ehdr);
    b->count = 1;
    add_section(b, ".strtab", SHT_STRTAB, add_bytes(b, names, sizeof(names)), sizeof(names));
    Elf64_Shdr *s =
        add_section(b, ".symtab", SHT_SYMTAB, add_bytes(b, symbols, nsymbols * sizeof(*symbols)),
                    nsymbols * sizeof(*symbols));
    s->sh_link = NAMES;
    s->sh_entsize = sizeof(*symbols);
    s = add_section(b, "raw", SHT_PROGBITS, add_bytes(b, insns, ninsns * sizeof(*insns)),
                    ninsns * sizeof(*insns));
    s->sh_flags = SHF_ALLOC | SHF_EXECINSTR;
    return b;
}

static void finish(struct builder *b) {
    Elf64_Ehdr *h = (Elf64_Ehdr *)(void *)b->image;
    size_t size = b->count * sizeof(b->sections[0]);

    *h = (Elf64_Ehdr){.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                      .e_type = ET_REL,
                      .e_machine = EM_BPF,
                      .e_version = EV_CURRENT,
                      .e_ehsize = sizeof(*h),
                      .e_shentsize = sizeof(b->sections[0]),
                      .e_shnum = b->count,
                      .e_shstrndx = NAMES};
    h->e_shoff = add_bytes(b, b->sections, size);
}

/* Reads the object with the memory that `times` its size allow; NULL `message`: it is accepted. */
static void expect(struct arena *build, struct builder *b, const char *message, size_t times) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct program *program;
    size_t before = __sanitizer_get_current_allocated_bytes();

    finish(b);
    bool good = elf_read_memory("hostile.o", b->image, b->size, arena, NULL, &program, diag);
    size_t used = __sanitizer_get_current_allocated_bytes() - before;
    cr_expect_eq(good, !message);
    if (message && diag_count(diag))
        cr_expect(strstr(diag_get(diag, 0)->text, message), "%s", diag_get(diag, 0)->text);
    else if (diag_count(diag))
        cr_expect_fail("%s", diag_get(diag, 0)->text);
    cr_expect(used < times * b->size + MEBIBYTE, "%zu bytes for a file of %zu", used, b->size);
    diag_free(diag);
    arena_free(arena);
    arena_free(build);
}

static const struct bpf_insn exit_insn = {.opcode = EXIT_INSN};

Test(elf_hostile, control) {
    struct arena *arena = arena_new();
    Elf64_Sym symbols[] = {{0}, symbol("main", STT_FUNC, CODE, 8)};

    expect(arena, start(arena, symbols, 2, &exit_insn, 1), NULL, 10);
}

/* 200 MiB of zeros, in sections that a program refers to. */
Test(elf_hostile, zeros) {
    enum { COUNT = 200 };
    struct arena *arena = arena_new();
    Elf64_Sym symbols[COUNT + 2] = {{0}, symbol("main", STT_FUNC, CODE, (COUNT * 2 + 1) * 8)};
    struct bpf_insn insns[COUNT * 2 + 1] = {0};
    Elf64_Rel relocs[COUNT];

    for (uint16_t i = 0; i < COUNT; i++) {
        symbols[i + 2] = (Elf64_Sym){.st_info = ELF64_ST_INFO(STB_LOCAL, STT_SECTION),
                                     .st_shndx = FIRST_FREE + 1 + i};
        insns[i * 2].opcode = 0x18;
        relocs[i] = (Elf64_Rel){i * 16, ELF64_R_INFO((uint64_t)i + 2, 1)};
    }
    insns[COUNT * 2] = exit_insn;
    struct builder *b = start(arena, symbols, COUNT + 2, insns, COUNT * 2 + 1);
    Elf64_Shdr *s =
        add_section(b, ".rel", SHT_REL, add_bytes(b, relocs, sizeof(relocs)), sizeof(relocs));
    s->sh_info = CODE;
    s->sh_entsize = sizeof(relocs[0]);
    for (int i = 0; i < COUNT; i++)
        add_section(b, ".bss.x", SHT_NOBITS, 0, MEBIBYTE)->sh_flags = SHF_ALLOC | SHF_WRITE;
    expect(arena, b, "the data of the programs takes 209715200 bytes", 40);
}

/* The same code many times, each time with a function of its own. */
Test(elf_hostile, code_over_code) {
    enum { COUNT = 64, INSNS = 4096 };
    struct arena *arena = arena_new();
    Elf64_Sym symbols[] = {{0}, symbol("main", STT_FUNC, CODE, INSNS * 8)};
    static struct bpf_insn insns[INSNS];

    for (int i = 0; i < INSNS; i++)
        insns[i] = exit_insn;
    struct builder *b = start(arena, symbols, 2, insns, INSNS);
    for (int i = 0; i < COUNT; i++)
        add_section(b, ".text.x", SHT_PROGBITS, b->sections[CODE].sh_offset, INSNS * 8)->sh_flags =
            SHF_ALLOC | SHF_EXECINSTR;
    expect(arena, b, "makes the code 1081344 bytes large", 10);
}

/* One table of relocations for 2,000 sections of relocations. */
Test(elf_hostile, relocations_over_relocations) {
    enum { COUNT = 2000, ROWS = 1000 };
    struct arena *arena = arena_new();
    Elf64_Sym symbols[] = {{0}, symbol("main", STT_FUNC, CODE, 8)};
    struct builder *b = start(arena, symbols, 2, &exit_insn, 1);
    static Elf64_Rel relocs[ROWS];

    for (int i = 0; i < ROWS; i++)
        relocs[i] = (Elf64_Rel){0, ELF64_R_INFO(1ull, 10)};
    uint64_t at = add_bytes(b, relocs, sizeof(relocs));
    for (int i = 0; i < COUNT; i++) {
        Elf64_Shdr *s = add_section(b, ".rel", SHT_REL, at, sizeof(relocs));
        s->sh_info = CODE;
        s->sh_entsize = sizeof(relocs[0]);
    }
    expect(arena, b, "more than 131072 relocations", 100);
}

/* 20,000 symbols, all with one name of 100,000 characters: 2 GB if each had its own copy. */
Test(elf_hostile, one_long_name) {
    enum { COUNT = 20000, LENGTH = 100000 };
    struct arena *arena = arena_new();
    Elf64_Sym *symbols = arena_alloc_array(arena, COUNT, sizeof(*symbols));
    char *text = arena_alloc(arena, sizeof(names) + LENGTH);

    for (int i = 1; i < COUNT; i++)
        symbols[i] = (Elf64_Sym){.st_name = sizeof(names), .st_shndx = SHN_ABS};
    symbols[1] = symbol("main", STT_FUNC, CODE, 8);
    memcpy(text, names, sizeof(names));
    memset(text + sizeof(names), 'x', LENGTH - 1);
    struct builder *b = start(arena, symbols, COUNT, &exit_insn, 1);
    b->sections[NAMES].sh_offset = add_bytes(b, text, sizeof(names) + LENGTH);
    b->sections[NAMES].sh_size = sizeof(names) + LENGTH;
    expect(arena, b, NULL, 20);
}

/* A table of names that says it is packed, and would have to be unpacked to whatever size it claims. */
Test(elf_hostile, packed_names) {
    struct arena *arena = arena_new();
    Elf64_Sym symbols[] = {{0}, symbol("main", STT_FUNC, CODE, 8)};
    struct builder *b = start(arena, symbols, 2, &exit_insn, 1);

    b->sections[NAMES].sh_flags = SHF_COMPRESSED;
    expect(arena, b, "section 1 has a name outside the table of names", 10);
}

/* A map whose value has 200 members, all with one name of 10,000 characters. */
Test(elf_hostile, members_with_one_long_name) {
    enum { MEMBERS = 200, LENGTH = 10000 };
    struct arena *arena = arena_new();
    Elf64_Sym symbols[] = {
        {0}, symbol("main", STT_FUNC, CODE, 8), symbol("map", STT_OBJECT, FIRST_FREE, 32)};
    struct builder *b = start(arena, symbols, 3, &exit_insn, 1);
    struct btf *btf = btf__new_empty();
    char *name = arena_alloc(arena, LENGTH + 1);
    uint32_t size;

    memset(name, 'x', LENGTH);
    int u32 = btf__add_int(btf, "int", 4, 0), value = btf__add_struct(btf, "v", MEMBERS * 4);
    for (uint32_t i = 0; i < MEMBERS; i++)
        btf__add_field(btf, name, u32, i * 32, 0);
    int value_pointer = btf__add_ptr(btf, value), key_pointer = btf__add_ptr(btf, u32);
    int two = btf__add_ptr(btf, btf__add_array(btf, u32, u32, 2));
    int definition = btf__add_struct(btf, NULL, 32);
    btf__add_field(btf, "type", two, 0, 0);
    btf__add_field(btf, "max_entries", two, 64, 0);
    btf__add_field(btf, "key", key_pointer, 128, 0);
    btf__add_field(btf, "value", value_pointer, 192, 0);
    int variable = btf__add_var(btf, "map", BTF_VAR_GLOBAL_ALLOCATED, definition);
    btf__add_datasec(btf, ".maps", 32);
    btf__add_datasec_var_info(btf, variable, 0, 32);
    const void *bytes = btf__raw_data(btf, &size);
    add_section(b, ".maps", SHT_PROGBITS, add_bytes(b, names, 32), 32)->sh_flags =
        SHF_ALLOC | SHF_WRITE;
    add_section(b, ".BTF", SHT_PROGBITS, add_bytes(b, bytes, size), size);
    btf__free(btf);
    expect(arena, b, "the type of its value cannot be described", 20);
}
