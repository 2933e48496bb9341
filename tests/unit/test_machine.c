/* SPDX-License-Identifier: MIT */
/*
 * The bare machine: runs the snippets of tests/emulator (one case after another on one machine, as the
 * other tests use it) and compares status, cycles, result and place of the fault with what they say.
 */
#include "machine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define ANY 0xdeadbeefu
#define STACK_SIZE 512
#define ARENA_SIZE 4096
#define MEM (MEMMAP_ARENA + STACK_SIZE + 64)

/* A row of section .cases: see tests/emulator/snippets.inc. */
struct snippet {
    uint32_t entry, status, cycles, value, at, address;
    char name[64];
};

static size_t read_file(const char *path, void *bytes, size_t size) {
    FILE *f = fopen(path, "rb");
    cr_assert(f, "%s is missing", path);
    size_t got = fread(bytes, 1, size, f);
    cr_assert(got < size, "%s is larger than expected", path);
    fclose(f);
    return got;
}

static struct machine_call call_at(uint32_t pc) {
    return (struct machine_call){.pc = pc,
                                 .sp = MEMMAP_ARENA + STACK_SIZE,
                                 .lr = MEMMAP_LIBRARY | 1,
                                 .r0 = MEM,
                                 .r1 = 1000,
                                 .r2 = 7,
                                 .r9 = MEMMAP_ARENA + STACK_SIZE};
}

/* A machine with a library that is nothing but the way out. */
static struct machine *machine_with_exit(void) {
    static const uint16_t library[128] = {0xdf00}; /* svc #0 */
    struct machine *m = machine_new();

    machine_set_library(m, library, sizeof(library));
    machine_set_arena(m, ARENA_SIZE);
    return m;
}

static void check(const struct snippet *s, const struct machine_result *r) {
    cr_expect_eq(r->status, s->status, "%s: status %d (%s at %08x, address %08x), expected %u",
                 s->name, r->status, r->detail, r->pc, r->address, s->status);
    if (r->status != s->status)
        return;
    if (s->value != ANY)
        cr_expect_eq((uint32_t)r->r0, s->value, "%s: r0 = %x", s->name, (uint32_t)r->r0);
    if (s->cycles != ANY)
        cr_expect_eq(r->cycles.total - 3, s->cycles, "%s: %d cycles, expected %u", s->name,
                     (int)r->cycles.total - 3, s->cycles);
    if (s->at != ANY)
        cr_expect_eq(r->pc, s->at, "%s: stopped at %08x, expected %08x", s->name, r->pc, s->at);
    if (s->address != ANY)
        cr_expect(r->has_address && r->address == s->address, "%s: address %08x, expected %08x",
                  s->name, r->address, s->address);
    cr_expect_eq(r->cycles.total, r->cycles.part[0] + r->cycles.part[1] + r->cycles.part[2]);
}

static void run_file(const char *name) {
    static uint8_t text[65536];
    static struct snippet cases[256];
    char path[256];
    struct machine *m = machine_with_exit();
    struct machine_result result;

    snprintf(path, sizeof(path), "build/tests/emulator/%s.text", name);
    size_t size = read_file(path, text, sizeof(text));
    snprintf(path, sizeof(path), "build/tests/emulator/%s.cases", name);
    size_t count = read_file(path, cases, sizeof(cases)) / sizeof(cases[0]);
    cr_assert_gt(count, 10);

    machine_set_program(m, text, size);
    for (size_t i = 0; i < count; i++) {
        struct machine_call call = call_at(cases[i].entry);
        machine_set_budget(m, cases[i].status == BPF_FAULT_BUDGET ? 10000 : MACHINE_BUDGET);
        machine_set_arena(m, ARENA_SIZE);
        machine_call(m, &call, &result);
        check(&cases[i], &result);
    }
    machine_free(m);
}

Test(machine, cycles) {
    run_file("cycles");
}

Test(machine, stops) {
    run_file("stops");
}

Test(machine, another_program_in_the_same_place) {
    static const uint16_t one[] = {0x2001, 0x4770}, two[] = {0x2002, 0xbf00, 0x4770};
    struct machine *m = machine_with_exit();
    struct machine_call call = call_at(MEMMAP_STORE);
    struct machine_result result;

    for (int i = 0; i < 3; i++) {
        machine_set_program(m, one, sizeof(one));
        machine_call(m, &call, &result);
        cr_expect_eq(result.r0 & 0xffffffff, 1);
        cr_expect_eq(result.cycles.total, 4);
        machine_set_program(m, two, sizeof(two));
        machine_call(m, &call, &result);
        cr_expect_eq(result.r0 & 0xffffffff, 2);
        cr_expect_eq(result.cycles.total, 5);
    }
    machine_free(m);
}

Test(machine, program_ends_at_its_last_byte) {
    static const uint16_t code[] = {0x2001, 0x2002, 0x4770};
    struct machine *m = machine_with_exit();
    struct machine_call call = call_at(MEMMAP_STORE);
    struct machine_result result;

    machine_set_program(m, code, 6);
    machine_set_program(m, code, 4); /* what lies behind is erased, not the old return */
    machine_call(m, &call, &result);
    cr_expect_eq(result.status, BPF_FAULT_JUMP);
    cr_expect_eq(result.pc, MEMMAP_STORE + 2);
    cr_expect_eq(result.address, MEMMAP_STORE + 4);
    machine_free(m);
}

Test(machine, stack_used_is_the_lowest_byte_written) {
    static const uint16_t code[] = {0xb5f0, 0xb084, 0x9200, 0xb004, 0xbdf0};
    struct machine *m = machine_with_exit(); /* push {r4-r7,lr}; sub sp, #16; str r2, [sp] */
    struct machine_call call = call_at(MEMMAP_STORE);
    struct machine_result result;

    machine_set_program(m, code, sizeof(code));
    machine_call(m, &call, &result);
    cr_expect_eq(result.status, BPF_OK);
    cr_expect_eq(result.stack_used, 36);
    machine_free(m);
}

/* Helper 5 adds its arguments, one of them on the stack. */
static enum bpf_status add_args(void *user, struct machine *m, uint32_t helper, uint64_t *r0,
                                unsigned *cycles) {
    uint32_t word = 0;
    (void)user;

    if (helper != 5)
        return BPF_FAULT_CALL;
    for (unsigned i = 0; i < 5; i++) {
        cr_expect(machine_arg(m, i, &word));
        *r0 += (uint64_t)word << 8 * i;
    }
    *cycles = 100;
    return BPF_OK;
}

Test(machine, helper_call) {
    static const uint16_t code[] = {
        0xb504,         /* push {r2, lr}: r2 is the fifth word */
        0x2001, 0x2102, /* movs r0, #1; movs r1, #2 */
        0x2203, 0x2304, /* movs r2, #3; movs r3, #4 */
        0xf04f, 0x0c05, /* mov.w r12, #5 */
        0xdf01,         /* svc #1 */
        0xbd04,         /* pop {r2, pc} */
    };
    struct machine *m = machine_with_exit();
    struct machine_call call = call_at(MEMMAP_STORE);
    struct machine_result result;

    machine_set_svc(m, add_args, NULL);
    machine_set_program(m, code, sizeof(code));
    machine_call(m, &call, &result);
    cr_expect_eq(result.status, BPF_OK, "%d at %08x", result.status, result.pc);
    cr_expect_eq(result.r0, 0x704030201);
    cr_expect_eq(result.cycles.part[CYCLES_KERNEL], 100);
    cr_expect_eq(result.cycles.part[CYCLES_PROGRAM], 3 + 5 + 5);
    machine_free(m);
}

Test(machine, time_advances_with_cycles) {
    static const uint16_t code[] = {0x4770}; /* bx lr: 3 cycles */
    struct machine *m = machine_with_exit();
    struct machine_call call = call_at(MEMMAP_STORE);
    struct machine_result result;

    machine_set_program(m, code, sizeof(code));
    machine_set_time(m, 1000000);
    for (int i = 0; i < 56; i++)
        machine_call(m, &call, &result);
    cr_expect_eq(machine_time(m), 1000000 + 56 * (3000 / 168));
    machine_free(m);
}

/* Whatever a program does, it ends with a status of its own, and the next one runs as if nothing had
 * been. Random halfwords, with many 32-bit prefixes so that these are seen as often. */
Test(machine, random_code_ends_in_order) {
    static const uint16_t good[] = {0x2001, 0x4770};
    struct machine *m = machine_with_exit();
    struct machine_call call = call_at(MEMMAP_STORE);
    struct machine_result result;
    uint16_t code[64];
    uint32_t random = 12345;

    for (int i = 0; i < 3000; i++) {
        for (size_t k = 0; k < 64; k++) {
            random = random * 1664525 + 1013904223;
            code[k] = random >> 16;
            if (random & 0x100)
                code[k] |= 0xe800;
        }
        machine_set_budget(m, 1000);
        machine_set_program(m, code, sizeof(code));
        machine_call(m, &call, &result);
        cr_assert(result.status == BPF_OK ||
                      (result.status >= BPF_FAULT_READ && result.status <= BPF_FAULT_ALIGN),
                  "round %d: status %d, %s at %08x", i, result.status, result.detail, result.pc);
    }
    machine_set_program(m, good, sizeof(good));
    machine_call(m, &call, &result);
    cr_expect_eq(result.status, BPF_OK);
    cr_expect_eq((uint32_t)result.r0, 1);
    cr_expect_eq(result.cycles.total, 4);
    machine_free(m);
}

Test(cycles, division_stays_within_the_manual) {
    for (unsigned i = 0; i < 32; i++)
        for (unsigned k = 0; k < 32; k++) {
            unsigned c = cycles_divide(0xffffffffu >> i, 1u << k, false);
            cr_expect(c >= 2 && c <= CYCLES_DIVIDE_MAX);
        }
    cr_expect_eq(cycles_divide(0x80000000, 0xffffffff, true), CYCLES_DIVIDE_MAX);
    cr_expect_eq(cycles_divide(0, 0, true), 2);
}

Test(cycles, time) {
    cr_expect_eq(cycles_to_ns(168000000), 1000000000);
    cr_expect_eq(cycles_to_ns(1), 5);
    for (uint64_t ns = 0; ns < 100000; ns += 7)
        cr_expect_geq(cycles_to_ns(cycles_from_ns(ns)), ns);
}
