/* SPDX-License-Identifier: MIT */
/*
 * Bad objects, each with the message that must refuse it: what clang makes of the sources in tests/elf/bad,
 * whose first lines name the message; files that are no objects; and good objects damaged in one place.
 */
#include "elf/elf.h"
#include "elf/patch.h"
#include "util/file.h"
#include "verifier/verifier.h"

#include <bpf/btf.h>
#include <criterion/criterion.h>
#include <glob.h>
#include <string.h>

static struct arena *arena;
static struct diag *diag;

static void setup(void) {
    arena = arena_new();
    diag = diag_new();
}

static void teardown(void) {
    arena_free(arena);
    diag_free(diag);
}

static void again(void) {
    teardown();
    setup();
}

TestSuite(elf_bad, .init = setup, .fini = teardown);

/* The first error says `message`, where it is and how to mend it. */
static void expect_refused(bool good, const char *what, const char *message) {
    const struct diag_message *first = NULL;

    for (size_t i = 0; i < diag_count(diag) && !first; i++)
        if (diag_get(diag, i)->severity == DIAG_ERROR)
            first = diag_get(diag, i);
    cr_expect_not(good, "%s was accepted", what);
    if (!first || good) {
        cr_expect(first != NULL, "%s: no message", what);
        return;
    }
    cr_expect(strstr(first->text, message) || (first->mend && strstr(first->mend, message)),
              "%s: no `%s` in `%s`", what, message, first->text);
    cr_expect_not_null(first->mend, "%s: `%s` has no mend", what, first->text);
    cr_expect(first->has_loc && first->loc.object, "%s: `%s` has no place", what, first->text);
}

static bool accept_image(const uint8_t *image, size_t size) {
    struct program *p;
    struct verify_result result;

    return elf_read_memory("test.o", image, size, arena, NULL, &p, diag) &&
           verify_form(p, &result, diag);
}

static uint8_t *load(const char *path, size_t *size) {
    uint8_t *image;

    cr_assert(file_read(path, 1 << 24, arena, &image, size, diag), "%s", path);
    return image;
}

/* ---- Sources ---- */

/* What follows "// expect: " in the source of an object. */
static char *expectation(const char *object) {
    const char *name = strrchr(object, '/') + 1;
    size_t size;
    char *source = (char *)load(
        arena_printf(arena, "tests/elf/bad/%.*s.bpf.c", (int)strlen(name) - 2, name), &size);
    char *message = strstr(source, "// expect: ") + strlen("// expect: ");

    *strchr(message, '\n') = '\0';
    return message;
}

Test(elf_bad, sources) {
    glob_t objects;

    cr_assert_eq(glob("build/elf/bad/*.o", 0, NULL, &objects), 0);
    cr_expect_geq(objects.gl_pathc, 60);
    for (size_t i = 0; i < objects.gl_pathc; i++) {
        size_t size;
        again();
        const char *message = expectation(objects.gl_pathv[i]);
        const uint8_t *image = load(objects.gl_pathv[i], &size);
        expect_refused(accept_image(image, size), objects.gl_pathv[i], message);
    }
    globfree(&objects);
}

/* ---- No objects at all ---- */

Test(elf_bad, other_files) {
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } files[] = {
        {"", 0, "not an ELF file (it is empty)"},
        {"int main() {}\n", 14, "not an ELF file"},
        {"\177EL", 3, "not an ELF file"},
        {"BC\300\336", 4, "LLVM bitcode"},
        {"B2T1....", 8, "a blob of bpf2thumb"},
        {"\177ELF\2\1\1", 7, "truncated: 7 bytes are less than an ELF header"},
    };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        again();
        expect_refused(accept_image((const uint8_t *)files[i].bytes, files[i].size),
                       files[i].message, files[i].message);
    }
}

Test(elf_bad, unreadable_files) {
    static const char *const paths[] = {"build/elf/there-is-no-such-file.o", "tests"};
    struct program *p;

    for (size_t i = 0; i < 2; i++) {
        again();
        cr_expect_not(elf_read(paths[i], arena, NULL, &p, diag));
        cr_expect_eq(diag_get(diag, 0)->category, DIAG_IO);
        cr_expect_null(p);
    }
}

/* ---- Damage ---- */

enum where {
    HEADER,  /* the ELF header */
    SECTION, /* the header of section `name` */
    BYTES,   /* the contents of section `name` */
    SYMBOL,  /* the symbol table's row of `name` */
    LINES,   /* the line table inside of .BTF.ext */
    TYPES,   /* the types inside of .BTF */
};

#define FIELD(type, field) offsetof(type, field), sizeof(((type *)0)->field)
#define EHDR(field) HEADER, NULL, FIELD(Elf64_Ehdr, field)
#define SHDR(section, field) SECTION, section, FIELD(Elf64_Shdr, field)
#define SYM(symbol, field) SYMBOL, symbol, FIELD(Elf64_Sym, field)
#define REL(section, n, field)                                                                     \
    BYTES, section, (n) * sizeof(Elf64_Rel) + offsetof(Elf64_Rel, field),                          \
        sizeof(((Elf64_Rel *)0)->field)
#define R_INFO(symbol, type) (((uint64_t)(symbol) << 32) + (type))

static const struct damage {
    char object; /* 'c'alls, 'd'ata, 'm'aps of tests/elf */
    enum where where;
    const char *name;
    size_t offset, width;
    uint64_t value;
    const char *message;
} damages[] = {
    /* The file header */
    {'c', HEADER, NULL, 0, 1, 'E', "not an ELF file"},
    {'c', HEADER, NULL, EI_CLASS, 1, ELFCLASS32, "a 32-bit ELF file"},
    {'c', HEADER, NULL, EI_CLASS, 1, 7, "unknown class"},
    {'c', HEADER, NULL, EI_DATA, 1, ELFDATA2MSB, "is big-endian"},
    {'c', EHDR(e_machine), EM_ARM, "an object for ARM"},
    {'c', EHDR(e_machine), 1234, "an object for another machine (e_machine 1234)"},
    {'c', EHDR(e_type), ET_DYN, "not an object file"},
    {'c', EHDR(e_shoff), 0, "the file has no sections"},
    {'c', EHDR(e_shoff), UINT64_MAX - 8, "truncated: the file has"},
    {'c', EHDR(e_shoff), 1 << 20, "truncated: the file has"},
    {'c', EHDR(e_shnum), 0, "the file has no sections"},
    {'c', EHDR(e_shnum), 0xfeff, "truncated: the file has"},
    {'c', EHDR(e_shentsize), 40, "section headers of 40 bytes"},
    {'c', EHDR(e_shstrndx), 0xfffe, "the section of section names has index"},
    {'c', EHDR(e_shstrndx), 2, "a name outside the table of names"},
    /* Section headers */
    {'c', SHDR(".text", sh_name), UINT32_MAX, "a name outside the table of names"},
    {'c', SHDR(".text", sh_offset), UINT64_MAX, "truncated: section .text would lie at"},
    {'c', SHDR(".debug_info", sh_size), 1 << 24, "truncated: section .debug_info"},
    {'c', SHDR(".text", sh_size), 28, "not a multiple of 8"},
    {'c', SHDR(".text", sh_size), 8, "corrupt symbol"},
    {'c', SHDR(".text", sh_flags), SHF_ALLOC, "not executable"},
    {'c', SHDR(".text", sh_type), SHT_NOBITS, "without contents"},
    {'d', SHDR(".bss", sh_size), UINT64_MAX, "more than any target has"},
    {'d', SHDR(".data", sh_flags), SHF_ALLOC | SHF_EXECINSTR, "its name is one of data"},
    {'d', SHDR(".data", sh_addralign), 12, "an impossible alignment of 12"},
    {'d', SHDR(".data", sh_addralign), 1 << 20, "an impossible alignment"},
    {'d', SHDR(".rodata", sh_size), 8, "corrupt"},
    {'c', SHDR(".symtab", sh_type), SHT_PROGBITS, "no symbol table"},
    {'c', SHDR(".symtab", sh_entsize), 16, "the symbol table cannot be read"},
    {'c', SHDR(".symtab", sh_link), 9999, "its name lies outside the table of names"},
    {'c', SHDR(".reltimer/10ms", sh_info), 9999, "relocates section 9999"},
    {'c', SHDR(".reltimer/10ms", sh_type), SHT_RELA, "relocations with addends"},
    {'c', SHDR(".reltimer/10ms", sh_entsize), 8, "cannot be read"},
    {'c', SHDR(".reltimer/10ms", sh_type), SHT_NULL, "where no function starts"},
    /* Symbols */
    {'c', SYM("global", st_shndx), 500, "corrupt symbol global: it lies in section 500"},
    {'c', SYM("global", st_value), 1 << 20, "corrupt symbol global"},
    {'c', SYM("global", st_size), UINT64_MAX - 7, "corrupt symbol global"},
    {'c', SYM("global", st_value), 4, "does not consist of instructions"},
    {'c', SYM("global", st_size), 12, "does not consist of instructions"},
    {'c', SYM("global", st_size), 8, "function global should end at"},
    {'c', SYM("global", st_name), UINT32_MAX, "its name lies outside the table of names"},
    {'d', SYM("total", st_shndx), 0, "unresolved extern: total is defined nowhere"},
    {'c', SYM("global", st_shndx), 1, "which holds no code"},
    {'c', SYM("first", st_info), 0, "begins with code that belongs to no function"},
    {'d', SYM("total", st_value), 1 << 16, "corrupt symbol total"},
    {'d', SYM("common_b", st_value), 3, "corrupt common symbol common_b"},
    {'d', SYM("common_b", st_size), 1ull << 40, "corrupt common symbol common_b"},
    {'m', SYM("records", st_size), 0, "symbol records in section .maps is no variable"},
    {'m', SYM("records", st_info), 0x10, "symbol records in section .maps is no variable"},
    {'m', SYM("records", st_size), 80, "overlap"},
    /* Relocations */
    {'c', REL(".reltimer/10ms", 0, r_offset), 1 << 20, "leaves section timer/10ms"},
    {'c', REL(".reltimer/10ms", 0, r_offset), UINT64_MAX - 3, "leaves section timer/10ms"},
    {'c', REL(".reltimer/10ms", 0, r_offset), 4, "is inside of an instruction"},
    {'c', REL(".reltimer/10ms", 0, r_offset), 0, "is no load of a 64-bit constant"},
    {'c', REL(".reltimer/10ms", 0, r_info), R_INFO(1, 99), "type 99 (an unknown type)"},
    {'c', REL(".reltimer/10ms", 0, r_info), R_INFO(1, 2), "R_BPF_64_ABS64) cannot stand here"},
    {'c', REL(".reltimer/10ms", 0, r_info), R_INFO(1, 10), "is no call of a function"},
    {'c', REL(".reltimer/10ms", 0, r_info), R_INFO(99999, 1), "it names symbol 99999 of"},
    {'c', REL(".reltimer/10ms", 0, r_info), R_INFO(0, 1), "it names no symbol"},
    {'d', BYTES, ".data", 8, 8, 1 << 20, "leaves section COMMON"},
    {'d', BYTES, ".rodata", 8, 8, UINT64_MAX, "leaves section .rodata.str1.1"},
    {'d', BYTES, ".rodata", 32, 8, 4, "where no function starts"},
    {'d', REL(".rel.rodata", 1, r_offset), 12, "overlap"},
    {'d', REL(".rel.rodata", 0, r_info), R_INFO(1, 3), "R_BPF_64_ABS32) cannot stand here"},
    {'m', REL(".rel.maps", 0, r_offset), 1, "which is no attribute values"},
    {'m', BYTES, ".reltimer/1s", 0, 8, 8, "is no load of a 64-bit constant"},
    /* Types */
    {'m', BYTES, ".BTF", 0, 2, 0x1234, "corrupt type information (.BTF): wrong magic number"},
    {'m', BYTES, ".BTF", 2, 1, 9, "wrong magic number or version"},
    {'m', BYTES, ".BTF", 4, 4, 8, "wrong length of the header"},
    {'m', BYTES, ".BTF", 4, 4, 1 << 30, "wrong length of the header"},
    {'m', BYTES, ".BTF", 8, 4, 1 << 30, "types or strings leave the section"},
    {'m', BYTES, ".BTF", 12, 4, UINT32_MAX, "types or strings leave the section"},
    {'m', BYTES, ".BTF", 16, 4, UINT32_MAX, "types or strings leave the section"},
    {'m', BYTES, ".BTF", 20, 4, 0, "do not begin and end with a zero byte"},
    {'m', BYTES, ".BTF", 20, 4, 20, "do not begin and end with a zero byte"},
    {'m', BYTES, ".BTF", 12, 4, 16, "corrupt type information"},
    {'m', SHDR(".BTF", sh_size), 12, "shorter than its header"},
    {'m', TYPES, NULL, 0, 4, UINT32_MAX, "type 1 refers to a type or a string"},
    {'m', TYPES, NULL, 8, 4, 99999, "type 1 refers to a type or a string"},
    {'m', TYPES, NULL, 4, 4, 0x1f000000, "the types do not fit their section"},
    {'m', TYPES, NULL, 4, 4, 0x0400ffff, "the types do not fit their section"},
    {'m', TYPES, NULL, 8, 4, 1, "map"}, /* a pointer to itself */
    /* Lines */
    {'c', BYTES, ".BTF.ext", 0, 2, 0, "corrupt line table (.BTF.ext): wrong magic number"},
    {'c', BYTES, ".BTF.ext", 4, 4, 4, "wrong length of the header"},
    {'c', BYTES, ".BTF.ext", 4, 4, 1 << 30, "wrong length of the header"},
    {'c', BYTES, ".BTF.ext", 16, 4, UINT32_MAX, "the table leaves the section"},
    {'c', BYTES, ".BTF.ext", 20, 4, UINT32_MAX, "the table leaves the section"},
    {'c', BYTES, ".BTF.ext", 20, 4, 3, "wrong size of its records"},
    {'c', BYTES, ".BTF.ext", 20, 4, 10, "ends inside of a section's head"},
    {'c', SHDR(".BTF.ext", sh_size), 8, "shorter than its header"},
    {'c', LINES, NULL, 0, 4, 8, "wrong size of its records"},
    {'c', LINES, NULL, 0, 4, UINT32_MAX, "has no lines, or the table ends inside"},
    {'c', LINES, NULL, 4, 4, UINT32_MAX, "lines of a section that does not exist"},
    {'c', LINES, NULL, 4, 4, 0, "a line belongs to no instruction"},
    {'c', LINES, NULL, 8, 4, UINT32_MAX, "has no lines, or the table ends inside"},
    {'c', LINES, NULL, 12, 4, 4, "a line belongs to no instruction"},
    {'c', LINES, NULL, 12, 4, 1 << 20, "a line belongs to no instruction"},
    {'c', LINES, NULL, 16, 4, UINT32_MAX, "lies outside the strings"},
    {'c', LINES, NULL, 20, 4, UINT32_MAX, "lies outside the strings"},
};

static uint8_t *load_object(char object, size_t *size) {
    return load(object == 'c'   ? "build/elf/calls.19.v4.o"
                : object == 'd' ? "build/elf/data.19.v4.o"
                                : "build/elf/maps.19.v4.o",
                size);
}

static uint32_t word(const uint8_t *bytes) {
    uint32_t number;

    memcpy(&number, bytes, 4);
    return number;
}

static uint8_t *place(uint8_t *image, const struct damage *d) {
    const char *name = d->where == LINES ? ".BTF.ext" : d->where == TYPES ? ".BTF" : d->name;
    uint8_t *bytes = image;

    if (d->where == SECTION)
        return (uint8_t *)elf_section(image, name) + d->offset;
    if (d->where == SYMBOL)
        return (uint8_t *)elf_symbol(image, name) + d->offset;
    if (d->where != HEADER)
        bytes += elf_section(image, name)->sh_offset;
    if (d->where == LINES)
        bytes += word(bytes + 4) + word(bytes + 16);
    if (d->where == TYPES)
        bytes += word(bytes + 4) + word(bytes + 8);
    return bytes + d->offset;
}

Test(elf_bad, damaged) {
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        const struct damage *d = &damages[i];
        size_t size;
        again();
        uint8_t *image = load_object(d->object, &size);
        memcpy(place(image, d), &d->value, d->width);
        const char *what =
            arena_printf(arena, "damage %zu (%s, +%zu = %llx)", i, d->name ? d->name : "",
                         d->offset, (unsigned long long)d->value);
        expect_refused(accept_image(image, size), what, d->message);
    }
}

/* ---- Damage that takes more than one number ---- */

Test(elf_bad, two_strong_definitions) {
    size_t size;
    uint8_t *image = load_object('c', &size);

    elf_symbol(image, "second")->st_name = elf_symbol(image, "first")->st_name;
    expect_refused(accept_image(image, size), "two definitions", "symbol first is defined twice");
}

/* A relocation that names the symbol of something else. */
static void swap_symbol(char object, const char *section, const char *symbol, const char *message) {
    size_t size;

    again();
    uint8_t *image = load_object(object, &size);
    Elf64_Rel *rel = (Elf64_Rel *)(image + elf_section(image, section)->sh_offset);
    rel->r_info = ELF64_R_INFO(elf_symbol_index(image, symbol), ELF64_R_TYPE(rel->r_info));
    expect_refused(accept_image(image, size), symbol, message);
}

Test(elf_bad, relocations_of_other_symbols) {
    swap_symbol('m', ".rel.maps", "records", "records at index 1 is no program");
    swap_symbol('c', ".relcmd/x", "first", "where no function starts");
}

/* A map's address is two slots; a relocation of the second one means nothing. */
Test(elf_bad, relocation_of_the_second_half) {
    size_t size;
    uint8_t *image = load_object('m', &size);
    Elf64_Rel *rel = (Elf64_Rel *)(image + elf_section(image, ".reltimer/1s")->sh_offset);

    rel->r_offset += 8;
    expect_refused(accept_image(image, size), "second half", "is inside of an instruction");
}

/* The first offset behind the strings is outside of them. */
Test(elf_bad, name_at_the_end_of_the_strings) {
    static const size_t fields[] = {16, 20}; /* file and text of the first line */

    for (size_t i = 0; i < 2; i++) {
        size_t size;
        again();
        uint8_t *image = load_object('c', &size);
        const uint8_t *types = image + elf_section(image, ".BTF")->sh_offset;
        const struct damage d = {'c', LINES, NULL, fields[i], 4, word(types + 20), ""};
        memcpy(place(image, &d), &d.value, d.width);
        expect_refused(accept_image(image, size), "end of the strings", "lies outside the strings");
    }
}

/* The first number that is no type's is their count. */
Test(elf_bad, type_behind_the_last) {
    size_t size;
    uint8_t *image = load_object('m', &size);
    const Elf64_Shdr *section = elf_section(image, ".BTF");
    struct btf *btf = btf__new(image + section->sh_offset, (uint32_t)section->sh_size);
    const struct damage d = {'m', TYPES, NULL, 8, 4, btf__type_cnt(btf), ""};

    btf__free(btf);
    memcpy(place(image, &d), &d.value, d.width);
    expect_refused(accept_image(image, size), "type behind the last",
                   "type 1 refers to a type or a string");
}

/* A line's number has 22 bits, its column 10. */
Test(elf_bad, lines_and_columns_to_their_last_bit) {
    size_t size;
    uint8_t *image = load_object('c', &size);
    const struct damage d = {'c', LINES, NULL, 24, 4, UINT32_MAX, ""};
    struct program *p;
    bool found = false;

    memcpy(place(image, &d), &d.value, d.width);
    cr_assert(elf_read_memory("test.o", image, size, arena, NULL, &p, diag));
    for (uint32_t i = 0; i < p->nlines; i++)
        found |= p->lines[i].line == (1 << 22) - 1 && p->lines[i].column == 1023;
    cr_assert(found);
}

Test(elf_bad, call_of_data) {
    size_t size;
    uint8_t *image = load_object('m', &size);
    Elf64_Rel *rel = (Elf64_Rel *)(image + elf_section(image, ".reltimer/1s")->sh_offset);
    uint8_t *code = image + elf_section(image, "timer/1s")->sh_offset + rel->r_offset;

    /* lddw r1, records: the two halves become a call and a plain instruction. */
    memcpy(code, "\x85\x10\0\0\xff\xff\xff\xff\xb7\0\0\0\0\0\0\0", 16);
    rel->r_info = ELF64_R_INFO(ELF64_R_SYM(rel->r_info), 10);
    expect_refused(accept_image(image, size), "a call of a map", "which is no function");
}
