/* SPDX-License-Identifier: MIT */
/*
 * The benchmark: programs as native code, compiled eBPF and bytecode in the board's interpreter, on
 * the emulated machine and by its one cycle model (docs/benchmark.md).
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include "compile.h"
#include "context.h"
#include "devices.h"
#include "machine.h"

#include "util/arena.h"
#include "util/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------------------------------- bench.def */

/* What a program is given in one of its runs. */
typedef void bench_input_fn(struct context_input *input, uint32_t size, uint32_t run,
                            struct arena *arena);
#define BENCH_INPUTS(_) _(none) _(random) _(sorted) _(text) _(packets) _(samples) _(frame) _(levels)
#define BENCH_INPUT(name) bench_input_fn input_##name;
BENCH_INPUTS(BENCH_INPUT)
#undef BENCH_INPUT

/* Levels that the button has, as --gpio takes them. */
extern const char input_button[];

struct bench {
    const char *name;
    uint32_t memory; /* bytes of a raw program's memory; 0: the hook's context */
    bench_input_fn *input;
    uint32_t runs;
};

extern const struct bench benches[];
extern const size_t bench_count;

/* ------------------------------------------------------------------------------------- measure.c */

enum bench_engine { BENCH_NATIVE, BENCH_THUMB, BENCH_INTERP, BENCH_ENGINES };
extern const char *const bench_engine_names[BENCH_ENGINES];

struct bench_figures {
    uint64_t cycles; /* of all runs, without what is behind SVC */
    uint32_t bytes;  /* of code, or bytecode; constant tables not included */
};

struct bench_result {
    const struct bench *bench;
    bool plain; /* neither maps nor devices */
    bool ok;    /* all engines computed the same */
    struct bench_figures engine[BENCH_ENGINES];
};

/* Runs one program on all engines; `build` is the directory of what was built. False, with a message,
 * if it could not be run or the engines do not agree. */
bool bench_measure(struct machine *m, const struct bench *bench, const char *build,
                   const struct compile_options *options, struct bench_result *result,
                   struct diag *diag);

/* -------------------------------------------------------------------------------------- report.c */

enum bench_metric { BENCH_CYCLES, BENCH_BYTES };
enum bench_group { BENCH_PLAIN, BENCH_WITH_MAPS, BENCH_ALL };

/* Geometric mean of ratios to native code, over the programs of a group that went well; 0 if none. */
double bench_geomean(const struct bench_result *results, size_t count, enum bench_group group,
                     enum bench_engine engine, enum bench_metric metric);

void bench_print(const struct bench_result *results, size_t count);
bool bench_write_json(const char *path, const struct bench_result *results, size_t count,
                      struct diag *diag);

#endif
