/* SPDX-License-Identifier: MIT */
/*
 * Good objects: every program of tests/elf, compiled by two clangs for every level of instructions, comes
 * out of the reader as tests/elf/NAME.expect says: maps, data, pointers, functions, what each function
 * calls and refers to, the line it returns in. ELF_EXPECT=write in the environment writes these files.
 */
#include "bpf_listing.h"
#include "elf/elf.h"
#include "util/file.h"
#include "util/vec.h"
#include "verifier/verifier.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

/* ---- What is compared ---- */

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What a function calls and whose addresses it takes, each once, in alphabetical order: how often and in
 * which order depends on the compiler. */
static void print_uses(const struct program *p, const struct prog_func *f, FILE *out) {
    VEC(char *) uses = {0};

    for (uint32_t i = f->start; i < f->start + f->len; i++) {
        const struct bpf_decoded *d = &p->decoded[i];
        uint32_t index = (uint32_t)d->imm;
        if (d->len == 0)
            continue;
        if (d->op == BPF_CALL_LOCAL)
            vec_push(
                p->arena, &uses,
                arena_printf(p->arena, "%s()", program_func_at(p, i + (uint32_t)d->target)->name));
        if (d->op == BPF_CALL_HELPER)
            vec_push(p->arena, &uses, arena_printf(p->arena, "helper %u", index));
        if (d->op == BPF_CALLX)
            vec_push(p->arena, &uses, arena_strdup(p->arena, "callx"));
        if (d->op == BPF_LDDW && d->pseudo == BPF_PSEUDO_DATA)
            vec_push(p->arena, &uses,
                     arena_printf(p->arena, "%s+%u", p->datas[index].name,
                                  (uint32_t)((uint64_t)d->imm >> 32)));
        if (d->op == BPF_LDDW && d->pseudo == BPF_PSEUDO_MAP)
            vec_push(p->arena, &uses, arena_strdup(p->arena, p->maps[index].name));
        if (d->op == BPF_LDDW && d->pseudo == BPF_PSEUDO_FUNC)
            vec_push(p->arena, &uses, arena_printf(p->arena, "&%s()", p->funcs[index].name));
    }
    if (uses.count)
        qsort(uses.items, uses.count, sizeof(*uses.items), compare_texts);
    for (size_t i = 0; i < uses.count; i++)
        if (i == 0 || strcmp(uses.items[i], uses.items[i - 1]) != 0)
            fprintf(out, "    %s\n", uses.items[i]);
}

static void print_messages(const struct diag *diag, FILE *out) {
    for (size_t i = 0; i < diag_count(diag); i++)
        fprintf(out, "%s: %s\n", diag_severity_name(diag_get(diag, i)->severity),
                diag_get(diag, i)->text);
}

static char *summary(const char *path, struct arena *arena) {
    struct diag *diag = diag_new();
    struct program *p;
    struct verify_result result;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (elf_read(path, arena, NULL, &p, diag) && verify_form(p, &result, diag)) {
        bpf_list_tables(p, out);
        for (uint32_t i = 0; i < p->nfuncs; i++) {
            /* The line of the exit: that of the first instruction differs with the compiler. */
            uint32_t last = p->funcs[i].start + p->funcs[i].len - 1;
            const struct prog_line *line = program_line_at(p, last);
            fprintf(out, "%s, returns in line %u, %u frames:\n", p->funcs[i].name,
                    line ? line->line : 0, result.funcs[i].frames);
            print_uses(p, &p->funcs[i], out);
        }
    }
    print_messages(diag, out);
    fclose(out);
    diag_free(diag);
    return text;
}

/* ---- The comparison ---- */

/* build/elf/NAME.VARIANT.o -> tests/elf/NAME.expect, or NAME.VARIANT.expect where the variant differs. */
static const char *expect_path(const char *object, struct arena *arena) {
    char *name = basename(arena_strdup(arena, object));
    name[strlen(name) - 2] = '\0';
    char *own = arena_printf(arena, "tests/elf/%s.expect", name);
    glob_t found;
    bool exists = glob(own, 0, NULL, &found) == 0;

    globfree(&found);
    if (exists)
        return own;
    *strchr(name, '.') = '\0';
    return arena_printf(arena, "tests/elf/%s.expect", name);
}

Test(elf_objects, come_out_as_expected) {
    const char *mode = getenv("ELF_EXPECT");
    glob_t objects;

    cr_assert_eq(glob("build/elf/*.o", 0, NULL, &objects), 0);
    cr_expect_geq(objects.gl_pathc, 4 * 7);
    for (size_t i = 0; i < objects.gl_pathc; i++) {
        struct arena *arena = arena_new();
        struct diag *diag = diag_new();
        char *actual = summary(objects.gl_pathv[i], arena);
        const char *path = expect_path(objects.gl_pathv[i], arena);
        uint8_t *expected = NULL;
        size_t size;
        if (mode && strcmp(mode, "write") == 0)
            cr_assert(file_write(path, actual, strlen(actual), diag));
        cr_expect(file_read(path, 1 << 20, arena, &expected, &size, diag), "no %s", path);
        cr_expect(expected && strcmp(actual, (char *)expected) == 0, "%s differs from %s:\n%s",
                  objects.gl_pathv[i], path, actual);
        free(actual);
        diag_free(diag);
        arena_free(arena);
    }
    globfree(&objects);
}

/* ---- Options ---- */

static const struct prog_entry *first_entry(const char *path, const struct elf_options *options,
                                            struct arena *arena, struct diag *diag) {
    struct program *p;

    cr_assert(elf_read(path, arena, options, &p, diag), "%s",
              diag_count(diag) ? diag_get(diag, 0)->text : "");
    return &p->entries[0];
}

Test(elf_objects, options) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    const struct elf_options raw = {.type = "raw", .mem_size = 48}, uart = {.type = "uart/1"},
                             unknown = {.type = "uart"};
    struct program *p;

    const struct prog_entry *entry = first_entry("build/elf/calls.19.v4.o", &raw, arena, diag);
    cr_expect_eq(entry->hook, BPF_HOOK_RAW);
    cr_expect_eq(entry->ctx_size, 48);
    cr_expect_str_eq(entry->section, "raw");
    entry = first_entry("build/elf/isa.19.v4.o", &uart, arena, diag);
    cr_expect_eq(entry->hook, BPF_HOOK_UART);
    cr_expect_eq(entry->ctx_size, 272);
    entry = first_entry("build/elf/isa.19.v4.o", NULL, arena, diag);
    cr_expect_eq(entry->ctx_size, BPF_RAW_MEM_DEFAULT);
    cr_expect_not(elf_read("build/elf/isa.19.v4.o", arena, &unknown, &p, diag));
    cr_expect_null(p);
    cr_expect_eq(diag_get(diag, diag_count(diag) - 1)->category, DIAG_USAGE);
    arena_free(arena);
    diag_free(diag);
}
