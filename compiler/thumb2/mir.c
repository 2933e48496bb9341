/* SPDX-License-Identifier: MIT */
/* Machine IR: construction, predecessors, and the text that `dump` and the tests show. */
#include "thumb2/mir.h"

#include <assert.h>
#include <string.h>

#include "ir/ir.h"
#include "thumb2/encoding.h"

struct mir_inst *mir_inst_new(struct mir_fn *fn, unsigned op) {
    struct mir_inst *inst = arena_alloc(fn->arena, sizeof(*inst));
    inst->op = (uint16_t)op;
    for (int i = 0; i < MIR_MAX_DST; i++)
        inst->dst[i] = MREG_NONE;
    for (int i = 0; i < MIR_MAX_SRC; i++)
        inst->src[i] = MREG_NONE;
    inst->insn = IR_NO_INSN;
    return inst;
}

void mir_insert_before(struct mir_block *block, struct mir_inst *place, struct mir_inst *inst) {
    inst->next = place;
    inst->prev = place ? place->prev : block->last;
    *(inst->prev ? &inst->prev->next : &block->first) = inst;
    *(place ? &place->prev : &block->last) = inst;
}

void mir_append(struct mir_block *block, struct mir_inst *inst) {
    mir_insert_before(block, NULL, inst);
}

void mir_remove(struct mir_block *block, struct mir_inst *inst) {
    *(inst->prev ? &inst->prev->next : &block->first) = inst->next;
    *(inst->next ? &inst->next->prev : &block->last) = inst->prev;
    inst->prev = inst->next = NULL;
}

void mir_compute_preds(struct mir_fn *fn) {
    for (uint32_t i = 0; i < fn->nblocks; i++)
        fn->blocks[i]->npreds = 0;
    /* Count, then fill: the second round finds each array with room for what the first counted. */
    for (int fill = 0; fill < 2; fill++) {
        for (uint32_t i = 0; i < fn->nblocks; i++) {
            const struct mir_inst *last = fn->blocks[i]->last;
            for (int t = 0; t < 2 && last->target[t]; t++) {
                struct mir_block *to = last->target[t];
                if (fill)
                    to->preds[to->npreds] = fn->blocks[i];
                to->npreds++;
            }
        }
        for (uint32_t i = 0; !fill && i < fn->nblocks; i++) {
            struct mir_block *b = fn->blocks[i];
            b->preds = arena_alloc_array(fn->arena, b->npreds, sizeof(*b->preds));
            b->npreds = 0;
        }
    }
}

/* ------------------------------------------------------------------------------------------ text */

static const char *op_name(unsigned op) {
    static const char *const pseudo[] = {
#define MIR_OP_TEXT(NAME, text) text,
        MIR_PSEUDO_OPS(MIR_OP_TEXT)
#undef MIR_OP_TEXT
    };
    if (op > MIR_PSEUDO)
        return pseudo[op - MIR_PSEUDO - 1];
    return t2_op_name((enum t2_op)op);
}

static const char *cond_name(unsigned cond) {
    static const char *const names[] = {
#define COND_TEXT(NAME, text, INVERSE, SWAPPED) text,
        IR_CONDS(COND_TEXT)
#undef COND_TEXT
    };
    return cond < IR_COND_COUNT ? names[cond] : "?";
}

static void print_reg(mreg reg, FILE *out) {
    if (reg >= MREG_VIRTUAL)
        fprintf(out, "v%u", reg);
    else if (reg == MREG_SP || reg == MREG_LR)
        fputs(reg == MREG_SP ? "sp" : "lr", out);
    else
        fprintf(out, "r%u", reg);
}

static void print_mask(const char *what, unsigned mask, FILE *out) {
    if (!mask)
        return;
    fprintf(out, " %s={", what);
    for (mreg r = 0; r < MREG_VIRTUAL; r++)
        if (mask >> r & 1) {
            print_reg(r, out);
            mask &= ~(1u << r);
            fputs(mask ? " " : "}", out);
        }
}

_Static_assert(MIR_CMPIT2 == MIR_CMPBR + 3, "operations with a condition stand together");

static void print_inst(const struct mir_inst *inst, FILE *out) {
    static const char *const shifts[] = {"lsl", "lsr", "asr", "ror", "rrx"};
    const char *separator = "    ";
    for (int i = 0; i < MIR_MAX_DST; i++)
        if (inst->dst[i] != MREG_NONE) {
            fputs(separator, out);
            print_reg(inst->dst[i], out);
            separator = ", ";
        }
    fprintf(out, "%s%s", inst->dst[0] == MREG_NONE ? "    " : " = ", op_name(inst->op));
    if (inst->op >= MIR_CMPBR && inst->op <= MIR_CMPIT2)
        fprintf(out, ".%s", cond_name(inst->cond));
    separator = " ";
    for (int i = 0; i < MIR_MAX_SRC; i++)
        if (inst->src[i] != MREG_NONE) {
            fputs(separator, out);
            print_reg(inst->src[i], out);
            fputs(inst->late >> i & 1 ? "'" : "", out); /* read late */
            separator = ", ";
        }
    if (inst->shift_amount)
        fprintf(out, " %s #%u", shifts[inst->shift], inst->shift_amount);
    if (inst->imm || inst->form == T2_IMM || inst->op == MIR_MOVI || inst->op == MIR_RELOAD ||
        inst->op == MIR_SPILL)
        fprintf(out, "%s#%d", separator, inst->imm);
    if (inst->imm2)
        fprintf(out, ", #%d", inst->imm2);
    if (inst->index)
        fprintf(out, " [%u]", inst->index);
    if (inst->predicate)
        fputs(inst->predicate == MIR_THEN ? " if" : " else", out);
    print_mask("uses", inst->uses, out);
    print_mask("clobbers", inst->clobbers, out);
    for (int t = 0; t < 2 && inst->target[t]; t++)
        fprintf(out, "%s b%u", t ? "," : " ->", inst->target[t]->id);
    fputc('\n', out);
}

void mir_print(const struct mir_fn *fn, FILE *out) {
    fprintf(out, "function %s\n", fn->name ? fn->name : "");
    for (uint32_t i = 0; i < fn->nblocks; i++) {
        const struct mir_block *b = fn->blocks[i];
        fprintf(out, "b%u:", b->id);
        if (b->loop_depth)
            fprintf(out, "  ; loop depth %u", b->loop_depth);
        fputc('\n', out);
        for (const struct mir_inst *inst = b->first; inst; inst = inst->next)
            print_inst(inst, out);
    }
}
