/* SPDX-License-Identifier: MIT */
/*
 * Clang's messages: each `file:line:column: error: text` becomes a message of ours with its source line.
 * Texts that only a compiler engineer understands are put into other words by clang_trap.def; clang's own
 * follow in a note, for those who look them up. What follows from an error before it is left out.
 */
#include "clang_messages.h"

#include "util/file.h"

#include <string.h>

struct trap {
    const char *text, *look, *what, *mend;
    bool once;
};

static const struct trap traps[] = {
#define CLANG_TRAP(text, look, what, mend) {text, look, what, mend, false},
#define CLANG_TRAP_ONCE(text, look, what, mend) {text, look, what, mend, true},
#include "clang_trap.def"
#undef CLANG_TRAP
#undef CLANG_TRAP_ONCE
};

/* Lines that say nothing to a user: consequences of a crash, advice that is wrong here. */
static const char *const noise[] = {
    "clang frontend command failed",
    "diagnostic msg:",
    "could not determine the original source location",
    "instantiated into assembly here",
    "unguarded header",
    "include the header <",
};

typedef bool report_fn(struct diag *, enum diag_category, const struct diag_loc *, const char *,
                       const char *, ...);

static const struct {
    const char *word;
    enum diag_severity severity;
    report_fn *report;
} kinds[] = {
    {"fatal error: ", DIAG_ERROR, diag_error},
    {"error: ", DIAG_ERROR, diag_error},
    {"warning: ", DIAG_WARNING, diag_warn},
    {"note: ", DIAG_NOTE, diag_note},
};

struct translator {
    const char *source;
    struct arena *arena;
    struct diag *diag;
    bool dropped;             /* the last message was left out, and so are its notes */
    struct diag_loc included; /* the #include that led to the next message; no file: none */
};

static const struct trap *find_trap(const char *message) {
    for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++)
        if (strstr(message, traps[i].text))
            return &traps[i];
    return NULL;
}

/* The name that a message is about: what it quotes first, else its first word. */
static const char *name_in(const char *message, struct arena *arena) {
    const char *quote = strchr(message, '\''), *start = quote ? quote + 1 : message;
    return arena_printf(arena, "%.*s", (int)strcspn(start, quote ? "'" : " "), start);
}

/* A text of clang_trap.def with the name in the place of %s. */
static const char *with_name(const char *text, const char *name, struct arena *arena) {
    const char *at = strstr(text, "%s");
    return at ? arena_printf(arena, "%.*s%s%s", (int)(at - text), text, name, at + 2) : text;
}

/* ---- Places ---- */

/* All of a source; null when it cannot be read, which is no news to the user. */
static const char *read_source(const char *path, struct arena *arena) {
    struct diag *ignored = diag_new();
    uint8_t *bytes;
    size_t size;
    bool good = file_read(path, FILE_SIZE_LIMIT, arena, &bytes, &size, ignored);

    diag_free(ignored);
    return good ? (const char *)bytes : NULL;
}

static const char *one_line(const char *text, struct arena *arena) {
    return arena_printf(arena, "%.*s", (int)strcspn(text, "\r\n"), text);
}

/* Takes `file:line:column` or `file:line:` from the start of text. */
static bool parse_place(const char *text, struct diag_loc *loc, struct arena *arena) {
    char *file = arena_strdup(arena, text);

    if (sscanf(text, "%[^:]:%u:%u", file, &loc->line, &loc->column) < 2)
        return false;
    loc->file = file;
    const char *line = read_source(file, arena);
    for (unsigned n = 1; line && n < loc->line; n++) {
        line = strchr(line, '\n');
        line += line != NULL;
    }
    loc->text = line ? one_line(line, arena) : NULL;
    return true;
}

/* The first line of the source that holds `look`. */
static bool look_for(const struct translator *t, const char *look, struct diag_loc *loc) {
    const char *text = read_source(t->source, t->arena), *at = text ? strstr(text, look) : NULL;
    unsigned line = 1;

    if (!at)
        return false;
    const char *start = text;
    for (const char *p = text; p < at; p++)
        if (*p == '\n') {
            line++;
            start = p + 1;
        }
    loc->file = t->source;
    loc->line = line;
    loc->column = (unsigned)(at - start) + 1;
    loc->text = one_line(start, t->arena);
    return true;
}

/* ---- Messages ---- */

/* Whether an error follows from one before: it is about the same place, or says the same of the line
 * (or, with `once`, of the source). */
static bool is_repeated(const struct diag *diag, const struct diag_loc *loc, const char *text,
                        bool once) {
    for (size_t i = 0; loc && i < diag_count(diag); i++) {
        const struct diag_message *m = diag_get(diag, i);
        bool same = strcmp(m->text, text) == 0;
        if (m->severity != DIAG_ERROR || !m->has_loc || !m->loc.file ||
            strcmp(m->loc.file, loc->file) != 0)
            continue;
        if (m->loc.line == loc->line ? same || m->loc.column == loc->column : same && once)
            return true;
    }
    return false;
}

static void report_error(struct translator *t, report_fn *report, const char *text,
                         struct diag_loc *loc, bool located) {
    const struct trap *trap = find_trap(text);
    const char *name = name_in(text, t->arena);
    const char *what = trap && trap->what ? with_name(trap->what, name, t->arena) : text;
    bool io = strstr(text, "unable to open output file");

    if (!located && trap && trap->look)
        located = look_for(t, with_name(trap->look, name, t->arena), loc);
    const struct diag_loc *place = located ? loc : NULL;
    /* The back end gives up at its first problem, often at one that has been reported in other words. */
    t->dropped = is_repeated(t->diag, place, what, trap && trap->once) ||
                 (strstr(text, "error in backend") && diag_has_errors(t->diag));
    if (t->dropped)
        return;
    report(t->diag, io ? DIAG_IO : DIAG_CLANG, place, trap ? trap->mend : NULL, "%s", what);
    if (t->included.file)
        diag_note(t->diag, DIAG_CLANG, &t->included, NULL, "included here");
    t->included.file = NULL;
    if (what == text || strstr(text, "0x")) /* not the addresses of nodes inside clang */
        return;
    const char *advice = strstr(text, ". "); /* its first sentence says what it is about */
    diag_note(t->diag, DIAG_CLANG, NULL, NULL, "clang: %.*s",
              (int)(advice ? advice - text : (long)strlen(text)), text);
}

/*
 * One line of clang: [file:line:column: ](error|warning|note|fatal error): text. Errors of its back
 * end may have the place at the end: `Cannot select: ..., file:line:column`.
 */
static void translate_line(struct translator *t, char *line) {
    static const char include[] = "In file included from ";
    struct diag_loc loc = {.insn = -1};

    if (strncmp(line, include, strlen(include)) == 0) { /* the outermost comes first */
        if (!t->included.file)
            parse_place(line + strlen(include), &t->included, t->arena);
        return;
    }
    for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
        if (strstr(line, noise[i]))
            return;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char *word = strstr(line, kinds[i].word);
        if (!word)
            continue;
        const char *text = word + strlen(kinds[i].word), *comma = strrchr(text, ',');
        *word = '\0';
        bool located = parse_place(line, &loc, t->arena) ||
                       (comma && parse_place(comma + strspn(comma, ", "), &loc, t->arena));
        if (kinds[i].severity != DIAG_NOTE)
            report_error(t, kinds[i].report, text, &loc, located);
        else if (!t->dropped)
            diag_note(t->diag, DIAG_CLANG, located ? &loc : NULL, NULL, "%s", text);
        return;
    }
}

void clang_translate(char *output, const char *source, struct arena *arena, struct diag *diag) {
    struct translator t = {
        .source = source, .arena = arena, .diag = diag, .included = {.insn = -1}};
    char *save;

    for (char *line = strtok_r(output, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        translate_line(&t, line);
}
