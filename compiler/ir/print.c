/* SPDX-License-Identifier: MIT */
/* Text of a function; parse.c reads it back. The form is described in ir.h. */
#include <inttypes.h>

#include "ir/ir.h"

static const char *const cond_text[] = {
#define IR_COND_TEXT(NAME, text, INVERSE, SWAPPED) text,
    IR_CONDS(IR_COND_TEXT)
#undef IR_COND_TEXT
};

/* Whether imm stands in the text even if it is 0. */
static bool always_imm(const struct ir_inst *inst) {
    return inst->op == IR_CONST || inst->op == IR_PARAM || inst->op == IR_FRAME;
}

static void print_number(int64_t value, FILE *out) {
    if (value > -0x10000 && value < 0x10000)
        fprintf(out, "%" PRId64, value);
    else
        fprintf(out, "0x%" PRIx64, (uint64_t)value);
}

struct list {
    FILE *out;
    const char *separator;
};

static FILE *item(struct list *list) {
    fputs(list->separator, list->out);
    list->separator = ", ";
    return list->out;
}

static void print_operands(const struct ir_inst *inst, FILE *out) {
    struct list list = {out, " "};
    for (uint32_t i = 0; i < inst->nargs; i++) {
        if (inst->op == IR_PHI)
            fprintf(item(&list), "b%u: v%u", inst->block->preds[i]->id, inst->args[i]);
        else if (inst->args[i])
            fprintf(item(&list), "v%u", inst->args[i]);
        else
            fputs("_", item(&list));
    }
    if (always_imm(inst) || inst->imm)
        print_number(inst->imm, item(&list));
    if (inst != inst->block->last)
        return;
    for (int i = 0; i < 2 && inst->block->target[i]; i++)
        fprintf(item(&list), "b%u", inst->block->target[i]->id);
}

static void print_inst(const struct ir_inst *inst, FILE *out) {
    fputs("    ", out);
    if (inst->res[0])
        fprintf(out, "v%u", inst->res[0]);
    if (inst->res[1])
        fprintf(out, ", v%u", inst->res[1]);
    if (inst->res[0])
        fputs(" = ", out);
    fputs(ir_ops[inst->op].text, out);
    if (inst->type != IR_VOID)
        fputs(inst->type == IR_I32 ? ".32" : ".64", out);
    if (inst->op == IR_BR || inst->op == IR_BR2)
        fprintf(out, " %s", cond_text[inst->cond]);
    print_operands(inst, out);
    if (inst->size)
        fprintf(out, " size=%u", inst->size);
    if (inst->align != 1)
        fprintf(out, " align=%u", inst->align);
    if (inst->is_signed)
        fputs(" signed", out);
    if (inst->index)
        fprintf(out, " index=%u", inst->index);
    if (inst->insn != IR_NO_INSN)
        fprintf(out, " @%u", inst->insn);
    fputs("\n", out);
}

static void print_block(const struct ir_block *block, FILE *out) {
    fprintf(out, "b%u:", block->id);
    for (uint32_t i = 0; i < block->npreds; i++)
        fprintf(out, "%s b%u", i ? "," : "  ; preds", block->preds[i]->id);
    fputs("\n", out);
    for (const struct ir_inst *inst = block->first; inst; inst = inst->next)
        print_inst(inst, out);
}

void ir_print(const struct ir_fn *fn, FILE *out) {
    fprintf(out, "func %u %s level=%d stack=%u\n", fn->func, fn->name ? fn->name : "_",
            fn->level == IR_LEVEL_32 ? 32 : 64, fn->stack);
    for (uint32_t i = 0; i < fn->nblocks; i++)
        if (fn->blocks[i])
            print_block(fn->blocks[i], out);
}
