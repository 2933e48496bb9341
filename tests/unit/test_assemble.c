/* SPDX-License-Identifier: MIT */
/*
 * Assembling: what depends on a distance, around the limits of each of its lengths. Where it leads is read
 * back from the code. Limits are those of the ARM ARM (A7.7.12 B, A7.7.21 CBZ, A7.7.7 ADR).
 */
#include "thumb2/code.h"

#include <criterion/criterion.h>

static struct code_unit *unit;
static uint32_t item_at; /* address of the item that is looked at */

static void setup(void) {
    struct arena *arena = arena_new();
    unit = arena_alloc(arena, sizeof(*unit));
    *unit = (struct code_unit){.arena = arena};
}

static void teardown(void) {
    arena_free(unit->arena);
}

TestSuite(assemble, .init = setup, .fini = teardown);

static void put_nops(uint32_t count) {
    while (count--) {
        struct code_item *nop = code_add(unit, CODE_INSN);
        nop->op = T2_OP_NOP;
        nop->f.form = T2_IMM;
    }
}

static void put_label(uint32_t label) {
    code_add(unit, CODE_LABEL)->label = label;
}

/* Instructions of two bytes between an item and its label, which stands before or behind it. */
static const struct code_item *assembled(const struct code_item *what, uint32_t nops, bool back) {
    unit->items.count = 0;
    unit->nlabels = 0;
    uint32_t label = code_label_new(unit);
    if (back) {
        put_label(label);
        put_nops(nops);
    }
    size_t index = unit->items.count;
    *code_add(unit, (enum code_kind)what->kind) = *what;
    unit->items.items[index].label = label;
    if (!back) {
        put_nops(nops);
        put_label(label);
    }
    put_nops(1);
    assemble(unit);
    item_at = unit->items.items[index].addr;
    return &unit->items.items[index];
}

static uint16_t halfword(uint32_t addr) {
    return (uint16_t)(unit->bytes[addr] | unit->bytes[addr + 1] << 8);
}

/* Where the branch at an address leads, whose operation is `op`. */
static uint32_t target(uint32_t addr, enum t2_op op) {
    uint16_t code[2] = {halfword(addr), halfword(addr + 2)};
    struct t2_fields f;
    enum t2_enc enc;
    unsigned length;
    cr_assert(t2_decode(code, 2, false, &enc, &f, &length));
    cr_assert_eq(t2_row(enc)->op, op);
    return addr + 4 + (uint32_t)f.imm;
}

static void expect_reach(const struct code_item *what, uint32_t nops, bool back, unsigned size,
                         enum t2_op op) {
    const struct code_item *item = assembled(what, nops, back);
    bool compares = item->kind == CODE_CBZ && item->size > 2;
    cr_expect_eq(item->size, size, "%u halfwords %s: %u bytes, not %u", nops,
                 back ? "back" : "ahead", item->size, size);
    cr_expect_eq(target(item_at + (compares ? 2 : 0), compares ? T2_OP_B : op),
                 unit->label_addr[0]);
}

/* A branch of two bytes ahead reaches 2 + 2 * nops - 4 from its pc, one back -(2 * nops + 4). */
Test(assemble, branches) {
    struct code_item b = {.kind = CODE_BRANCH, .f.cond = T2_AL};
    for (uint32_t nops = 1020; nops < 1028; nops++) {
        expect_reach(&b, nops, false, 2 * nops - 2 <= 2046 ? 2 : 4, T2_OP_B);
        expect_reach(&b, nops, true, 2 * nops + 4 <= 2048 ? 2 : 4, T2_OP_B);
    }
    b.f.cond = T2_EQ;
    for (uint32_t nops = 122; nops < 132; nops++) {
        expect_reach(&b, nops, false, 2 * nops - 2 <= 254 ? 2 : 4, T2_OP_B);
        expect_reach(&b, nops, true, 2 * nops + 4 <= 256 ? 2 : 4, T2_OP_B);
    }
}

/* cbz reaches ahead only; what is further takes a comparison and a branch. */
Test(assemble, branches_on_zero) {
    const struct code_item cbz = {.kind = CODE_CBZ, .f.n = 3, .f.cond = T2_EQ};
    expect_reach(&cbz, 0, false, 4, T2_OP_CBZ);
    for (uint32_t nops = 1; nops < 140; nops++)
        expect_reach(&cbz, nops, false,
                     2 * nops - 2 <= 126   ? 2
                     : 2 * nops - 2 <= 254 ? 4
                                           : 6,
                     T2_OP_CBZ);
    for (uint32_t nops = 120; nops < 130; nops++)
        expect_reach(&cbz, nops, true, 2 * nops + 6 <= 256 ? 4 : 6, T2_OP_CBZ);
}

/* adr counts from the pc rounded down to a word; its short form takes multiples of 4 up to 1020. */
static void expect_address(uint32_t before, uint32_t nops) {
    unit->items.count = 0;
    unit->nlabels = 0;
    uint32_t label = code_label_new(unit);
    put_nops(before);
    size_t index = unit->items.count;
    struct code_item *item = code_add(unit, CODE_ADDRESS);
    item->f.d = 1;
    item->label = label;
    put_nops(nops);
    code_add(unit, CODE_ALIGN);
    code_add(unit, CODE_WORD)->label = label;
    assemble(unit);
    item = &unit->items.items[index];
    uint32_t pc = (item->addr + 4) & ~3u, distance = unit->label_addr[label] - pc;
    cr_expect_eq(item->size,
                 distance <= 1020   ? 2
                 : distance <= 4095 ? 4
                                    : 10,
                 "distance %u", distance);
    if (item->size < 10)
        cr_expect_eq(target(item->addr, T2_OP_ADR) - (item->addr + 4), distance);
}

Test(assemble, addresses) {
    for (uint32_t before = 0; before < 2; before++) {
        for (uint32_t nops = 1; nops < 4; nops++)
            expect_address(before, nops);
        for (uint32_t nops = 505; nops < 518; nops++)
            expect_address(before, nops);
        for (uint32_t nops = 2040; nops < 2056; nops++)
            expect_address(before, nops);
    }
}

/* cmp r0, #0; add r1, r1, #1; then something that reads the flags, or nothing: the size of the addition,
 * whose short form sets flags. */
static unsigned size_of_addition(enum t2_op reader, bool in_it) {
    unit->items.count = 0;
    struct code_item *item = code_add(unit, CODE_INSN);
    item->op = T2_OP_CMP;
    item->f.form = T2_IMM;
    size_t index = unit->items.count;
    item = code_add(unit, CODE_INSN);
    item->op = T2_OP_ADD;
    item->f.form = T2_IMM;
    item->f.d = item->f.n = 1;
    item->f.imm = 1;
    if (in_it) {
        item = code_add(unit, CODE_INSN);
        item->op = T2_OP_IT;
        item->f.cond = T2_EQ;
        item->f.imm = 8; /* one instruction */
    }
    item = code_add(unit, CODE_INSN);
    item->op = (uint8_t)reader;
    item->in_it = in_it;
    item->f.form = T2_REG;
    assemble(unit);
    return unit->items.items[index].size;
}

Test(assemble, flags_that_are_read_later_stay) {
    cr_expect_eq(size_of_addition(T2_OP_MOV, false), 2);
    cr_expect_eq(size_of_addition(T2_OP_MOV, true), 4);
    cr_expect_eq(size_of_addition(T2_OP_ADC, false), 4);
}
