/* SPDX-License-Identifier: MIT */
/* The linked program from bare instructions, its look-ups, and the messages of its decoding. */
#include "program/program.h"

#include "tests/unit/fixture.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(program, .init = setup, .fini = teardown);

Test(program, functions_begin_at_call_targets) {
    const struct program *p = from_text("call local f\ncall local g\nexit\nf:\nmov r0, 1\nexit\n"
                                        "g:\nlddw r0, 2\nexit\n");

    cr_assert_not_null(p);
    cr_expect_eq(p->nfuncs, 3);
    cr_expect_eq(p->funcs[1].start, 3);
    cr_expect_eq(p->funcs[1].len, 2);
    cr_expect_eq(p->funcs[2].start, 5);
    cr_expect_eq(p->funcs[2].len, 3);
    cr_expect_eq(p->funcs[1].entry, -1);
    cr_expect_eq(p->funcs[0].entry, 0);
    cr_expect_eq(p->entries[0].hook, BPF_HOOK_RAW);
    cr_expect_eq(p->entries[0].ctx_size, 64);
    cr_expect_eq(p->decoded[5].len, 2);
    cr_expect_eq(p->decoded[6].len, 0);
    for (uint32_t slot = 0; slot < p->ninsns; slot++)
        cr_expect_eq(program_func_at(p, slot), &p->funcs[slot < 3 ? 0 : slot < 5 ? 1 : 2]);
}

/* A code pointer is a slot on input and the index of a function afterwards. */
Test(program, code_pointers_become_indices) {
    const struct bpf_insn insns[] = {
        {0x18, BPF_PSEUDO_FUNC << 4 | BPF_R2, 0, 4},
        {0, 0, 0, 0},
        {0xb7, 0, 0, 0},
        {0x95, 0, 0, 0},
        {0xb7, 0, 0, 7},
        {0x95, 0, 0, 0},
    };
    const struct program *p = program_from_insns(arena, "test", insns, 6, 8, diag);

    cr_assert_not_null(p);
    cr_assert_eq(p->nfuncs, 2);
    cr_expect_eq(p->insns[0].imm, 1);
    cr_expect_eq(p->decoded[0].imm, 1);
    cr_expect(p->funcs[1].address_taken);
    cr_expect_not(p->funcs[0].address_taken);
    cr_expect_eq(insns[0].imm, 4, "the input stays as it was");
}

Test(program, lines_hold_up_to_the_next_row_of_the_function) {
    struct prog_func funcs[] = {
        {.name = "a", .section = "s", .start = 0, .len = 4},
        {.name = "b", .section = "t", .start = 4, .len = 4, .elf_insn = 10}};
    struct prog_line lines[] = {
        {1, 10, 2, "x.c", "one"}, {3, 12, 3, "x.c", "two"}, {6, 20, 1, "y.c", ""}};
    const struct program p = {
        .file = "o", .ninsns = 8, .funcs = funcs, .nfuncs = 2, .lines = lines, .nlines = 3};
    static const int row[8] = {-1, 0, 0, 1, -1, -1, 2, 2};
    struct diag_loc loc;

    for (uint32_t slot = 0; slot < 8; slot++)
        cr_expect_eq(program_line_at(&p, slot), row[slot] < 0 ? NULL : &lines[row[slot]], "slot %u",
                     slot);
    program_loc(&p, 7, &loc);
    cr_expect_str_eq(loc.section, "t");
    cr_expect_eq(loc.insn, 13);
    cr_expect_eq(loc.line, 20);
    program_loc(&p, 4, &loc);
    cr_expect_null(loc.file);
}

Test(program, refused) {
    static const struct {
        struct bpf_insn insns[3];
        uint32_t count;
        const char *message;
    } cases[] = {
        {{{0}}, 0, "no instruction"},
        {{{0xff, 0, 0, 0}}, 1, "opcode 0xff"},
        {{{0xe5, 0, 0, 0}}, 1, "may_goto is not supported"},
        {{{0x20, 0, 0, 0}}, 1, "legacy packet access LD_ABS"},
        {{{0x85, 0x20, 0, 1}}, 1, "kernel function (kfunc) is not supported"},
        {{{0x18, 0, 0, 0}}, 1, "opcode 0x18"},
        {{{0x18, 0x10, 0, 0}, {0, 0, 0, 0}, {0x95, 0, 0, 0}}, 3, "no maps"},
        {{{0x85, 0x10, 0, 5}, {0x95, 0, 0, 0}}, 2, "slot 6"},
        {{{0x85, 0x10, 0, -9}, {0x95, 0, 0, 0}}, 2, "slot -8"},
        {{{0x85, 0x10, 0, 1}, {0x18, 0, 0, 0}, {0, 0, 0, 0}}, 3, "no instruction starts"},
        {{{0xb7, 0x0b, 0, 0}, {0x95, 0, 0, 0}}, 2, "registers 0x0b"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        again();
        cr_expect_null(program_from_insns(arena, "test", cases[i].insns, cases[i].count, 8, diag),
                       "case %zu", i);
        cr_expect(has_message(DIAG_ERROR, cases[i].message), "case %zu: no `%s` in `%s`", i,
                  cases[i].message, diag_get(diag, 0)->text);
    }
}
