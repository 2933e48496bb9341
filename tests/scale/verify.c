/* SPDX-License-Identifier: MIT */
/*
 * scale-verify: how fast the verifier is on a program of a shape and size (shapes.c), on one that is made to keep path
 * exploration or the fixpoint busy (`explored` and `hostile` below), or on the programs of an object. Prints the best of several tries:
 * instructions, seconds of the fixpoint, seconds of verify(), instructions explored, bytes of memory, verdict.
 */
#include "asm/asm.h"
#include "bpf/map.h"
#include "elf/elf.h"
#include "scale/shapes.h"
#include "verifier/checks.h"
#include "verifier/fixpoint.h"
#include "verifier/values.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEM_SIZE 4096
#define TABLE 1024       /* elements of a table of functions */
#define LOADED_MAP 0x3a8 /* high words of lddw that stand for maps and data, by index */
#define LOADED_DATA 0x3a9

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

/* A counter that is known only as the distance of two unknown numbers, below four frames full of copies of one of
 * them: states that are told apart by relations alone. */
static void write_copies(FILE *out) {
    fputs("ldxdw r1, [r1+0]\n", out);
    for (int frame = 0; frame < 4; frame++) {
        fprintf(out, frame ? "f%d:\n" : "", frame);
        fputs("mov r6, r1\n", out);
        for (int i = 1; i <= 16; i++)
            fprintf(out, "stxdw [r10-%d], r6\n", 8 * i);
        if (frame < 3)
            fprintf(out, "call local f%d\nmov r0, 0\nexit\n", frame + 1);
    }
    fputs("mov r7, r6\nl:\nadd r7, 1\nmov r8, r7\nsub r8, r6\nmul r8, 5\njne r8, 3, l\nmov r0, "
          "0\nexit\n",
          out);
}

/* The same, where the distance lies on the stack, and every iteration writes to all four frames. */
static void write_spilled(FILE *out) {
    fputs("ldxdw r1, [r1+0]\n", out);
    for (int frame = 0; frame < 4; frame++) {
        fprintf(out, frame ? "f%d:\n" : "", frame);
        fputs("mov r6, r1\n", out);
        if (frame)
            fprintf(out, "stxdw [r10-128], r%d\n", frame + 1);
        for (int i = 1; i <= (frame ? 15 : 16); i++)
            fprintf(out, "stxdw [r10-%d], r6\n", 8 * i);
        if (frame < 3)
            fprintf(out, "mov r%d, r10\n%scall local f%d\nmov r0, 0\nexit\n", frame + 2,
                    frame == 2 ? "ldxdw r3, [r10-128]\nldxdw r2, [r3-128]\n" : "", frame + 1);
    }
    fputs("l:\nldxdw r7, [r10-8]\nadd r7, 1\nstxdw [r10-8], r7\nstxdw [r4-8], r7\nldxdw r3, "
          "[r4-128]\n"
          "stxdw [r3-8], r7\nmov r8, r7\nsub r8, r6\nmul r8, 5\njne r8, 3, l\nmov r0, 0\nexit\n",
          out);
}

/* Functions t0, t1, ... that nobody else names, so that pointers may be of any of them. */
static void write_functions(FILE *out, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "lddw r0, func t%u\n", i);
    fputs("mov r0, 0\nexit\n", out);
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "t%u:\nmov r0, 0\nexit\n", i);
}

/* Calls through a table of functions: half of the instructions are theirs. */
static void write_table(FILE *out, uint32_t n) {
    fputs("mov r6, r1\n", out);
    for (uint32_t i = 0; i < n / 16; i++)
        fputs("ldxdw r7, [r6+0]\nand r7, 1023\nlsh r7, 3\nlddw r8, 0x3a900000000\nadd r8, "
              "r7\nldxdw r8, [r8+0]\n"
              "call r8\n",
              out);
    fputs("mov r0, 0\nexit\n", out);
    write_functions(out, TABLE > n / 8 ? TABLE : n / 8);
}

/* Calls of any of many functions. */
static void write_any(FILE *out, uint32_t n) {
    fputs("ldxdw r6, [r1+0]\nlddw r7, func t0\njeq r6, 0, +2\nlddw r7, func t1\n", out);
    for (uint32_t i = 0; i < n / 4; i++)
        fputs("mov r1, r6\ncall r7\n", out);
    fputs("mov r0, 0\nexit\n", out);
    write_functions(out, n / 8);
}

/* Any of many functions is set as callback of the timers of many maps. */
static void write_timers(FILE *out, uint32_t n) {
    fputs("stdw [r10-8], 0\nldxdw r6, [r1+0]\nlddw r7, func t0\njeq r6, 0, +2\nlddw r7, func t1\n",
          out);
    for (uint32_t i = 0; i < n / 20; i++)
        fprintf(out,
                "lddw r1, 0x3a8%08x\nmov r2, r10\nadd r2, -8\ncall 1\njeq r0, 0, +3\nmov r1, "
                "r0\nmov r2, r7\n"
                "call 170\n",
                i);
    fputs("mov r0, 0\nexit\n", out);
    write_functions(out, n / 8);
}

/* Callbacks in callbacks, each of which changes words of all the frames above it. */
static void write_nested(FILE *out, uint32_t n) {
    enum { DEPTH = 6 };
    (void)n;
    for (int d = 0; d <= DEPTH; d++) {
        fprintf(out, d ? "c%d:\nmov r6, r2\n" : "mov r6, r10\nadd r6, -64\n", d);
        for (int i = 1; i <= 8; i++)
            fprintf(out,
                    d ? "ldxdw r3, [r6+%d]\nadd r3, %d\nstxdw [r6+%d], r3\n" : "stdw [r6+%d], %d\n",
                    8 * (i - 1), i + d, 8 * (i - 1));
        if (d < DEPTH)
            fprintf(out, "mov r1, 100\nlddw r2, func c%d\nmov r3, r6\nmov r4, 0\ncall 181\n",
                    d + 1);
        fputs("mov r0, 0\nexit\n", out);
    }
}

/* The callback of each timer sets the next one for another timer. */
static void write_timer_chain(FILE *out, uint32_t n) {
    for (uint32_t i = 0; i < n / 14; i++)
        fprintf(out,
                "c%u:\nstdw [r10-8], 0\nlddw r1, 0x3a800000000\nmov r2, r10\nadd r2, -8\ncall "
                "1\njeq r0, 0, +4\nmov r1, r0\nlddw r2, func c%u\ncall 170\nmov r0, 0\nexit\n",
                i, i + 1);
    fprintf(out, "c%u:\nmov r0, 0\nexit\n", n / 14);
}

/* A number in each byte of the stack, and branches behind each of which one of them changes. */
static void write_bytes(FILE *out, uint32_t n) {
    fputs("mov r6, r1\n", out);
    for (int i = 1; i <= 512; i++)
        fprintf(out, "ldxb r3, [r6+%d]\nstxb [r10-%d], r3\n", i, i);
    for (uint32_t i = 0; i < n / 3; i++)
        fprintf(out, "ldxb r3, [r6+%u]\njgt r3, 7, +1\nstxb [r10-%u], r3\n", i % 512, i % 512 + 1);
    fputs("mov r0, 0\nexit\n", out);
}

/* Loops around such ones, and a table of constants in them. */
static void write_byte_loops(FILE *out, uint32_t n) {
    fputs("mov r6, r1\nmov r7, 0\n", out);
    for (int i = 1; i <= 512; i++)
        fprintf(out, "ldxb r3, [r6+%d]\nstxb [r10-%d], r3\n", i, i);
    for (uint32_t i = 0; i < n / 100; i++) {
        for (int d = 0; d < 3; d++)
            fprintf(out, "mov r%d, 0\nl%u_%d:\n", 7 + d, i, d);
        for (uint32_t k = 0; k < 30; k++)
            fprintf(out, "ldxb r3, [r6+%u]\njgt r3, 7, +1\nstxb [r10-%u], r3\n", k,
                    (i + 7 * k) % 512 + 1);
        for (int d = 2; d >= 0; d--)
            fprintf(out, "add r%d, 1\njlt r%d, 9, l%u_%d\n", 7 + d, 7 + d, i, d);
    }
    fputs("mov r0, 0\nexit\n", out);
}

/* What those shapes name. */
static void add_objects(struct arena *arena, struct program *p, uint32_t n) {
    static struct prog_data table = {
        .name = ".rodata", .size = 8 * TABLE, .align = 8, .relocated = true};
    p->datas = &table;
    p->ndatas = 1;
    p->nmaps = n / 20;
    p->maps = arena_alloc_array(arena, p->nmaps, sizeof(*p->maps));
    for (uint32_t i = 0; i < p->nmaps; i++)
        p->maps[i] = (struct prog_map){.name = "m",
                                       .type = BPF_MAP_HASH,
                                       .key_size = 4,
                                       .value_size = 16,
                                       .max_entries = 1,
                                       .bytes = 1,
                                       .has_timer = true};
    for (uint32_t i = 0; i < p->ninsns; i++) {
        struct bpf_decoded *d = &p->decoded[i];
        if (d->op != BPF_LDDW || (d->imm >> 32 != LOADED_MAP && d->imm >> 32 != LOADED_DATA))
            continue;
        d->pseudo = d->imm >> 32 == LOADED_MAP ? BPF_PSEUDO_MAP : BPF_PSEUDO_DATA;
        d->imm = (uint32_t)d->imm;
    }
    p->relocs = arena_alloc_array(arena, TABLE, sizeof(*p->relocs));
    for (uint32_t f = 1; f < p->nfuncs && p->nrelocs < TABLE; f++, p->nrelocs++)
        p->relocs[p->nrelocs] = (struct prog_reloc){PROG_RELOC_FUNC, 0, 8 * p->nrelocs, f, 0};
    for (uint32_t f = 1; f < p->nfuncs; f++)
        p->funcs[f].address_taken = true;
}

/* Shapes that keep path exploration busy until its budget is spent. */
static const struct {
    const char *name;
    void (*write)(FILE *out);
} explored[] = {{"paths", write_paths}, {"copies", write_copies}, {"spilled", write_spilled}};

/* Shapes that keep the fixpoint busy. */
static const struct shape hostile[] = {
    {"table", "calls through a table", write_table},
    {"any", "calls of any function", write_any},
    {"timers", "any function for any timer", write_timers},
    {"nested", "callbacks in callbacks", write_nested},
    {"timer-chain", "callbacks that set callbacks", write_timer_chain},
    {"bytes", "branches above a stack of bytes", write_bytes},
    {"byte-loops", "loops above a stack of bytes", write_byte_loops},
};

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
    bool known = false;
    for (size_t i = 0; i < sizeof(explored) / sizeof(explored[0]); i++)
        if (strcmp(explored[i].name, shape) == 0) {
            explored[i].write(out);
            known = true;
        }
    bool objects = false;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
        if (strcmp(hostile[i].name, shape) == 0) {
            hostile[i].write(out, n);
            known = objects = true;
        }
    for (unsigned i = 0; i < shape_count; i++)
        if (strcmp(shapes[i].name, shape) == 0) {
            shapes[i].write(out, n);
            known = true;
        }
    fclose(out);
    struct program *p = NULL;
    if (known && asm_parse(arena, text, shape, &insns, &count, diag))
        p = program_from_insns(arena, "scale", insns, count, MEM_SIZE, diag);
    if (p && objects)
        add_objects(arena, p, n);
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
