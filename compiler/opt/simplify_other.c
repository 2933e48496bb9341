/* SPDX-License-Identifier: MIT */
/* Rules of the simplifier for changes of width, branches, loads and stores. */
#include "opt/simplify.h"

#include <assert.h>

/* --------------------------------------------------------------------------------------- widths */

static ir_val simplify_trunc(struct simplifier *s, ir_val a) {
    const struct ir_inst *def = simplify_def(s, a);
    return def->op == IR_ZEXT || def->op == IR_SEXT ? def->args[0] : 0;
}

/* An extension of the low word of a value that already is such an extension. */
static ir_val extend_again(const struct simplifier *s, ir_val a) {
    const struct ir_inst *trunc = simplify_def(s, a);
    if (trunc->op != IR_TRUNC)
        return 0;
    const struct ir_inst *whole = simplify_def(s, trunc->args[0]);
    return whole->op == s->inst->op ? trunc->args[0] : 0;
}

/* A sign-extending load beside the given one, which dies if nothing else uses it. */
static ir_val load_signed(struct simplifier *s, struct ir_inst *load) {
    struct ir_inst *twin = ir_inst_new(s->fn, IR_LOAD, IR_I32, 1, load->args, 1, IR_I32);
    twin->imm = load->imm;
    twin->size = load->size;
    twin->align = load->align;
    twin->is_signed = true;
    twin->insn = load->insn;
    ir_insert_after(load, twin);
    return twin->res[0];
}

/* What sign-extends the low `bits` bits of its argument: bits above them do not count. */
static ir_val sign_extend(struct simplifier *s, ir_val a, unsigned bits) {
    uint64_t mask = (UINT64_C(1) << bits) - 1, c;
    const struct ir_inst *and = simplify_is_with(s, a, IR_AND, &c);
    if (and&&(c & mask) == mask)
        return simplify_unary(s, (enum ir_op)s->inst->op, and->args[0]);
    struct ir_inst *load = simplify_def(s, a);
    if (load->op == IR_LOAD && !load->is_signed && load->size * 8u == bits &&
        s->inst->type == IR_I32 && simplify_used_once(s, a))
        return load_signed(s, load);
    if (load->op == IR_LOAD && load->is_signed && load->size * 8u <= bits)
        return a;
    if (load->op == s->inst->op || (load->op == IR_SEXT8 && bits == 16))
        return a;
    return 0;
}

ir_val simplify_width(struct simplifier *s) {
    ir_val a = s->inst->args[0];
    const struct ir_inst *def = simplify_def(s, a);
    switch (s->inst->op) {
    case IR_TRUNC: return simplify_trunc(s, a);
    case IR_ZEXT:
    case IR_SEXT: return extend_again(s, a);
    case IR_SEXT8: return sign_extend(s, a, 8);
    case IR_SEXT16: return sign_extend(s, a, 16);
    case IR_BSWAP64: return def->op == IR_BSWAP64 ? def->args[0] : 0;
    case IR_BSWAP32: return def->op == IR_BSWAP32 && s->inst->type == IR_I32 ? def->args[0] : 0;
    default: return 0;
    }
}

/* ------------------------------------------------------------------------------------- branches */

static void set_branch(struct ir_inst *br, enum ir_cond cond, ir_val a, ir_val b) {
    br->cond = (uint8_t)cond;
    br->args[0] = a;
    br->args[1] = b;
}

/* x == 0 or x != 0, where x is made by something that this can look through. */
static bool compare_with_0(struct simplifier *s, ir_val a) {
    struct ir_inst *br = s->inst;
    bool equal = br->cond == IR_COND_EQ;
    const struct ir_inst *def = simplify_is(s, a, IR_AND);
    if (def) {
        set_branch(br, equal ? IR_COND_CLEAR : IR_COND_SET, def->args[0], def->args[1]);
        return true;
    }
    def = simplify_is(s, a, IR_XOR);
    if (!def)
        def = simplify_is(s, a, IR_SUB);
    if (!def || !simplify_used_once(s, a))
        return false;
    set_branch(br, (enum ir_cond)br->cond, def->args[0], def->args[1]);
    return true;
}

bool simplify_branch(struct simplifier *s) {
    struct ir_inst *br = s->inst;
    ir_val a = br->args[0], b = br->args[1];
    enum ir_cond cond = (enum ir_cond)br->cond;
    uint64_t c, added;
    if (!ir_is_const(s->fn, b, &c))
        return false;
    bool equality = cond == IR_COND_EQ || cond == IR_COND_NE;
    if (equality && c == 0)
        return compare_with_0(s, a);
    const struct ir_inst *add = equality ? simplify_is_with(s, a, IR_ADD, &added) : NULL;
    if (add && simplify_used_once(s, a)) {
        set_branch(br, cond, add->args[0], simplify_const(s, c - added));
        return true;
    }
    /* Unsigned comparisons that only 0 passes, or only 0 fails, are equality: cheaper for pairs. */
    bool below_1 = (cond == IR_COND_ULT && c == 1) || (cond == IR_COND_ULE && c == 0);
    bool above_0 = (cond == IR_COND_UGE && c == 1) || (cond == IR_COND_UGT && c == 0);
    if (!below_1 && !above_0)
        return false;
    set_branch(br, below_1 ? IR_COND_EQ : IR_COND_NE, a, simplify_const(s, 0));
    return true;
}

/* --------------------------------------------------------------------------------------- memory */

/* Offsets that a Thumb-2 load or store can hold (LDR immediate, T3 and T4). */
static bool offset_fits(int64_t off) {
    return off >= -255 && off <= 4095;
}

/* The address is the low word of base + imm, so a constant that was added to the base can be added
 * to imm instead. Not if the sum is needed anyway: then two registers would be live, not one. */
static bool fold_offset(struct simplifier *s) {
    struct ir_inst *inst = s->inst;
    ir_val address = inst->args[0];
    uint64_t c;
    const struct ir_inst *add = simplify_def(s, address);
    if (add->op != IR_ADD || !ir_is_const(s->fn, add->args[1], &c))
        return false;
    int64_t off = inst->imm + (int32_t)c;
    if (!offset_fits(off) || (address < s->ncounted && s->uses[address] != s->addresses[address]))
        return false;
    inst->args[0] = add->args[0];
    inst->imm = off;
    return true;
}

/* A store of 1 or 2 bytes takes no notice of the bits above. */
static bool store_low_bits(struct simplifier *s) {
    struct ir_inst *inst = s->inst;
    if (inst->op != IR_STORE || inst->size > 2)
        return false;
    uint64_t mask = inst->size == 1 ? 0xff : 0xffff, c;
    const struct ir_inst *def = simplify_def(s, inst->args[1]);
    bool masked = def->op == IR_AND && ir_is_const(s->fn, def->args[1], &c) && (c & mask) == mask;
    bool extended = def->op == IR_SEXT16 || (def->op == IR_SEXT8 && inst->size == 1);
    if (!masked && !extended)
        return false;
    inst->args[1] = def->args[0];
    return true;
}

bool simplify_memory(struct simplifier *s) {
    return fold_offset(s) || store_low_bits(s);
}
