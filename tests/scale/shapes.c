/* SPDX-License-Identifier: MIT */
/*
 * The generator of large programs. Every shape does work that the optimiser cannot remove: values come from
 * the program's memory (r1) and go back there, and what is computed depends on all that went before.
 * The number of instructions is n, give or take one unit of the shape.
 */
#include "scale/shapes.h"

/* r6 = memory; r0, r2 to r5, r7 to r9 come from there. */
#define HEAD 10
static void head(FILE *out) {
    static const int loaded[] = {0, 2, 3, 4, 5, 7, 8, 9};
    fprintf(out, "mov %%r6, %%r1\n");
    for (int i = 0; i < 8; i++)
        fprintf(out, "ldxdw %%r%d, [%%r6+%d]\n", loaded[i], 8 * i);
}

static void tail(FILE *out) {
    fprintf(out, "stxdw [%%r6+0], %%r0\nexit\n");
}

/* Numbers for constants and offsets; always the same. */
static uint32_t mixed(uint32_t i) {
    return (i * 2654435769u) >> 7;
}

/* Arithmetic of 64 and 32 bits, the stack and memory in turn, few values alive. */
static void straight(FILE *out, uint32_t n) {
    head(out);
    for (uint32_t i = 0; i + 8 + HEAD <= n; i += 8) {
        fprintf(out, "add %%r2, %%r0\nxor %%r3, %u\nmul32 %%r2, %u\n", mixed(i) & 0xffff,
                mixed(i) | 1);
        fprintf(out, "stxdw [%%r10-%u], %%r2\nlsh %%r3, %u\n", 8 + mixed(i) % 63 * 8, 1 + i % 40);
        fprintf(out, "ldxw %%r4, [%%r6+%u]\nadd %%r0, %%r4\nsub %%r0, %%r3\n", mixed(i) % 1000);
    }
    tail(out);
}

/* Eight pairs of words alive all the time: sixteen values for twelve registers. */
static void pressure(FILE *out, uint32_t n) {
    static const int regs[] = {0, 2, 3, 4, 5, 7, 8, 9};
    head(out);
    for (uint32_t i = 0; i + 2 + HEAD <= n; i += 2)
        fprintf(out, "add %%r%d, %%r%d\nxor %%r%d, %%r%d\n", regs[i % 8], regs[(i / 2 + 3) % 8],
                regs[(i + 5) % 8], regs[i % 8]);
    tail(out);
}

/* if (a > constant) one thing, else another. */
static void diamonds(FILE *out, uint32_t n) {
    head(out);
    for (uint32_t i = 0; i + 8 + HEAD <= n; i += 8) {
        fprintf(out, "jgt %%r2, %u, +3\nadd %%r0, %%r3\nadd %%r2, 7\nja +2\n", mixed(i));
        fprintf(out, "xor %%r0, %%r2\nadd32 %%r3, %%r0\nadd %%r2, %%r0\nrsh %%r2, 1\n");
    }
    tail(out);
}

/* Nests of four loops, one after another. */
static void loops(FILE *out, uint32_t n) {
    enum { DEPTH = 4, UNIT = 4 * DEPTH + 2 };
    static const int counter[DEPTH] = {2, 3, 4, 5};
    head(out);
    for (uint32_t i = 0; i + UNIT + HEAD <= n; i += UNIT) {
        for (int d = 0; d < DEPTH; d++)
            fprintf(out, "mov32 %%r%d, 0\nloop%u_%d:\nadd %%r7, %%r%d\n", counter[d], i, d,
                    counter[d]);
        fprintf(out, "xor %%r0, %%r7\nadd %%r8, %%r0\n");
        for (int d = DEPTH; d-- > 0;)
            fprintf(out, "add32 %%r%d, 1\njlt32 %%r%d, %u, loop%u_%d\n", counter[d], counter[d],
                    3 + mixed(i) % 9, i, d);
    }
    tail(out);
}

/* Nests of sixteen loops around one counter. */
static void nest(FILE *out, uint32_t n) {
    enum { DEPTH = 16, UNIT = 3 * DEPTH + 1 };
    head(out);
    for (uint32_t i = 0; i + UNIT + HEAD <= n; i += UNIT) {
        fprintf(out, "mov32 %%r2, %u\n", mixed(i) % 100);
        for (int d = 0; d < DEPTH; d++)
            fprintf(out, "add %%r0, %%r2\nin%u_%d:\n", i, d);
        for (int d = DEPTH; d-- > 0;)
            fprintf(out, "add32 %%r2, %d\njlt32 %%r2, %u, in%u_%d\n", 1 + d % 3,
                    mixed(i + (uint32_t)d), i, d);
    }
    tail(out);
}

/* Functions of 20 instructions, each called once: seven deep, then from the program again. */
static void calls(FILE *out, uint32_t n) {
    enum { UNIT = 20, DEPTH = 7 };
    uint32_t functions = (n - HEAD) / (UNIT + 1);
    head(out);
    for (uint32_t f = 0; f < functions; f += DEPTH)
        fprintf(out, "mov %%r1, %%r6\nmov %%r2, %%r7\ncall local f%u\nadd %%r7, %%r0\n", f);
    fprintf(out, "mov %%r0, %%r7\n");
    tail(out);
    for (uint32_t f = 0; f < functions; f++) {
        fprintf(out, "f%u:\nmov %%r8, %%r2\nldxdw %%r3, [%%r1+%u]\n", f, f % 500 * 8);
        for (int k = 0; k < 5; k++)
            fprintf(out, "add %%r8, %%r3\nmul %%r3, %u\nxor %%r8, %u\n", mixed(f) | 1, k);
        if (f % DEPTH != DEPTH - 1 && f + 1 < functions)
            fprintf(out, "mov %%r2, %%r8\ncall local f%u\nadd %%r8, %%r0\n", f + 1);
        fprintf(out, "mov %%r0, %%r8\nexit\n");
    }
}

/* Loads and stores of all widths that may touch each other. */
static void memory(FILE *out, uint32_t n) {
    static const char *const width[] = {"b", "h", "w", "dw"};
    head(out);
    for (uint32_t i = 0; i + 4 + HEAD <= n; i += 4)
        fprintf(
            out,
            "ldx%s %%r2, [%%r6+%u]\nadd %%r2, %%r0\nstx%s [%%r6+%u], %%r2\nldxdw %%r0, [%%r6+%u]\n",
            width[i / 4 % 4], mixed(i) % 4000, width[i / 16 % 4], mixed(i + 1) % 4000,
            mixed(i + 2) % 500 * 8);
    tail(out);
}

const struct shape shapes[] = {
    {"straight", "straight line: arithmetic, stack, memory", straight},
    {"pressure", "straight line with more values than registers", pressure},
    {"diamonds", "if and else, one behind the other", diamonds},
    {"loops", "nests of four loops, one behind the other", loops},
    {"nest", "nests of sixteen loops", nest},
    {"calls", "functions of 20 instructions, seven deep", calls},
    {"memory", "loads and stores of all widths", memory},
};
const unsigned shape_count = sizeof(shapes) / sizeof(shapes[0]);
