/* SPDX-License-Identifier: MIT */
#include "kernel/compare.h"

#include "kernel/translate.h"
#include "verifier/verifier.h"

#include <string.h>
#include <time.h>

#define RUNS 3000

static const char *const categories[] = {
#define DIAG_CATEGORY(id, name, about) [DIAG_##id] = name,
#include "util/diag.def"
};
#undef DIAG_CATEGORY

static uint32_t now_usec(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint32_t)(t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

static void first_error(struct arena *arena, const struct diag *diag, struct comparison *out) {
    for (size_t i = 0; i < diag_count(diag); i++) {
        const struct diag_message *m = diag_get(diag, i);
        if (m->severity != DIAG_ERROR)
            continue;
        out->ours = arena_printf(arena, "%ld: %s", m->has_loc ? m->loc.insn : -1, m->text);
        out->category = categories[m->category];
        return;
    }
}

static void ask_ourselves(struct arena *arena, const struct subject *s,
                          struct verify_result *result, struct comparison *out) {
    struct diag *diag = s->diag;
    if (s->program) {
        diag = diag_new();
        uint32_t start = now_usec();
        verify(s->program, result, diag);
        out->our_usec = now_usec() - start;
    }
    first_error(arena, diag, out);
    if (s->program)
        diag_free(diag);
}

/* Accepted by both kinds of Linux, by the privileged one alone, or by none. */
static void ask_linux(struct arena *arena, const struct kernel_program *program,
                      bool accepts[KERNEL_MODES], struct comparison *out) {
    static struct kernel_verdict verdict;
    for (int mode = KERNEL_MODES - 1; mode >= 0; mode--) {
        kernel_verify(program, (enum kernel_mode)mode, &verdict);
        accepts[mode] = verdict.accepts;
        if (!verdict.accepts)
            out->linux_text = arena_strdup(arena, verdict.reason);
    }
    out->linux_usec = verdict.usec; /* of the last, the privileged one */
    out->processed = verdict.processed;
}

static enum outcome outcome_of(bool ours, const bool accepts[KERNEL_MODES]) {
    if (!ours)
        return accepts[KERNEL_STRICT] ? ONLY_LINUX : BOTH_REFUSE;
    if (accepts[KERNEL_STRICT])
        return BOTH_ACCEPT;
    return accepts[KERNEL_PRIVILEGED] ? ONLY_PRIVILEGED : ONLY_WE;
}

struct comparison compare(struct arena *arena, const struct subject *s) {
    struct comparison out = {.name = s->name, .run.status = RUN_UNKNOWN};
    struct translation t;
    struct verify_result result;
    bool accepts[KERNEL_MODES];

    if (s->program)
        translate(s->program, s->entry, &t);
    else
        translate_bare(arena, s->insns, s->count, s->mem_size, &t);
    out.insns = t.program.count;
    if (t.skip) {
        out.outcome = SKIPPED;
        out.skip = t.skip;
        translate_free(&t);
        return out;
    }
    ask_ourselves(arena, s, &result, &out);
    ask_linux(arena, &t.program, accepts, &out);
    translate_free(&t);
    out.outcome = outcome_of(!out.ours, accepts);
    if (s->runnable && !out.ours)
        out.run =
            run_random(s->program, result.funcs, 1, out.outcome == BOTH_ACCEPT ? RUNS / 30 : RUNS);
    out.reason = reason_of(&out);
    return out;
}
