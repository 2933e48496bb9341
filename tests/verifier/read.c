/* SPDX-License-Identifier: MIT */
/* Reader of *.cases files. Whatever is not understood is an error: a case that tests nothing is worse. */
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
    for (char *word = strtok_r(copy, " ", &save); word && n < 6; word = strtok_r(NULL, " ", &save))
        row.word[n++] = word;
    vec_push(r->arena, rows, row);
}

static void type(struct reader *r, char *text) {
    r->c->type = strtok(text, " ");
    char *size = strtok(NULL, " ");
    if (size)
        r->c->mem_size = (uint32_t)strtoul(size, NULL, 0);
}

/* accept | refuse CATEGORY, then texts in quotes */
static void expect(struct reader *r, char *text) {
    char *word = strtok(text, " ");
    r->c->accept = word && strcmp(word, "accept") == 0;
    char *rest = word ? word + strlen(word) + 1 : "";
    if (!r->c->accept) {
        if (!word || strcmp(word, "refuse") != 0 || !(r->c->category = strtok(NULL, " "))) {
            complain(r, "expected `expect: accept` or `expect: refuse CATEGORY \"text\"`");
            return;
        }
        rest = (char *)r->c->category + strlen(r->c->category) + 1;
    }
    if (rest >= text + strlen(text) && *text == 0)
        return;
    for (char *quote = strchr(rest, '"'); quote; quote = strchr(quote, '"')) {
        char *end = strchr(++quote, '"');
        if (!end) {
            complain(r, "a quote without its end");
            return;
        }
        vec_push(r->arena, &r->c->parts, arena_printf(r->arena, "%.*s", (int)(end - quote), quote));
        quote = end + 1;
    }
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

/* `#{` and `#}` around lines: they stand N times. Lines are then no longer those of the file. */
static char *repeat(struct reader *r, char *text, unsigned times) {
    char *from = strstr(text, "#{\n"), *to = from ? strstr(from, "#}\n") : NULL;
    VEC(char) out = {0};
    if (!to)
        return complain(r, "`long:` needs lines between #{ and #}"), text;
    for (char *p = text; p < from; p++)
        vec_push(r->arena, &out, *p);
    for (unsigned i = 0; i < times; i++)
        for (char *p = from + 3; p < to; p++) /* $ is the number of the copy */
            if (*p != '$')
                vec_push(r->arena, &out, *p);
            else
                for (const char *d = arena_printf(r->arena, "%u", i); *d; d++)
                    vec_push(r->arena, &out, *d);
    for (char *p = to + 3; *p; p++)
        vec_push(r->arena, &out, *p);
    vec_push(r->arena, &out, 0);
    return out.items;
}

static char *exact(struct reader *r, char **at) {
    unsigned first;
    char *text = block(r, at, &first);
    size_t n = strlen(text);
    while (n > 1 && text[n - 1] == '\n' && text[n - 2] == '\n') /* what separates cases */
        text[--n] = 0;
    return text;
}

static void directive(struct reader *r, const char *key, char *value, char **at, unsigned *times) {
    struct verifier_case *c = r->c;
    static const struct {
        const char *key;
        size_t rows;
    } tables[] = {{"map", offsetof(struct verifier_case, maps)},
                  {"data", offsetof(struct verifier_case, datas)},
                  {"pointer", offsetof(struct verifier_case, pointers)},
                  {"program", offsetof(struct verifier_case, programs)},
                  {"values", offsetof(struct verifier_case, values)}};
    static const char *const forms[] = {[CASE_ASM] = "asm", [CASE_RAW] = "raw", [CASE_C] = "c"};

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (strcmp(key, tables[i].key) == 0) {
            row(r, (case_rows *)(void *)((char *)c + tables[i].rows), value);
            return;
        }
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (strcmp(key, forms[i]) == 0) {
            c->form = (enum case_form)i;
            c->text = block(r, at, &c->text_line);
            if (*times)
                c->text = repeat(r, c->text, *times);
            return;
        }
    if (strcmp(key, "type") == 0)
        type(r, value);
    else if (strcmp(key, "runs") == 0)
        c->runs = (unsigned)atoi(value);
    else if (strcmp(key, "long") == 0)
        *times = (unsigned)atoi(value);
    else if (strcmp(key, "expect") == 0)
        expect(r, value);
    else if (strcmp(key, "message") == 0)
        c->message = exact(r, at);
    else
        complain(r, "no such directive; see case.h");
}

/* The lines of one case behind its head. */
static void body(struct reader *r, char **at) {
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
            body(&r, &at);
            vec_push(arena, out, c);
            continue;
        }
        if (n && *at != '#')
            complain(&r, "text before the first case");
        at += n + (at[n] == '\n');
    }
    return r.good;
}
