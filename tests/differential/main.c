/* SPDX-License-Identifier: MIT */
/*
 * Random programs on every engine: the native interpreter says what the result is; the Cortex-M4
 * interpreter and compiled code at every level, in the emulator, must say the same.
 *
 *     differential [--seed FIRST] [--count N]
 *
 * The last line is `N passed, N failed`, one count per program.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/engine.h"
#include "ir/random.h"

#define MAX_SHOWN 20 /* failures that are printed */

struct run {
    struct engine_session *session;
    uint64_t passed, failed;
};

/* The context, from the seed: zeros for every fourth program. */
static void fill_context(uint64_t seed, uint8_t *ctx) {
    for (uint64_t i = 0; i < RANDOM_CTX_SIZE; i++)
        ctx[i] = seed % 4 ? (uint8_t)((seed * 2654435761u + i * i * 40503u) >> (i % 13)) : 0;
}

static void report(const struct run *run, uint64_t seed, const struct engine *engine, bool ran,
                   uint64_t r0, uint64_t wanted, const struct diag *diag) {
    if (run->failed >= MAX_SHOWN)
        return;
    if (ran)
        printf("seed %" PRIu64 ": %s: r0 0x%" PRIx64 ", expected 0x%" PRIx64 "\n", seed,
               engine->name, r0, wanted);
    else
        printf("seed %" PRIu64 ": %s did not run\n", seed, engine->name);
    diag_print(diag, stdout, false);
}

/* One program on one engine. The first engine's result is what the others must give. */
static bool agrees(struct run *run, uint64_t seed, const struct engine_input *input,
                   const struct engine *engine, uint64_t *wanted) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    uint64_t r0 = 0;
    bool ran = engine_run(run->session, engine, arena, input, &r0, diag);
    if (engine == engines)
        *wanted = r0;
    bool same = ran && r0 == *wanted;
    if (!same)
        report(run, seed, engine, ran, r0, *wanted, diag);
    diag_free(diag);
    arena_free(arena);
    return same;
}

static void check_program(struct run *run, uint64_t seed, struct bpf_insn *insns) {
    uint8_t ctx[RANDOM_CTX_SIZE];
    uint64_t wanted = 0;
    fill_context(seed, ctx);
    const struct engine_input input = {
        .name = "random",
        .insns = insns,
        .count = random_program(seed, RANDOM_CALLS | RANDOM_CALLX, insns),
        .mem = ctx,
        .mem_len = sizeof(ctx),
        .mem_size = sizeof(ctx),
    };
    bool same = true;
    for (size_t i = 0; i < engine_count && same; i++)
        same = agrees(run, seed, &input, &engines[i], &wanted);
    *(same ? &run->passed : &run->failed) += 1;
}

int main(int argc, char **argv) {
    uint64_t first = 1, count = 200;
    for (int i = 1; i < argc; i++) {
        if (i + 1 < argc && !strcmp(argv[i], "--seed")) {
            first = strtoull(argv[++i], NULL, 0);
        } else if (i + 1 < argc && !strcmp(argv[i], "--count")) {
            count = strtoull(argv[++i], NULL, 0);
        } else {
            fprintf(stderr, "usage: differential [--seed FIRST] [--count N]\n");
            return 2;
        }
    }
    struct run run = {.session = engine_session_new()};
    struct bpf_insn *insns = calloc(RANDOM_MAX_INSNS, sizeof(*insns));
    for (uint64_t seed = first; seed < first + count; seed++)
        check_program(&run, seed, insns);
    free(insns);
    engine_session_free(run.session);
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", run.passed, run.failed);
    return run.failed != 0;
}
