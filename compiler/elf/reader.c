/* SPDX-License-Identifier: MIT */
/* Reading an object file, step by step. */
#include "elf/elf.h"

#include "elf/object.h"
#include "util/file.h"

#include <string.h>

static bool read_parts(struct object *object, const struct elf_options *options,
                       struct program *program) {
    return object_open(object) && btf_load(object) && lines_read(object) &&
           maps_read(object, program) && link_program(object, options, program) &&
           program_decode(program, object->diag);
}

/* `bytes` are on the arena, 8-aligned: the program's data images stay pointers into them. */
static bool read_image(const char *name, const uint8_t *bytes, size_t size, struct arena *arena,
                       const struct elf_options *options, struct program **program,
                       struct diag *diag) {
    static const struct elf_options defaults;
    struct object object = {
        .arena = arena, .diag = diag, .path = name, .image = bytes, .size = size};

    *program = arena_alloc(arena, sizeof(**program));
    (*program)->arena = arena;
    (*program)->file = name;
    bool good = read_parts(&object, options ? options : &defaults, *program);
    btf_unload(&object);
    if (!good)
        *program = NULL;
    return good;
}

bool elf_read(const char *path, struct arena *arena, const struct elf_options *options,
              struct program **program, struct diag *diag) {
    uint8_t *bytes;
    size_t size;

    const char *name = options && options->name ? options->name : path;

    *program = NULL;
    return file_read(path, FILE_SIZE_LIMIT, arena, &bytes, &size, diag) &&
           read_image(arena_strdup(arena, name), bytes, size, arena, options, program, diag);
}

bool elf_read_memory(const char *name, const void *bytes, size_t size, struct arena *arena,
                     const struct elf_options *options, struct program **program,
                     struct diag *diag) {
    uint8_t *copy = arena_alloc(arena, size + 1);

    if (size)
        memcpy(copy, bytes, size);
    return read_image(arena_strdup(arena, name), copy, size, arena, options, program, diag);
}
