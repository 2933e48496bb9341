/* SPDX-License-Identifier: MIT */
/*
 * Selection of loads and stores with their addressing modes: the eBPF stack (sp-relative after
 * allocation), the arena (r9-relative), base + offset, base + (index << n).
 */
#include "thumb2/isel.h"

#include <assert.h>

static enum t2_op memory_op(const struct ir_inst *inst) {
    if (inst->op == IR_STORE)
        return inst->size == 1 ? T2_OP_STRB : inst->size == 2 ? T2_OP_STRH : T2_OP_STR;
    if (inst->size == 4)
        return T2_OP_LDR;
    if (inst->size == 2)
        return inst->is_signed ? T2_OP_LDRSH : T2_OP_LDRH;
    return inst->is_signed ? T2_OP_LDRSB : T2_OP_LDRB;
}

struct address {
    bool frame; /* r10 + imm */
    mreg base, index;
    uint32_t shift;
    int32_t imm;
};

/* base + (index << shift), if nothing else needs the sum. */
static bool indexed(struct isel *s, ir_val v, struct address *a) {
    const struct ir_inst *add = isel_fold(s, v, IR_ADD);
    if (!add)
        return false;
    for (int k = 0; k < 2; k++) {
        const struct ir_inst *shift = isel_fold(s, add->args[k], IR_SHL);
        uint32_t count;
        if (!shift || !isel_const(s, shift->args[1], &count) || count > 3)
            continue;
        isel_folded(s, v);
        isel_folded(s, add->args[k]);
        a->base = isel_use(s, add->args[1 - k]);
        a->index = isel_use(s, shift->args[0]);
        a->shift = count;
        return true;
    }
    isel_folded(s, v);
    a->base = isel_use(s, add->args[0]);
    a->index = isel_use(s, add->args[1]);
    return true;
}

/* LDR and its like take -255 to 4095. */
static bool offset_fits(int32_t imm) {
    return imm >= -255 && imm <= 4095;
}

static mreg base_beyond_offset(struct isel *s, mreg base, int32_t *imm) {
    mreg far = isel_temp(s);
    int32_t high = *imm & ~0xfff;
    uint32_t imm12;
    if (t2_modified_imm((uint32_t)high, &imm12)) {
        isel_binary_imm(s, T2_OP_ADD, far, base, (uint32_t)high);
        *imm -= high;
        return far;
    }
    mreg offset = isel_temp(s);
    isel_movi(s, offset, (uint32_t)*imm);
    struct mir_inst *add = isel_emit(s, T2_OP_ADD);
    add->dst[0] = far;
    add->src[0] = base;
    add->src[1] = offset;
    add->form = T2_REG;
    *imm = 0;
    return far;
}

static struct address address_of(struct isel *s, ir_val v, int64_t offset) {
    struct address a = {.base = MREG_NONE, .index = MREG_NONE, .imm = (int32_t)offset};
    const struct ir_inst *def = s->fn->values[v].def;
    uint32_t c;
    if (def->op == IR_ADD && def->block == s->ir_block && isel_const(s, def->args[1], &c) &&
        offset_fits((int32_t)((uint32_t)a.imm + c))) {
        isel_folded(s, v);
        a.imm = (int32_t)((uint32_t)a.imm + c);
        v = def->args[0];
        def = s->fn->values[v].def;
    }
    if (def->op == IR_FRAME) {
        int32_t imm = (int32_t)((uint32_t)a.imm + (uint32_t)def->imm);
        if (imm >= -(int32_t)s->fn->stack && imm < 0) {
            a.frame = true;
            a.imm = imm;
            return a;
        }
    }
    bool in_arena =
        def->op == IR_MAP || (def->op == IR_DATA && !s->layout->data_in_code[def->index]);
    if (in_arena) {
        const uint32_t *place = def->op == IR_MAP ? s->layout->map_off : s->layout->data_off;
        int64_t imm = (int64_t)a.imm + def->imm + place[def->index];
        if (imm >= 0 && imm <= 4095) {
            a.base = MREG_R9;
            a.imm = (int32_t)imm;
            return a;
        }
    }
    if (a.imm == 0 && indexed(s, v, &a))
        return a;
    a.base = isel_use(s, v);
    if (!offset_fits(a.imm))
        a.base = base_beyond_offset(s, a.base, &a.imm);
    return a;
}

static void select_frame_access(struct isel *s, const struct ir_inst *inst, int32_t imm) {
    bool load = inst->op == IR_LOAD;
    mreg value = load ? isel_def(s, inst->res[0]) : isel_use(s, inst->args[1]);
    struct mir_inst *m = isel_emit(s, load ? MIR_LDFRAME : MIR_STFRAME);
    *(load ? &m->dst[0] : &m->src[0]) = value;
    m->imm = imm;
    m->index = inst->size;
    m->is_signed = inst->is_signed;
}

bool isel_memory(struct isel *s, const struct ir_inst *inst) {
    if (inst->op != IR_LOAD && inst->op != IR_STORE)
        return false;
    assert(inst->size <= 4);
    struct address a = address_of(s, inst->args[0], inst->imm);
    if (a.frame) {
        select_frame_access(s, inst, a.imm);
        return true;
    }
    bool load = inst->op == IR_LOAD;
    mreg value = load ? isel_def(s, inst->res[0]) : isel_use(s, inst->args[1]);
    struct mir_inst *m = isel_emit(s, memory_op(inst));
    int n = load ? 0 : 1;
    *(load ? &m->dst[0] : &m->src[0]) = value;
    m->src[n] = a.base;
    if (a.index == MREG_NONE) {
        m->form = T2_IMM;
        m->imm = a.imm;
        return true;
    }
    m->form = T2_REG;
    m->src[n + 1] = a.index;
    m->shift_amount = (uint8_t)a.shift;
    return true;
}
