/* SPDX-License-Identifier: MIT */
/*
 * The verifier's cases (*.cases, see case.h): whether each program is accepted, or refused with the
 * right message at the right place. What is accepted also runs, interpreted and compiled with facts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verifier/case.h"
#include "verifier/verifier.h"

struct options {
    const char *only; /* part of the names of cases to run; NULL: all */
    bool show;        /* print what the verifier says of every case */
    bool norun;
    struct case_paths paths;
};

struct judged {
    const char *why;  /* NULL: as expected */
    const char *text; /* what the verifier printed */
};

static const char *category_name(enum diag_category category) {
    static const char *const names[] = {
#define DIAG_CATEGORY(id, name, about) name,
#include "util/diag.def"
#undef DIAG_CATEGORY
    };
    return names[category];
}

static const char *printed(const struct diag *diag, struct arena *arena) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    diag_print(diag, out, false);
    fclose(out);
    char *copy = arena_strdup(arena, text);
    free(text);
    return copy;
}

static const struct diag_message *first_error(const struct diag *diag) {
    for (size_t i = 0; i < diag_count(diag); i++)
        if (diag_get(diag, i)->severity == DIAG_ERROR)
            return diag_get(diag, i);
    return NULL;
}

/* The line of the cases' file that a message points to. The first line of C is #include. */
static unsigned line_of(const struct verifier_case *c, const struct diag_message *m) {
    if (c->form == CASE_C)
        return m->loc.line ? m->loc.line + c->text_line - 2 : 0;
    return m->loc.insn >= 0 ? case_line_of(c, m->loc.insn) : 0;
}

static const char *judge_messages(const struct verifier_case *c, struct arena *arena,
                                  const struct diag *diag, const char *text) {
    const struct diag_message *error = first_error(diag);
    if (error && strcmp(category_name(error->category), c->category) != 0)
        return arena_printf(arena, "the category is %s instead of %s",
                            category_name(error->category), c->category);
    for (size_t i = 0; i < c->parts.count; i++)
        if (!strstr(text, c->parts.items[i]))
            return arena_printf(arena, "\"%s\" is not in the message", c->parts.items[i]);
    for (size_t i = 0; i < c->absent.count; i++)
        if (strstr(text, c->absent.items[i]))
            return arena_printf(arena, "\"%s\" is in the message", c->absent.items[i]);
    if (error && c->here && line_of(c, error) != c->here)
        return arena_printf(arena, "points to line %u instead of %u", line_of(c, error), c->here);
    if (c->message && strcmp(c->message, text) != 0)
        return arena_printf(arena, "the message is not this:\n%s", c->message);
    return NULL;
}

static struct judged judge(const struct verifier_case *c, const struct options *o,
                           struct runner *runner, struct arena *arena) {
    struct diag *diag = diag_new();
    struct verify_result result;
    struct judged j = {0};
    struct program *p = case_build(arena, c, &o->paths, diag);
    bool accepted = p && verify(p, &result, diag);
    j.text = printed(diag, arena);
    if (accepted != c->accept)
        j.why = accepted ? "ACCEPTED, and is to be refused" : "refused, and is to be accepted";
    else
        j.why = judge_messages(c, arena, diag, j.text);
    if (!j.why && accepted && c->runs && !o->norun)
        j.why = runner_run(runner, p, c->runs);
    diag_free(diag);
    return j;
}

static bool run_case(const struct verifier_case *c, const struct options *o,
                     struct runner *runner) {
    struct arena *arena = arena_new();
    struct judged j = judge(c, o, runner, arena);
    if (j.why)
        printf("%s:%u: FAILED: %s: %s\n", c->file, c->line, c->name, j.why);
    else if (o->show)
        printf("%s:%u: %s\n", c->file, c->line, c->name);
    if (j.why || o->show)
        fputs(j.text, stdout);
    arena_free(arena);
    return j.why == NULL;
}

static const char usage[] =
    "usage: verifier-cases [--only TEXT] [--show] [--no-run] --include DIR FILE.cases ...\n"
    "\n"
    "  --only TEXT    only cases with TEXT in their names\n"
    "  --show         print what the verifier says of every case\n"
    "  --no-run       do not run what is accepted\n"
    "  --include DIR  where bpf_mcu.h is, for cases in C\n";

static int parse(int argc, char **argv, struct options *o) {
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            o->only = argv[++i];
        else if (strcmp(argv[i], "--include") == 0 && i + 1 < argc)
            o->paths.include = argv[++i];
        else if (strcmp(argv[i], "--show") == 0)
            o->show = true;
        else if (strcmp(argv[i], "--no-run") == 0)
            o->norun = true;
        else
            return 0;
    }
    return i < argc && o->paths.include ? i : 0;
}

int main(int argc, char **argv) {
    struct options o = {0};
    struct arena *arena = arena_new();
    char directory[] = "/tmp/verifier-cases-XXXXXX";
    case_list cases = {0};
    unsigned passed = 0, failed = 0;
    int first = parse(argc, argv, &o);
    if (!first || !(o.paths.directory = mkdtemp(directory))) {
        fputs(usage, stderr);
        return 2;
    }
    struct runner *runner = runner_new();
    for (int i = first; i < argc; i++)
        failed += !case_read(arena, argv[i], &cases);
    vec_for_each(const struct verifier_case, c, &cases) {
        if (o.only && !strstr(c->name, o.only))
            continue;
        bool good = run_case(c, &o, runner);
        passed += good;
        failed += !good;
    }
    runner_free(runner);
    unlink(arena_printf(arena, "%s/case.bpf.c", directory));
    unlink(arena_printf(arena, "%s/case.bpf.o", directory));
    rmdir(directory);
    arena_free(arena);
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
