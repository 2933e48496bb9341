/* SPDX-License-Identifier: MIT */
/*
 * The verifier's first part: programs with the message that must refuse them, or none. What the tests
 * leave open (r1 is memory of 64 bytes, values) this part does not look at.
 */
#include "verifier/verifier.h"

#include "tests/unit/fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static struct verify_result result;

TestSuite(verifier, .init = setup, .fini = teardown);

/* A program of a board's hook instead of raw is checked as on Linux. */
static const struct {
    const char *text;
    bool timer;
    const char *error;   /* NULL: accepted */
    const char *warning; /* NULL: none looked for */
} cases[] = {
    {"mov r0, 0\nexit", false, NULL, NULL},
    /* Control flow */
    {"mov r0, 0", false, "runs past the end of function main", NULL},
    {"jeq r1, 0, +0\nexit", false, NULL, NULL},
    {"exit\njeq r1, 0, +5\nexit", false, "leaves function main", NULL},
    {"ja -1", false, NULL, NULL},
    {"ja -2\nexit", false, "leaves function main", NULL},
    {"ja32 +3\nexit", false, "a jump to instruction 4 leaves function main", NULL},
    {"ja +1\nlddw r0, 1\nexit", false, "second half of a 64-bit load", NULL},
    {"mov r0, 0\njeq r0, 0, -1", false, "runs past the end", NULL},
    {"call local f\nja +1\nf:\nexit\nexit", false, "leaves function main", NULL},
    {"call local f\nexit\nf:\nja -2", false, "leaves function func_2", NULL},
    {"call 5", false, "runs past the end", NULL},
    {"exit\nmov r0, 1\nexit", false, NULL, "2 instructions of function main can never be reached"},
    {"ja +2\nlddw r0, 1\nexit", false, NULL, "1 instruction of function main can never"},
    {"lddw r0, 1\nexit", false, NULL, NULL},
    /* Operands */
    {"lsh r1, 64\nexit", false, NULL, "a shift of a 64-bit number by 64 bits"},
    {"lsh r1, 64\nexit", true, "a shift of a 64-bit number by 64 bits", NULL},
    {"arsh32 r1, 32\nexit", true, "a shift of a 32-bit number by 32 bits", NULL},
    {"rsh32 r1, -1\nexit", true, "by -1 bits", NULL},
    {"lsh r1, 63\nlsh32 r1, 31\nlsh r1, r2\nexit", true, NULL, NULL},
    {"div r1, 0\nexit", true, "division by the constant 0", NULL},
    {"smod32 r1, 0\nexit", true, "division by the constant 0", NULL},
    {"mod r1, 0\nexit", false, NULL, "division by the constant 0"},
    {"div r1, r2\ndiv r1, 3\nexit", true, NULL, NULL},
    /* Helpers */
    {"call 5\nexit", false, NULL, NULL},
    {"call 113\nexit", false, "bpf_probe_read_kernel() (id 113) is one of Linux", NULL},
    {"call 0\nexit", false, "no helper with id 0", NULL},
    {"call 999\nexit", false, "no helper with id 999", NULL},
    {"call 2048\nexit", false, "no helper with id 2048", NULL},
    {"call 1024\nexit", false, NULL, NULL},
    {"mov r2, 99999\ncall r2\nexit", false, NULL, NULL},
    /* Stack */
    {"stxdw [r10-512], r1\nexit", false, NULL, NULL},
    {"stxdw [r10-516], r1\nexit", false, "bytes -516 to -509 from r10", NULL},
    {"stxdw [r10-4], r1\nexit", false, "bytes -4 to 3 from r10", NULL},
    {"ldxb r0, [r10+0]\nexit", false, "bytes 0 to 0 from r10", NULL},
    {"mov r2, r10\nadd r2, -520\ncall 5\nexit", false, "uses 520 bytes of stack", NULL},
    {"mov r2, r10\nsub r2, 500\nstdw [r2-16], 0\nexit", false, "bytes -516 to -509", NULL},
    {"lock add [r10-516], r1\nexit", false, "bytes -516 to -509", NULL},
    {"stdw [r10-504], 0\ncall local f\nexit\nf:\nstdw [r10-8], 0\nexit", false, NULL, NULL},
    {"stdw [r10-504], 0\ncall local f\nexit\nf:\nstdw [r10-16], 0\nexit", false,
     "520 bytes of stack are needed, there are 512: main (504) + func_3 (16)", NULL},
    {"stdw [r10-8], 0\ncall local f\nexit\nf:\nmov r2, r10\nadd r2, r1\nldxb r0, [r2-1]\nexit",
     false, "520 bytes of stack are needed", NULL},
    /* Calls */
    {"call local f\nexit\nf:\ncall local f\nexit", false, "func_2 calls itself: func_2 -> func_2",
     NULL},
    {"call local f\nexit\nf:\ncall local g\nexit\ng:\ncall local f\nexit", false,
     "func_2 -> func_4 -> func_2; recursion is not supported", NULL},
    {"call local +1\nexit\ncall local +1\nexit\ncall local +1\nexit\ncall local +1\nexit\n"
     "call local +1\nexit\ncall local +1\nexit\ncall local +1\nexit\nexit",
     false, NULL, NULL},
    {"call local +1\nexit\ncall local +1\nexit\ncall local +1\nexit\ncall local +1\nexit\n"
     "call local +1\nexit\ncall local +1\nexit\ncall local +1\nexit\ncall local +1\nexit\nexit",
     false, "a chain of more than 8 calls", NULL},
    {"mov r1, 1\nmov r2, 2\nmov r3, 3\ncall 12\nexit", false, NULL, NULL},
    {"call local f\nexit\nf:\ncall 12\nexit", false, "a tail call in func_2", NULL},
};

Test(verifier, programs) {
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        again();
        struct program *p = from_text(cases[i].text);
        if (cases[i].timer)
            p->entries[0].hook = BPF_HOOK_TIMER;
        bool good = verify_form(p, &result, diag);
        const char *first = diag_count(diag) ? diag_get(diag, 0)->text : "nothing";
        cr_expect_eq(good, cases[i].error == NULL, "`%s`: %s", cases[i].text, first);
        if (cases[i].error)
            cr_expect(has_message(DIAG_ERROR, cases[i].error), "`%s`: no `%s` in `%s`",
                      cases[i].text, cases[i].error, first);
        if (cases[i].warning)
            cr_expect(has_message(DIAG_WARNING, cases[i].warning), "`%s`: no `%s` in `%s`",
                      cases[i].text, cases[i].warning, first);
        else if (good)
            cr_expect_eq(diag_count(diag), 0, "`%s`: %s", cases[i].text, first);
    }
}

/* How deep the stack of the function is: what it touches, what it makes addresses of. */
Test(verifier, stack_bytes) {
    static const struct {
        const char *text;
        uint32_t stack;
    } stacks[] = {
        {"exit", 0},
        {"stxb [r10-1], r1\nexit", 8},
        {"stxdw [r10-24], r1\nstxb [r10-30], r1\nexit", 32},
        {"mov r2, r10\nadd r2, -40\ncall 5\nexit", 40},
        {"mov r2, r10\nmov r3, -48\nadd r3, r2\nexit", 48},
        {"mov32 r2, r10\nadd32 r2, -56\nexit", 56},
        {"mov r2, r10\nsub r2, 16\nldxdw r0, [r2-8]\nexit", 24},
        /* An array with an index: down to the array, and below it where the access says so. */
        {"ldxb r3, [r1+0]\nmov r2, r10\nadd r2, -64\nadd r2, r3\nldxb r0, [r2+0]\nexit", 64},
        {"ldxb r3, [r1+0]\nmov r2, r10\nadd r2, -64\nadd r2, r3\nldxb r0, [r2-4]\nexit", 72},
        /* Unknown distances. */
        {"mov r2, r10\nadd r2, r1\nexit", 512},
        {"mov r2, r10\nadd r2, -8\nsub r2, r1\nexit", 512},
        {"mov r2, r10\nl:\nadd r2, -8\nstdw [r2+0], 0\njne r1, r2, l\nexit", 512},
        {"mov r2, r10\nadd r2, -64\nl:\nstdw [r2+0], 0\nadd r2, 8\njne r2, r10, l\nexit", 64},
        /* Another value in the register on one path. */
        {"mov r2, 0\njeq r1, 0, +2\nmov r2, r10\nadd r2, -32\nldxb r0, [r2+0]\nexit", 32},
        /* Unreachable code does not count. */
        {"exit\nstdw [r10-512], 0\nexit", 0},
    };

    for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        again();
        cr_assert(verify_form(from_text(stacks[i].text), &result, diag), "%s", stacks[i].text);
        cr_expect_eq(result.funcs[0].stack, stacks[i].stack, "`%s`: %u", stacks[i].text,
                     result.funcs[0].stack);
    }
}

/* ---- The graph of calls ---- */

/* A code pointer in the assembler's text is a lddw of the absolute slot; here its pseudo kind is set. */
static struct program *with_pointers(const char *text) {
    struct bpf_insn *insns;
    uint32_t count;

    cr_assert(asm_parse(arena, text, "test", &insns, &count, diag));
    for (uint32_t i = 0; i + 1 < count; i++)
        if (insns[i].opcode == 0x18 && insns[i + 1].imm == 1) {
            insns[i].regs |= BPF_PSEUDO_FUNC << 4;
            insns[i + 1].imm = 0;
        }
    struct program *p = program_from_insns(arena, "main", insns, count, 64, diag);
    cr_assert_not_null(p);
    return p;
}

static void expect_callees(uint32_t func, uint32_t count, uint32_t first) {
    cr_assert_eq(result.funcs[func].ncallees, count, "function %u has %u callees", func,
                 result.funcs[func].ncallees);
    for (uint32_t i = 0; i < count; i++)
        cr_expect_eq(result.funcs[func].callees[i], first + i);
}

Test(verifier, graph) {
    struct program *p =
        from_text("call local f\ncall 5\ncall 7\ncall 5\nexit\nf:\nstdw [r10-16], 0\n"
                  "call local g\ncall local g\nexit\ng:\nstdw [r10-8], 0\nexit\n");

    cr_assert(verify_form(p, &result, diag));
    expect_callees(0, 1, 1);
    expect_callees(1, 1, 2);
    expect_callees(2, 0, 0);
    cr_expect_eq(result.funcs[0].frames, 3);
    cr_expect_eq(result.funcs[0].chain_stack, 24);
    cr_expect_eq(result.funcs[0].nhelpers, 2);
    cr_expect_eq(result.funcs[0].helpers[1], 7);
    cr_expect_eq(result.order[0], 2);
    cr_expect_eq(result.order[2], 0);
}

#define CALLBACK(slot) "lddw r2, 0x1" #slot "\nmov r1, 4\nmov r3, 0\nmov r4, 0\ncall 181\n"

/* bpf_loop() with the callback in sight calls that one; nested loops are no recursion. */
Test(verifier, callbacks) {
    struct program *p = with_pointers(CALLBACK(00000007) "exit\n" /* 0..6 */
                                      CALLBACK(0000000e) "exit\n" /* 7..13 */
                                                         "mov r0, 0\nexit\n");

    cr_assert(verify_form(p, &result, diag), "%s", diag_count(diag) ? diag_get(diag, 0)->text : "");
    cr_assert_eq(p->nfuncs, 3);
    expect_callees(0, 1, 1);
    expect_callees(1, 1, 2);
    cr_expect_eq(result.funcs[0].frames, 3);
}

/* The callbacks of timers are called by nobody here, and count for who sets them, through calls and callbacks. */
Test(verifier, timers) {
    struct program *p = from_text("stdw [r10-8], 0\ncall local set\nexit\n"
                                  "set:\nstdw [r10-16], 0\nlddw r2, func tick\ncall 170\nexit\n"
                                  "tick:\nstdw [r10-64], 0\nlddw r2, func tock\ncall 170\n"
                                  "call local deep\nexit\n"
                                  "tock:\nlddw r2, func tick\ncall 170\nexit\n"
                                  "deep:\nstdw [r10-32], 0\ncall local last\nexit\n"
                                  "last:\nmov r0, 0\nexit\n");

    cr_assert(verify_form(p, &result, diag), "%s", diag_count(diag) ? diag_get(diag, 0)->text : "");
    expect_callees(0, 1, 1);
    expect_callees(1, 0, 0);
    expect_callees(3, 0, 0);
    cr_assert_eq(result.funcs[0].ntimers, 2);
    cr_expect_eq(result.funcs[0].timers[0], 2);
    cr_expect_eq(result.funcs[0].timers[1], 3);
    cr_expect_eq(result.funcs[0].frames, 2);
    cr_expect_eq(result.funcs[0].chain_stack, 24);
    cr_expect_eq(verify_depth_of(&result, 0).frames, 3);
    cr_expect_eq(verify_depth_of(&result, 0).stack, 96);
    cr_expect_eq(verify_depth_of(&result, 4).stack, 32);
}

/* From memory a pointer may be any whose address is taken. */
Test(verifier, unknown_pointers) {
    struct program *p =
        with_pointers("lddw r2, 0x100000006\nldxdw r2, [r1+0]\ncall r2\nmov r0, 0\nexit\n"
                      "mov r0, 0\nexit\n");

    cr_assert(verify_form(p, &result, diag));
    expect_callees(0, 1, 1);
    cr_expect(result.funcs[0].callx);

    p = with_pointers("lddw r2, 0x100000005\nmov r2, r1\ncall r2\nexit\n"
                      "ldxdw r2, [r1+0]\ncall r2\nmov r0, 0\nexit\n");
    cr_expect_not(verify_form(p, &result, diag));
    cr_expect(has_message(DIAG_ERROR, "func_5 perhaps calls itself"));
}

/* Garbage has an end: at most 20 messages. */
Test(verifier, gives_up) {
    char text[40 * 12] = "";

    for (int i = 0; i < 39; i++)
        strcat(text, "call 999\n");
    strcat(text, "exit");
    cr_expect_not(verify_form(from_text(text), &result, diag));
    cr_expect_eq(diag_count(diag), 20);
}
