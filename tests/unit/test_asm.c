/* SPDX-License-Identifier: MIT */
/* The assembler: what it prints it reads back to the same bytes; syntax; messages with their place. */
#include <criterion/criterion.h>
#include <string.h>

#include "asm/asm.h"
#include "asm/asm_table.h"

struct assembled {
    struct arena *arena;
    struct diag *diag;
    struct bpf_insn *insns;
    uint32_t count;
    bool ok;
};

static struct assembled assemble(const char *text) {
    struct assembled a = {.arena = arena_new(), .diag = diag_new()};

    a.ok = asm_parse(a.arena, text, "t.s", &a.insns, &a.count, a.diag);
    return a;
}

static void release(struct assembled *a) {
    diag_free(a->diag);
    arena_free(a->arena);
}

/* xorshift, so that every run tests the same instructions */
static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* Bytes that are an instruction with some luck: fields mostly from what instructions hold. */
static void random_bytes(uint64_t *state, struct bpf_insn out[2]) {
    static const int16_t offs[] = {0, 0, 0, 1, 8, 16, 32, -1, -512, INT16_MAX, INT16_MIN};
    static const int32_t imms[] = {0,    0,    1,    16,   32,   64,   16,        32,
                                   64,   0x40, 0x50, 0xa0, 0x41, 0x51, 0xa1,      0xe1,
                                   0xf1, 5,    8,    181,  7,    1000, INT32_MAX, INT32_MIN};
    uint64_t r = next_random(state);

    out[0].opcode = (uint8_t)r;
    out[0].regs = (uint8_t)((r >> 8) % 11 | ((r >> 16) % 3 ? (r >> 20) % 11 << 4 : 0));
    out[0].off = offs[(r >> 32) % (sizeof(offs) / sizeof(offs[0]))];
    out[0].imm = (r >> 40) % 4 ? imms[(r >> 44) % (sizeof(imms) / sizeof(imms[0]))]
                               : (int32_t)(next_random(state) >> 32);
    out[1] = (struct bpf_insn){.imm = (int32_t)(next_random(state) >> 32)};
    if ((r >> 60) % 2)
        out[1].imm = 0;
}

Test(asm, what_is_printed_reads_back_to_the_same_bytes) {
    static unsigned seen[BPF_OP_COUNT][65];
    uint64_t state = 88172645463325252u;

    for (unsigned i = 0; i < 400000; i++) {
        struct bpf_insn bytes[2], again[2];
        struct bpf_decoded d;
        char text[ASM_PRINT_SIZE];

        random_bytes(&state, bytes);
        if (bpf_decode(bytes, 2, &d) != BPF_DECODE_OK)
            continue;
        /* clang-14's callx has its register in imm; it is encoded in dst */
        if (bpf_encode(&d, again), memcmp(bytes, again, d.len * sizeof(bytes[0])) != 0) {
            cr_assert_eq(d.op, BPF_CALLX);
            continue;
        }
        if (seen[d.op][d.width]++ > 50)
            continue;
        int length = asm_print(&d, text, sizeof(text));
        cr_assert(length > 0 && length < ASM_PRINT_SIZE);
        struct assembled a = assemble(text);
        cr_assert(a.ok, "refused: %s", text);
        cr_assert_eq(a.count, d.len, "%s", text);
        cr_assert_eq(memcmp(a.insns, bytes, d.len * sizeof(bytes[0])), 0, "other bytes: %s", text);
        cr_assert_eq(diag_count(a.diag), 0, "warning: %s", text);
        release(&a);
    }
    for (size_t i = 0; i < asm_row_count; i++) {
        const struct asm_row *row = &asm_rows[i];
        if (row->form == ASM_CTRL)
            continue;
        for (unsigned width = 8; width <= 64; width *= 2)
            if (row->widths & width)
                cr_assert(seen[row->op][width] > 0, "never tried: %s, %u bits", row->name, width);
    }
}

Test(asm, rows_stand_in_the_order_of_the_operations) {
    for (unsigned op = 0; op < BPF_OP_COUNT; op++)
        cr_assert_eq(asm_row_of((enum bpf_op)op)->op, op);
}

static void expect_bytes(const char *text, const char *hex) {
    struct assembled a = assemble(text);
    char got[512] = "";

    cr_assert(a.ok, "refused: %s", text);
    for (uint32_t i = 0; i < a.count * 8; i++)
        snprintf(got + 2 * i, 3, "%02x", ((const uint8_t *)a.insns)[i]);
    cr_assert_str_eq(got, hex, "%s", text);
    release(&a);
}

/* Bytes written by hand from RFC 9669 sections 3 to 5. */
Test(asm, encodings) {
    expect_bytes("mov %r0, 1", "b700000001000000");
    expect_bytes("mov r0, r10", "bfa0000000000000");
    expect_bytes("mov32 %r3,0xffffffff # all ones", "b4030000ffffffff");
    expect_bytes("add64 %r1, -0x10 ; comment", "07010000f0ffffff");
    expect_bytes("sdiv32 %r1, %r2 // signed", "3c21010000000000");
    expect_bytes("movsx1632 %r1, %r2", "bc21100000000000");
    expect_bytes("neg %r7", "8707000000000000");
    expect_bytes("be16 %r1\nle32 %r2\nswap64 %r3\nbswap64 %r3",
                 "dc01000010000000d402000020000000d703000040000000d703000040000000");
    expect_bytes("lddw %r1, 0x1122334455667788", "18010000887766550000000044332211");
    expect_bytes("lddw %r1, -2", "18010000feffffff00000000ffffffff");
    expect_bytes("ldxsh %r1, [%r10-0x4]", "89a1fcff00000000");
    expect_bytes("ldxdw %r1, [ %r2 + 8 ]", "7921080000000000");
    expect_bytes("stdw [%r1], -1", "7a010000ffffffff");
    expect_bytes("stxb [%r1+1], %r2", "7321010000000000");
    expect_bytes("lock add [%r10-8], %r1", "db1af8ff00000000");
    expect_bytes("lock fetch and32 [%r10-8], %r1", "c31af8ff51000000");
    expect_bytes("lock xchg32 [%r10-8], %r1", "c31af8ffe1000000");
    expect_bytes("lock fetch cmpxchg [%r10-8], %r1", "db1af8fff1000000");
    expect_bytes("call 7\ncall helper 7\ncall %r2\ncallx %r2",
                 "850000000700000085000000070000008d020000000000008d02000000000000");
    expect_bytes("call runtime 9", "8520000009000000");
    expect_bytes("ja +1\nja32 -2", "050001000000000006000000feffffff");
    expect_bytes("mov %r11, %r15", "bffb000000000000");
}

Test(asm, labels) {
    /* forward, backward, on a line with an instruction, past an lddw; `exit` is the first exit */
    expect_bytes(
        "top: lddw %r1, 1\n jeq %r1, 0, done\n jne32 %r1, %r2, top\n jlt %r1, 5, exit\ndone:\n "
        "exit\n exit",
        "18010000010000000000000000000000"
        "15010200000000005e21fcff00000000a50100000500000095000000000000009500000000000000");
    expect_bytes("jeq %r1, 0, exit\n exit\nexit:\n exit",
                 "150101000000000095000000000000009500000000000000");
    expect_bytes("call local f\nexit\nf: exit", "851000000100000095000000000000009500000000000000");
    expect_bytes("lddw %r1, func f\nexit\nf: exit",
                 "1841000003000000000000000000000095000000000000009500000000000000");
}

Test(asm, far_jumps_become_gotol) {
    struct arena *arena = arena_new();
    size_t size = 40000 * 5 + 64;
    char *text = arena_alloc(arena, size), *at = text;

    at += snprintf(at, 16, "ja end\n");
    for (unsigned i = 0; i < 40000; i++)
        at += snprintf(at, 6, "exit\n");
    snprintf(at, 32, "end: ja -1\n");
    struct assembled a = assemble(text);
    cr_assert(a.ok);
    cr_assert_eq(a.insns[0].opcode, 0x06);
    cr_assert_eq(a.insns[0].imm, 40000);
    release(&a);
    arena_free(arena);
}

Test(asm, conditional_jumps_reach_32767) {
    for (unsigned over = 0; over < 2; over++) {
        struct arena *arena = arena_new();
        unsigned count = 32767 + over;
        char *text = arena_alloc(arena, count * 5 + 64), *at = text;

        at += snprintf(at, 32, "jeq %%r1, 0, end\n");
        for (unsigned i = 0; i < count; i++)
            at += snprintf(at, 6, "exit\n");
        snprintf(at, 16, "end: exit\n");
        struct assembled a = assemble(text);
        cr_assert_eq(a.ok, over == 0);
        if (a.ok)
            cr_assert_eq(a.insns[0].off, 32767);
        release(&a);
        arena_free(arena);
    }
}

static void expect_error(const char *text, unsigned line, unsigned column, const char *part,
                         const char *mend) {
    struct assembled a = assemble(text);

    cr_assert_not(a.ok, "accepted: %s", text);
    const struct diag_message *m = diag_get(a.diag, 0);
    cr_assert(strstr(m->text, part), "%s: %s", text, m->text);
    cr_assert_eq(m->loc.line, line, "%s: line %u", text, m->loc.line);
    cr_assert_eq(m->loc.column, column, "%s: column %u", text, m->loc.column);
    if (mend)
        cr_assert(m->mend && strstr(m->mend, mend), "%s: %s", text, m->mend);
    release(&a);
}

Test(asm, messages) {
    expect_error("exit\n  ad %r1, 2", 2, 3, "no instruction 'ad'", "did you mean 'add'");
    expect_error("jne33 %r1, 2, +1", 1, 1, "no instruction 'jne33'", "did you mean 'jne32'");
    expect_error("lock fetch sub [%r1], %r2", 1, 12, "no atomic operation 'sub'", NULL);
    expect_error("mov %r1 2", 1, 9, "expected ','", NULL);
    expect_error("mov %r16, 2", 1, 5, "no register r16", "%r0 to %r10");
    expect_error("mov %rx, 2", 1, 5, "no register rx", NULL);
    expect_error("mov 5, 2", 1, 5, "expected a register", NULL);
    expect_error("mov %r1, 0x", 1, 10, "expected a register or an immediate", NULL);
    expect_error("mov %r1, 12z", 1, 10, "found '12z'", "hexadecimal after 0x");
    expect_error("lddw %r1, 0x10000000000000000", 1, 11, "does not fit 64 bits", NULL);
    expect_error("ldxw %r1, %r2", 1, 11, "expected a memory operand", "[%r1+8]");
    expect_error("ldxw %r1, [%r2+8", 1, 17, "expected ']'", NULL);
    expect_error("ldxw %r1, [%r2+32768]", 1, 15, "an offset must lie in -32768 to 32767", NULL);
    expect_error("ldxsdw %r1, [%r2]", 1, 1, "no instruction 'ldxsdw'", NULL);
    expect_error("movsx3232 %r1, %r2", 1, 1, "no instruction", NULL);
    expect_error("movsx864 %r1, 5", 1, 15, "expected a register", NULL);
    expect_error("ja nowhere\nexit", 1, 4, "no label 'nowhere'", "name:");
    expect_error("a: exit\na: exit", 2, 1, "already defined in line 1", NULL);
    expect_error("exit 5", 1, 6, "expected the end of the line", NULL);
    expect_error("exit exit", 1, 6, "expected the end of the line", NULL);
    expect_error("jeq %r1, 2", 1, 11, "expected ','", NULL);
    expect_error("jeq %r1, 2,", 1, 12, "expected a target", NULL);
    expect_error(", exit", 1, 1, "expected an instruction or a label", NULL);
}

Test(asm, every_faulty_line_is_reported_up_to_a_limit) {
    char text[1200] = "";

    for (unsigned i = 0; i < 100; i++)
        strcat(text, "bad\n");
    struct assembled a = assemble(text);
    cr_assert_eq(diag_count(a.diag), ASM_MAX_ERRORS);
    release(&a);
}

Test(asm, an_immediate_that_loses_bits_is_warned_about) {
    struct assembled a = assemble("mov %r1, 0x123456789");

    cr_assert(a.ok);
    cr_assert_eq(a.insns[0].imm, 0x23456789);
    cr_assert_eq(diag_count(a.diag), 1);
    cr_assert_eq(diag_get(a.diag, 0)->severity, DIAG_WARNING);
    release(&a);
}

Test(asm, nothing_is_an_empty_program) {
    struct assembled a = assemble("");

    cr_assert(a.ok);
    cr_assert_eq(a.count, 0);
    release(&a);
}
