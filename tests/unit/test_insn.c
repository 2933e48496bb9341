/* SPDX-License-Identifier: MIT */
/*
 * The decoder against a second statement of what is an instruction, written from RFC 9669 alone and knowing
 * nothing of insn.def: all 256 opcodes with all registers and what the other fields may hold. What decodes
 * must encode to the same bytes.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "bpf/insn.h"

/* Values of the offset and immediate fields: all that mean something somewhere, their neighbours, extremes. */
static const int16_t offsets[] = {0, 1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 64, -1, -8, -32768, 32767};
static const int32_t immediates[] = {
    0,    1,    2,    5,    10,   11,   15,   16,        17,        24,
    32,   33,   63,   64,   65,   0x40, 0x41, 0x50,      0x51,      0x80,
    0xa0, 0xa1, 0xe0, 0xe1, 0xf0, 0xf1, 0x10, INT32_MIN, INT32_MAX, -1,
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* RFC 9669 3.2: the parts of an opcode. */
enum { LD, LDX, ST, STX, ALU, JMP, JMP32, ALU64 };

struct fields {
    unsigned class, code, dst, src;
    bool reg; /* the source bit */
    int off;
    int64_t imm;
};

/* 4.1, table 4: dst = dst op src. Signed division and sign-extending moves share a code with others. */
static bool is_alu(const struct fields *f) {
    if (f->code == 0xd) { /* 4.2: byte swaps; of ALU64 only the one without source bit */
        return f->src == 0 && f->off == 0 && (f->imm == 16 || f->imm == 32 || f->imm == 64) &&
               !(f->class == ALU64 && f->reg);
    }
    if (f->code > 0xd)
        return false;
    if (f->code == 0x8) /* NEG has one operand */
        return !f->reg && f->src == 0 && f->off == 0 && f->imm == 0;
    if (f->reg ? f->imm != 0 : f->src != 0)
        return false;
    if (f->code == 0x3 || f->code == 0x9) /* off = 1: signed */
        return f->off == 0 || f->off == 1;
    if (f->code == 0xb && f->off != 0) /* MOVSX: registers only; from 32 bits only to 64 */
        return f->reg && (f->off == 8 || f->off == 16 || (f->off == 32 && f->class == ALU64));
    return f->off == 0;
}

/* 4.3, table 7. */
static bool is_jump(const struct fields *f) {
    switch (f->code) {
    case 0x0: /* JA: the distance is in off, of JMP32 in imm */
        return !f->reg && f->dst == 0 && f->src == 0 && (f->class == JMP ? f->imm : f->off) == 0;
    case 0x8: /* CALL: helpers (src 0) and local functions (1). callx: clang's extension, register in
                 dst, in older ones in imm. */
        if (f->class == JMP32 || f->off != 0)
            return false;
        if (f->reg)
            return f->src == 0 && (f->dst == 0 || f->imm == 0) && f->imm >= 0 && f->imm <= 10;
        return f->dst == 0 && (f->src == 1 || (f->src == 0 && f->imm >= 0));
    case 0x9: /* EXIT */
        return f->class == JMP && !f->reg && !f->dst && !f->src && !f->off && !f->imm;
    case 0xe:
    case 0xf: return false;
    default: return f->reg ? f->imm == 0 : f->src == 0;
    }
}

/* 5: mode and size instead of code and source bit. */
static bool is_memory(const struct fields *f, unsigned opcode) {
    unsigned mode = opcode >> 5, size = opcode >> 3 & 3; /* sizes: W, H, B, DW */
    switch (f->class) {
    case LDX: /* MEM and, but for 8 bytes, MEMSX */
        return (mode == 3 || (mode == 4 && size != 3)) && f->imm == 0;
    case ST: return mode == 3 && f->src == 0;
    case STX:
        if (mode == 3)
            return f->imm == 0;
        if (mode != 6 || (size != 0 && size != 3))
            return false;
        return f->imm == 0 || f->imm == 0x01 || f->imm == 0x40 || f->imm == 0x41 ||
               f->imm == 0x50 || f->imm == 0x51 || f->imm == 0xa0 || f->imm == 0xa1 ||
               f->imm == 0xe1 || f->imm == 0xf1;
    default: return false;
    }
}

/* Whether r10 would be written (it is read-only, 4.1 of the kernel's instruction set document). */
static bool writes_r10(const struct fields *f, unsigned opcode) {
    if (f->class == ALU || f->class == ALU64 || f->class == LDX || f->class == LD)
        return f->dst == 10;
    return f->class == STX && opcode >> 5 == 6 && (f->imm & 1) && f->imm != 0xf1 && f->src == 10;
}

/* 5.4: of lddw's source values those that linked programs have: constant, map, data, function. */
static bool is_lddw(const struct fields *f, const struct bpf_insn *second) {
    return f->off == 0 && (f->src == 0 || f->src == 1 || f->src == 2 || f->src == 4) &&
           second->opcode == 0 && second->regs == 0 && second->off == 0;
}

static bool is_instruction(const struct bpf_insn insns[2]) {
    const struct fields f = {
        .class = insns[0].opcode & 7,
        .code = insns[0].opcode >> 4,
        .reg = insns[0].opcode & 8,
        .dst = insns[0].regs & 15,
        .src = insns[0].regs >> 4,
        .off = insns[0].off,
        .imm = insns[0].imm,
    };
    if (f.dst > 10 || f.src > 10 || writes_r10(&f, insns[0].opcode))
        return false;
    switch (f.class) {
    case LD: return insns[0].opcode == 0x18 && is_lddw(&f, &insns[1]);
    case ALU:
    case ALU64: return is_alu(&f);
    case JMP:
    case JMP32: return is_jump(&f);
    default: return is_memory(&f, insns[0].opcode);
    }
}

static void check(const struct bpf_insn insns[2]) {
    static const struct bpf_decoded zero;
    struct bpf_decoded d;
    struct bpf_insn again[2] = {{0}};
    memset(&d, 0xa5, sizeof(d));
    enum bpf_decode_status status = bpf_decode(insns, 2, &d);
    const struct bpf_insn *i = &insns[0];
    cr_assert_eq(status == BPF_DECODE_OK, is_instruction(insns),
                 "opcode %02x regs %02x off %d imm %d: status %d", i->opcode, i->regs, i->off,
                 i->imm, (int)status);
    if (status != BPF_DECODE_OK) {
        cr_assert_eq(memcmp(&d, &zero, sizeof(d)), 0, "opcode %02x", i->opcode);
        return;
    }
    unsigned len = bpf_encode(&d, again);
    cr_assert_eq(len, d.len);
    if (d.op == BPF_CALLX && i->imm) { /* the register moves to where clang-19 has it */
        cr_assert_eq(again[0].regs, i->imm);
        cr_assert_eq(again[0].imm, 0);
        return;
    }
    cr_assert_eq(memcmp(again, insns, len * sizeof(*insns)), 0,
                 "opcode %02x regs %02x off %d imm %d", i->opcode, i->regs, i->off, i->imm);
}

Test(insn, every_opcode_with_every_field) {
    for (unsigned opcode = 0; opcode < 256; opcode++)
        for (unsigned regs = 0; regs < 256; regs++)
            for (size_t off = 0; off < COUNT(offsets); off++)
                for (size_t imm = 0; imm < COUNT(immediates); imm++) {
                    struct bpf_insn insns[2] = {
                        {(uint8_t)opcode, (uint8_t)regs, offsets[off], immediates[imm]},
                        {.imm = immediates[COUNT(immediates) - 1 - imm]}};
                    check(insns);
                }
}

Test(insn, second_half_of_lddw) {
    struct bpf_insn insns[2] = {{.opcode = 0x18, .regs = 3, .imm = -2}, {.imm = 0x11223344}};
    struct bpf_decoded d;
    cr_assert_eq(bpf_decode(insns, 2, &d), BPF_DECODE_OK);
    cr_assert_eq(d.imm, 0x11223344fffffffell);
    cr_assert_eq(d.len, 2);
    cr_assert_eq(bpf_decode(insns, 1, &d), BPF_DECODE_TRUNCATED);
    cr_assert_eq(bpf_decode(insns, 0, &d), BPF_DECODE_TRUNCATED);
    for (unsigned bit = 0; bit < 64; bit++) {
        struct bpf_insn changed[2] = {insns[0], insns[1]};
        ((uint8_t *)&changed[1])[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_eq(bpf_decode(changed, 2, &d), bit < 32 ? BPF_DECODE_RESERVED : BPF_DECODE_OK);
    }
}

static void expect_refused(unsigned opcode, unsigned regs, const char *part) {
    struct bpf_insn insns[2] = {{.opcode = (uint8_t)opcode, .regs = (uint8_t)regs}};
    struct bpf_decoded d;
    cr_assert_eq(bpf_decode(insns, 2, &d), BPF_DECODE_REFUSED, "opcode %02x", opcode);
    cr_assert_not_null(bpf_refused_name(insns));
    cr_assert_not_null(strstr(bpf_refused_name(insns), part), "opcode %02x", opcode);
}

Test(insn, known_elsewhere) {
    static const uint8_t sizes[] = {0x00, 0x08, 0x10, 0x18};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        expect_refused(0x20 | sizes[i], 0, "LD_ABS");
        expect_refused(0x40 | sizes[i], 0x30, "LD_IND");
    }
    expect_refused(0xe5, 0, "may_goto");
    expect_refused(0x85, 0x20, "kfunc");
    expect_refused(0x18, 0x31, "fd array");
}

/* Fields that an operation does not have are 0; those that it has are where the header says. */
Test(insn, fields) {
    static const struct {
        struct bpf_insn insn;
        struct bpf_decoded d;
    } rows[] = {
        {{0x07, 0x01, 0, -5}, {BPF_ADD, 64, .dst = 1, .len = 1, .imm = -5}},
        {{0x0c, 0x21, 0, 0}, {BPF_ADD, 32, 1, .dst = 1, .src = 2, .len = 1}},
        {{0x3c, 0x21, 1, 0}, {BPF_SDIV, 32, 1, .dst = 1, .src = 2, .len = 1}},
        {{0xbf, 0x21, 32, 0}, {BPF_MOVSX32, 64, 1, .dst = 1, .src = 2, .len = 1}},
        {{0x87, 0x04, 0, 0}, {BPF_NEG, 64, .dst = 4, .len = 1}},
        {{0xdc, 0x05, 0, 16}, {BPF_BE, 16, .dst = 5, .len = 1}},
        {{0xd7, 0x05, 0, 64}, {BPF_BSWAP, 64, .dst = 5, .len = 1}},
        {{0x91, 0xa3, -4, 0}, {BPF_LDXS, 8, .dst = 3, .src = 10, .len = 1, .off = -4}},
        {{0x7a, 0x0a, -8, -1}, {BPF_ST, 64, .dst = 10, .len = 1, .off = -8, .imm = -1}},
        {{0x6b, 0x2a, 2, 0}, {BPF_STX, 16, .dst = 10, .src = 2, .len = 1, .off = 2}},
        {{0xdb, 0x21, 8, 0xf1}, {BPF_ATOMIC_CMPXCHG, 64, .dst = 1, .src = 2, .len = 1, .off = 8}},
        {{0xc3, 0x21, 8, 0x41}, {BPF_ATOMIC_FETCH_OR, 32, .dst = 1, .src = 2, .len = 1, .off = 8}},
        {{0x66, 0x01, -3, 9}, {BPF_JSGT, 32, .dst = 1, .len = 1, .target = -2, .imm = 9}},
        {{0x05, 0, 32767, 0}, {BPF_JA, 64, .len = 1, .target = 32768}},
        {{0x06, 0, 0, -70000}, {BPF_JA, 32, .len = 1, .target = -69999}},
        {{0x85, 0, 0, 5}, {BPF_CALL_HELPER, .len = 1, .imm = 5}},
        {{0x85, 0x10, 0, -3}, {BPF_CALL_LOCAL, .len = 1, .target = -2}},
        {{0x8d, 0x03, 0, 0}, {BPF_CALLX, .dst = 3, .len = 1}},
        {{0x8d, 0, 0, 7}, {BPF_CALLX, .dst = 7, .len = 1}},
        {{0x95, 0, 0, 0}, {BPF_EXIT, .len = 1}},
        {{0x18, 0x42, 0, 3}, {BPF_LDDW, .dst = 2, .len = 2, .pseudo = BPF_PSEUDO_FUNC, .imm = 3}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bpf_insn insns[2] = {rows[i].insn};
        struct bpf_decoded d, expected = rows[i].d;
        cr_assert_eq(bpf_decode(insns, 2, &d), BPF_DECODE_OK, "row %zu", i);
        cr_assert_eq(d.op, expected.op, "row %zu", i);
        cr_assert_eq(d.width, expected.width, "row %zu: width %u", i, d.width);
        cr_assert_eq(d.src_reg, expected.src_reg, "row %zu", i);
        cr_assert(d.dst == expected.dst && d.src == expected.src, "row %zu", i);
        cr_assert(d.len == expected.len && d.pseudo == expected.pseudo, "row %zu", i);
        cr_assert(d.off == expected.off && d.target == expected.target, "row %zu", i);
        cr_assert_eq(d.imm, expected.imm, "row %zu", i);
    }
}

/* A jump too far for 16 bits becomes gotol; one that can be either stays what it was. */
Test(insn, distances) {
    static const struct {
        uint8_t width;
        int32_t target;
        struct bpf_insn expected;
    } rows[] = {
        {64, 32768, {.opcode = 0x05, .off = 32767}},
        {64, 32769, {.opcode = 0x06, .imm = 32768}},
        {64, -32767, {.opcode = 0x05, .off = -32768}},
        {64, -32768, {.opcode = 0x06, .imm = -32769}},
        {32, 1, {.opcode = 0x06, .imm = 0}},
        {64, 1, {.opcode = 0x05, .imm = 0}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bpf_decoded d = {
            .op = BPF_JA, .width = rows[i].width, .len = 1, .target = rows[i].target};
        struct bpf_insn out[2] = {{0}};
        cr_assert_eq(bpf_encode(&d, out), 1);
        cr_assert_eq(memcmp(out, &rows[i].expected, sizeof(out[0])), 0, "row %zu", i);
    }
}
