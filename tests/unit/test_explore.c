/* SPDX-License-Identifier: MIT */
/*
 * Programs that only paths settle: what is open in the fixpoint, and loops that ranking has no bound for. Each
 * comes from both sides: accepted, and one number further refused. Then what exploration costs, by generators.
 */
#include "verifier/verifier.h"

#include "tests/unit/fixture.h"

#include "bpf/map.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct verify_result result;

TestSuite(explore, .init = setup, .fini = teardown);

/* Map 0: a hash of 8-byte values; map 1: a ring buffer. Programs load them by MAP(0), MAP(1). TABLE is a
 * read-only table of the functions at the labels f and g. */
#define LOADED 0x3a9
#define MAP(n) "0x3a90000000" #n
#define TABLE "lddw r5, func f\nlddw r5, func g\nlddw r2, 0x3a900000009\n"
static struct prog_data table = {.name = ".rodata", .size = 16, .align = 8, .relocated = true};

static struct prog_map maps[] = {
    {.name = "counts",
     .type = BPF_MAP_HASH,
     .key_size = 4,
     .value_size = 8,
     .max_entries = 16,
     .bytes = 1},
    {.name = "events", .type = BPF_MAP_RINGBUF, .max_entries = 4096, .bytes = 1},
};

static struct program *with_maps(const char *text) {
    struct program *p = from_text(text);
    p->maps = maps;
    p->nmaps = sizeof(maps) / sizeof(maps[0]);
    p->datas = &table;
    p->ndatas = 1;
    p->relocs = arena_alloc_array(arena, 2, sizeof(*p->relocs));
    for (uint32_t i = 0; i < p->ninsns; i++) {
        struct bpf_decoded *d = &p->decoded[i];
        if (d->op == BPF_LDDW && d->pseudo == BPF_PSEUDO_FUNC && p->nrelocs < 2) {
            p->relocs[p->nrelocs] =
                (struct prog_reloc){PROG_RELOC_FUNC, 0, 8 * p->nrelocs, (uint32_t)d->imm, 0};
            p->nrelocs++;
        }
        if (d->op == BPF_LDDW && d->imm >> 32 == LOADED) {
            d->pseudo = (uint32_t)d->imm == 9 ? BPF_PSEUDO_DATA : BPF_PSEUDO_MAP;
            d->imm = d->pseudo == BPF_PSEUDO_DATA ? 0 : (uint32_t)d->imm;
        }
    }
    return p;
}

/* The first error, or "accepted". */
static const char *verdict(const char *text) {
    if (verify(with_maps(text), &result, diag))
        return "accepted";
    for (size_t i = 0; i < diag_count(diag); i++)
        if (diag_get(diag, i)->severity == DIAG_ERROR)
            return diag_get(diag, i)->text;
    cr_assert(false, "`%s`: refused without a word", text);
    return "";
}

/* ---------------------------------------------------------------------------------- both verdicts */

#define ENDLESS "this loop need not end"
#define NO_BOUND "no bound is known for this loop"
#define LOOKUP "stw [r10-4], 3\nmov r2, r10\nadd r2, -4\nlddw r1, " MAP(0) "\ncall 1\n"
#define LOOP(times)                                                                                \
    "mov r1, " #times "\nlddw r2, func cb\nmov r3, r10\nadd r3, -8\nmov r4, 0\ncall 181\n"

static const struct {
    const char *text;
    const char *error; /* NULL: accepted */
} cases[] = {
    /* Two branches on one condition: r4 is 1 if and only if r3 <= 7 */
    {"ldxb r3, [r1+0]\nmov r4, 0\njgt r3, 7, +1\nmov r4, 1\nmov r0, 0\njne r4, 1, +2\nadd r1, r3\n"
     "ldxb r0, [r1+56]\nexit",
     NULL},
    {"ldxb r3, [r1+0]\nmov r4, 0\njgt r3, 7, +1\nmov r4, 1\nmov r0, 0\njne r4, 1, +2\nadd r1, r3\n"
     "ldxb r0, [r1+57]\nexit",
     "somewhere in bytes 57 to 64 of the program's memory"},
    {"ldxb r3, [r1+0]\nmov r4, 0\njgt r3, 7, +1\nmov r4, 1\nmov r0, 0\njeq r4, 1, +2\nadd r1, r3\n"
     "ldxb r0, [r1+56]\nexit",
     "the program's memory"},
    /* A register with a value on one path, used on the same only */
    {"ldxb r3, [r1+0]\njgt r3, 7, +1\nmov r4, 1\nmov r0, 0\njgt r3, 7, +1\nmov r0, r4\nexit", NULL},
    {"ldxb r3, [r1+0]\njgt r3, 7, +1\nmov r4, 1\nmov r0, 0\njgt r3, 8, +1\nmov r0, r4\nexit",
     "before it has a value"},
    /* A pointer to one thing or another */
    {"ldxb r3, [r1+0]\nmov r2, r10\nstdw [r10-8], 0\njgt r3, 7, +1\nmov r2, r1\njgt r3, 7, +2\n"
     "ldxb r0, [r2+63]\nexit\nldxb r0, [r2-8]\nexit",
     NULL},
    {"ldxb r3, [r1+0]\nmov r2, r10\nstdw [r10-8], 0\njgt r3, 7, +1\nmov r2, r1\njgt r3, 6, +2\n"
     "ldxb r0, [r2+63]\nexit\nldxb r0, [r2-8]\nexit",
     "reads byte -8 of the program's memory"},
    /* An array that a loop fills, then a read of all of it */
    {"mov r2, r10\nadd r2, -16\nmov r3, 0\nl: mov r4, r2\nadd r4, r3\nstxb [r4+0], r3\nadd r3, 1\n"
     "jlt r3, 16, l\nldxdw r0, [r10-8]\nexit",
     NULL},
    {"mov r2, r10\nadd r2, -16\nmov r3, 0\nl: mov r4, r2\nadd r4, r3\nstxb [r4+0], r3\nadd r3, 1\n"
     "jlt r3, 15, l\nldxdw r0, [r10-8]\nexit",
     "not all of which are initialised"},
    /* Counters that nothing but following them bounds */
    {"mov r0, 27\nl: mov r1, r0\nand r1, 1\njeq r1, 0, e\nmul r0, 3\nadd r0, 1\nja t\ne: rsh r0, "
     "1\n"
     "t: jne r0, 1, l\nexit",
     NULL},
    {"mov r0, 1\nl: mul r0, 5\nadd r0, 1\njne r0, 0, l\nexit", NO_BOUND},
    {"ldxdw r0, [r1+0]\nl: mul r0, 5\nadd r0, 1\njne r0, 0, l\nexit", ENDLESS},
    {"mov r0, 0\nl: ja l", ENDLESS},
    {"ldxb r3, [r1+0]\nmov r0, 0\nl: jne r3, 0, l\nexit", ENDLESS},
    {"mov r0, 0\nl: ldxb r3, [r1+0]\njne r3, 0, l\nexit", ENDLESS},
    /* Two states in turn */
    {"mov r0, 0\nl: xor r0, 1\njne r0, 2, l\nexit", ENDLESS},
    /* An outer loop goes on for ever, its inner one does not */
    {"mov r0, 0\no: mov r3, 27\nl: rsh r3, 1\njne r3, 0, l\njne r0, 1, o\nexit", ENDLESS},
    /* Binary search: low in r2, high in r3 */
    {"mov r0, 0\nmov r2, 0\nmov r3, 64\nmov r6, r1\nl: jge r2, r3, out\nmov r4, r2\nadd r4, r3\n"
     "rsh r4, 1\nmov r5, r6\nadd r5, r4\nldxb r5, [r5+0]\njgt r5, 100, low\nmov r3, r4\nja l\n"
     "low: mov r2, r4\nadd r2, 1\nja l\nout: mov r0, r2\nexit",
     NULL},
    {"mov r0, 0\nmov r2, 0\nmov r3, 66\nmov r6, r1\nl: jge r2, r3, out\nmov r4, r2\nadd r4, r3\n"
     "rsh r4, 1\nmov r5, r6\nadd r5, r4\nldxb r5, [r5+0]\njgt r5, 100, low\nmov r3, r4\nja l\n"
     "low: mov r2, r4\nadd r2, 1\nja l\nout: mov r0, r2\nexit",
     "of the program's memory"},
    {"mov r0, 0\nmov r2, 0\nmov r3, 64\nmov r6, r1\nl: jge r2, r3, out\nmov r4, r2\nadd r4, r3\n"
     "rsh r4, 1\nmov r5, r6\nadd r5, r4\nldxb r5, [r5+0]\njgt r5, 100, low\nmov r3, r4\nja l\n"
     "low: mov r2, r4\nja l\nout: mov r0, r2\nexit",
     ENDLESS},
    /* A flag tells whether the callee has filled in what its argument points to */
    {"mov r6, r1\nmov r2, r10\nadd r2, -8\ncall local f\njeq r0, 0, out\nldxdw r3, [r10-8]\nadd "
     "r6, r3\n"
     "ldxb r0, [r6+0]\nout: mov r0, 0\nexit\nf: ldxb r3, [r1+0]\nmov r0, 0\njgt r3, 63, +2\n"
     "stxdw [r2+0], r3\nmov r0, 1\nexit",
     NULL},
    {"mov r6, r1\nmov r2, r10\nadd r2, -8\ncall local f\njeq r0, 0, out\nldxdw r3, [r10-8]\nadd "
     "r6, r3\n"
     "ldxb r0, [r6+0]\nout: mov r0, 0\nexit\nf: ldxb r3, [r1+0]\nmov r0, 0\njgt r3, 64, +2\n"
     "stxdw [r2+0], r3\nmov r0, 1\nexit",
     "the program's memory"},
    {"mov r6, r1\nmov r2, r10\nadd r2, -8\ncall local f\njeq r0, 1, out\nldxdw r3, [r10-8]\n"
     "out: mov r0, 0\nexit\nf: ldxb r3, [r1+0]\nmov r0, 0\njgt r3, 63, +2\nstxdw [r2+0], r3\n"
     "mov r0, 1\nexit",
     "not all of which are initialised"},
    /* The callee's own check, that only one of its callers passes */
    {"mov r6, r1\nmov r2, 8\ncall local f\nmov r1, r6\nmov r2, 63\ncall local f\nexit\n"
     "f: mov r3, 0\njeq r2, 8, +1\nmov r3, 1\nadd r1, r2\nmov r0, 0\njeq r3, 1, +2\nldxb r0, "
     "[r1+55]\n"
     "exit\nldxb r0, [r1+0]\nexit",
     NULL},
    {"mov r6, r1\nmov r2, 8\ncall local f\nmov r1, r6\nmov r2, 64\ncall local f\nexit\n"
     "f: mov r3, 0\njeq r2, 8, +1\nmov r3, 1\nadd r1, r2\nmov r0, 0\njeq r3, 1, +2\nldxb r0, "
     "[r1+55]\n"
     "exit\nldxb r0, [r1+0]\nexit",
     "reads byte 64"},
    /* What is wrong comes behind the second call, which is like the first one */
    {"mov r6, r1\ncall local f\nmov r1, r6\ncall local f\nadd r6, r0\nldxb r0, [r6+0]\nmov r0, "
     "0\nexit\n"
     "f: ldxb r2, [r1+0]\nmov r0, 63\njgt r2, 7, +1\nmov r0, 3\nexit",
     NULL},
    {"mov r6, r1\ncall local f\nmov r1, r6\ncall local f\nadd r6, r0\nldxb r0, [r6+0]\nmov r0, "
     "0\nexit\n"
     "f: ldxb r2, [r1+0]\nmov r0, 64\njgt r2, 7, +1\nmov r0, 3\nexit",
     "reads byte 64"},
    /* One of two functions in a table */
    {TABLE "ldxb r3, [r1+0]\nand r3, 8\nadd r2, r3\nldxdw r4, [r2+0]\ncall r4\nmov r0, 0\nexit\n"
           "f: mov r0, 0\nexit\n"
           "g: ldxb r3, [r1+0]\nmov r4, 0\njgt r3, 7, +1\nmov r4, 1\nmov r0, 0\njne r4, 1, +2\n"
           "add r1, r3\nldxb r0, [r1+56]\nexit",
     NULL},
    {TABLE "ldxb r3, [r1+0]\nand r3, 8\nadd r2, r3\nldxdw r4, [r2+0]\ncall r4\nmov r0, 0\nexit\n"
           "f: mov r0, 0\nexit\n"
           "g: ldxb r3, [r1+0]\nmov r4, 0\njgt r3, 7, +1\nmov r4, 1\nmov r0, 0\njne r4, 1, +2\n"
           "add r1, r3\nldxb r0, [r1+57]\nexit",
     "the program's memory"},
    {TABLE "ldxb r3, [r1+0]\nand r3, 8\nadd r2, r3\nldxdw r4, [r2+0]\ncall r4\nmov r0, 0\nexit\n"
           "f: ldxb r3, [r1+0]\nmov r4, 0\njgt r3, 7, +1\nmov r4, 1\nmov r0, 0\njne r4, 1, +2\n"
           "add r1, r3\nldxb r0, [r1+57]\nexit\n"
           "g: mov r0, 0\nexit",
     "the program's memory"},
    /* Each iteration leaves less of what is possible: no repetition */
    {"ldxb r0, [r1+0]\nl: mul r0, 3\nrsh r0, 2\njne r0, 0, l\nexit", NULL},
    {"ldxb r0, [r1+0]\nl: mul r0, 4\nrsh r0, 2\njne r0, 0, l\nexit", ENDLESS},
    /* Null is told by a flag */
    {LOOKUP "mov r6, 0\njeq r0, 0, +1\nmov r6, 1\nmov r7, r0\nmov r0, 0\njeq r6, 0, +1\n"
            "ldxdw r0, [r7+0]\nexit",
     NULL},
    {LOOKUP "mov r6, 0\njeq r0, 0, +1\nmov r6, 1\nmov r7, r0\nmov r0, 0\njeq r6, 1, +1\n"
            "ldxdw r0, [r7+0]\nexit",
     "that is 0"},
    /* What a callback returns, and what it reads, depends on its own paths */
    {"stdw [r10-8], 0\n" LOOP(
         10) "mov r0, 0\nexit\ncb: mov r3, 0\njgt r1, 7, +1\nmov r3, 1\n"
             "mov r0, 5\njeq r3, 1, +1\nmov r0, 1\njne r3, 1, +1\nmov r0, 0\nexit",
     NULL},
    {"stdw [r10-8], 0\n" LOOP(
         10) "mov r0, 0\nexit\ncb: mov r3, 0\njgt r1, 7, +1\nmov r3, 1\n"
             "mov r0, 5\njeq r3, 1, +1\nmov r0, 1\njne r3, 1, +1\nmov r0, 2\nexit",
     "the callback returns something other than 0 or 1"},
    {"stdw [r10-8], 0\n" LOOP(10) "mov r0, 0\nexit\ncb: mov r3, 0\njgt r1, 7, +1\nmov r3, 1\n"
                                  "mov r0, 0\njne r3, 1, +2\nadd r2, r1\nldxb r3, [r2+0]\nexit",
     NULL},
    {"stdw [r10-8], 0\n" LOOP(10) "mov r0, 0\nexit\ncb: mov r3, 0\njgt r1, 8, +1\nmov r3, 1\n"
                                  "mov r0, 0\njne r3, 1, +2\nadd r2, r1\nldxb r3, [r2+0]\nexit",
     "the stack of main"},
    {"stdw [r10-8], 0\n" LOOP(10) "mov r0, 0\nexit\ncb: mov r0, 0\nl: jne r1, 11, l\nexit",
     ENDLESS},
    /* A record that was reserved on one path only is given back on the same */
    {"ldxb r6, [r1+0]\nmov r7, 0\njgt r6, 7, +7\nlddw r1, " MAP(
         1) "\nmov r2, 8\nmov r3, 0\ncall 131\n"
            "mov r7, r0\nja +0\njgt r6, 7, +4\njeq r7, 0, +3\nmov r1, r7\nmov r2, 0\ncall 132\nmov "
            "r0, 0\nexit",
     NULL},
    {"ldxb r6, [r1+0]\nmov r7, 0\njgt r6, 7, +7\nlddw r1, " MAP(
         1) "\nmov r2, 8\nmov r3, 0\ncall 131\n"
            "mov r7, r0\nja +0\njgt r6, 6, +4\njeq r7, 0, +3\nmov r1, r7\nmov r2, 0\ncall 132\nmov "
            "r0, 0\nexit",
     "reserved and not given back"},
};

Test(explore, verdicts) {
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        again();
        const char *got = verdict(cases[i].text), *wanted = cases[i].error;
        cr_expect(strstr(got, wanted ? wanted : "accepted"),
                  "case %zu: `%s`: wanted `%s`, got `%s`", i, cases[i].text,
                  wanted ? wanted : "accepted", got);
    }
}

/* ----------------------------------------------------------------------------------------- bounds */

/* Loops without a rank: the most executions of the header, exactly as many as there can be. */
Test(explore, bounds) {
    static const struct {
        const char *text;
        uint64_t bound[2]; /* by loop */
    } loops[] = {
        /* Collatz from 27: 111 steps */
        {"mov r0, 27\nl: mov r1, r0\nand r1, 1\njeq r1, 0, e\nmul r0, 3\nadd r0, 1\nja t\ne: rsh "
         "r0, 1\n"
         "t: jne r0, 1, l\nexit",
         {111}},
        /* From 27 or from 9 (19 steps): the longer one counts, whichever is followed first */
        {"ldxb r2, [r1+0]\nmov r0, 27\njgt r2, 3, +1\nmov r0, 9\nl: mov r1, r0\nand r1, 1\njeq r1, "
         "0, e\n"
         "mul r0, 3\nadd r0, 1\nja t\ne: rsh r0, 1\nt: jne r0, 1, l\nexit",
         {111}},
        {"ldxb r2, [r1+0]\nmov r0, 9\njgt r2, 3, +1\nmov r0, 27\nl: mov r1, r0\nand r1, 1\njeq r1, "
         "0, e\n"
         "mul r0, 3\nadd r0, 1\nja t\ne: rsh r0, 1\nt: jne r0, 1, l\nexit",
         {111}},
        /* From 9 into the middle of 27's way would be shorter: 14 is on the way of both 9 and 7 */
        {"ldxb r2, [r1+0]\nmov r0, 7\njgt r2, 3, +1\nmov r0, 9\nl: mov r1, r0\nand r1, 1\njeq r1, "
         "0, e\n"
         "mul r0, 3\nadd r0, 1\nja t\ne: rsh r0, 1\nt: jne r0, 1, l\nexit",
         {19}},
        /* Entered three times, with ever larger numbers */
        {"mov r6, 3\no: mov r0, r6\nl: mov r1, r0\nand r1, 1\njeq r1, 0, e\nmul r0, 3\nadd r0, "
         "1\nja t\n"
         "e: rsh r0, 1\nt: jne r0, 1, l\nadd r6, 3\njne r6, 12, o\nexit",
         {3, 19}},
    };
    for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
        again();
        cr_assert_str_eq(verdict(loops[i].text), "accepted", "loop %zu", i);
        for (int k = 0; k < 2 && loops[i].bound[k]; k++)
            cr_expect_eq(result.loops[k].bound, loops[i].bound[k], "loop %zu.%d: %lu", i, k,
                         (unsigned long)result.loops[k].bound);
    }
}

/* ------------------------------------------------------------------------------------------ notes */

Test(explore, path) {
    cr_assert(
        strstr(verdict(LOOKUP "mov r6, 0\nmov r7, r0\nldxdw r0, [r7+0]\nexit"), "may be null"));
    cr_expect(has_message(DIAG_NOTE, "bpf_map_lookup_elem() may return null here"));
    again();
    verdict("mov r2, r10\nadd r2, -16\nmov r3, 0\nl: mov r4, r2\nadd r4, r3\nstxb [r4+0], r3\nadd "
            "r3, 1\n"
            "jlt r3, 15, l\nldxdw r0, [r10-8]\nexit");
    cr_expect(has_message(DIAG_NOTE, "when the loop goes on here (14 times)"));
    cr_expect(has_message(DIAG_NOTE, "when the loop ends here"));
    again();
    verdict("call local f\nexit\nf: ldxb r3, [r1+0]\njgt r3, 7, +1\nmov r4, 1\nmov r0, 0\njgt r3, "
            "8, +1\n"
            "mov r0, r4\nexit");
    cr_expect(has_message(DIAG_NOTE, "in func_2(), called here"));
    cr_expect(has_message(DIAG_NOTE, "when the branch is taken"));
}

/* ------------------------------------------------------------------------------------------- cost */

struct text {
    char *at;
    size_t used, size;
};

static void add(struct text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    t->used += (size_t)vsnprintf(t->at + t->used, t->size - t->used, format, args);
    va_end(args);
    cr_assert(t->used < t->size);
}

static struct text text_new(void) {
    struct text t = {.size = 1u << 21};
    t.at = arena_alloc(arena, t.size);
    return t;
}

/* Something that only paths settle, at the end, so that they have to go all the way. */
#define GOAL                                                                                       \
    "ldxb r3, [r6+0]\nmov r4, 0\njgt r3, 7, +1\nmov r4, 1\nmov r0, 0\njne r4, 1, +2\nadd r6, r3\n" \
    "ldxb r0, [r6+56]\nexit"

Test(explore, diamonds) {
    struct text t = text_new();
    add(&t, "mov r6, r1\nmov r0, 0\n");
    for (int i = 0; i < 1000; i++)
        add(&t, "ldxb r3, [r6+%d]\njgt r3, %d, +1\nadd r0, 1\nadd r0, r3\n", i % 64, i % 200);
    add(&t, GOAL);
    cr_assert_str_eq(verdict(t.at), "accepted");
    cr_expect_lt(result.cost.explored, 10000, "%lu", (unsigned long)result.cost.explored);
}

/* The same with a sum that matters in the end: states that differ are joined, and all is well. */
Test(explore, diamonds_that_matter) {
    struct text t = text_new();
    add(&t, "mov r6, r1\nmov r7, 0\n");
    for (int i = 0; i < 1000; i++)
        add(&t, "ldxb r3, [r6+%d]\njgt r3, %d, +1\nadd r7, 1\n", i % 64, i % 200);
    add(&t, "jeq r7, 77, +0\n" GOAL);
    cr_assert_str_eq(verdict(t.at), "accepted");
    cr_expect_lt(result.cost.explored, 400000, "%lu", (unsigned long)result.cost.explored);
}

Test(explore, nested_loops) {
    /* 100 x 100, and what is open lies inside */
    const char *text = "mov r6, r1\nmov r7, 0\no: mov r8, 0\ni: ldxb r3, [r6+0]\nmov r4, 0\n"
                       "jgt r3, 7, +1\nmov r4, 1\njne r4, 1, +3\nmov r5, r6\nadd r5, r3\n"
                       "ldxb r0, [r5+56]\nadd r8, 1\njlt r8, 100, i\nadd r7, 1\njlt r7, 100, o\n"
                       "mov r0, 0\nexit";
    cr_assert_str_eq(verdict(text), "accepted");
    cr_expect_lt(result.cost.explored, 1000, "%lu", (unsigned long)result.cost.explored);
}

/* A budget's worth of instructions stays within its memory. */
Test(explore, budget) {
    cr_expect(strstr(verdict("mov r0, 1\nl: mul r0, 5\nadd r0, 1\njne r0, 0, l\nexit"), NO_BOUND));
    cr_expect_geq(result.cost.explored, VERIFY_BUDGET);
    cr_expect_lt(result.cost.bytes, UINT64_C(256) << 20);
    again();
    cr_expect(strstr(verdict("mov r6, r1\nmov r0, 1\nl: stxdw [r10-8], r0\nldxb r3, [r6+1]\n"
                             "jgt r3, 3, +1\nadd r0, 1\nmul r0, 5\nadd r0, 1\njne r0, 0, l\nexit"),
                     NO_BOUND));
    cr_expect_lt(result.cost.bytes, UINT64_C(256) << 20);
}

/* 60 copies of an unknown number on the stacks of four frames, and a counter that is known only as its distance from
 * them, in a word that each iteration writes: what it takes to compare such states counts against the budget. */
Test(explore, relations_on_the_stack) {
    struct text t = text_new();
    add(&t, "ldxdw r6, [r1+0]\n");
    for (int i = 1; i <= 60; i++)
        add(&t, "stxdw [r10-%d], r6\n", 8 * i);
    add(&t,
        "l: ldxdw r7, [r10-8]\nadd r7, 1\nstxdw [r10-8], r7\nmov r8, r7\nsub r8, r6\nmul r8, 5\n"
        "jne r8, 3, l\nmov r0, 0\nexit");
    cr_expect(strstr(verdict(t.at), NO_BOUND));
    cr_expect_lt(result.cost.explored, VERIFY_BUDGET / 2, "%lu",
                 (unsigned long)result.cost.explored);
}
