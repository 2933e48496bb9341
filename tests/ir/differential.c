/* SPDX-License-Identifier: MIT */
/*
 * Random programs through the passes: a program is built, and run as IR (eval.h), which must agree
 * with the interpreter of the runtime (programs without helpers); then each pass alone, the whole optimiser at each level, and legalisation with the passes behind it must give a
 * function that does the same. The first function that disagrees is printed before and after.
 */
#include "ir/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/host.h"
#include "compile.h"
#include "ir/eval.h"
#include "ir/random.h"
#include "opt/opt.h"
#include "thumb2/abi.h"

#define NRUNS 3 /* inputs per program */

struct unit {
    struct arena *arena;
    const struct program *prog;
    struct ir_fn **fns;
};

static void build(struct unit *unit) {
    unit->fns = arena_alloc_array(unit->arena, unit->prog->nfuncs, sizeof(struct ir_fn *));
    for (uint32_t i = 0; i < unit->prog->nfuncs; i++) {
        unit->fns[i] = ir_build(unit->arena, unit->prog, i, 512, NULL);
        ir_check(unit->fns[i], "build");
    }
}

/* Bytes of the context for run number i. */
static void fill_context(uint64_t seed, int i, uint8_t *ctx) {
    for (int k = 0; k < RANDOM_CTX_SIZE; k++)
        ctx[k] = i == 0 ? 0 : (uint8_t)((seed + (uint64_t)i) * (uint64_t)(k + 1) * 0x9e37 >> i);
}

static void run(const struct unit *unit, uint64_t seed, struct eval_result out[NRUNS]) {
    struct eval_unit eval = {
        .prog = unit->prog, .fns = unit->fns, .nfns = unit->prog->nfuncs, .max_steps = 20000};
    for (int i = 0; i < NRUNS; i++) {
        uint8_t ctx[RANDOM_CTX_SIZE];
        fill_context(seed, i, ctx);
        uint64_t args[5] = {EVAL_CTX, sizeof(ctx)};
        out[i] = eval_run(&eval, 0, args, ctx, sizeof(ctx));
    }
}

static bool agree(const struct unit *unit, uint64_t seed, const struct eval_result *wanted,
                  const char *what) {
    struct eval_result got[NRUNS];
    run(unit, seed, got);
    for (int i = 0; i < NRUNS; i++) {
        if (eval_agree(&wanted[i], &got[i]))
            continue;
        printf("program %" PRIu64 ", input %d, after %s: status %d, was %d; r0 %" PRIx64
               ", was %" PRIx64 "; memory %s; effects %s\n",
               seed, i, what, got[i].status, wanted[i].status, got[i].value, wanted[i].value,
               got[i].memory == wanted[i].memory ? "same" : "differs",
               got[i].effects == wanted[i].effects ? "same" : "differ");
        return false;
    }
    return true;
}

static void print_unit(const struct unit *unit) {
    for (uint32_t i = 0; i < unit->prog->nfuncs; i++)
        ir_print(unit->fns[i], stdout);
}

/* The interpreter of the runtime on the bytecode: what the IR as built must agree with. */
static bool check_interpreter(const struct unit *unit, uint64_t seed,
                              const struct eval_result *wanted) {
    const struct compile_options options = {.mem_size = RANDOM_CTX_SIZE, .bytecode_only = true};
    struct compile_result compiled;
    struct diag *diag = diag_new();
    if (!compile_program(unit->prog, &options, &compiled, diag)) {
        diag_print(diag, stdout, false);
        diag_free(diag);
        return false;
    }
    diag_free(diag);
    bool same = true;
    for (int i = 0; i < NRUNS && same; i++) {
        enum bpf_status status;
        uint8_t ctx[RANDOM_CTX_SIZE];
        uint64_t r0 = 0;
        struct bpf_host *host = bpf_host_new(compiled.blob, compiled.blob_size, &status);
        fill_context(seed, i, ctx);
        if (host)
            status = bpf_host_run(host, 0, ctx, sizeof(ctx), &r0);
        same = wanted[i].status == EVAL_STEPS || (status == BPF_OK && r0 == wanted[i].value);
        if (!same)
            printf("program %" PRIu64 ", input %d: the interpreter says %s, r0 %" PRIx64
                   "; the IR r0 %" PRIx64 "\n",
                   seed, i, bpf_status_text(status), r0, wanted[i].value);
        bpf_host_free(host);
    }
    return same;
}

/* One pass on freshly built functions. */
static bool check_pass(struct unit *unit, uint64_t seed, const struct eval_result *wanted,
                       const char *pass) {
    build(unit);
    char *before = NULL;
    for (uint32_t i = 0; i < unit->prog->nfuncs; i++) {
        before = test_text_of(unit->arena, unit->fns[i]);
        opt_run_pass(unit->fns[i], pass);
        ir_check(unit->fns[i], pass);
    }
    if (agree(unit, seed, wanted, pass))
        return true;
    printf("%s", unit->prog->nfuncs == 1 ? before : "");
    print_unit(unit);
    return false;
}

static bool check_level(struct unit *unit, uint64_t seed, const struct eval_result *wanted,
                        int level) {
    static const char *const names[] = {"-O0", "-O1", "-O2"};
    struct opt_options options = {.level = level, .check = true};
    build(unit);
    for (uint32_t i = 0; i < unit->prog->nfuncs; i++)
        opt_run(unit->fns[i], &options);
    return agree(unit, seed, wanted, names[level]);
}

/* To words, as the compiler does it, with every argument word passed in its canonical place. */
static void to_words(struct unit *unit) {
    struct fn_abi *abi = arena_alloc_array(unit->arena, unit->prog->nfuncs, sizeof(struct fn_abi));
    for (uint32_t i = 0; i < unit->prog->nfuncs; i++)
        abi_init(&abi[i], ABI_CANONICAL, BPF_HOOK_RAW);
    for (uint32_t i = 0; i < unit->prog->nfuncs; i++) {
        legalize(unit->fns[i], &abi[i], abi);
        ir_check(unit->fns[i], "legalize");
    }
}

/* Legalised functions, optimised before at `level` or not, and then pass by pass. */
static bool check_words(struct unit *unit, uint64_t seed, const struct eval_result *wanted,
                        int level) {
    struct opt_options options = {.level = level, .check = true};
    build(unit);
    for (uint32_t i = 0; i < unit->prog->nfuncs; i++)
        opt_run(unit->fns[i], &options);
    to_words(unit);
    if (!agree(unit, seed, wanted, "legalize"))
        return false;
    size_t npasses;
    const struct opt_pass *passes = opt_passes(&npasses);
    for (size_t p = 0; p < npasses; p++) {
        char *before = NULL;
        for (uint32_t i = 0; i < unit->prog->nfuncs; i++) {
            before = test_text_of(unit->arena, unit->fns[i]);
            opt_run_pass(unit->fns[i], passes[p].name);
            ir_check(unit->fns[i], passes[p].name);
        }
        if (agree(unit, seed, wanted, passes[p].name))
            continue;
        printf("(words)\n%s", unit->prog->nfuncs == 1 ? before : "");
        print_unit(unit);
        return false;
    }
    for (uint32_t i = 0; i < unit->prog->nfuncs; i++) {
        trim_words(unit->fns[i]);
        ir_check(unit->fns[i], "trim_words");
        opt_run(unit->fns[i], &options);
    }
    return agree(unit, seed, wanted, "trim_words, optimiser");
}

static bool check_program(struct unit *unit, uint64_t seed, bool interpretable) {
    struct eval_result wanted[NRUNS];
    size_t npasses;
    const struct opt_pass *passes = opt_passes(&npasses);
    build(unit);
    run(unit, seed, wanted);
    if (interpretable && !check_interpreter(unit, seed, wanted)) {
        print_unit(unit);
        return false;
    }
    for (size_t i = 0; i < npasses; i++)
        if (!check_pass(unit, seed, wanted, passes[i].name))
            return false;
    for (int level = 0; level <= 2; level++)
        if (!check_level(unit, seed, wanted, level) || !check_words(unit, seed, wanted, level))
            return false;
    return true;
}

void test_random(uint64_t first, uint64_t n, struct test_count *count) {
    struct bpf_insn *insns = calloc(RANDOM_MAX_INSNS, sizeof(*insns));
    for (uint64_t seed = first; seed < first + n; seed++) {
        struct arena *arena = arena_new();
        struct diag *diag = diag_new();
        /* Only eval.h has a model of helpers whose answers depend on everything that they see. */
        bool helpers = seed % 2;
        unsigned flags = RANDOM_CALLX | RANDOM_CALLS | (helpers ? RANDOM_HELPERS : 0);
        uint32_t slots = random_program(seed, flags, insns);
        struct unit unit = {
            .arena = arena,
            .prog = program_from_insns(arena, "random", insns, slots, RANDOM_CTX_SIZE, diag)};
        if (!unit.prog)
            diag_print(diag, stdout, false);
        bool passed = unit.prog && check_program(&unit, seed, !helpers);
        *(passed ? &count->passed : &count->failed) += 1;
        diag_free(diag);
        arena_free(arena);
    }
    free(insns);
}
