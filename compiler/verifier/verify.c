/* SPDX-License-Identifier: MIT */
/* The checks in order. Each relies on those before it, so the first that fails is the last one made. */
#include "verifier/verifier.h"

#include "verifier/checks.h"
#include "verifier/values.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ERRORS_MAX 20
#define WARNINGS_MAX 20

bool verify_error(struct verifier *v, enum diag_category category, uint32_t slot, const char *mend,
                  const char *format, ...) {
    struct diag_loc loc;
    va_list args;
    char *text;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    program_loc(v->program, slot, &loc);
    diag_error(v->diag, category, &loc, mend, "%s", text);
    free(text);
    v->errors++;
    return false;
}

void verify_warn(struct verifier *v, enum diag_category category, uint32_t slot, const char *mend,
                 const char *text) {
    struct diag_loc loc;

    if (v->warnings++ >= WARNINGS_MAX)
        return;
    program_loc(v->program, slot, &loc);
    diag_warn(v->diag, category, &loc, mend, "%s", text);
}

void verify_warn_object(struct verifier *v, enum diag_category category, const char *mend,
                        const char *text) {
    const struct diag_loc loc = DIAG_OBJECT(v->program->file);

    if (v->warnings++ < WARNINGS_MAX)
        diag_warn(v->diag, category, &loc, mend, "%s", text);
}

bool verify_gave_up(const struct verifier *v) {
    return v->errors >= ERRORS_MAX;
}

static bool check_form(struct verifier *v) {
    const struct program *program = v->program;

    for (uint32_t i = 0; i < program->nentries; i++)
        v->strict |= program->entries[i].hook != BPF_HOOK_RAW;
    *v->result = (struct verify_result){0};
    v->result->funcs =
        arena_alloc_array(program->arena, program->nfuncs, sizeof(*v->result->funcs));
    return verify_cfg(v) && verify_encoding(v) && verify_stack(v) && verify_calls(v);
}

bool verify_form(const struct program *program, struct verify_result *result, struct diag *diag) {
    struct verifier v = {.program = program, .result = result, .diag = diag};

    return check_form(&v);
}

bool verify(const struct program *program, struct verify_result *result, struct diag *diag) {
    return verify_logged(program, result, diag, NULL);
}

bool verify_logged(const struct program *program, struct verify_result *result, struct diag *diag,
                   FILE *log) {
    struct verifier v = {.program = program, .result = result, .diag = diag, .log = log};

    if (!check_form(&v) || !verify_values(&v))
        return false;
    verify_object(&v);
    return true;
}
