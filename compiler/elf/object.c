/* SPDX-License-Identifier: MIT */
/*
 * Sections, symbols and relocations of an ELF object, checked. libelf reads the tables; what they say
 * is believed only after the checks here: every offset lies in its section, every index in its table.
 */
#include "elf/object.h"

#include <assert.h>
#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

/* More than the flash of any chip of this family, and more sections than any compiler makes: nothing
 * larger can be meant, and what a damaged file can cost stays small. */
#define DATA_SIZE_MAX (1u << 20)
#define CODE_SIZE_MAX (1u << 20)
#define SECTIONS_MAX 4096
#define ALIGN_MAX 4096
/* One for each eight bytes of the largest section. Sections may lie over each other in a damaged file,
 * so the size of the file is no limit for their number. */
#define RELOCS_MAX (DATA_SIZE_MAX / 8)

#define MEND_REBUILD "the file is damaged: compile it again with clang -target bpf"

/* ---- Places and look-ups ---- */

struct diag_loc object_loc_section(const struct object *object, uint32_t section) {
    struct diag_loc loc = DIAG_OBJECT(object->path);

    if (section < object->sections.count)
        loc.section = object->sections.items[section].name;
    return loc;
}

struct diag_loc object_loc(const struct object *object, uint32_t section, uint64_t offset) {
    struct diag_loc loc = object_loc_section(object, section);
    const struct object_line *found = NULL;
    size_t low = 0, high = object->lines.count;

    if (object->sections.items[section].kind != SECTION_TEXT &&
        object->sections.items[section].kind != SECTION_PROGRAM)
        return loc;
    loc.insn = (long)(offset / sizeof(struct bpf_insn));
    /* The last line at or before the place. */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct object_line *line = &object->lines.items[middle];
        if (line->section < section || (line->section == section && line->offset <= offset)) {
            found = line;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (found && found->section == section) {
        loc.file = found->file;
        loc.line = found->line;
        loc.column = found->column;
        loc.text = found->text;
    }
    return loc;
}

size_t object_reloc_from(const struct object *object, uint32_t section, uint64_t offset) {
    size_t low = 0, high = object->relocs.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct object_reloc *r = &object->relocs.items[middle];
        if (r->section < section || (r->section == section && r->offset < offset))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t object_number(const uint8_t *bytes, unsigned size) {
    uint64_t number = 0;

    while (size-- > 0)
        number = number << 8 | bytes[size];
    return number;
}

/* ---- The file header ---- */

static const char *machine_name(unsigned machine) {
    switch (machine) {
    case EM_386: return "x86";
    case EM_X86_64: return "x86-64";
    case EM_ARM: return "ARM";
    case EM_AARCH64: return "AArch64";
    case EM_RISCV: return "RISC-V";
    default: return "another machine";
    }
}

/* What a file that is no ELF seems to be, to tell the user which file was given by mistake. */
static const char *what_else(const struct object *object) {
    if (object->size == 0)
        return " (it is empty)";
    if (object->size >= 2 && memcmp(object->image, "BC", 2) == 0)
        return " (it is LLVM bitcode)";
    if (object->size >= 4 && memcmp(object->image, "B2T1", 4) == 0)
        return " (it is a blob of bpf2thumb)";
    return "";
}

static bool check_header(const struct object *object) {
    const struct diag_loc loc = DIAG_OBJECT(object->path);
    struct diag *diag = object->diag;
    Elf64_Ehdr h;

    if (object->size < SELFMAG || memcmp(object->image, ELFMAG, SELFMAG) != 0)
        return diag_error(diag, DIAG_ELF, &loc, "give an object file made by clang -target bpf -c",
                          "not an ELF file%s", what_else(object));
    if (object->size < sizeof(h))
        return diag_error(diag, DIAG_ELF, &loc, MEND_REBUILD,
                          "truncated: %zu bytes are less than an ELF header", object->size);
    memcpy(&h, object->image, sizeof(h));
    if (h.e_ident[EI_CLASS] != ELFCLASS64)
        return diag_error(diag, DIAG_ELF, &loc, "compile with clang -target bpf",
                          "%s: eBPF objects are 64-bit",
                          h.e_ident[EI_CLASS] == ELFCLASS32 ? "a 32-bit ELF file"
                                                            : "an ELF file of unknown class");
    if (h.e_ident[EI_DATA] != ELFDATA2LSB) {
        /* Its numbers are the other way round, the machine's too. */
        bool bpf = (h.e_machine >> 8 | (h.e_machine & 0xff) << 8) == EM_BPF;
        return diag_error(diag, DIAG_ELF, &loc,
                          "compile with clang -target bpfel, or -target bpf on a PC",
                          "%s is big-endian; the target is little-endian",
                          bpf ? "this eBPF object" : "this ELF file");
    }
    if (h.e_machine != EM_BPF)
        return diag_error(diag, DIAG_ELF, &loc, "compile with clang -target bpf",
                          "an object for %s (e_machine %u), not for eBPF",
                          machine_name(h.e_machine), h.e_machine);
    if (h.e_type != ET_REL)
        return diag_error(diag, DIAG_ELF, &loc, "compile with clang -target bpf -c",
                          "not an object file (e_type %u, expected %u)", h.e_type, ET_REL);
    if (h.e_shoff == 0 || h.e_shnum == 0)
        return diag_error(diag, DIAG_ELF, &loc, MEND_REBUILD, "the file has no sections");
    if (h.e_shentsize != sizeof(Elf64_Shdr))
        return diag_error(diag, DIAG_ELF, &loc, MEND_REBUILD,
                          "section headers of %u bytes (expected %zu)", h.e_shentsize,
                          sizeof(Elf64_Shdr));
    if (h.e_shoff > object->size || (uint64_t)h.e_shnum * h.e_shentsize > object->size - h.e_shoff)
        return diag_error(diag, DIAG_ELF, &loc, MEND_REBUILD,
                          "truncated: the file has %zu bytes, but its section headers would lie at "
                          "%llu to %llu",
                          object->size, (unsigned long long)h.e_shoff,
                          (unsigned long long)(h.e_shoff + (uint64_t)h.e_shnum * h.e_shentsize));
    if (h.e_shnum > SECTIONS_MAX)
        return diag_error(diag, DIAG_ELF, &loc, MEND_REBUILD, "%u sections are more than %u",
                          h.e_shnum, SECTIONS_MAX);
    if (h.e_shstrndx >= h.e_shnum)
        return diag_error(diag, DIAG_ELF, &loc, MEND_REBUILD,
                          "the section of section names has index %u of %u", h.e_shstrndx,
                          h.e_shnum);
    return true;
}

/* ---- Sections ---- */

/*
 * A string of the file, or NULL where it leaves its table. It is not copied: thousands of names may be the
 * same long one. libelf's pointer leads into the image as well, unless it has unpacked the table.
 */
static const char *string_at(const struct object *object, Elf *elf, size_t table, size_t offset) {
    Elf_Scn *scn = elf_getscn(elf, table);
    GElf_Shdr h;

    if (!scn || !gelf_getshdr(scn, &h) || h.sh_flags & SHF_COMPRESSED)
        return NULL;
    const char *text = elf_strptr(elf, table, offset);
    const char *image = (const char *)object->image;
    assert(!text || (text >= image && text < image + object->size));
    return text;
}

/* Names that mean something here, longest rule first: an exact name, or a prefix that ends in '.'. */
static const struct {
    const char *name;
    bool prefix;
    enum section_kind kind;
} known_sections[] = {
    {".text", false, SECTION_TEXT},      {".text.", true, SECTION_TEXT},
    {".data", false, SECTION_DATA},      {".data.", true, SECTION_DATA},
    {".bss", false, SECTION_DATA},       {".bss.", true, SECTION_DATA},
    {".rodata", false, SECTION_DATA},    {".rodata.", true, SECTION_DATA},
    {".maps", false, SECTION_MAPS},      {"license", false, SECTION_LICENSE},
    {"version", false, SECTION_IGNORED},
};

/* Sections of other loaders. They are refused, because dropping them would change the program. */
static const struct {
    const char *name, *what, *mend;
} refused_sections[] = {
    {"maps", "legacy map definitions (struct bpf_map_def)",
     "define the map with BTF: struct { __uint(type, BPF_MAP_TYPE_ARRAY); ... } name "
     "SEC(\".maps\");"},
    {".struct_ops", "operations of the Linux kernel", "use one of this board's program types"},
    {".struct_ops.link", "operations of the Linux kernel", "use one of this board's program types"},
    {".kconfig", "the configuration of a Linux kernel", "use a constant, or data in .rodata"},
    {".ksyms", "symbols of a Linux kernel", "use a helper of bpf_mcu.h"},
    {".addr_space.1", "the arena of a Linux kernel", "use a map"},
    {".init_array", "constructors", "set the values where the variables are defined"},
    {".fini_array", "destructors", "do it in a program: none of them ends before the board does"},
};

static const char *const bpf_reloc_names[] = {
    [0] = "R_BPF_NONE",     [1] = "R_BPF_64_64",       [2] = "R_BPF_64_ABS64",
    [3] = "R_BPF_64_ABS32", [4] = "R_BPF_64_NODYLD32", [10] = "R_BPF_64_32",
};

static const char *reloc_name(uint32_t type) {
    size_t count = sizeof(bpf_reloc_names) / sizeof(bpf_reloc_names[0]);

    return type < count && bpf_reloc_names[type] ? bpf_reloc_names[type] : "an unknown type";
}

static enum section_kind classify(const char *name, const GElf_Shdr *h) {
    if (h->sh_type != SHT_PROGBITS && h->sh_type != SHT_NOBITS)
        return SECTION_IGNORED;
    for (size_t i = 0; i < sizeof(known_sections) / sizeof(known_sections[0]); i++) {
        const char *known = known_sections[i].name;
        size_t length = known_sections[i].prefix ? strlen(known) : strlen(known) + 1;
        if (strncmp(name, known, length) == 0)
            return known_sections[i].kind;
    }
    return h->sh_flags & SHF_EXECINSTR ? SECTION_PROGRAM : SECTION_IGNORED;
}

static bool refuse_section(const struct object *object, const char *name) {
    for (size_t i = 0; i < sizeof(refused_sections) / sizeof(refused_sections[0]); i++) {
        if (strcmp(name, refused_sections[i].name) != 0)
            continue;
        struct diag_loc loc = DIAG_OBJECT(object->path);
        loc.section = name;
        return diag_error(object->diag, DIAG_SECTION, &loc, refused_sections[i].mend,
                          "section %s: %s are not supported", name, refused_sections[i].what);
    }
    return true;
}

/* What code and data need to be; other sections are somebody else's. */
static bool check_section(const struct object *object, uint32_t index, const GElf_Shdr *h) {
    const struct object_section *s = &object->sections.items[index];
    struct diag_loc loc = object_loc_section(object, index);
    bool code = s->kind == SECTION_TEXT || s->kind == SECTION_PROGRAM;
    bool zeros = h->sh_type == SHT_NOBITS;

    if (code && (zeros || !(h->sh_flags & SHF_EXECINSTR)) && s->size)
        return diag_error(object->diag, DIAG_ELF, &loc, MEND_REBUILD,
                          "section %s should hold code, but is %s", s->name,
                          zeros ? "without contents" : "not executable");
    if (s->kind == SECTION_DATA && h->sh_flags & SHF_EXECINSTR)
        return diag_error(object->diag, DIAG_ELF, &loc,
                          "place functions in .text or in a section of a program type",
                          "section %s holds code, but its name is one of data", s->name);
    if (code && s->size % sizeof(struct bpf_insn))
        return diag_error(object->diag, DIAG_ELF, &loc, MEND_REBUILD,
                          "the code of section %s has %llu bytes, not a multiple of 8", s->name,
                          (unsigned long long)s->size);
    uint64_t size = code ? object->code_size : s->size;
    if (size > (code ? CODE_SIZE_MAX : DATA_SIZE_MAX))
        return diag_error(object->diag, DIAG_ELF, &loc, "make it smaller",
                          "section %s %s %llu bytes%s, more than any target has", s->name,
                          code ? "makes the code" : "has", (unsigned long long)size,
                          code ? " large" : "");
    if (h->sh_addralign > ALIGN_MAX || (h->sh_addralign & (h->sh_addralign - 1)))
        return diag_error(object->diag, DIAG_ELF, &loc, MEND_REBUILD,
                          "section %s has an impossible alignment of %llu", s->name,
                          (unsigned long long)h->sh_addralign);
    return true;
}

static bool add_section(struct object *object, Elf *elf, Elf_Scn *scn, size_t names) {
    uint32_t index = (uint32_t)elf_ndxscn(scn);
    struct diag_loc loc = DIAG_OBJECT(object->path);
    GElf_Shdr h;

    if (!gelf_getshdr(scn, &h))
        return diag_error(object->diag, DIAG_ELF, &loc, MEND_REBUILD,
                          "section header %u cannot be read: %s", index, elf_errmsg(-1));
    const char *name = string_at(object, elf, names, h.sh_name);
    if (!name)
        return diag_error(object->diag, DIAG_ELF, &loc, MEND_REBUILD,
                          "section %u has a name outside the table of names", index);
    loc.section = name;
    if (h.sh_type != SHT_NOBITS && h.sh_type != SHT_NULL &&
        (h.sh_offset > object->size || h.sh_size > object->size - h.sh_offset))
        return diag_error(object->diag, DIAG_ELF, &loc, MEND_REBUILD,
                          "truncated: section %s would lie at %llu with %llu bytes; the file has "
                          "%zu",
                          name, (unsigned long long)h.sh_offset, (unsigned long long)h.sh_size,
                          object->size);
    if (!refuse_section(object, name))
        return false;

    bool bits = h.sh_type != SHT_NOBITS && h.sh_type != SHT_NULL;
    vec_push(object->arena, &object->sections,
             (struct object_section){
                 .name = name,
                 .kind = classify(name, &h),
                 .bytes = bits ? object->image + h.sh_offset : NULL,
                 .size = h.sh_type == SHT_NULL ? 0 : h.sh_size,
                 .align = h.sh_addralign ? (uint32_t)h.sh_addralign : 1,
                 .writable = h.sh_flags & SHF_WRITE,
                 .data = OBJECT_NONE,
             });
    if (strcmp(name, ".BTF") == 0 && bits)
        object->btf_section = index;
    if (strcmp(name, ".BTF.ext") == 0 && bits)
        object->btfext_section = index;
    enum section_kind kind = object->sections.items[index].kind;
    if (kind == SECTION_IGNORED)
        return true;
    if (kind == SECTION_MAPS) {
        if (object->maps_section != OBJECT_NONE)
            return diag_error(object->diag, DIAG_ELF, &loc, MEND_REBUILD,
                              "there are two sections .maps");
        object->maps_section = index;
    }
    if (kind == SECTION_TEXT || kind == SECTION_PROGRAM)
        object->code_size += h.sh_size;
    return check_section(object, index, &h);
}

static bool read_sections(struct object *object, Elf *elf) {
    size_t names = 0;

    if (elf_getshdrstrndx(elf, &names) != 0) {
        const struct diag_loc loc = DIAG_OBJECT(object->path);
        return diag_error(object->diag, DIAG_ELF, &loc, MEND_REBUILD,
                          "the section of section names cannot be found: %s", elf_errmsg(-1));
    }
    /* elf_nextscn() leaves out section 0, which is empty by definition. */
    vec_push(object->arena, &object->sections, (struct object_section){.name = "", .align = 1});
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;)
        if (!add_section(object, elf, scn, names))
            return false;
    return true;
}

/* ---- Symbols ---- */

/* Room in a section of zeros for a symbol that the compiler left to the linker to place. */
static void place_common(struct object *object, struct object_symbol *symbol, uint64_t align) {
    struct object_section *last = &vec_last(&object->sections);

    if (last->kind != SECTION_DATA || strcmp(last->name, "COMMON") != 0)
        vec_push(object->arena, &object->sections,
                 (struct object_section){.name = "COMMON",
                                         .kind = SECTION_DATA,
                                         .align = 8,
                                         .writable = true,
                                         .data = OBJECT_NONE});
    last = &vec_last(&object->sections);
    symbol->section = (uint32_t)object->sections.count - 1;
    symbol->value = (last->size + align - 1) & ~(align - 1);
    last->size = symbol->value + symbol->size;
}

static bool add_symbol(struct object *object, const GElf_Sym *s, const char *name, size_t index) {
    struct object_symbol symbol = {.name = name,
                                   .section = OBJECT_NONE,
                                   .value = s->st_value,
                                   .size = s->st_size,
                                   .type = GELF_ST_TYPE(s->st_info),
                                   .binding = GELF_ST_BIND(s->st_info)};
    struct diag_loc loc = DIAG_OBJECT(object->path);

    if (!name)
        return diag_error(object->diag, DIAG_SYMBOL, &loc, MEND_REBUILD,
                          "corrupt symbol %zu: its name lies outside the table of names", index);
    if (s->st_shndx == SHN_COMMON) {
        if (symbol.size > DATA_SIZE_MAX || symbol.value > 8 ||
            (symbol.value & (symbol.value - 1)) || symbol.value == 0)
            return diag_error(object->diag, DIAG_SYMBOL, &loc, MEND_REBUILD,
                              "corrupt common symbol %s: %llu bytes, alignment %llu", name,
                              (unsigned long long)symbol.size, (unsigned long long)symbol.value);
        place_common(object, &symbol, symbol.value);
        if (vec_last(&object->sections).size > DATA_SIZE_MAX)
            return diag_error(object->diag, DIAG_SYMBOL, &loc, "make them smaller",
                              "the common symbols need more memory than any target has");
    } else if (s->st_shndx != SHN_UNDEF && s->st_shndx < SHN_LORESERVE) {
        symbol.section = s->st_shndx;
        if (symbol.section >= object->sections.count)
            return diag_error(object->diag, DIAG_SYMBOL, &loc, MEND_REBUILD,
                              "corrupt symbol %s: it lies in section %u, the file has %zu", name,
                              symbol.section, object->sections.count);
        const struct object_section *section = &object->sections.items[symbol.section];
        loc.section = section->name;
        if (section->kind != SECTION_IGNORED &&
            (symbol.value > section->size || symbol.size > section->size - symbol.value))
            return diag_error(object->diag, DIAG_SYMBOL, &loc, MEND_REBUILD,
                              "corrupt symbol %s: offset %llu and size %llu leave section %s of "
                              "%llu bytes",
                              name, (unsigned long long)symbol.value,
                              (unsigned long long)symbol.size, section->name,
                              (unsigned long long)section->size);
        if (symbol.type == STT_SECTION && !*symbol.name)
            symbol.name = section->name;
    }
    vec_push(object->arena, &object->symbols, symbol);
    return true;
}

static int compare_names(const void *a, const void *b) {
    const struct object_symbol *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

/* A name has one strong definition. clang cannot break this, a linker or an editor can. */
static bool check_definitions(const struct object *object) {
    VEC(const struct object_symbol *) strong = {0};

    vec_for_each(const struct object_symbol, s, &object->symbols) {
        if (s->section != OBJECT_NONE && s->binding == STB_GLOBAL)
            vec_push(object->arena, &strong, s);
    }
    if (strong.count)
        qsort(strong.items, strong.count, sizeof(*strong.items), compare_names);
    for (size_t i = 1; i < strong.count; i++) {
        if (strcmp(strong.items[i - 1]->name, strong.items[i]->name) != 0)
            continue;
        struct diag_loc loc = object_loc_section(object, strong.items[i]->section);
        return diag_error(object->diag, DIAG_SYMBOL, &loc,
                          "rename one of them, or make it static or weak",
                          "symbol %s is defined twice", strong.items[i]->name);
    }
    return true;
}

static bool read_symbols(struct object *object, Elf *elf, Elf_Scn *symtab) {
    struct diag_loc loc = DIAG_OBJECT(object->path);
    GElf_Shdr h;

    if (!symtab)
        return diag_error(object->diag, DIAG_SYMBOL, &loc, "do not strip the object file",
                          "the file has no symbol table");
    Elf_Data *data = elf_getdata(symtab, NULL);
    if (!gelf_getshdr(symtab, &h) || !data || h.sh_entsize != sizeof(Elf64_Sym))
        return diag_error(object->diag, DIAG_SYMBOL, &loc, MEND_REBUILD,
                          "the symbol table cannot be read");
    for (size_t i = 0; i < data->d_size / sizeof(Elf64_Sym); i++) {
        GElf_Sym s;
        if (!gelf_getsym(data, (int)i, &s))
            return diag_error(object->diag, DIAG_SYMBOL, &loc, MEND_REBUILD,
                              "corrupt symbol %zu: %s", i, elf_errmsg(-1));
        if (!add_symbol(object, &s, string_at(object, elf, h.sh_link, s.st_name), i))
            return false;
    }
    return check_definitions(object);
}

/* ---- Relocations ---- */

/* Bytes that a relocation changes in a section of this kind; 0: it cannot stand there. */
static unsigned reloc_width(enum section_kind kind, uint32_t type) {
    bool code = kind == SECTION_TEXT || kind == SECTION_PROGRAM;

    if (code && type == R_BPF_64_64)
        return 2 * sizeof(struct bpf_insn);
    if (code && type == R_BPF_64_32)
        return sizeof(struct bpf_insn);
    if (!code && type == 2) /* R_BPF_64_ABS64, which this <elf.h> does not have */
        return sizeof(uint64_t);
    return 0;
}

static bool add_reloc(struct object *object, uint32_t section, const GElf_Rel *r) {
    const struct object_section *s = &object->sections.items[section];
    uint32_t type = (uint32_t)GELF_R_TYPE(r->r_info);
    uint64_t symbol = GELF_R_SYM(r->r_info);
    unsigned width = reloc_width(s->kind, type);
    struct diag_loc loc = object_loc_section(object, section);

    if (width == 0)
        return diag_error(object->diag, DIAG_RELOC, &loc,
                          "use 64-bit pointers only; if the source does, compile it again",
                          "section %s, offset %llu: a relocation of type %u (%s) cannot stand here",
                          s->name, (unsigned long long)r->r_offset, type, reloc_name(type));
    if (s->size < width || r->r_offset > s->size - width || !s->bytes)
        return diag_error(object->diag, DIAG_RELOC, &loc, MEND_REBUILD,
                          "corrupt relocation: offset %llu leaves section %s of %llu bytes",
                          (unsigned long long)r->r_offset, s->name, (unsigned long long)s->size);
    if (symbol >= object->symbols.count)
        return diag_error(object->diag, DIAG_RELOC, &loc, MEND_REBUILD,
                          "corrupt relocation in section %s: it names symbol %llu of %zu", s->name,
                          (unsigned long long)symbol, object->symbols.count);
    if (object->relocs.count == RELOCS_MAX)
        return diag_error(object->diag, DIAG_RELOC, &loc, MEND_REBUILD,
                          "more than %u relocations are more than any target has room for",
                          RELOCS_MAX);
    vec_push(
        object->arena, &object->relocs,
        (struct object_reloc){
            .section = section, .offset = r->r_offset, .type = type, .symbol = (uint32_t)symbol});
    return true;
}

static int compare_relocs(const void *a, const void *b) {
    const struct object_reloc *x = a, *y = b;

    if (x->section != y->section)
        return x->section < y->section ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The relocations of one section, where it is one that counts. */
static bool read_relocs_of(struct object *object, Elf_Scn *scn, const GElf_Shdr *h) {
    uint32_t index = (uint32_t)elf_ndxscn(scn);
    struct diag_loc loc = object_loc_section(object, index);

    if (h->sh_info >= object->sections.count)
        return diag_error(object->diag, DIAG_RELOC, &loc, MEND_REBUILD,
                          "section %s relocates section %u of %zu", loc.section, h->sh_info,
                          object->sections.count);
    if (object->sections.items[h->sh_info].kind == SECTION_IGNORED)
        return true;
    if (h->sh_type == SHT_RELA)
        return diag_error(object->diag, DIAG_RELOC, &loc, "compile with clang -target bpf",
                          "section %s has relocations with addends, which eBPF does not use",
                          loc.section);
    Elf_Data *data = elf_getdata(scn, NULL);
    if (!data || h->sh_entsize != sizeof(Elf64_Rel))
        return diag_error(object->diag, DIAG_RELOC, &loc, MEND_REBUILD,
                          "the relocations of section %s cannot be read", loc.section);
    for (size_t i = 0; i < data->d_size / sizeof(Elf64_Rel); i++) {
        GElf_Rel r;
        if (!gelf_getrel(data, (int)i, &r))
            return diag_error(object->diag, DIAG_RELOC, &loc, MEND_REBUILD,
                              "relocation %zu of section %s cannot be read", i, loc.section);
        if (!add_reloc(object, h->sh_info, &r))
            return false;
    }
    return true;
}

static bool read_relocs(struct object *object, Elf *elf) {
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
        GElf_Shdr h;
        if (gelf_getshdr(scn, &h) && (h.sh_type == SHT_REL || h.sh_type == SHT_RELA) &&
            !read_relocs_of(object, scn, &h))
            return false;
    }
    if (object->relocs.count)
        qsort(object->relocs.items, object->relocs.count, sizeof(*object->relocs.items),
              compare_relocs);
    for (size_t i = 1; i < object->relocs.count; i++) {
        const struct object_reloc *a = &object->relocs.items[i - 1], *b = a + 1;
        unsigned width = reloc_width(object->sections.items[a->section].kind, a->type);
        struct diag_loc loc = object_loc_section(object, b->section);
        if (a->section == b->section && b->offset - a->offset < width)
            return diag_error(object->diag, DIAG_RELOC, &loc, MEND_REBUILD,
                              "corrupt relocations: those at offsets %llu and %llu of section %s "
                              "overlap",
                              (unsigned long long)a->offset, (unsigned long long)b->offset,
                              loc.section);
    }
    return true;
}

/* ---- All of it ---- */

static Elf_Scn *find_symtab(Elf *elf) {
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
        GElf_Shdr h;
        if (gelf_getshdr(scn, &h) && h.sh_type == SHT_SYMTAB)
            return scn;
    }
    return NULL;
}

bool object_open(struct object *object) {
    struct diag_loc loc = DIAG_OBJECT(object->path);

    object->maps_section = object->btf_section = object->btfext_section = OBJECT_NONE;
    if (!check_header(object))
        return false;
    elf_version(EV_CURRENT);
    /* libelf does not write into the image; the parameter has no const for historical reasons. */
    Elf *elf = elf_memory((char *)(uintptr_t)object->image, object->size);
    if (!elf)
        return diag_error(object->diag, DIAG_ELF, &loc, MEND_REBUILD, "%s", elf_errmsg(-1));
    bool good = read_sections(object, elf) && read_symbols(object, elf, find_symtab(elf)) &&
                read_relocs(object, elf);
    elf_end(elf);
    return good;
}
