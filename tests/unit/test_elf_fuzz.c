/* SPDX-License-Identifier: MIT */
/*
 * Objects damaged at random, and cut off everywhere: the reader and the verifier refuse with a message or
 * accept, and never crash, hang or lose memory (the sanitizers watch). The numbers are the same in every
 * run; ELF_FUZZ=N in the environment makes N rounds, and ELF_FUZZ_SEED another sequence.
 */
#include "elf/elf.h"
#include "elf/patch.h"
#include "util/file.h"
#include "verifier/verifier.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <sanitizer/lsan_interface.h>
#include <stdlib.h>

#define ROUNDS 6000
#define TIMEOUT 120

static uint64_t state;

static uint32_t random_below(uint32_t limit) {
    /* xorshift64* (Vigna 2016): any generator does, this one is two lines. */
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return (uint32_t)((state * 0x2545f4914f6cdd1dull) >> 32) % limit;
}

static unsigned long number_from(const char *variable, unsigned long fallback) {
    const char *text = getenv(variable);

    return text ? strtoul(text, NULL, 0) : fallback;
}

/* Refused with a message, or accepted: then every line and every function can be looked up. */
static bool check(const uint8_t *image, size_t size) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct verify_result result;
    struct program *p;
    struct diag_loc loc;
    bool good = elf_read_memory("fuzz.o", image, size, arena, NULL, &p, diag);

    for (uint32_t i = 0; good && i < p->ninsns; i++)
        program_loc(p, i, &loc);
    good = good && verify_form(p, &result, diag);
    cr_assert_eq(good, !diag_has_errors(diag));
    diag_free(diag);
    arena_free(arena);
    return good;
}

/* Places where a changed byte means something: headers, symbols, relocations, types, lines, code. */
static size_t interesting_place(uint8_t *image, size_t size) {
    static const char *const names[] = {".symtab", ".BTF",  ".BTF.ext",    ".rel.maps",
                                        ".text",   ".maps", ".rel.rodata", ".strtab"};
    const Elf64_Ehdr *h = elf_header(image);
    uint32_t kind = random_below(12);

    if (kind < 8) {
        const Elf64_Shdr *s = elf_section(image, names[kind]);
        if (s && s->sh_size > 0)
            return s->sh_offset + random_below((uint32_t)s->sh_size);
    }
    if (kind < 10)
        return h->e_shoff + random_below(h->e_shnum * (uint32_t)sizeof(Elf64_Shdr));
    return kind == 10 ? random_below(sizeof(*h)) : random_below((uint32_t)size);
}

static void damage(uint8_t *image, size_t at) {
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};

    switch (random_below(3)) {
    case 0: image[at] ^= (uint8_t)(1u << random_below(8)); break;
    case 1: image[at] = values[random_below(sizeof(values))]; break;
    default: image[at] = (uint8_t)random_below(256); break;
    }
}

Test(elf_fuzz, random_damage, .timeout = TIMEOUT) {
    unsigned long rounds = number_from("ELF_FUZZ", ROUNDS), accepted = 0;
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    glob_t objects;

    state = number_from("ELF_FUZZ_SEED", 0x243f6a8885a308d3);
    cr_assert_eq(glob("build/elf/*.o", 0, NULL, &objects), 0);
    uint8_t **images = arena_alloc_array(arena, objects.gl_pathc, sizeof(*images));
    size_t *sizes = arena_alloc_array(arena, objects.gl_pathc, sizeof(*sizes));
    for (size_t i = 0; i < objects.gl_pathc; i++)
        cr_assert(file_read(objects.gl_pathv[i], 1 << 20, arena, &images[i], &sizes[i], diag));
    for (unsigned long round = 0; round < rounds; round++) {
        size_t pick = random_below((uint32_t)objects.gl_pathc), size = sizes[pick], at[8];
        uint32_t count = 1 + random_below(8);
        /* Exactly as large as the file, so that a read behind its end is seen. */
        uint8_t *copy = malloc(size);
        memcpy(copy, images[pick], size);
        for (uint32_t k = 0; k < count; k++)
            at[k] = interesting_place(images[pick], size);
        for (uint32_t k = 0; k < count; k++)
            damage(copy, at[k]);
        accepted += check(copy, size);
        free(copy);
    }
    /* Damage to names and debug information does no harm; all refused or none would be a bad test. */
    cr_expect(rounds < 100 || (accepted > rounds / 50 && accepted < rounds / 2), "%lu of %lu",
              accepted, rounds);
    globfree(&objects);
    diag_free(diag);
    arena_free(arena);
    cr_expect_eq(__lsan_do_recoverable_leak_check(), 0);
}

Test(elf_fuzz, cut_off, .timeout = TIMEOUT) {
    static const char *const paths[] = {"build/elf/calls.14.v1.o", "build/elf/data.19.v3.o",
                                        "build/elf/maps.19.v4.o"};

    for (size_t i = 0; i < 3; i++) {
        struct arena *arena = arena_new();
        struct diag *diag = diag_new();
        uint8_t *image;
        size_t size;
        cr_assert(file_read(paths[i], 1 << 20, arena, &image, &size, diag));
        for (size_t length = 0; length < size; length += 64)
            cr_expect_not(check(image, length), "%s cut off at %zu", paths[i], length);
        cr_expect_not(check(image, size - 1));
        diag_free(diag);
        arena_free(arena);
    }
    cr_expect_eq(__lsan_do_recoverable_leak_check(), 0);
}
