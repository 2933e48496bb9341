/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: an object file through everything that `compile` and `dump` do with it. Whatever the
 * bytes are, there is a program or a message, and nothing else; a blob that comes out is a good one.
 *
 * The mutator knows sections: most changes are made inside of one, or in the header of one, because
 * changes anywhere else mostly end at the first check.
 */
#include "asm_listing.h"
#include "blob_listing.h"
#include "bpf_listing.h"

#include "blob/elf_write.h"
#include "compile.h"
#include "elf/elf.h"
#include "libfuzzer/target.h"

#include <cjson/cJSON.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* Compilation time is no subject here: objects that need more than a moment under the sanitizers. */
#define MAX_INSNS 5000
#define DUMPED_INSNS 200

/* What `dump` prints, as text and as JSON, and `compile --elf` writes. */
static void list(struct arena *arena, const struct compile_result *result, FILE *out) {
    struct asm_debug debug = {result->prog, result->code.lines.items, result->code.lines.count};
    cJSON *json = cJSON_CreateObject();
    struct diag *diag = diag_new();
    struct blob blob;
    uint32_t where;

    if (blob_parse(result->blob, result->blob_size, &blob, &where) != BPF_OK)
        abort();
    asm_list(arena, &blob, &debug, out);
    asm_list_json(arena, &blob, &debug, json);
    blob_list(&blob, out);
    blob_list_json(&blob, json);
    struct file_output elf = {.path = "fuzz.elf"};
    if (!elf_write(result->prog, &result->code, &elf, diag))
        abort();
    diag_free(diag);
    cJSON_Delete(json);
}

/* Who reads and writes keys and values by name stays inside of them. */
static void check_fields(const struct prog_fields *fields, uint32_t size) {
    for (uint32_t i = 0; i < fields->count; i++) {
        const struct prog_field *f = &fields->items[i];
        if (!f->name || f->size > 8 || f->size > size || f->offset > size - f->size)
            abort();
    }
}

static bool compile_bytes(const uint8_t *bytes, size_t size, struct arena *arena, struct diag *diag,
                          FILE *out) {
    struct compile_options options = {.level = 2, .bytecode = true, .check_passes = true};
    struct compile_result result;
    struct program *program;
    struct elf_options elf = {.name = "fuzz.c"};

    /* Padding of the file's identification chooses how to compile. */
    uint8_t choice = size >= EI_NIDENT ? bytes[EI_NIDENT - 1] : 0;
    options.level = 2 - choice % 3;
    options.optimize_size = options.level == 2 && choice & 0x80;
    if (choice & 0x40)
        elf.type = "raw";
    if (!elf_read_memory("fuzz.o", bytes, size, arena, &elf, &program, diag))
        return false;
    for (uint32_t i = 0; i < program->nmaps; i++) {
        check_fields(&program->maps[i].key_fields, program->maps[i].key_size);
        check_fields(&program->maps[i].value_fields, program->maps[i].value_size);
    }
    if (program->ninsns > MAX_INSNS)
        return true;
    bool small = program->ninsns <= DUMPED_INSNS;
    if (small) {
        bpf_list_tables(program, out);
        bpf_list_code(program, out);
        options.dump_pass = "all";
        options.dump = out;
    }
    if (!compile_program(program, &options, &result, diag))
        return false;
    if (small)
        list(arena, &result, out);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    char *text;
    size_t length;
    FILE *messages = open_memstream(&text, &length), *out = fopen("/dev/null", "w");

    bool good = compile_bytes(bytes, size, arena, diag, out);

    if (good == diag_has_errors(diag)) /* refused without a reason, or accepted with errors */
        abort();
    diag_print(diag, messages, false);
    fclose(out);
    fclose(messages);
    free(text);
    diag_free(diag);
    arena_free(arena);
    return 0;
}

/* The headers of the sections, or NULL where the bytes have none. */
static Elf64_Shdr *sections(uint8_t *bytes, size_t size, uint32_t *count) {
    const Elf64_Ehdr *h = (const Elf64_Ehdr *)(const void *)bytes;

    if (size < sizeof(*h) || h->e_shoff > size || h->e_shoff % 8 ||
        (size - h->e_shoff) / sizeof(Elf64_Shdr) < h->e_shnum)
        return NULL;
    *count = h->e_shnum;
    return (Elf64_Shdr *)(void *)(bytes + h->e_shoff);
}

/* A section moves to the end of the file, where it may become longer or shorter. */
static size_t resize(uint8_t *bytes, size_t size, size_t max_size, Elf64_Shdr *s) {
    size_t start = (size + 7) & ~(size_t)7, length = s->sh_size;

    if (start >= max_size || length > max_size - start)
        return size;
    memset(bytes + size, 0, start - size);
    memcpy(bytes + start, bytes + s->sh_offset, length);
    s->sh_offset = start;
    s->sh_size = LLVMFuzzerMutate(bytes + start, length, max_size - start);
    if (s->sh_entsize)
        s->sh_size -= s->sh_size % s->sh_entsize;
    else if (s->sh_flags & SHF_EXECINSTR)
        s->sh_size &= ~(Elf64_Xword)7;
    return start + s->sh_size;
}

/* One aligned word of a table becomes a number near an edge, or one like its neighbours. */
static void change_word(uint8_t *bytes, size_t size, unsigned choice) {
    static const uint32_t edges[] = {0, 1, 2, 8, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};
    uint32_t word, words = (uint32_t)(size / sizeof(word));

    if (!words)
        return;
    size_t at = choice / 16 % words * sizeof(word);
    if (choice % 16 < 8) {
        memcpy(bytes + at, &edges[choice % 8], sizeof(word));
        return;
    }
    memcpy(&word, bytes + (at + (choice % 8 + 1) * sizeof(word)) % (words * sizeof(word)),
           sizeof(word));
    memcpy(bytes + at, &word, sizeof(word));
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed) {
    uint32_t count = 0;
    Elf64_Shdr *all = sections(bytes, size, &count);

    if (!count || seed % 32 == 0)
        return LLVMFuzzerMutate(bytes, size, max_size);
    Elf64_Shdr *s = &all[seed / 32 % count];
    if (seed % 1024 == 1) {
        bytes[EI_NIDENT - 1] = (uint8_t)(seed / 1024);
        return size;
    }
    if (seed % 32 < 4) {
        target_mutate((uint8_t *)s, sizeof(*s));
        return size;
    }
    if (s->sh_type == SHT_NOBITS || s->sh_offset > size || s->sh_size > size - s->sh_offset)
        return size;
    if (seed % 32 < 8)
        return resize(bytes, size, max_size, s);
    if (seed % 32 < 18)
        change_word(bytes + s->sh_offset, s->sh_size, seed / 32 / count);
    else
        target_mutate(bytes + s->sh_offset, s->sh_size);
    return size;
}
