/* SPDX-License-Identifier: MIT */
/* Problems in the user's terms: sentences, mends, and what the source calls a register. */
#include "verifier/analysis.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool problem_set(const struct analysis *a, struct problem *problem, enum diag_category category,
                 uint32_t slot, const char *mend, const char *format, ...) {
    char *text;
    va_list args;
    if (!problem)
        return false;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    *problem = (struct problem){.category = category, .slot = slot, .mend = mend, .text = ""};
    if (length >= 0) {
        problem->text = arena_strdup(a->arena, text);
        free(text);
    }
    return false;
}

static bool is_name(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

/* The end of a bracketed part of the text that begins at p, or NULL. */
static const char *past_bracket(const char *p, char open, char close) {
    int depth = 0;
    for (; *p; p++) {
        depth += (*p == open) - (*p == close);
        if (depth == 0)
            return p + 1;
    }
    return NULL;
}

/* The end of a postfix expression (a.b, a->b, a[i]) that begins at p. */
static const char *past_expression(const char *p) {
    while (is_name(*p))
        p++;
    for (;;) {
        const char *next = p;
        if (*p == '[')
            next = past_bracket(p, '[', ']');
        else if (*p == '.' && is_name(p[1]))
            next = p + 1;
        else if (p[0] == '-' && p[1] == '>' && is_name(p[2]))
            next = p + 2;
        if (!next || next == p)
            return p;
        for (p = next; is_name(*p);)
            p++;
    }
}

/* Statements stand for many instructions, and are no expressions. */
static bool is_keyword(const char *p, size_t length) {
    static const char *const words[] = {"for", "if", "while", "do", "return", "switch", "else"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i]) == length && strncmp(p, words[i], length) == 0)
            return true;
    return false;
}

/* Where the postfix expression begins that goes on, or ends, at `at`; NULL if its brackets do not match.
 * A member's place is its own name: what stands before it belongs to it. */
static const char *expression_start(const char *text, const char *at) {
    const char *start = at;
    while (start > text && (is_name(start[-1]) || start[-1] == '.' || start[-1] == ']' ||
                            (start[-1] == '>' && start - 1 > text && start[-2] == '-') ||
                            (start[-1] == '-' && start[0] == '>'))) {
        start--;
        if (*start != ']')
            continue;
        int depth = 0;
        for (; start >= text; start--) { /* back to its bracket */
            depth += (*start == ']') - (*start == '[');
            if (depth == 0)
                break;
        }
        if (start < text)
            return NULL;
    }
    return start;
}

/* What an assignment at `at` assigns to, from *start to *end: "*n" of "*n += 1". */
static bool assigned(const char *text, const char *at, const char **start, const char **end) {
    if (strcspn(at, "=") > strspn(at, "+-*/%&|^<>"))
        return false;
    *end = at;
    while (*end > text && isspace((unsigned char)(*end)[-1]))
        (*end)--;
    *start = expression_start(text, *end);
    if (!*start || *start == *end)
        return false;
    while (*start > text && (*start)[-1] == '*')
        (*start)--;
    return true;
}

const char *problem_expression(const struct analysis *a, uint32_t slot) {
    const struct prog_line *line = program_line_at(a->program, slot);
    if (!line || !line->text || line->column == 0 || line->column > strlen(line->text))
        return NULL;
    const char *at = line->text + line->column - 1, *start, *end;
    if (!assigned(line->text, at, &start, &end)) {
        start = expression_start(line->text, at);
        if (!start || !is_name(*start))
            return NULL;
        end = past_expression(start);
    }
    if (isdigit((unsigned char)*start) || end <= start || end - start > 60 || *end == '(' ||
        is_keyword(start, (size_t)(end - start)))
        return NULL;
    return arena_printf(a->arena, "%.*s", (int)(end - start), start);
}

const char *problem_index(const struct analysis *a, uint32_t slot) {
    const char *expression = problem_expression(a, slot);
    const char *close = expression ? strrchr(expression, ']') : NULL;
    if (!close || close[1])
        return NULL;
    int depth = 0;
    const char *open = close;
    for (; open > expression; open--) {
        depth += (*open == ']') - (*open == '[');
        if (depth == 0)
            break;
    }
    return depth ? NULL : arena_printf(a->arena, "%.*s", (int)(close - open - 1), open + 1);
}
