/* SPDX-License-Identifier: MIT */
/*
 * Well-formedness of a function: what every pass may take for granted and has to keep. A defect is a
 * bug of ours, so the answer is a message on stderr, the function's text, and abort().
 */
#include <stdlib.h>
#include <string.h>

#include "bpf/insn.h"
#include "ir/ir.h"

struct checker {
    struct ir_fn *fn;
    const char *after;
    const struct ir_block *block;
    const struct ir_inst *inst;
    uint32_t *place; /* by value: position of its definition inside its block */
};

static void defect(const struct checker *c, const char *what) {
    ir_print(c->fn, stderr);
    fprintf(stderr, "ir_check after %s: function %s", c->after, c->fn->name ? c->fn->name : "_");
    if (c->block)
        fprintf(stderr, ", b%u", c->block->id);
    if (c->inst)
        fprintf(stderr, ", %s v%u", ir_ops[c->inst->op].text, c->inst->res[0]);
    fprintf(stderr, ": %s\n", what);
    abort();
}

static void expect(const struct checker *c, bool holds, const char *what) {
    if (!holds)
        defect(c, what);
}

/* ---------------------------------------------------------------------------------------- edges */

/* Each edge stands as often in the predecessor list as in the targets: counted per list, with the
 * sum of all lists equal to the sum of all targets. */
static void check_edges(struct checker *c) {
    struct ir_fn *fn = c->fn;
    uint64_t targets = 0, preds = 0;
    for (uint32_t i = 0; i < fn->nblocks; i++) {
        const struct ir_block *block = c->block = fn->blocks[i];
        if (!block)
            continue;
        expect(c, block->id == i, "block id");
        expect(c, block->target[0] || !block->target[1], "target[1] without target[0]");
        for (int k = 0; k < 2 && block->target[k]; k++) {
            expect(c, fn->blocks[block->target[k]->id] == block->target[k], "removed target");
            targets++;
        }
        for (uint32_t k = 0; k < block->npreds; k++) {
            const struct ir_block *pred = block->preds[k];
            expect(c, fn->blocks[pred->id] == pred, "removed predecessor");
            expect(c, pred->target[0] == block || pred->target[1] == block,
                   "predecessor that does not branch here");
        }
        preds += block->npreds;
    }
    c->block = NULL;
    expect(c, targets == preds, "edges and predecessors differ in number");
    expect(c, fn->nblocks && fn->blocks[0] && !fn->blocks[0]->npreds, "entry with predecessors");
}

/* ---------------------------------------------------------------------------------------- shape */

static unsigned wanted_targets(const struct ir_inst *inst) {
    return inst->op == IR_JUMP ? 1 : inst->op == IR_BR || inst->op == IR_BR2 ? 2 : 0;
}

static bool takes_holes(const struct ir_fn *fn, const struct ir_inst *inst) {
    return fn->level == IR_LEVEL_32 &&
           (inst->op == IR_CALL_HELPER || inst->op == IR_CALL_LOCAL || inst->op == IR_CALLX);
}

static void check_counts(const struct checker *c, const struct ir_inst *inst) {
    const struct ir_op_info *op = &ir_ops[inst->op];
    int nresults = !!inst->res[0] + !!inst->res[1];
    expect(c, inst->res[0] || !inst->res[1], "res[1] without res[0]");
    expect(c, op->nargs < 0 || inst->nargs == (uint32_t)op->nargs, "number of arguments");
    expect(c, op->nresults < 0 ? nresults <= -op->nresults : nresults == op->nresults,
           "number of results");
    expect(c, op->level == 96 || op->level == (c->fn->level == IR_LEVEL_64 ? 64 : 32),
           "operation of the other level");
    for (uint32_t i = 0; i < inst->nargs; i++) {
        ir_val v = inst->args[i];
        if (!v && takes_holes(c->fn, inst))
            continue;
        expect(c, v && v < c->fn->nvalues && c->fn->values[v].def, "argument without definition");
    }
}

static void check_block_shape(struct checker *c, const struct ir_block *block) {
    bool phis = true;
    uint32_t place = 0;
    for (const struct ir_inst *inst = c->inst = block->first; inst; c->inst = inst = inst->next) {
        expect(c, inst->block == block, "inst->block");
        expect(c, inst->next ? inst->next->prev == inst : block->last == inst, "list");
        bool term = ir_ops[inst->op].flags & IR_TERM;
        expect(c, term == !inst->next, "terminator not last, or block without one");
        if (inst->op == IR_PHI) {
            expect(c, phis, "phi not first");
            expect(c, inst->nargs == block->npreds, "phi arguments and predecessors");
        } else {
            phis = false;
        }
        check_counts(c, inst);
        for (int i = 0; i < 2 && inst->res[i]; i++) {
            expect(c, inst->res[i] < c->fn->nvalues && c->fn->values[inst->res[i]].def == inst,
                   "value's definition");
            c->place[inst->res[i]] = place;
        }
        place++;
    }
    expect(c, block->last, "empty block");
    unsigned ntargets = !!block->target[0] + !!block->target[1];
    expect(c, ntargets == wanted_targets(block->last), "terminator and number of targets");
}

/* Two edges from one block bring the same values: passes need not tell such edges apart. */
static void check_twin_edges(struct checker *c, const struct ir_block *block) {
    if (!block->target[1] || block->target[0] != block->target[1])
        return;
    const struct ir_block *to = block->target[0];
    for (const struct ir_inst *phi = c->inst = to->first; phi && phi->op == IR_PHI;
         c->inst = phi = phi->next) {
        ir_val seen = 0;
        for (uint32_t i = 0; i < phi->nargs; i++)
            if (to->preds[i] == block) {
                expect(c, !seen || seen == phi->args[i], "phi of two edges from one block");
                seen = phi->args[i];
            }
    }
    c->inst = NULL;
}

/* ---------------------------------------------------------------------------------------- types */

static enum ir_type type_of(const struct checker *c, ir_val v) {
    return v ? (enum ir_type)c->fn->values[v].type : IR_VOID;
}

static void expect_args(const struct checker *c, uint32_t first, enum ir_type type) {
    for (uint32_t i = first; i < c->inst->nargs; i++)
        expect(c, !c->inst->args[i] || type_of(c, c->inst->args[i]) == type, "argument type");
}

static void check_memory(const struct checker *c, enum ir_type address) {
    const struct ir_inst *inst = c->inst;
    bool wide = inst->size == 8;
    expect(c, inst->size == 1 || inst->size == 2 || inst->size == 4 || wide, "size");
    expect(c, inst->align == 1 || inst->align == 2 || inst->align == 4 || inst->align == 8,
           "align");
    expect(c, !wide || c->fn->level == IR_LEVEL_64, "size 8 after legalisation");
    expect(c, type_of(c, inst->args[0]) == address, "address type");
    expect(c, inst->type == (wide ? IR_I64 : IR_I32), "type and size of a memory operation");
    expect(c, !inst->is_signed || (inst->op == IR_LOAD && inst->size < 4), "signed");
    if (inst->op == IR_ATOMIC || inst->op == IR_CMPXCHG)
        expect(c, inst->size >= 4, "atomic size");
    if (inst->op == IR_ATOMIC)
        expect(c, bpf_op_is_atomic((enum bpf_op)inst->index), "atomic operation");
    expect_args(c, 1, (enum ir_type)inst->type);
}

static void check_types(const struct checker *c) {
    const struct ir_inst *inst = c->inst;
    enum ir_type word = c->fn->level == IR_LEVEL_64 ? IR_I64 : IR_I32;
    enum ir_type own = (enum ir_type)inst->type;
    for (int i = 0; i < 2 && inst->res[i]; i++)
        expect(c, type_of(c, inst->res[i]) == own, "result type");
    switch (inst->op) {
    case IR_JUMP:
    case IR_TRAP: expect(c, own == IR_VOID, "type of a terminator without operands"); break;
    case IR_TRUNC:
        expect(c, own == IR_I32, "type of trunc");
        expect_args(c, 0, IR_I64);
        break;
    case IR_ZEXT:
    case IR_SEXT:
        expect(c, own == IR_I64, "type of an extension");
        expect_args(c, 0, IR_I32);
        break;
    case IR_LOAD:
    case IR_STORE:
    case IR_ATOMIC:
    case IR_CMPXCHG: check_memory(c, word); break;
    case IR_CONST:
        expect(c, own != IR_VOID && (own == IR_I64 || (uint64_t)inst->imm <= UINT32_MAX),
               "constant wider than its type");
        break;
    case IR_PARAM:
    case IR_FRAME:
    case IR_DATA:
    case IR_MAP:
    case IR_FUNC:
    case IR_CALL_HELPER:
    case IR_CALL_LOCAL:
    case IR_CALLX:
    case IR_TAIL_CALL:
    case IR_RET:
        expect(c, own == word, "type is not the level's word");
        expect_args(c, 0, word);
        break;
    case IR_BSWAP64:
        expect(c, own == IR_I64, "type of bswap64");
        expect_args(c, 0, IR_I64);
        break;
    default:
        expect(c, own == IR_I32 || own == IR_I64, "operation without type");
        expect_args(c, 0, own);
        break;
    }
    expect(c, c->fn->level == IR_LEVEL_64 || own != IR_I64, "i64 after legalisation");
}

/* ----------------------------------------------------------------------------------- dominance */

static void check_use(const struct checker *c, ir_val v, const struct ir_block *user,
                      uint32_t place) {
    const struct ir_block *def = c->fn->values[v].def->block;
    bool above = def == user ? c->place[v] < place : ir_dominates(def, user);
    expect(c, above, "use that its definition does not dominate");
}

static void check_dominance(struct checker *c) {
    ir_analyze(c->fn);
    for (uint32_t i = 0; i < c->fn->norder; i++) {
        const struct ir_block *block = c->block = c->fn->order[i];
        uint32_t place = 0;
        for (const struct ir_inst *inst = c->inst = block->first; inst;
             c->inst = inst = inst->next, place++)
            for (uint32_t k = 0; k < inst->nargs; k++) {
                if (!inst->args[k])
                    continue;
                if (inst->op == IR_PHI)
                    check_use(c, inst->args[k], block->preds[k], UINT32_MAX);
                else
                    check_use(c, inst->args[k], block, place);
            }
    }
}

void ir_check(struct ir_fn *fn, const char *after) {
    struct arena *arena = arena_new();
    struct checker c = {
        .fn = fn,
        .after = after,
        .place = arena_alloc_array(arena, fn->nvalues, sizeof(uint32_t)),
    };
    expect(&c, !fn->forward, "pending replacements");
    check_edges(&c);
    for (uint32_t i = 0; i < fn->nblocks; i++)
        if ((c.block = fn->blocks[i]))
            check_block_shape(&c, c.block);
    for (uint32_t i = 0; i < fn->nblocks; i++) {
        c.block = fn->blocks[i];
        for (c.inst = c.block ? c.block->first : NULL; c.inst; c.inst = c.inst->next)
            check_types(&c);
        c.inst = NULL;
        if (c.block)
            check_twin_edges(&c, c.block);
    }
    check_dominance(&c);
    arena_free(arena);
}
