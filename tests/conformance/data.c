/* SPDX-License-Identifier: MIT */
/* Reader of .data files. Line numbers in messages are those of the file, also inside the program. */
#include "conformance/data.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "asm/asm.h"
#include "util/file.h"
#include "util/vec.h"

enum section { NONE, ASM, RAW, MEM, RESULT, ERROR, IGNORED };

static const struct {
    const char *name;
    enum section section;
} sections[] = {
    {"asm", ASM},
    {"raw", RAW},
    {"mem", MEM},
    {"result", RESULT},
    {"error", ERROR},
    {"c", IGNORED},
    {"no register offset", IGNORED},
};

struct reader {
    struct arena *arena;
    struct diag *diag;
    const char *path;
    unsigned line;
    enum section section;
    bool has_error, has_result;
    VEC(struct bpf_insn) raw;
    VEC(uint8_t) mem;
};

static bool fail(const struct reader *r, const char *mend, const char *text, const char *what) {
    struct diag_loc loc = {.object = r->path, .insn = -1, .file = r->path, .line = r->line};

    return diag_error(r->diag, DIAG_INSN, &loc, mend, "%s%s%s", text, *what ? ": " : "", what);
}

static bool header(struct reader *r, const char *name) {
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
        if (strcmp(name, sections[i].name) == 0) {
            r->section = sections[i].section;
            r->has_error |= r->section == ERROR;
            return true;
        }
    return fail(r, "sections are asm, raw, mem, result, error, c and no register offset",
                "unknown section", name);
}

bool vector_hex(const char *text, size_t length, uint8_t *out, uint32_t *count) {
    uint32_t n = 0;

    for (size_t i = 0; i < length;) {
        if (isspace((unsigned char)text[i])) {
            i++;
            continue;
        }
        if (i + 2 > length || !isxdigit((unsigned char)text[i]) ||
            !isxdigit((unsigned char)text[i + 1]))
            return false;
        char digits[3] = {text[i], text[i + 1], 0};
        out[n++] = (uint8_t)strtoul(digits, NULL, 16);
        i += 2;
    }
    *count = n;
    return true;
}

static bool number(const struct reader *r, const char *text, uint64_t *out) {
    char *end;
    bool hex = text[0] == '0' && (text[1] | 0x20) == 'x';

    errno = 0;
    *out = strtoull(text, &end, hex ? 16 : 10);
    if (errno || end == text || *end)
        return fail(r, "write a 64-bit number, decimal or after 0x", "not a number", text);
    return true;
}

static bool raw_words(struct reader *r, char *line) {
    char *rest = NULL;

    for (char *word = strtok_r(line, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        uint64_t value;
        struct bpf_insn insn;
        if (!number(r, word, &value))
            return false;
        memcpy(&insn, &value, sizeof(insn)); /* the host is little-endian, as the wire form */
        vec_push(r->arena, &r->raw, insn);
    }
    return true;
}

static bool memory(struct reader *r, const char *line) {
    uint32_t count;
    uint8_t *bytes = arena_alloc(r->arena, strlen(line));

    if (!vector_hex(line, strlen(line), bytes, &count))
        return fail(r, "write two hexadecimal digits for each byte", "not bytes", line);
    for (uint32_t i = 0; i < count; i++)
        vec_push(r->arena, &r->mem, bytes[i]);
    return true;
}

/* A line of a section other than the program text; without blanks at its ends, not empty. */
static bool line_of(struct reader *r, char *line, struct vector *out) {
    switch (r->section) {
    case RAW: return raw_words(r, line);
    case MEM: return memory(r, line);
    case RESULT: r->has_result = true; return number(r, line, &out->result);
    case NONE:
        return fail(r, "start a section first: -- asm", "text before the first section", line);
    default: return true; /* error and C text are for readers */
    }
}

static char *trim(char *line) {
    while (isspace((unsigned char)*line))
        line++;
    size_t length = strlen(line);
    while (length && isspace((unsigned char)line[length - 1]))
        line[--length] = 0;
    return line;
}

/* Goes over all lines; whatever is not program text is blanked in `text`, so that the assembler sees
 * the program in its own lines. */
static bool split(struct reader *r, char *text, struct vector *out) {
    for (char *next; *text; text = next) {
        char *end = text + strcspn(text, "\n");
        next = *end ? end + 1 : end;
        char *copy = arena_printf(r->arena, "%.*s", (int)(end - text), text);
        r->line++;

        bool starts = strncmp(copy, "-- ", 3) == 0;
        if (starts && !header(r, trim(copy + 3)))
            return false;
        if (r->section == ASM && !starts)
            continue;
        memset(text, ' ', (size_t)(end - text));
        if (starts)
            continue;
        if (r->section != IGNORED && r->section != ERROR)
            copy[strcspn(copy, "#")] = 0;
        char *line = trim(copy);
        if (*line && !line_of(r, line, out))
            return false;
    }
    return true;
}

bool vector_read(struct arena *arena, const char *path, struct vector *out, struct diag *diag) {
    struct reader r = {.arena = arena, .diag = diag, .path = path};
    uint8_t *bytes;
    size_t size;

    *out = (struct vector){.file = path};
    if (!file_read(path, FILE_SIZE_LIMIT, arena, &bytes, &size, diag) ||
        !split(&r, (char *)bytes, out))
        return false;
    r.line = 0;
    out->error = r.has_error;
    if (!out->error && !r.has_result)
        return fail(&r, "add a section -- result or -- error", "the file expects nothing", "");

    out->mem = r.mem.items;
    out->mem_len = (uint32_t)r.mem.count;
    if (r.raw.count) {
        out->insns = r.raw.items;
        out->count = (uint32_t)r.raw.count;
        return true;
    }
    if (!asm_parse(arena, (const char *)bytes, path, &out->insns, &out->count, diag))
        return false;
    if (!out->count)
        return fail(&r, "add a section -- asm or -- raw", "the file has no program", "");
    return true;
}
