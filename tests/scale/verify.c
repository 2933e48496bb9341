/* SPDX-License-Identifier: MIT */
/*
 * scale-verify: how fast the verifier is on a program of a shape and size (shapes.c), for the shape `paths` on one
 * that keeps path exploration busy until its budget is spent, or on the programs of an object. Prints the best of several tries:
 * instructions, seconds of the fixpoint, seconds of verify(), instructions explored, bytes of memory, verdict.
 */
#include "asm/asm.h"
#include "elf/elf.h"
#include "scale/shapes.h"
#include "verifier/checks.h"
#include "verifier/fixpoint.h"
#include "verifier/values.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEM_SIZE 4096

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A counter that no rule bounds, with a fork in each iteration. */
static void write_paths(FILE *out) {
    fputs("mov r6, r1\nmov r0, 1\nl:\nldxb r3, [r6+1]\njgt r3, 3, +1\nadd r0, 1\nmul r0, 5\nadd "
          "r0, 1\n"
          "jne r0, 0, l\nexit\n",
          out);
}

static struct program *program_of(struct arena *arena, const char *shape, uint32_t n) {
    struct diag *diag = diag_new();
    struct bpf_insn *insns;
    uint32_t count;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    size_t length = strlen(shape);
    if (length > 2 && strcmp(shape + length - 2, ".o") == 0) {
        struct program *object = NULL;
        elf_read(shape, arena, &(struct elf_options){0}, &object, diag);
        diag_print(diag, stderr, false);
        diag_free(diag);
        return object;
    }
    bool known = strcmp(shape, "paths") == 0;
    if (known)
        write_paths(out);
    for (unsigned i = 0; i < shape_count; i++)
        if (strcmp(shapes[i].name, shape) == 0) {
            shapes[i].write(out, n);
            known = true;
        }
    fclose(out);
    struct program *p = NULL;
    if (known && asm_parse(arena, text, shape, &insns, &count, diag))
        p = program_from_insns(arena, "scale", insns, count, MEM_SIZE, diag);
    diag_print(diag, stderr, false);
    diag_free(diag);
    free(text);
    return p;
}

/* Seconds that the fixpoint of the one entry point takes, graphs and limits not counted. */
static double fixpoint_seconds(const struct program *p, struct diag *diag) {
    struct verify_result result = {0};
    if (!verify_form(p, &result, diag))
        return 0;
    struct arena *arena = arena_new();
    struct verifier v = {.program = p, .result = &result, .diag = diag};
    struct analysis *a = values_analysis(&v, arena);
    double seconds = 0;
    if (a) {
        struct fixpoint *fp = fixpoint_new(a);
        struct state *s = fixpoint_entry_state(a, 0);
        double start = now();
        fixpoint_summary(fp, p->entries[0].func, s);
        seconds = now() - start;
    }
    arena_free(arena);
    return seconds;
}

int main(int argc, char **argv) {
    int tries = argc == 4 ? atoi(argv[3]) : 0;
    long n = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    struct arena *arena = arena_new();
    struct program *p = NULL;
    if (tries > 0 && n > 0)
        p = program_of(arena, argv[1], (uint32_t)n);
    if (!p) {
        fprintf(stderr, "usage: scale-verify SHAPE N TRIES\n       scale-verify X.bpf.o 1 TRIES\n"
                        "example: scale-verify diamonds 10000 5\n");
        return 2;
    }
    double fixpoint = 1e9, whole = 1e9;
    bool good = true;
    struct verify_result result = {0};
    for (int i = 0; i < tries; i++) {
        struct diag *diag = diag_new();
        double seconds = fixpoint_seconds(p, diag), start = now();
        good = verify(p, &result, diag) && good;
        double all = now() - start;
        fixpoint = seconds < fixpoint ? seconds : fixpoint;
        whole = all < whole ? all : whole;
        diag_free(diag);
    }
    printf("%u %.6f %.6f %llu %llu %s\n", p->ninsns, fixpoint, whole,
           (unsigned long long)result.cost.explored, (unsigned long long)result.cost.bytes,
           good ? "accepted" : "refused");
    arena_free(arena);
    return 0;
}
