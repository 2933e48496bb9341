/* SPDX-License-Identifier: MIT */
/*
 * Addressing with write-back, after register allocation: a constant added to a register that a load or
 * store has as its base becomes part of that load or store.
 *
 *     r0 = ldrb r1, #0; r1 = add r1, #2      r0 = ldrb [r1], #2
 *     r1 = add r1, #4;  r0 = ldr r1, #0      r0 = ldr [r1, #4]!
 *
 * The two stand in one block. Between them the register may be the base of other loads and stores, when
 * those come after the access that does the addition: their offsets are corrected.
 */
#include <assert.h>
#include <string.h>

#include "thumb2/encoding.h"
#include "thumb2/finish.h"

#define STEP_MAX                                                                                   \
    255 /* offsets of loads and stores with write-back (ARM ARM A7.7.42, encoding T4) */

/* By machine register: what may be joined with what comes next. */
struct writer {
    struct mir_inst *access[MREG_VIRTUAL]; /* at [reg]; since then a base at most */
    struct mir_inst *add[MREG_VIRTUAL];    /* reg += constant; not used since */
};

static bool is_access(const struct mir_inst *inst) {
    switch (inst->op) {
    case T2_OP_LDR:
    case T2_OP_LDRB:
    case T2_OP_LDRH:
    case T2_OP_LDRSB:
    case T2_OP_LDRSH:
    case T2_OP_STR:
    case T2_OP_STRB:
    case T2_OP_STRH: return inst->form == T2_IMM && inst->index == T2_OFFSET && !inst->predicate;
    default: return false;
    }
}

static bool is_load(const struct mir_inst *inst) {
    return t2_op_traits((enum t2_op)inst->op) & T2_LOAD;
}

static mreg base_of(const struct mir_inst *inst) {
    return inst->src[is_load(inst) ? 0 : 1];
}

static mreg transferred(const struct mir_inst *inst) {
    return is_load(inst) ? inst->dst[0] : inst->src[0];
}

/* reg += *step, which write-back can do. */
static bool is_step(const struct mir_inst *inst, int32_t *step) {
    if ((inst->op != T2_OP_ADD && inst->op != T2_OP_SUB) || inst->form != T2_IMM ||
        inst->dst[0] != inst->src[0] || inst->predicate)
        return false;
    *step = inst->op == T2_OP_ADD ? inst->imm : -inst->imm;
    return inst->imm >= -STEP_MAX && inst->imm <= STEP_MAX && inst->imm != 0;
}

static void forget(struct writer *w, mreg reg) {
    if (reg >= MREG_VIRTUAL)
        return;
    w->access[reg] = w->add[reg] = NULL;
}

static void write_base(struct mir_inst *access, enum t2_index index, int32_t step) {
    access->index = index;
    access->imm = step;
    access->dst[is_load(access) ? 1 : 0] = base_of(access);
}

/* Whether accesses by `base` behind `access` and in front of `end` can do with their offset - step. */
static bool correct_offsets(struct mir_inst *access, const struct mir_inst *end, mreg base,
                            int32_t step, bool really) {
    for (struct mir_inst *inst = access->next; inst != end; inst = inst->next) {
        if (!is_access(inst) || base_of(inst) != base)
            continue;
        int32_t offset = inst->imm - step;
        if (offset < -255 || offset > 4095)
            return false;
        if (really)
            inst->imm = offset;
    }
    return true;
}

static void visit_step(struct writer *w, struct mir_block *block, struct mir_inst *inst,
                       int32_t step) {
    mreg reg = inst->dst[0];
    struct mir_inst *access = w->access[reg];
    forget(w, reg);
    if (access && correct_offsets(access, inst, reg, step, false)) {
        correct_offsets(access, inst, reg, step, true);
        write_base(access, T2_POST, step);
        mir_remove(block, inst);
        return;
    }
    w->add[reg] = inst;
}

static void visit_access(struct writer *w, struct mir_block *block, struct mir_inst *inst) {
    mreg base = base_of(inst), reg = transferred(inst);
    int32_t step;
    forget(w, reg);
    if (base == reg || base >= MREG_VIRTUAL || base == MREG_SP)
        return;
    struct mir_inst *add = w->add[base];
    w->add[base] = NULL;
    if (add && is_step(add, &step) && (inst->imm == 0 || inst->imm == -step)) {
        write_base(inst, inst->imm == 0 ? T2_PRE : T2_POST, step);
        mir_remove(block, add);
        w->access[base] = NULL;
    } else if (inst->imm == 0) {
        w->access[base] = inst;
    }
}

static void visit(struct writer *w, struct mir_block *block, struct mir_inst *inst) {
    int32_t step;
    if (is_step(inst, &step)) {
        visit_step(w, block, inst, step);
        return;
    }
    if (is_access(inst)) {
        visit_access(w, block, inst);
        return;
    }
    for (int i = 0; i < MIR_MAX_SRC; i++)
        forget(w, inst->src[i]);
    for (int i = 0; i < MIR_MAX_DST; i++)
        forget(w, inst->dst[i]);
    if (inst->uses || inst->clobbers)
        memset(w, 0, sizeof(*w));
}

void write_back(struct mir_fn *fn) {
    for (uint32_t i = 0; i < fn->nblocks; i++) {
        struct writer w = {{NULL}, {NULL}};
        for (struct mir_inst *inst = fn->blocks[i]->first, *next; inst; inst = next) {
            next = inst->next;
            visit(&w, fn->blocks[i], inst);
        }
    }
}
