/* SPDX-License-Identifier: MIT */
/*
 * Source lines from .BTF.ext, which libbpf 1.1 does not hand out: for each section with code, records of
 * {instruction, file, line, column, text}, with the strings in .BTF. Its layout is in the kernel's
 * Documentation/bpf/btf.rst, section 4.2. Only the line table is read: functions have their symbols, and
 * CO-RE relocations are not needed, as local types are taken as they are.
 */
#include "elf/object.h"

#include <stdlib.h>
#include <string.h>

#define MEND_REBUILD "compile it again with clang -g, or strip the section with llvm-strip -g"
#define BTF_MAGIC 0xeb9f
#define HEADER_SIZE 24 /* up to and with line_info_len; later versions add to it */
#define RECORD_SIZE 16 /* {insn_off, file_name_off, line_off, line_col}, the same */

/* A part of the section that is being read. */
struct span {
    const uint8_t *bytes;
    uint64_t size;
};

static bool corrupt(const struct object *object, const char *what) {
    struct diag_loc loc = object_loc_section(object, object->btfext_section);

    return diag_error(object->diag, DIAG_BTF, &loc, MEND_REBUILD,
                      "corrupt line table (.BTF.ext): %s", what);
}

/* The next `count` bytes of a span, or NULL if it has fewer. */
static const uint8_t *take(struct span *span, uint64_t count) {
    const uint8_t *bytes = span->bytes;

    if (count > span->size)
        return NULL;
    span->bytes += count;
    span->size -= count;
    return bytes;
}

static uint32_t u32_at(const uint8_t *bytes) {
    return (uint32_t)object_number(bytes, 4);
}

/* Finds the line table in the section; an empty one where there is none. */
static bool find_table(const struct object *object, struct span *table) {
    const struct object_section *s = &object->sections.items[object->btfext_section];
    struct span rest = {s->bytes, s->size};
    const uint8_t *h = take(&rest, HEADER_SIZE);

    if (!h)
        return corrupt(object, "the section is shorter than its header");
    uint32_t header = u32_at(h + 4), offset = u32_at(h + 16), size = u32_at(h + 20);
    if (object_number(h, 2) != BTF_MAGIC || h[2] != 1)
        return corrupt(object, "wrong magic number or version");
    if (header < HEADER_SIZE || header > s->size)
        return corrupt(object, "wrong length of the header");
    rest = (struct span){s->bytes + header, s->size - header};
    if (!take(&rest, offset) || size > rest.size)
        return corrupt(object, "the table leaves the section");
    *table = (struct span){rest.bytes, size};
    return true;
}

static uint32_t section_by_name(const struct object *object, const char *name) {
    for (uint32_t i = 0; i < object->sections.count; i++)
        if (strcmp(object->sections.items[i].name, name) == 0)
            return i;
    return OBJECT_NONE;
}

static bool read_record(struct object *object, uint32_t section, const uint8_t *record) {
    uint32_t offset = u32_at(record), line_col = u32_at(record + 12);
    const char *file = btf_string(object, u32_at(record + 4));
    const char *text = btf_string(object, u32_at(record + 8));

    if (offset % sizeof(struct bpf_insn) || offset >= object->sections.items[section].size)
        return corrupt(object, "a line belongs to no instruction");
    if (!file || !text)
        return corrupt(object, "a file name or a source line lies outside the strings");
    /* Line 0 is code without a line; the row before it is the best there is. */
    if (line_col >> 10 == 0)
        return true;
    vec_push(object->arena, &object->lines,
             (struct object_line){.section = section,
                                  .offset = offset,
                                  .line = line_col >> 10,
                                  .column = line_col & 0x3ff,
                                  .file = file,
                                  .text = text});
    return true;
}

/* {sec_name_off, num_info} and the records of one section. */
static bool read_section(struct object *object, struct span *table, uint32_t record_size) {
    const uint8_t *head = take(table, 8);

    if (!head)
        return corrupt(object, "the table ends inside of a section's head");
    const char *name = btf_string(object, u32_at(head));
    uint64_t count = u32_at(head + 4);
    uint32_t section = name ? section_by_name(object, name) : OBJECT_NONE;
    if (section == OBJECT_NONE)
        return corrupt(object, "lines of a section that does not exist");
    if (count == 0 || count > table->size / record_size)
        return corrupt(object, "a section has no lines, or the table ends inside of them");
    for (; count > 0; count--)
        if (!read_record(object, section, take(table, record_size)))
            return false;
    return true;
}

/* By place; the line as well, so that the order does not depend on qsort(). */
static int compare_lines(const void *a, const void *b) {
    const struct object_line *x = a, *y = b;

    if (x->section != y->section)
        return x->section < y->section ? -1 : 1;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

bool lines_read(struct object *object) {
    struct span table = {0};

    if (object->btfext_section == OBJECT_NONE || !object->strings)
        return true;
    if (!find_table(object, &table))
        return false;
    if (table.size == 0)
        return true;
    const uint8_t *head = take(&table, 4);
    uint32_t record_size = head ? u32_at(head) : 0;
    if (record_size < RECORD_SIZE)
        return corrupt(object, "wrong size of its records");
    for (size_t part = 0; table.size > 0; part++) {
        if (part == object->sections.count)
            return corrupt(object, "it has more sections than the file");
        if (!read_section(object, &table, record_size))
            return false;
    }
    if (object->lines.count)
        qsort(object->lines.items, object->lines.count, sizeof(*object->lines.items),
              compare_lines);
    return true;
}
