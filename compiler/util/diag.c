/* SPDX-License-Identifier: MIT */
/* Collecting messages, and printing them as text for people and as JSON for programs. */
#include "util/diag.h"

#include "util/arena.h"
#include "util/vec.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct diag {
    struct arena *arena;
    VEC(struct diag_message) messages;
    size_t errors;
};

static const char *const severity_names[] = {
    [DIAG_ERROR] = "error",
    [DIAG_WARNING] = "warning",
    [DIAG_NOTE] = "note",
};

static const char *const severity_colours[] = {
    [DIAG_ERROR] = "\033[1;31m",
    [DIAG_WARNING] = "\033[1;35m",
    [DIAG_NOTE] = "\033[1;36m",
};

static const char *const category_names[] = {
#define DIAG_CATEGORY(id, name, about) [DIAG_##id] = name,
#include "util/diag.def"
#undef DIAG_CATEGORY
};

struct diag *diag_new(void) {
    struct arena *arena = arena_new();
    struct diag *diag = arena_alloc(arena, sizeof(*diag));

    diag->arena = arena;
    return diag;
}

void diag_free(struct diag *diag) {
    if (diag)
        arena_free(diag->arena);
}

static const char *copy(struct diag *diag, const char *text) {
    return text ? arena_strdup(diag->arena, text) : NULL;
}

static void add(struct diag *diag, enum diag_severity severity, enum diag_category category,
                const struct diag_loc *loc, const char *mend, const char *format, va_list args) {
    char *text;

    if (vasprintf(&text, format, args) < 0)
        abort();
    struct diag_message message = {
        .severity = severity,
        .category = category,
        .has_loc = loc != NULL,
        .text = copy(diag, text),
        .mend = copy(diag, mend),
    };
    free(text);
    if (loc) {
        message.loc = *loc;
        message.loc.object = copy(diag, loc->object);
        message.loc.section = copy(diag, loc->section);
        message.loc.file = copy(diag, loc->file);
        message.loc.text = copy(diag, loc->text);
    }
    vec_push(diag->arena, &diag->messages, message);
    diag->errors += severity == DIAG_ERROR;
}

bool diag_error(struct diag *diag, enum diag_category category, const struct diag_loc *loc,
                const char *mend, const char *format, ...) {
    va_list args;

    va_start(args, format);
    add(diag, DIAG_ERROR, category, loc, mend, format, args);
    va_end(args);
    return false;
}

bool diag_warn(struct diag *diag, enum diag_category category, const struct diag_loc *loc,
               const char *mend, const char *format, ...) {
    va_list args;

    va_start(args, format);
    add(diag, DIAG_WARNING, category, loc, mend, format, args);
    va_end(args);
    return false;
}

bool diag_note(struct diag *diag, enum diag_category category, const struct diag_loc *loc,
               const char *mend, const char *format, ...) {
    va_list args;

    va_start(args, format);
    add(diag, DIAG_NOTE, category, loc, mend, format, args);
    va_end(args);
    return false;
}

bool diag_has_errors(const struct diag *diag) {
    return diag->errors > 0;
}

size_t diag_count(const struct diag *diag) {
    return diag->messages.count;
}

const struct diag_message *diag_get(const struct diag *diag, size_t index) {
    assert(index < diag->messages.count);
    return &diag->messages.items[index];
}

const char *diag_severity_name(enum diag_severity severity) {
    assert(severity <= DIAG_NOTE);
    return severity_names[severity];
}

bool diag_is_terminal(FILE *file) {
    const char *term = getenv("TERM");

    return isatty(fileno(file)) && !(term && strcmp(term, "dumb") == 0);
}

bool diag_wants_colour(FILE *file) {
    const char *no_color = getenv("NO_COLOR"); /* https://no-color.org: set and not empty */

    return diag_is_terminal(file) && (!no_color || !*no_color);
}

/*
 * Text from an object file may hold anything; control characters must not reach the terminal. A tab
 * becomes one blank, so that a caret counted in characters stays under its place.
 */
static void print_clean(FILE *file, const char *text) {
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool control = c < 0x20 || c == 0x7f;
        fputc(c == '\t' ? ' ' : control ? '?' : c, file);
    }
}

/* A path below the working directory without it: clang records absolute paths. */
static const char *short_path(const char *path) {
    char cwd[4096];
    if (path[0] != '/' || !getcwd(cwd, sizeof(cwd)))
        return path;
    size_t length = strlen(cwd);
    return strncmp(path, cwd, length) == 0 && path[length] == '/' ? path + length + 1 : path;
}

/* The place as far as it is known: the source line where there is one, else the object's parts. */
static void print_place(FILE *file, const struct diag_loc *loc) {
    if (loc->file) {
        print_clean(file, short_path(loc->file));
        if (loc->line)
            fprintf(file, ":%u", loc->line);
        if (loc->line && loc->column)
            fprintf(file, ":%u", loc->column);
        fputs(": ", file);
        return;
    }
    if (loc->object) {
        print_clean(file, loc->object);
        fputs(": ", file);
    }
    if (loc->section) {
        print_clean(file, loc->section);
        if (loc->insn >= 0)
            fprintf(file, "+%ld", loc->insn);
        fputs(": ", file);
    } else if (loc->insn >= 0) {
        fprintf(file, "instruction %ld: ", loc->insn);
    }
}

static void print_source(FILE *file, const struct diag_loc *loc, const char *on, const char *off) {
    if (!loc->text || !*loc->text)
        return;
    int width = fprintf(file, "%5u | ", loc->line);
    print_clean(file, loc->text);
    fputc('\n', file);
    if (loc->column && loc->column <= strlen(loc->text))
        fprintf(file, "%*s%*s%s^%s\n", width, "     | ", (int)loc->column - 1, "", on, off);
}

static void print_instruction(FILE *file, const struct diag_loc *loc) {
    fputs("  at: ", file);
    print_clean(file, loc->section);
    fprintf(file, ", instruction %ld\n", loc->insn);
}

void diag_print(const struct diag *diag, FILE *file, bool colour) {
    const char *off = colour ? "\033[0m" : "", *bold = colour ? "\033[1m" : "";

    vec_for_each(const struct diag_message, m, &diag->messages) {
        const char *on = colour ? severity_colours[m->severity] : "";

        fputs(bold, file);
        if (m->has_loc)
            print_place(file, &m->loc);
        fprintf(file, "%s%s%s:%s ", off, on, severity_names[m->severity], off);
        print_clean(file, m->text);
        fputc('\n', file);
        if (m->has_loc)
            print_source(file, &m->loc, on, off);
        /* The source line says where in the C file; the instruction is still worth knowing. */
        if (m->has_loc && m->loc.file && m->loc.section && m->loc.insn >= 0)
            print_instruction(file, &m->loc);
        if (m->mend) {
            fputs("  fix: ", file);
            print_clean(file, m->mend);
            fputc('\n', file);
        }
    }
}

static void add_string(cJSON *object, const char *key, const char *text) {
    if (text)
        cJSON_AddStringToObject(object, key, text);
}

struct cJSON *diag_json(const struct diag *diag) {
    cJSON *array = cJSON_CreateArray();

    vec_for_each(const struct diag_message, m, &diag->messages) {
        cJSON *object = cJSON_CreateObject();

        add_string(object, "severity", severity_names[m->severity]);
        add_string(object, "category", category_names[m->category]);
        add_string(object, "message", m->text);
        add_string(object, "fix", m->mend);
        if (m->has_loc) {
            add_string(object, "object", m->loc.object);
            add_string(object, "section", m->loc.section);
            if (m->loc.insn >= 0)
                cJSON_AddNumberToObject(object, "insn", (double)m->loc.insn);
            add_string(object, "file", m->loc.file);
            if (m->loc.line)
                cJSON_AddNumberToObject(object, "line", m->loc.line);
            if (m->loc.column)
                cJSON_AddNumberToObject(object, "column", m->loc.column);
            add_string(object, "source", m->loc.text);
        }
        cJSON_AddItemToArray(array, object);
    }
    return array;
}
