/* SPDX-License-Identifier: MIT */
/*
 * Text tests of the IR: *.ir files hold cases of the form
 *
 *     ; run: PASS, PASS        title           or    ; build: title
 *     a function                                     eBPF as text (compiler/asm)
 *     ; expect
 *     the function afterwards
 *
 * Both functions are renumbered before they are compared, so that a case need not know what numbers
 * a pass gives. `parse` is a pass that does nothing; every input is also printed and parsed again.
 */
#include "ir/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asm/asm.h"
#include "opt/opt.h"
#include "util/file.h"

struct test {
    struct arena *arena;
    struct diag *diag;
    const char *file, *title, *passes; /* passes NULL: build */
    char *input, *expected;
};

char *test_text_of(struct arena *arena, const struct ir_fn *fn) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ir_print(fn, out);
    fclose(out);
    char *copy = arena_strdup(arena, text);
    free(text);
    return copy;
}

/* Predecessors in the order of their numbers, phi arguments with them. */
static void sort_preds(struct ir_block *block) {
    for (uint32_t i = 1; i < block->npreds; i++)
        for (uint32_t k = i; k > 0 && block->preds[k]->id < block->preds[k - 1]->id; k--) {
            struct ir_block *pred = block->preds[k];
            block->preds[k] = block->preds[k - 1];
            block->preds[k - 1] = pred;
            for (struct ir_inst *phi = block->first; phi->op == IR_PHI; phi = phi->next) {
                ir_val arg = phi->args[k];
                phi->args[k] = phi->args[k - 1];
                phi->args[k - 1] = arg;
            }
        }
}

static const char *normal_text(struct arena *arena, struct ir_fn *fn) {
    ir_renumber(fn);
    for (uint32_t i = 0; i < fn->nblocks; i++) {
        sort_preds(fn->blocks[i]);
        for (struct ir_inst *inst = fn->blocks[i]->first; inst; inst = inst->next)
            inst->insn = IR_NO_INSN;
    }
    return test_text_of(arena, fn);
}

static struct ir_fn *parse(const struct test *test, const char *text) {
    struct ir_fn *fn = ir_parse(test->arena, text, test->file, test->diag);
    if (fn)
        ir_check(fn, "parse");
    return fn;
}

static struct ir_fn *build(const struct test *test) {
    struct bpf_insn *insns;
    uint32_t count;
    if (!asm_parse(test->arena, test->input, test->file, &insns, &count, test->diag))
        return NULL;
    struct program *prog = program_from_insns(test->arena, "test", insns, count, 4096, test->diag);
    if (!prog)
        return NULL;
    struct ir_fn *fn = ir_build(test->arena, prog, 0, 0, NULL);
    ir_check(fn, "build");
    return fn;
}

static bool round_trips(const struct test *test, const struct ir_fn *fn) {
    const char *text = test_text_of(test->arena, fn);
    struct ir_fn *again = parse(test, text);
    return again && !strcmp(text, test_text_of(test->arena, again));
}

static bool run_passes(const struct test *test, struct ir_fn *fn) {
    char *names = arena_strdup(test->arena, test->passes), *save;
    for (char *name = strtok_r(names, ", ", &save); name; name = strtok_r(NULL, ", ", &save)) {
        if (!strcmp(name, "parse"))
            continue;
        if (!opt_run_pass(fn, name)) {
            printf("%s: %s: no pass '%s'\n", test->file, test->title, name);
            return false;
        }
        ir_check(fn, name);
    }
    return true;
}

static bool run_test(const struct test *test) {
    struct ir_fn *fn = test->passes ? parse(test, test->input) : build(test);
    struct ir_fn *expected = fn ? parse(test, test->expected) : NULL;
    if (!expected) {
        printf("%s: %s\n", test->file, test->title);
        diag_print(test->diag, stdout, false);
        return false;
    }
    if (!round_trips(test, fn) || !round_trips(test, expected)) {
        printf("%s: %s: the text does not round-trip\n", test->file, test->title);
        return false;
    }
    if (test->passes && !run_passes(test, fn))
        return false;
    expected->func = fn->func;
    expected->name = fn->name;
    const char *want = normal_text(test->arena, expected), *got = normal_text(test->arena, fn);
    if (!strcmp(want, got))
        return true;
    printf("%s: %s\n--- expected\n%s--- got\n%s", test->file, test->title, want, got);
    return false;
}

/* The text after `prefix` if the line starts with it; ends the line. */
static char *directive(char *line, const char *prefix) {
    size_t n = strlen(prefix);
    if (strncmp(line, prefix, n) != 0)
        return NULL;
    char *text = line + n;
    text[strcspn(text, "\n")] = 0;
    return text + strspn(text, " ");
}

static char *find_line(char *text, const char *prefix) {
    while (text && strncmp(text, prefix, strlen(prefix)) != 0) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return text;
}

/* Start of the next case at or behind text, or NULL. */
static char *find_case(char *text) {
    char *run = find_line(text, "; run:"), *built = find_line(text, "; build:");
    return !run || (built && built < run) ? built : run;
}

/* Cuts the case at `start` into its parts; the parts become strings of their own. */
static bool cut(struct test *test, char *start) {
    char *body = strchr(start, '\n'), *expect = body ? find_line(body + 1, "; expect") : NULL;
    if (!expect)
        return false;
    test->title = directive(start, "; build:");
    test->passes = NULL;
    if (!test->title) {
        test->title = directive(start, "; run:");
        const char *gap = strstr(test->title, "  ");
        int n = gap ? (int)(gap - test->title) : (int)strlen(test->title);
        test->passes = arena_printf(test->arena, "%.*s", n, test->title);
    }
    test->input = body + 1;
    *expect = 0;
    test->expected = expect + 1 + strcspn(expect + 1, "\n");
    return true;
}

static void run_cases(struct test *test, char *text, struct test_count *count) {
    for (char *start = find_case(text), *next; start; start = next) {
        char *line_end = strchr(start, '\n');
        next = line_end ? find_case(line_end + 1) : NULL;
        if (next)
            next[-1] = 0; /* the newline before */
        test->diag = diag_new();
        bool passed = cut(test, start) && run_test(test);
        *(passed ? &count->passed : &count->failed) += 1;
        if (!passed)
            printf("%s: failed: %.60s\n", test->file, test->title ? test->title : start);
        diag_free(test->diag);
    }
}

void test_text_file(const char *path, struct test_count *count) {
    struct arena *arena = arena_new();
    struct test test = {.arena = arena, .file = path, .diag = diag_new()};
    uint8_t *bytes;
    size_t size;
    bool read = file_read(path, FILE_SIZE_LIMIT, arena, &bytes, &size, test.diag);
    if (!read) {
        diag_print(test.diag, stdout, false);
        count->failed++;
    }
    diag_free(test.diag);
    if (read)
        run_cases(&test, (char *)bytes, count);
    arena_free(arena);
}
