/* SPDX-License-Identifier: MIT */
/*
 * The condition of the source that a conditional jump tests, and whether it holds when the jump is taken.
 * Compilers turn conditions round, move constants by one and count in other units, so nothing is taken for
 * granted. The condition of a loop holds if the jump goes on in it. That of an `if` must be one comparison,
 * `x < 8`, `p == q`, `!p` or `p`; with a constant, the jump must agree with it, or with its opposite, on all
 * numbers around both constants; of two variables only equality is believed. What does not fit is not told.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "verifier/explain.h"

struct comparison {
    char op[3]; /* "<", ">=", "==", ..., "" for the value itself, "!" for its opposite */
    bool constant;
    int64_t c;
};

/* ---- Text */

static const char *past_blanks(const char *p) {
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* The end of what stands in front of an unmatched `stop` or the end of the line; NULL if brackets end first. */
static const char *end_of_part(const char *p, char stop) {
    int depth = 0;
    for (; *p; p++) {
        if (depth == 0 && *p == stop)
            return p;
        depth += (*p == '(' || *p == '[') - (*p == ')' || *p == ']');
        if (depth < 0)
            return NULL;
    }
    return NULL;
}

static const char *keyword(const char *line, const char *word) {
    size_t length = strlen(word);
    for (const char *p = line; (p = strstr(p, word)) != NULL; p++)
        if ((p == line || !(isalnum((unsigned char)p[-1]) || p[-1] == '_')) &&
            *past_blanks(p + length) == '(')
            return past_blanks(p + length) + 1;
    return NULL;
}

/* The condition of the one `if`, `while` or `for` of a line. */
static const char *condition_text(struct arena *arena, const char *line, bool *loop) {
    const char *start = keyword(line, "if"), *other = keyword(line, "while"),
               *third = keyword(line, "for");
    if (!!start + !!other + !!third != 1)
        return NULL;
    *loop = !start;
    start = start ? start : other;
    char stop = ')';
    if (third) {
        start = end_of_part(third, ';');
        start = start ? start + 1 : NULL;
        stop = ';';
    }
    start = start ? past_blanks(start) : NULL;
    const char *end = start ? end_of_part(start, stop) : NULL;
    if (!end || end == start || end - start > 60)
        return NULL;
    return arena_printf(arena, "%.*s", (int)(end - start), start);
}

static bool read_constant(const char *p, int64_t *c) {
    char *end;
    p = past_blanks(p);
    if (!isdigit((unsigned char)*p) && *p != '-')
        return false;
    *c = strtoll(p, &end, 0);
    while (*end && strchr("uUlL", *end))
        end++;
    return *past_blanks(end) == '\0';
}

/* Operators other than one comparison make it more than that. */
static bool has_logic(const char *text) {
    return strstr(text, "&&") || strstr(text, "||") || strchr(text, '?') || strchr(text, ',');
}

static bool read_comparison(const char *text, struct comparison *out) {
    *out = (struct comparison){0};
    for (const char *p = text; *p; p++) {
        if (p[0] == '-' && p[1] == '>') {
            p++;
            continue;
        }
        if ((p[0] == '<' || p[0] == '>') && p[1] == p[0]) {
            p++; /* a shift */
            continue;
        }
        bool pair = p[1] == '=' && strchr("<>=!", p[0]);
        if (!pair && p[0] != '<' && p[0] != '>')
            continue;
        out->op[0] = p[0];
        out->op[1] = pair ? '=' : '\0';
        const char *right = p + (pair ? 2 : 1);
        out->constant = read_constant(right, &out->c) || strcmp(past_blanks(right), "NULL") == 0;
        return true;
    }
    out->op[0] = text[0] == '!' ? '!' : '\0';
    out->constant = true;
    return true;
}

/* ---- Meaning */

static bool compare(const char *op, int64_t x, int64_t c) {
    if (op[0] == '\0')
        return x != 0;
    if (op[0] == '!' && op[1] == '\0')
        return x == 0;
    if (op[0] == '=')
        return x == c;
    if (op[0] == '!')
        return x != c;
    bool less = op[0] == '<' ? x < c : x > c;
    return less || (op[1] == '=' && x == c);
}

static bool jumps(const struct bpf_decoded *d, int64_t x) {
    struct scalar left = scalar_const((uint64_t)x), right = scalar_const((uint64_t)d->imm);
    return scalar_cond((enum bpf_op)d->op, d->width, &left, &right) == 1;
}

/* 1: the jump is taken if the condition holds; 0: if it does not; -1: neither. */
static int agrees_on_constants(const struct bpf_decoded *d, const struct comparison *c) {
    const int64_t tries[] = {d->imm - 1, d->imm, d->imm + 1, c->c - 1, c->c, c->c + 1};
    bool same = true, opposite = true;
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        if (tries[i] < 0 && d->imm >= 0 && c->c >= 0)
            continue; /* signed or not is not what it is about */
        bool equal = compare(c->op, tries[i], c->c) == jumps(d, tries[i]);
        same &= equal;
        opposite &= !equal;
    }
    return same == opposite ? -1 : same;
}

/* Of two variables: an order may have become another one of other numbers. */
static int agrees_on_equality(const struct bpf_decoded *d, const struct comparison *c) {
    bool equality = (d->op == BPF_JEQ || d->op == BPF_JNE) && c->op[1] == '=' &&
                    (c->op[0] == '=' || c->op[0] == '!');
    return equality ? (c->op[0] == '=') == (d->op == BPF_JEQ) : -1;
}

const char *explain_condition(const struct analysis *a, uint32_t slot, bool taken, int goes_on,
                              bool *holds) {
    const struct bpf_decoded *d = &a->program->decoded[slot];
    const struct prog_line *line = program_line_at(a->program, slot);
    struct comparison c;
    bool loop = false;
    const char *text = line && line->text ? condition_text(a->arena, line->text, &loop) : NULL;
    if (!text || has_logic(text))
        return NULL;
    if (loop) {
        *holds = goes_on == 1;
        return goes_on < 0 ? NULL : text;
    }
    if (!read_comparison(text, &c) || c.constant == (bool)d->src_reg)
        return NULL;
    int agrees = c.constant ? agrees_on_constants(d, &c) : agrees_on_equality(d, &c);
    *holds = agrees == taken;
    return agrees < 0 ? NULL : text;
}
