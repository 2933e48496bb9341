/* SPDX-License-Identifier: MIT */
/*
 * The soundness fuzzer's own parts: what a state stands for (member.c), each thing that it says tried with a
 * value that is in and one that is not; the machine's faults; files; the shrinker.
 */
#include "soundness/machine.h"

#include "asm/asm.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static struct arena *arena;
static struct state_pool *pool;
static struct source source;
static struct machine machine;
static struct state *state;

/* A raw program from text, run up to the instruction `steps`. */
static void start(const char *text, unsigned steps) {
    struct bpf_insn *insns;
    struct diag *diag = diag_new();
    source = (struct source){.nfuncs = 1};
    cr_assert(asm_parse(arena, text, "test", &insns, &source.count, diag), "%s", text);
    memcpy(source.insns, insns, source.count * sizeof(*insns));
    machine_start(&machine, source_program(&source, arena), 1);
    for (unsigned i = 0; i < steps; i++)
        machine_step(&machine);
    diag_free(diag);
}

static void setup(void) {
    arena = arena_new();
    pool = state_pool_new(arena);
    start(
        "mov r3, 5\nstdw [r10-8], 7\nmov r4, r10\nadd r4, -8\nstxdw [r10-16], r4\nmov r0, 0\nexit",
        5);
    state = state_new(pool, 0);
}

static void teardown(void) {
    arena_free(arena);
}

TestSuite(soundness, .init = setup, .fini = teardown);

static void is_in(void) {
    const char *why = not_member(&machine, state);
    cr_assert_null(why, "%s", why);
}

static void is_out(const char *part) {
    const char *why = not_member(&machine, state);
    cr_assert(why && strstr(why, part), "%s, not: %s", why ? why : "a member", part);
}

/* ---- Members */

Test(soundness, numbers) {
    is_in(); /* nothing is known */
    state->reg[3] = value_scalar(scalar_urange(5, 9));
    is_in();
    state->reg[3] = value_scalar(scalar_urange(6, 9));
    is_out("r3 is number 0x5");
    state->reg[3] = value_scalar(scalar_unknown());
    state->reg[3].n.umax32 = 4;
    is_out("r3");
    state->reg[3] = value_const(5);
    is_in();
    state->reg[3] = value_pointer(VALUE_CTX, 0);
    is_out("r3");
    state->reg[3] = value_none(NONE_UNWRITTEN);
    state->reg[5] = value_const(0);
    is_out("r5 is unset");
}

Test(soundness, pointers) {
    state->reg[1] = value_pointer(VALUE_CTX, 0);
    is_in();
    state->reg[1].n = scalar_const(8);
    is_out("r1 is pointer");
    state->reg[1] = value_pointer(VALUE_MAP_VALUE, 0);
    is_out("r1");
    state->reg[1] = value_pointer(VALUE_CTX, 0);
    state->reg[1].nullable = true;
    is_in();
    machine.reg[1] = machine_number(0);
    is_in();
    machine.reg[1] = machine_number(1);
    is_out("r1 is number 0x1");
    machine.reg[1] = machine_number(0);
    state->reg[1].nullable = false;
    is_out("r1 is number 0x0");
}

Test(soundness, relations) {
    struct scalar any = scalar_unknown();
    state->reg[3] = value_scalar(any);
    state->reg[5] = value_scalar(any);
    state->reg[3].base = state->reg[5].base = 1;
    state->reg[3].width = state->reg[5].width = 64;
    state->reg[5].delta = 4;
    machine.reg[5] = machine_number(9);
    is_in();
    machine.reg[5] = machine_number(UINT64_C(0x100000009));
    is_out("related values");
    state->reg[5].width = 32;
    is_in();
    machine.reg[5] = machine_number(8);
    is_out("related values");
    state->reg[5].base = 2;
    is_in();
}

Test(soundness, two_elements_are_not_one) {
    for (int r = 3; r < 5; r++) {
        state->reg[r] = value_pointer(VALUE_MAP_VALUE, MAP_ARRAY);
        state->reg[r].size = 7;
        machine.reg[r] = machine_pointer(VALUE_MAP_VALUE, MAP_ARRAY, 32, 0);
    }
    is_in();
    machine.reg[4].element = 56;
    is_out("elements 32 and 56");
    state->reg[4].size = 8;
    is_in();
}

Test(soundness, functions_of_a_table) {
    static struct prog_reloc row = {PROG_RELOC_FUNC, DATA_FUNCS, 16, 3, 0};
    struct program *p = source_program(&source, arena);
    p->relocs = &row;
    p->nrelocs = 1;
    machine.program = p;
    state->reg[3] = value_pointer(VALUE_FUNC_OF, DATA_FUNCS);
    state->reg[3].n = scalar_urange(0, 24);
    machine.reg[3] = machine_pointer(VALUE_FUNC, 3, 0, 0);
    is_in();
    machine.reg[3] = machine_pointer(VALUE_FUNC, 2, 0, 0);
    is_out("r3");
    machine.reg[3] = machine_pointer(VALUE_FUNC, 3, 0, 0);
    state->reg[3].n = scalar_urange(0, 8);
    is_out("r3");
}

Test(soundness, stack) {
    struct frame *f = state->frame[0];
    struct value v = value_const(7), any = value_scalar(scalar_unknown());
    stack_write(pool, f, -8, 8, &v);
    is_in();
    v = value_const(8);
    stack_write(pool, f, -8, 8, &v);
    is_out("cell -8 of 8 bytes");
    stack_write(pool, f, -8, 8, &any);
    is_in();
    stack_write(pool, f, -16, 8, &any);
    is_out("byte -16 of frame 0 is of a pointer");
    v = value_pointer(VALUE_STACK, 0);
    v.n = scalar_const((uint64_t)-8);
    stack_write(pool, f, -16, 8, &v);
    is_in();
    stack_write(pool, f, -24, 8, &any);
    is_out("byte -24 of frame 0 was never written");
}

Test(soundness, frames_and_saved_registers) {
    start("mov r6, 5\nmov r7, r10\ncall local f\nmov r0, 0\nexit\nf:\nmov r0, 0\nexit", 2);
    source.nfuncs = 2;
    source.kind[1] = FUNC_SUB;
    source.start[1] = 5;
    machine_start(&machine, source_program(&source, arena), 1);
    for (int i = 0; i < 3; i++)
        machine_step(&machine);
    is_out("number of frames");
    state->reg[6] = value_const(5);
    state_enter(pool, state, 1, 2);
    is_in();
    state->frame[1]->saved[0] = value_const(4);
    is_out("saved r6 of frame 1");
    state->frame[1]->saved[0] = value_const(5);
    machine_step(&machine);
    machine_step(&machine);
    state_leave(pool, state);
    is_in();
}

Test(soundness, records) {
    start("lddw r1, map 5\nmov r2, 8\nmov r3, 0\ncall 131\nmov r6, r0\nmov r1, r0\nmov r2, 0\n"
          "call 132\nmov r0, 0\nexit",
          5);
    is_out("a record is open");
    state_open_record(state, 4);
    is_in();
    state->reg[6] = value_pointer(VALUE_RECORD, 4);
    state->reg[6].size = 8;
    is_in();
    state->reg[6].size = 16;
    is_out("r6");
    state->reg[6].size = 8;
    state->reg[6].nullable = state->reg[6].owner = true;
    is_in();
    machine.reg[6] = machine_number(0);
    is_out("no longer tells");
    machine.reg[6] = machine.reg[0];
    for (int i = 0; i < 3; i++)
        machine_step(&machine);
    is_out("r6 is dangling pointer");
    state_release_record(pool, state, 4);
    is_in();
}

/* ---- Faults */

static const struct {
    const char *text;
    const char *fault; /* NULL: none */
} faults[] = {
    {"mov r0, 0\nexit", NULL},
    {"exit", "unset"},
    {"mov r0, r1\nexit", "the result is an address"},
    {"mov32 r0, r1\nexit", "half an address"},
    {"ldxb r0, [r1+63]\nexit", NULL},
    {"ldxb r0, [r1+64]\nexit", "a load outside"},
    {"ldxh r0, [r1-1]\nexit", "a load outside"},
    {"stxdw [r1+0], r1\nmov r0, 0\nexit", "an address is stored"},
    {"ldxb r0, [r10-1]\nexit", "never written"},
    {"stxdw [r10-8], r1\nldxw r0, [r10-8]\nexit", "a piece of a pointer"},
    {"stxdw [r10-8], r1\nstb [r10-8], 1\nldxdw r0, [r10-8]\nexit", "a piece of a pointer"},
    {"stxdw [r10-8], r1\nldxdw r1, [r10-8]\nldxb r0, [r1+0]\nexit", NULL},
    {"stb [r10-513], 0\nmov r0, 0\nexit", "outside of the stack"},
    {"mov r0, r1\nsub r0, r10\nexit", "arithmetic on an address"},
    {"mov r0, r1\nadd r0, 5\nsub r0, r1\nexit", NULL},
    {"mov r0, 0\njeq r1, 5, +0\nexit", "tells an address"},
    {"mov r0, 0\njeq r1, 0, +0\nexit", NULL},
    {"lddw r1, data 0\nstb [r1+0], 1\nmov r0, 0\nexit", "to constants"},
    {"lddw r1, data 1\nstb [r1+0], 1\nmov r0, 0\nexit", NULL},
    {"lddw r1, data 3\nldxw r0, [r1+4]\nexit", "a piece of a pointer"},
    {"lddw r1, map 5\nmov r2, 8\nmov r3, 0\ncall 131\nmov r0, 0\nexit", "not given back"},
    {"call 999\nexit", "does not exist"},
    {"mov r2, r1\nlddw r1, map 0\ncall 1\nmov r0, 0\nexit", NULL},
    {"lddw r1, map 0\nmov r2, 0\ncall 1\nmov r0, 0\nexit", "through a number"},
    {"mov r3, r1\ncallx r3\nexit", "no function"},
};

Test(soundness, faults) {
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        start(faults[i].text, 0);
        for (int n = 0; n < 100 && !machine.done && !machine.fault; n++)
            machine_step(&machine);
        const char *got = machine.fault;
        cr_assert(faults[i].fault ? got && strstr(got, faults[i].fault) : !got, "%s: %s, not %s",
                  faults[i].text, got ? got : "no fault",
                  faults[i].fault ? faults[i].fault : "none");
    }
}

/* ---- Programs as files, and made small */

Test(soundness, files) {
    static struct source a, b;
    char path[] = "/tmp/soundness-XXXXXX";
    int fd = mkstemp(path);
    FILE *out = fdopen(fd, "w");
    cr_assert_not_null(out);
    generate(&a, 12);
    source_print(&a, out);
    fclose(out);
    cr_assert(source_read(&b, path));
    unlink(path);
    cr_assert_eq(a.count, b.count);
    cr_assert_eq(memcmp(&a, &b, sizeof(a)), 0);
    cr_assert(!source_read(&b, "/dev/null"));
}

Test(soundness, shrinker) {
    static struct source s;
    struct trial_result r;
    trial_injected_error = true;
    uint64_t seed = 1;
    do {
        generate(&s, seed++);
        trial(&s, 1, NULL, &r);
    } while (r.violation == VIOLATION_NONE);
    cr_assert_eq(r.violation, VIOLATION_STATE);
    shrink(&s, 1, r.violation);
    trial(&s, 1, NULL, &r);
    cr_assert_eq(r.violation, VIOLATION_STATE);
    cr_assert_leq(s.count, 8, "%u", s.count);
    trial_injected_error = false;
    trial(&s, 1, NULL, &r);
    cr_assert_eq(r.violation, VIOLATION_NONE, "%s", r.what);
}
