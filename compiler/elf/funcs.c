/* SPDX-License-Identifier: MIT */
/*
 * The functions of an object. Each section with code is cut up at the function symbols, which must cover
 * it. In .text they are sub-programs; in a section of another name, the global ones are entries of the
 * type that the name says, and the static ones are sub-programs too.
 */
#include "elf/object.h"

#include <elf.h>
#include <stdlib.h>

#define MEND_REBUILD "the file is damaged: compile it again with clang -target bpf"

static bool holds_code(const struct object *object, uint32_t section) {
    return section != OBJECT_NONE && (object->sections.items[section].kind == SECTION_TEXT ||
                                      object->sections.items[section].kind == SECTION_PROGRAM);
}

/* By place; of two names of one place the global one first. */
static int compare_funcs(const void *a, const void *b) {
    const struct object_func *x = a, *y = b;

    if (x->section != y->section)
        return x->section < y->section ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (int)y->global - (int)x->global;
}

uint32_t funcs_at(const struct object *object, uint32_t section, uint64_t offset) {
    uint32_t low = 0, high = (uint32_t)object->funcs.count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct object_func *f = &object->funcs.items[middle];
        if (f->section == section && f->start == offset)
            return middle;
        if (f->section < section || (f->section == section && f->start < offset))
            low = middle + 1;
        else
            high = middle;
    }
    return OBJECT_NONE;
}

/* Every function symbol in a section with code, sorted by place, without second names. */
static bool collect(struct object *object) {
    size_t kept = 0;

    vec_for_each(const struct object_symbol, s, &object->symbols) {
        if (s->type != STT_FUNC || s->section == OBJECT_NONE)
            continue;
        struct diag_loc loc = object_loc_section(object, s->section);
        if (!holds_code(object, s->section))
            return diag_error(object->diag, DIAG_SYMBOL, &loc, MEND_REBUILD,
                              "function %s lies in section %s, which holds no code", s->name,
                              loc.section);
        if (s->value % sizeof(struct bpf_insn) || s->size % sizeof(struct bpf_insn))
            return diag_error(object->diag, DIAG_SYMBOL, &loc, MEND_REBUILD,
                              "corrupt symbol: function %s at offset %llu with %llu bytes does not "
                              "consist of instructions",
                              s->name, (unsigned long long)s->value, (unsigned long long)s->size);
        vec_push(object->arena, &object->funcs,
                 (struct object_func){.name = s->name,
                                      .section = s->section,
                                      .start = s->value,
                                      .end = s->size ? s->value + s->size : 0,
                                      .global = s->binding != STB_LOCAL,
                                      .index = OBJECT_NONE});
    }
    if (object->funcs.count)
        qsort(object->funcs.items, object->funcs.count, sizeof(*object->funcs.items),
              compare_funcs);
    for (size_t i = 0; i < object->funcs.count; i++) {
        const struct object_func *f = &object->funcs.items[i];
        const struct object_func *last = kept ? &object->funcs.items[kept - 1] : NULL;
        if (!last || last->section != f->section || last->start != f->start)
            object->funcs.items[kept++] = *f;
    }
    object->funcs.count = kept;
    return true;
}

/* Ends of the functions of one section, from funcs[first]; false where they do not cover it. */
static bool cover(struct object *object, uint32_t section, size_t first) {
    const struct object_section *s = &object->sections.items[section];
    struct diag_loc loc = object_loc_section(object, section);
    size_t count = object->funcs.count;
    bool any = first < count && object->funcs.items[first].section == section;

    if (s->size > 0 && (!any || object->funcs.items[first].start != 0))
        return diag_error(object->diag, DIAG_SYMBOL, &loc, "do not strip the object's symbols",
                          "section %s begins with code that belongs to no function", s->name);
    for (size_t i = first; i < count && object->funcs.items[i].section == section; i++) {
        struct object_func *f = &object->funcs.items[i];
        bool last = i + 1 == count || object->funcs.items[i + 1].section != section;
        uint64_t end = last ? s->size : object->funcs.items[i + 1].start;
        if (f->start >= s->size)
            return diag_error(object->diag, DIAG_SYMBOL, &loc, MEND_REBUILD,
                              "corrupt symbol: function %s has no instructions", f->name);
        if (f->end != 0 && f->end != end)
            return diag_error(object->diag, DIAG_SYMBOL, &loc, MEND_REBUILD,
                              "corrupt symbol: function %s should end at offset %llu of section "
                              "%s, but its size says %llu",
                              f->name, (unsigned long long)end, s->name,
                              (unsigned long long)f->end);
        f->end = end;
    }
    return true;
}

static bool mark_entries(struct object *object, const struct elf_options *options) {
    struct diag_loc loc = DIAG_OBJECT(object->path);
    bool any = false;

    vec_for_each(struct object_func, f, &object->funcs) {
        f->entry = f->global && object->sections.items[f->section].kind == SECTION_PROGRAM;
        any |= f->entry;
    }
    /* With a type given, an object without any SEC() has its global functions as programs. */
    for (size_t i = 0; i < object->funcs.count && !any && options->type; i++)
        object->funcs.items[i].entry = object->funcs.items[i].global;
    vec_for_each(const struct object_func, f, &object->funcs) {
        any |= f->entry;
    }
    if (!any)
        return diag_error(object->diag, DIAG_SECTION, &loc,
                          "write SEC(\"timer/10ms\"), or another program type, before a function "
                          "that is not static",
                          "the object has no program");
    return true;
}

bool funcs_find(struct object *object, const struct elf_options *options) {
    size_t first = 0;

    if (!collect(object))
        return false;
    for (uint32_t section = 0; section < object->sections.count; section++) {
        while (first < object->funcs.count && object->funcs.items[first].section < section)
            first++;
        if (holds_code(object, section) && !cover(object, section, first))
            return false;
    }
    return mark_entries(object, options);
}
