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

#include "compile.h"
#include "elf/elf.h"
#include "libfuzzer/target.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* Compilation time is no subject here: objects that need more than a moment under the sanitizers. */
#define MAX_INSNS 5000
#define DUMPED_INSNS 200

static void list(struct arena *arena, const struct compile_result *result) {
    struct asm_debug debug = {result->prog, result->code.lines.items, result->code.lines.count};
    struct blob blob;
    uint32_t where;
    FILE *out = fopen("/dev/null", "w");

    if (blob_parse(result->blob, result->blob_size, &blob, &where) != BPF_OK)
        abort();
    if (result->prog->ninsns <= DUMPED_INSNS) {
        asm_list(arena, &blob, &debug, out);
        blob_list(&blob, out);
    }
    fclose(out);
}

static bool compile_bytes(const uint8_t *bytes, size_t size, struct arena *arena,
                          struct diag *diag) {
    struct compile_options options = {.level = 2, .bytecode = true, .check_passes = true};
    struct compile_result result;
    struct program *program;

    if (!elf_read_memory("fuzz.o", bytes, size, arena, NULL, &program, diag))
        return false;
    if (program->ninsns > MAX_INSNS)
        return true;
    if (!compile_program(program, &options, &result, diag))
        return false;
    list(arena, &result);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    char *text;
    size_t length;
    FILE *messages = open_memstream(&text, &length);
    bool good = compile_bytes(bytes, size, arena, diag);

    if (good == diag_has_errors(diag)) /* refused without a reason, or accepted with errors */
        abort();
    diag_print(diag, messages, false);
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

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed) {
    uint32_t count = 0;
    Elf64_Shdr *all = sections(bytes, size, &count);

    if (!count || seed % 16 == 0)
        return LLVMFuzzerMutate(bytes, size, max_size);
    Elf64_Shdr *s = &all[seed / 16 % count];
    if (seed / 16 / count % 8 == 0)
        target_mutate((uint8_t *)s, sizeof(*s));
    else if (s->sh_type != SHT_NOBITS && s->sh_offset < size && s->sh_size <= size - s->sh_offset)
        target_mutate(bytes + s->sh_offset, s->sh_size);
    return size;
}
