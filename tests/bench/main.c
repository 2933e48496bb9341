/* SPDX-License-Identifier: MIT */
/* bpf2thumb-bench: the command line of the benchmark. */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: bpf2thumb-bench [OPTION...] BUILD [PROGRAM...]\n"
    "\n"
    "Cycles and bytes of programs as native code, compiled eBPF and in the interpreter. BUILD is "
    "the\n"
    "directory of what `make bench` has built.\n"
    "\n"
    "  -O0 -O1 -O2 -Os  optimisation of compiled eBPF (default -O2)\n"
    "  --json FILE      write the figures to FILE as well\n"
    "  --limit RATIO    fail if the geometric mean of compiled code to native code is above it\n"
    "  --check          print no table but `N passed, N failed`\n"
    "  --help           this text\n"
    "\n"
    "Exit status: 0 all engines agree; 1 a program failed, or the limit is passed; 2 usage.\n"
    "\n"
    "example: bpf2thumb-bench -Os build sha256 crc32\n";

struct options {
    struct compile_options compile;
    const char *json, *build;
    double limit; /* 0: none */
    bool check, help;
    char **programs; /* none: all */
    int program_count;
};

static bool parse(int argc, char **argv, struct options *o) {
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--help") == 0)
            o->help = true;
        else if (strcmp(argv[i], "--check") == 0)
            o->check = true;
        else if (strcmp(argv[i], "--json") == 0 && more)
            o->json = argv[++i];
        else if (strcmp(argv[i], "--limit") == 0 && more)
            o->limit = atof(argv[++i]);
        else if (argv[i][1] != 'O' || !compile_level(argv[i] + 2, &o->compile))
            return false;
    }
    o->build = argv[i];
    o->programs = argv + i + 1;
    o->program_count = argc - i - 1;
    return o->help || i < argc;
}

static bool wanted(const struct options *o, const char *name) {
    for (int i = 0; i < o->program_count; i++)
        if (strcmp(o->programs[i], name) == 0)
            return true;
    return o->program_count <= 0;
}

/* The last line of a check. */
static void print_counts(const struct bench_result *results, size_t count, double mean,
                         const struct options *o) {
    unsigned passed = 0, limit_passed = mean <= o->limit;

    for (size_t i = 0; i < count; i++)
        passed += results[i].ok;
    printf("compiled code: %.3f times the cycles of native code (geometric mean)", mean);
    if (o->limit > 0)
        printf(", limit %.3f", o->limit);
    printf("\n%u passed, %zu failed\n", passed + limit_passed,
           count - passed + (o->limit > 0 && !limit_passed));
}

static int run(const struct options *o, struct diag *diag) {
    struct bench_result *results = calloc(bench_count, sizeof(*results));
    struct machine *m = machine_new();
    size_t count = 0;
    bool ok = true;

    for (size_t i = 0; results && i < bench_count; i++)
        if (wanted(o, benches[i].name))
            ok &= bench_measure(m, &benches[i], o->build, &o->compile, &results[count++], diag);
    machine_free(m);
    double mean = bench_geomean(results, count, BENCH_ALL, BENCH_THUMB, BENCH_CYCLES);
    if (!o->check)
        bench_print(results, count);
    fflush(stdout);
    if (o->json)
        ok &= bench_write_json(o->json, results, count, diag);
    if (o->limit > 0 && !(mean > 0 && mean <= o->limit))
        ok = diag_error(
            diag, DIAG_RUN, NULL, NULL,
            "compiled code takes %.3f times the cycles of native code; the limit is %.3f", mean,
            o->limit);
    diag_print(diag, stderr, diag_wants_colour(stderr));
    fflush(stderr);
    if (o->check)
        print_counts(results, count, mean, o);
    free(results);
    return ok && count > 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    struct options o = {.compile = {.level = 2}};

    if (!parse(argc, argv, &o)) {
        fputs(usage, stderr);
        return 2;
    }
    if (o.help) {
        fputs(usage, stdout);
        return 0;
    }
    struct diag *diag = diag_new();
    int status = run(&o, diag);
    diag_free(diag);
    return status;
}
