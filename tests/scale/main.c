/* SPDX-License-Identifier: MIT */
/*
 * scale: compiles a program of a shape and size, and says what that took. Each measurement is a process of its
 * own (tests/scale/compile-time), so that memory is that of one compilation.
 *
 * What is measured is compile_program(): verifier, optimiser, allocation, assembly, blob. A blob above the
 * board's limit of 128 KiB is written in full and refused at the very end, so the limit takes nothing away.
 */
#include "asm/asm.h"
#include "bpf/blob.h"
#include "compile.h"
#include "scale/shapes.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEM_SIZE 4096

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A figure of /proc/self/status in KiB: VmRSS, or its peak since reset_peak(), VmHWM. */
static long status_kib(const char *name) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[200];
    long kib = 0;
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = atol(line + strlen(name) + 1);
    if (file)
        fclose(file);
    return kib;
}

/* See proc(5), clear_refs. */
static void reset_peak(void) {
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file)
        return;
    fputs("5", file);
    fclose(file);
}

struct source {
    struct bpf_insn *insns;
    uint32_t count;
};

static struct source source_of(struct arena *arena, const struct shape *shape, uint32_t n) {
    struct diag *diag = diag_new();
    struct source s = {0};
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    shape->write(out, n);
    fclose(out);
    if (!asm_parse(arena, text, shape->name, &s.insns, &s.count, diag)) {
        diag_print(diag, stderr, false);
        exit(1);
    }
    free(text);
    diag_free(diag);
    return s;
}

/* Seconds of one compilation; everything but a blob that is too large is an error. */
static double compile(const struct source *s, const struct compile_options *options,
                      uint32_t *code) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct compile_result result = {0};
    struct program *p = program_from_insns(arena, "scale", s->insns, s->count, MEM_SIZE, diag);
    double start = now();
    bool good = p && compile_program(p, options, &result, diag);
    double seconds = now() - start;
    if (!good && result.blob_size <= BLOB_MAX_SIZE) {
        diag_print(diag, stderr, false);
        exit(1);
    }
    *code = result.code.size;
    diag_free(diag);
    arena_free(arena);
    return seconds;
}

static const struct shape *shape_named(const char *name) {
    for (unsigned i = 0; i < shape_count; i++)
        if (strcmp(shapes[i].name, name) == 0)
            return &shapes[i];
    return NULL;
}

static int usage(void) {
    fprintf(stderr, "usage: scale SHAPE N LEVEL REPEAT\n"
                    "example: scale diamonds 10000 2 5\n"
                    "prints instructions, best seconds, bytes of code, and the growth of the peak "
                    "of memory in KiB\n"
                    "shapes:\n");
    for (unsigned i = 0; i < shape_count; i++)
        fprintf(stderr, "  %-10s %s\n", shapes[i].name, shapes[i].what);
    return 2;
}

int main(int argc, char **argv) {
    struct compile_options options = {0};
    const struct shape *shape = argc == 5 ? shape_named(argv[1]) : NULL;
    long n = argc == 5 ? strtol(argv[2], NULL, 10) : 0;
    int repeat = argc == 5 ? atoi(argv[4]) : 0;
    if (!shape || n < 100 || n > 200000 || repeat < 1 || !compile_level(argv[3], &options))
        return usage();
    struct arena *arena = arena_new();
    struct source s = source_of(arena, shape, (uint32_t)n);
    malloc_trim(0); /* what the generator took */
    reset_peak();
    long before = status_kib("VmRSS");
    double best = 1e9;
    uint32_t code = 0;
    for (int i = 0; i < repeat; i++) {
        double seconds = compile(&s, &options, &code);
        best = seconds < best ? seconds : best;
    }
    printf("%u %.6f %u %ld\n", s.count, best, code, status_kib("VmHWM") - before);
    arena_free(arena);
    return 0;
}
