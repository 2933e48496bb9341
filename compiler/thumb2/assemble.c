/* SPDX-License-Identifier: MIT */
/*
 * From linear code to bytes: flag liveness, choice of encodings, branch relaxation, encoding.
 *
 * Encodings are chosen last because the 16-bit ones of most operations set the flags: they may be
 * used wherever no flag is alive, which a backward scan tells (flags never live across a label).
 *
 * Relaxation: every item that depends on a distance starts in its shortest form; addresses are
 * computed, and what does not reach grows; until nothing grows. Sizes only grow, so this ends, and the
 * result is the smallest that monotone growth allows.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"
#include "thumb2/code.h"

uint32_t code_label_new(struct code_unit *unit) {
    return unit->nlabels++;
}

struct code_item *code_add(struct code_unit *unit, enum code_kind kind) {
    struct code_item *item = vec_add(unit->arena, &unit->items);
    item->kind = (uint8_t)kind;
    item->f.cond = T2_AL;
    item->insn = IR_NO_INSN;
    return item;
}

/* ---------------------------------------------------------------------------------------- flags */

static bool flags_before(const struct code_item *item, bool after) {
    if (item->kind == CODE_BRANCH)
        return item->f.cond != T2_AL;
    if (item->kind == CODE_LABEL || item->kind == CODE_CALL || item->kind == CODE_CBZ)
        return false;
    if (item->kind != CODE_INSN)
        return after;
    unsigned traits = t2_op_traits((enum t2_op)item->op);
    if (item->in_it || item->op == T2_OP_IT || traits & T2_READS_C)
        return true;
    return after && !(item->f.setflags || traits & T2_COMPARE);
}

static void flag_liveness(struct code_unit *unit) {
    bool live = false;
    for (size_t i = unit->items.count; i-- > 0;) {
        struct code_item *item = &unit->items.items[i];
        item->flags_live = live;
        live = flags_before(item, live);
    }
}

/* ------------------------------------------------------------------------------------ encodings */

static void bad_item(const struct code_item *item) {
    fprintf(stderr,
            "internal error: no encoding for %s d=%u n=%u m=%u t=%u imm=%d form=%u shift=%u,%u\n",
            t2_op_name((enum t2_op)item->op), item->f.d, item->f.n, item->f.m, item->f.t,
            item->f.imm, item->f.form, item->f.shift, item->f.amount);
    abort();
}

static unsigned halfwords(enum t2_enc enc) {
    return t2_row(enc)->halfwords;
}

static void choose_encoding(struct code_item *item) {
    enum t2_enc enc;
    if (!t2_select((enum t2_op)item->op, &item->f, !item->flags_live, item->in_it, &enc))
        bad_item(item);
    item->enc = (uint16_t)enc;
    item->size = (uint8_t)(2 * halfwords(enc));
}

/* mov, movw or mvn of a constant; false if it takes two instructions. */
static bool single_constant(const struct code_item *item, enum t2_op *op, struct t2_fields *f,
                            enum t2_enc *enc) {
    *f = (struct t2_fields){.form = T2_IMM, .d = item->f.d, .imm = item->f.imm, .cond = T2_AL};
    *op = T2_OP_MOV;
    if (t2_select(*op, f, !item->flags_live, false, enc))
        return true;
    *op = T2_OP_MVN;
    f->imm = ~f->imm;
    return t2_select(*op, f, !item->flags_live, false, enc);
}

static void initial_size(struct code_item *item) {
    enum t2_op op;
    struct t2_fields f;
    enum t2_enc enc;
    switch (item->kind) {
    case CODE_INSN: choose_encoding(item); break;
    case CODE_BRANCH:
    case CODE_ADDRESS: item->size = 2; break;
    case CODE_CBZ:
        item->size = item->f.n < 8 ? 2 : 6; /* cmp.w and b */
        break;
    case CODE_CALL:
    case CODE_WORD: item->size = 4; break;
    case CODE_CONST:
        if (item->label != CODE_NO_LABEL)
            item->size = 2;
        else
            item->size = single_constant(item, &op, &f, &enc) ? (uint8_t)(2 * halfwords(enc)) : 8;
        break;
    default: item->size = 0; break;
    }
}

/* ----------------------------------------------------------------------------------- relaxation */

static uint32_t align(uint32_t n, uint32_t to) {
    return (n + to - 1) / to * to;
}

static uint32_t assign_addresses(struct code_unit *unit) {
    uint32_t addr = 0;
    vec_for_each(struct code_item, item, &unit->items) {
        if (item->kind == CODE_ALIGN)
            item->size = (uint8_t)(align(addr, 4) - addr);
        if (item->kind == CODE_BYTES)
            addr = align(addr, 8);
        item->addr = addr;
        if (item->kind == CODE_LABEL || item->kind == CODE_WORD || item->kind == CODE_BYTES)
            unit->label_addr[item->label] = addr;
        addr += item->kind == CODE_BYTES ? (uint32_t)item->f.imm : item->size;
    }
    return align(addr, 8);
}

static int64_t distance(const struct code_unit *unit, const struct code_item *item,
                        uint32_t inst_addr) {
    return (int64_t)unit->label_addr[item->label] - (inst_addr + 4);
}

static bool in_range(int64_t n, int64_t low, int64_t high) {
    return n >= low && n <= high;
}

/* Offset for adr: from the word-aligned pc. */
static int64_t address_distance(const struct code_unit *unit, const struct code_item *item) {
    return (int64_t)unit->label_addr[item->label] + item->f.imm - ((item->addr + 4) & ~3u);
}

static uint8_t wanted_size(const struct code_unit *unit, const struct code_item *item) {
    int64_t d;
    switch (item->kind) {
    case CODE_BRANCH:
        d = distance(unit, item, item->addr);
        return item->f.cond == T2_AL    ? in_range(d, -2048, 2046) ? 2 : 4
               : in_range(d, -256, 254) ? 2
                                        : 4;
    case CODE_CBZ: {
        uint8_t cmp = item->f.n < 8 ? 2 : 4;
        if (cmp == 2 && in_range(distance(unit, item, item->addr), 0, 126))
            return 2;
        d = distance(unit, item, item->addr + cmp);
        return (uint8_t)(cmp + (in_range(d, -256, 254) ? 2 : 4));
    }
    case CODE_ADDRESS:
        d = address_distance(unit, item);
        if (item->f.d < 8 && d % 4 == 0 && in_range(d, 0, 1020))
            return 2;
        return in_range(d, -4095, 4095) ? 4 : 10;
    default: return item->size;
    }
}

static uint32_t relax(struct code_unit *unit) {
    for (;;) {
        uint32_t size = assign_addresses(unit);
        bool grew = false;
        vec_for_each(struct code_item, item, &unit->items) {
            uint8_t wanted = wanted_size(unit, item);
            if (wanted > item->size) {
                item->size = wanted;
                grew = true;
            }
        }
        if (!grew)
            return size;
    }
}

/* ------------------------------------------------------------------------------------- encoding */

struct writer {
    struct code_unit *unit;
    uint32_t addr;
};

static void write_halfword(struct writer *w, uint16_t value) {
    w->unit->bytes[w->addr++] = (uint8_t)value;
    w->unit->bytes[w->addr++] = (uint8_t)(value >> 8);
}

static void write_enc(struct writer *w, enum t2_enc enc, const struct t2_fields *f) {
    uint16_t out[2];
    assert(!(t2_row(enc)->rules & T2_RULE_UNUSED) && "the loader would refuse it: thumb2.def");
    unsigned n = t2_encode(enc, f, out);
    for (unsigned i = 0; i < n; i++)
        write_halfword(w, out[i]);
}

/* The encoding of op with a given size. */
static void write_sized(struct writer *w, enum t2_op op, const struct t2_fields *f, unsigned size) {
    for (const enum t2_enc *enc = t2_forms(op); *enc != T2_ENC_COUNT; enc++)
        if (2 * halfwords(*enc) == size && t2_encodable(*enc, f)) {
            write_enc(w, *enc, f);
            return;
        }
    assert(!"no encoding of that size");
}

static void write_branch(struct writer *w, const struct code_item *item, enum t2_cond cond,
                         unsigned size) {
    struct t2_fields f = {
        .cond = (uint8_t)cond, .form = T2_IMM, .imm = (int32_t)distance(w->unit, item, w->addr)};
    write_sized(w, T2_OP_B, &f, size);
}

static void write_cbz(struct writer *w, const struct code_item *item) {
    enum t2_cond cond = (enum t2_cond)item->f.cond;
    struct t2_fields f = {.n = item->f.n, .cond = T2_AL, .form = T2_IMM};
    if (item->size == 2) {
        f.imm = (int32_t)distance(w->unit, item, w->addr);
        write_sized(w, cond == T2_EQ ? T2_OP_CBZ : T2_OP_CBNZ, &f, 2);
        return;
    }
    unsigned cmp = item->f.n < 8 ? 2 : 4;
    write_sized(w, T2_OP_CMP, &f, cmp);
    write_branch(w, item, cond, item->size - cmp);
}

static void write_wide_constant(struct writer *w, unsigned d, uint32_t value) {
    struct t2_fields f = {.form = T2_IMM, .d = (uint8_t)d, .cond = T2_AL};
    f.imm = (int32_t)(value & 0xffff);
    write_enc(w, T2_MOV_IMM_T3, &f);
    f.imm = (int32_t)(value >> 16);
    write_enc(w, T2_MOVT_T1, &f);
}

static void write_address(struct writer *w, const struct code_item *item) {
    struct t2_fields f = {.form = T2_IMM, .d = item->f.d, .cond = T2_AL};
    if (item->size < 10) {
        f.imm = (int32_t)address_distance(w->unit, item);
        write_sized(w, T2_OP_ADR, &f, item->size);
        return;
    }
    uint32_t add = item->addr + 8; /* add d, pc sees its own address + 4 */
    write_wide_constant(w, item->f.d,
                        w->unit->label_addr[item->label] + (uint32_t)item->f.imm - (add + 4));
    f.form = T2_REG;
    f.n = item->f.d;
    f.m = T2_PC;
    write_sized(w, T2_OP_ADD, &f, 2);
}

static void write_constant(struct writer *w, const struct code_item *item) {
    enum t2_op op;
    struct t2_fields f;
    enum t2_enc enc;
    if (item->label != CODE_NO_LABEL) {
        int64_t offset = (int64_t)w->unit->label_addr[item->label] - ((item->addr + 4) & ~3u);
        assert(in_range(offset, 0, 1020));
        f = (struct t2_fields){.form = T2_IMM, .t = item->f.d, .n = T2_PC, .cond = T2_AL};
        f.imm = (int32_t)offset;
        write_enc(w, T2_LDR_LIT_T1, &f);
    } else if (single_constant(item, &op, &f, &enc)) {
        write_enc(w, enc, &f);
    } else {
        write_wide_constant(w, item->f.d, (uint32_t)item->f.imm);
    }
}

static void write_item(struct writer *w, const struct code_item *item) {
    struct t2_fields f = {.form = T2_IMM, .cond = T2_AL};
    switch (item->kind) {
    case CODE_INSN: write_enc(w, (enum t2_enc)item->enc, &item->f); break;
    case CODE_ALIGN:
        if (item->size)
            write_sized(w, T2_OP_NOP, &f, 2);
        break;
    case CODE_BRANCH: write_branch(w, item, (enum t2_cond)item->f.cond, item->size); break;
    case CODE_CBZ: write_cbz(w, item); break;
    case CODE_CALL:
        f.imm = (int32_t)distance(w->unit, item, item->addr);
        write_sized(w, T2_OP_BL, &f, 4);
        break;
    case CODE_ADDRESS: write_address(w, item); break;
    case CODE_CONST: write_constant(w, item); break;
    case CODE_WORD:
        write_halfword(w, (uint16_t)item->f.imm);
        write_halfword(w, (uint16_t)((uint32_t)item->f.imm >> 16));
        break;
    case CODE_BYTES:
        memcpy(w->unit->bytes + item->addr, item->bytes, (size_t)item->f.imm);
        w->addr = item->addr + (uint32_t)item->f.imm;
        break;
    default: assert(item->kind == CODE_LABEL); break;
    }
}

static void note_line(struct code_unit *unit, const struct code_item *item) {
    if (!item->size || item->kind >= CODE_WORD)
        return;
    if (unit->lines.count && vec_last(&unit->lines).insn == item->insn)
        return;
    vec_push(unit->arena, &unit->lines, (struct code_line){item->addr, item->insn});
}

static void note_kind(struct code_unit *unit, const struct code_item *item) {
    bool data = item->kind >= CODE_WORD;
    if (item->kind == CODE_LABEL || (unit->data.count && vec_last(&unit->data).insn == data))
        return;
    vec_push(unit->arena, &unit->data, (struct code_line){item->addr, data});
}

/* Padding belongs to what is in front of it: behind code it is NOPs, so that a range of code holds
 * instructions only. */
static void pad(struct writer *w, uint32_t addr) {
    const struct t2_fields nop = {.form = T2_IMM, .cond = T2_AL};
    bool code = w->unit->data.count && !vec_last(&w->unit->data).insn;
    if (code && w->addr < addr)
        vec_push(w->unit->arena, &w->unit->lines, (struct code_line){w->addr, IR_NO_INSN});
    while (code && w->addr < addr)
        write_sized(w, T2_OP_NOP, &nop, 2);
    w->addr = addr;
}

void assemble(struct code_unit *unit) {
    unit->label_addr = arena_alloc_array(unit->arena, unit->nlabels, sizeof(uint32_t));
    flag_liveness(unit);
    vec_for_each(struct code_item, item, &unit->items)
        initial_size(item);
    unit->size = relax(unit);
    unit->bytes = arena_alloc(unit->arena, unit->size + 8);
    struct writer w = {.unit = unit};
    vec_for_each(struct code_item, it, &unit->items) {
        if (it->kind == CODE_BYTES)
            pad(&w, it->addr);
        assert(w.addr == it->addr);
        write_item(&w, it);
        note_line(unit, it);
        note_kind(unit, it);
    }
    pad(&w, unit->size);
    vec_for_each(struct code_func, func, &unit->funcs) {
        func->addr = unit->label_addr[func->label];
        const struct code_item *end = &unit->items.items[func->end_item - 1];
        func->size = end->addr + end->size - func->addr;
    }
}
