/* SPDX-License-Identifier: MIT */
/* Reader of *.cases files. What is not understood is an error: else a case might test nothing. */
#include "verifier/case.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/file.h"

struct reader {
    struct arena *arena;
    const char *file;
    unsigned line;
    struct verifier_case *c;
    bool good;
};

static void complain(struct reader *r, const char *why) {
    printf("%s:%u: %s\n", r->file, r->line, why);
    r->good = false;
}

static char *trim(char *text) {
    text += strspn(text, " \t");
    for (size_t n = strlen(text); n && isspace((unsigned char)text[n - 1]); n--)
        text[n - 1] = 0;
    return text;
}

static void row(struct reader *r, case_rows *rows, char *text) {
    struct case_row row = {.line = r->line};
    char *save;
    row.rest = trim(text + strcspn(text, " "));
    row.rest = arena_strdup(r->arena, row.rest);
    char *copy = arena_strdup(r->arena, text);
    unsigned n = 0;
    for (char *word = strtok_r(copy, " ", &save);
         word && n < sizeof(row.word) / sizeof(row.word[0]); word = strtok_r(NULL, " ", &save))
        row.word[n++] = word;
    vec_push(r->arena, rows, row);
}

/* The next word of *text, which then goes on behind it; "" at its end. */
static char *next_word(struct reader *r, char **text) {
    *text += strspn(*text, " ");
    size_t n = strcspn(*text, " ");
    char *word = arena_printf(r->arena, "%.*s", (int)n, *text);
    *text += n;
    return word;
}

/* "text" and not "text" */
static void expect_texts(struct reader *r, const char *text) {
    for (const char *quote = strchr(text, '"'); quote; quote = strchr(quote, '"')) {
        bool absent = quote - text >= 4 && strncmp(quote - 4, "not ", 4) == 0;
        const char *end = strchr(++quote, '"');
        if (!end) {
            complain(r, "a quote without its end");
            return;
        }
        const char *part = arena_printf(r->arena, "%.*s", (int)(end - quote), quote);
        if (absent)
            vec_push(r->arena, &r->c->absent, part);
        else
            vec_push(r->arena, &r->c->parts, part);
        quote = end + 1;
    }
}

/* accept | refuse CATEGORY, then texts in quotes */
static void expect(struct reader *r, char *text) {
    const char *verdict = next_word(r, &text);
    r->c->accept = strcmp(verdict, "accept") == 0;
    if (!r->c->accept)
        r->c->category = next_word(r, &text);
    if (!r->c->accept && (strcmp(verdict, "refuse") != 0 || !*r->c->category))
        complain(r, "expected `expect: accept` or `expect: refuse CATEGORY \"text\"`");
    else
        expect_texts(r, text);
}

/* Lines of a block, up to the first that is neither indented nor empty. */
static char *block(struct reader *r, char **at, unsigned *first) {
    VEC(char) text = {0};
    *first = r->line + 1;
    while (**at && (**at == ' ' || **at == '\n')) {
        size_t n = strcspn(*at, "\n") + 1;
        r->line++;
        if (memmem(*at, n, "#here", 5) || memmem(*at, n, "/* here */", 10))
            r->c->here = r->line;
        size_t indent = n > 4 && strncmp(*at, "    ", 4) == 0 ? 4 : 0;
        for (size_t i = indent; i < n; i++)
            vec_push(r->arena, &text, (*at)[i]);
        *at += n;
    }
    vec_push(r->arena, &text, 0);
    return text.items;
}

/* `#{` and `#}` around lines: they stand N times, with $ as the number of the copy. Line numbers are
 * then no longer those of the file. */
static char *repeat(struct reader *r, char *text, unsigned times) {
    char *from = strstr(text, "#{\n"), *to = from ? strstr(from, "#}\n") : NULL, *copy = NULL;
    size_t size;
    if (!to) {
        complain(r, "`long:` needs lines between #{ and #}");
        return text;
    }
    FILE *out = open_memstream(&copy, &size);
    fwrite(text, 1, (size_t)(from - text), out);
    for (unsigned i = 0; i < times; i++)
        for (char *p = from + 3; p < to; p++)
            if (*p == '$')
                fprintf(out, "%u", i);
            else
                fputc(*p, out);
    fputs(to + 3, out);
    fclose(out);
    text = arena_strdup(r->arena, copy);
    free(copy);
    return text;
}

static char *exact(struct reader *r, char **at) {
    unsigned first, here = r->c->here; /* quoted lines are not the program's */
    char *text = block(r, at, &first);
    r->c->here = here;
    size_t n = strlen(text);
    while (n > 1 && text[n - 1] == '\n' && text[n - 2] == '\n') /* what separates cases */
        text[--n] = 0;
    return text;
}

static void type(struct reader *r, char *text) {
    r->c->type = next_word(r, &text);
    if (*text)
        r->c->mem_size = (uint32_t)strtoul(text, NULL, 0);
}

/* A directive whose words the builder of the program reads. */
static bool table_row(struct reader *r, const char *key, char *value) {
    struct {
        const char *key;
        case_rows *rows;
    } tables[] = {{"map", &r->c->maps},
                  {"data", &r->c->datas},
                  {"pointer", &r->c->pointers},
                  {"program", &r->c->programs},
                  {"values", &r->c->values}};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (strcmp(key, tables[i].key) == 0) {
            row(r, tables[i].rows, value);
            return true;
        }
    return false;
}

static bool program_text(struct reader *r, const char *key, char **at, unsigned times) {
    static const char *const forms[] = {[CASE_ASM] = "asm", [CASE_RAW] = "raw", [CASE_C] = "c"};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (strcmp(key, forms[i]) == 0) {
            r->c->form = (enum case_form)i;
            r->c->text = block(r, at, &r->c->text_line);
            if (times)
                r->c->text = repeat(r, r->c->text, times);
            return true;
        }
    return false;
}

static void directive(struct reader *r, const char *key, char *value, char **at, unsigned *times) {
    if (table_row(r, key, value) || program_text(r, key, at, *times))
        return;
    if (strcmp(key, "type") == 0)
        type(r, value);
    else if (strcmp(key, "runs") == 0)
        r->c->runs = (unsigned)atoi(value);
    else if (strcmp(key, "long") == 0)
        *times = (unsigned)atoi(value);
    else if (strcmp(key, "expect") == 0)
        expect(r, value);
    else if (strcmp(key, "message") == 0)
        r->c->message = exact(r, at);
    else
        complain(r, "no such directive; see case.h");
}

/* The lines of one case behind its head. False: it is wrong. */
static bool body(struct reader *r, char **at) {
    bool before = r->good;
    r->good = true;
    unsigned times = 0;
    bool expects = false;
    while (**at && strncmp(*at, "== ", 3) != 0) {
        size_t n = strcspn(*at, "\n");
        char *line = trim(arena_printf(r->arena, "%.*s", (int)n, *at));
        *at += n + ((*at)[n] == '\n');
        r->line++;
        char *colon = strchr(line, ':');
        if (*line == 0 || *line == '#')
            continue;
        if (!colon) {
            complain(r, "expected a directive");
            continue;
        }
        *colon = 0;
        expects |= strcmp(line, "expect") == 0;
        directive(r, line, trim(colon + 1), at, &times);
    }
    if (!r->c->text || !expects)
        complain(r, "a case without a program or without `expect`");
    bool good = r->good;
    r->good &= before;
    return good;
}

bool case_read(struct arena *arena, const char *path, case_list *out) {
    struct reader r = {.arena = arena, .file = path, .good = true};
    struct diag *diag = diag_new();
    uint8_t *bytes;
    size_t size;
    if (!file_read(path, FILE_SIZE_LIMIT, arena, &bytes, &size, diag)) {
        diag_print(diag, stdout, false);
        diag_free(diag);
        return false;
    }
    diag_free(diag);
    for (char *at = (char *)bytes; *at;) {
        size_t n = strcspn(at, "\n");
        bool head = strncmp(at, "== ", 3) == 0;
        r.line++;
        if (head) {
            struct verifier_case c = {.file = path,
                                      .line = r.line,
                                      .type = "raw",
                                      .mem_size = 64,
                                      .runs = 8,
                                      .name = arena_printf(arena, "%.*s", (int)n - 3, at + 3)};
            at += n + (at[n] == '\n');
            r.c = &c;
            if (body(&r, &at))
                vec_push(arena, out, c);
            continue;
        }
        if (n && *at != '#')
            complain(&r, "text before the first case");
        at += n + (at[n] == '\n');
    }
    return r.good;
}
