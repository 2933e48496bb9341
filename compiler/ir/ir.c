/* SPDX-License-Identifier: MIT */
/* Construction and rewriting of IR functions: instructions, blocks, edges, replacement of values. */
#include "ir/ir.h"

#include <assert.h>
#include <string.h>

const struct ir_op_info ir_ops[IR_OP_COUNT] = {
#define IR(NAME, text, args, results, level, flags) {text, args, results, level, flags},
#include "ir/ir.def"
};

/* A copy of old[0..count) with room for *room elements, which is doubled. */
static void *grown(struct arena *arena, const void *old, uint32_t count, uint32_t *room,
                   size_t size) {
    *room = *room ? *room * 2 : 4;
    void *items = arena_alloc_array(arena, *room, size);
    if (count)
        memcpy(items, old, count * size);
    return items;
}

struct ir_fn *ir_fn_new(struct arena *arena, const struct program *prog, uint32_t func,
                        const char *name) {
    struct ir_fn *fn = arena_alloc(arena, sizeof(*fn));
    fn->arena = arena;
    fn->prog = prog;
    fn->func = func;
    fn->name = name;
    fn->nvalues = 1; /* ir_val 0 is "none" */
    fn->values_room = 64;
    fn->values = arena_alloc_array(arena, fn->values_room, sizeof(*fn->values));
    return fn;
}

struct ir_block *ir_block_new(struct ir_fn *fn) {
    if (fn->nblocks == fn->blocks_room)
        fn->blocks = grown(fn->arena, fn->blocks, fn->nblocks, &fn->blocks_room, sizeof(void *));
    struct ir_block *block = arena_alloc(fn->arena, sizeof(*block));
    block->id = fn->nblocks;
    fn->blocks[fn->nblocks++] = block;
    return block;
}

static ir_val value_new(struct ir_fn *fn, struct ir_inst *def, enum ir_type type) {
    assert(type != IR_VOID);
    if (fn->nvalues == fn->values_room) {
        uint32_t room = fn->values_room;
        if (fn->forward)
            fn->forward = grown(fn->arena, fn->forward, fn->nvalues, &room, sizeof(ir_val));
        fn->values =
            grown(fn->arena, fn->values, fn->nvalues, &fn->values_room, sizeof(*fn->values));
    }
    fn->values[fn->nvalues] = (struct ir_value){.def = def, .type = (uint8_t)type};
    return fn->nvalues++;
}

struct ir_inst *ir_inst_new(struct ir_fn *fn, enum ir_op op, enum ir_type type, uint32_t nargs,
                            const ir_val *args, uint32_t nresults, enum ir_type result_type) {
    assert(nresults <= 2);
    struct ir_inst *inst = arena_alloc(fn->arena, sizeof(*inst) + nargs * sizeof(ir_val));
    inst->op = (uint8_t)op;
    inst->type = (uint8_t)type;
    inst->align = 1;
    inst->nargs = nargs;
    inst->args = (ir_val *)(inst + 1);
    if (args && nargs)
        memcpy(inst->args, args, nargs * sizeof(ir_val));
    inst->insn = IR_NO_INSN;
    for (uint32_t i = 0; i < nresults; i++)
        inst->res[i] = value_new(fn, inst, result_type);
    return inst;
}

/* ---------------------------------------------------------------------------- lists of a block */

void ir_append(struct ir_block *block, struct ir_inst *inst) {
    inst->block = block;
    inst->prev = block->last;
    inst->next = NULL;
    *(block->last ? &block->last->next : &block->first) = inst;
    block->last = inst;
}

void ir_insert_before(struct ir_inst *place, struct ir_inst *inst) {
    struct ir_block *block = place->block;
    inst->block = block;
    inst->prev = place->prev;
    inst->next = place;
    *(place->prev ? &place->prev->next : &block->first) = inst;
    place->prev = inst;
}

void ir_insert_after(struct ir_inst *place, struct ir_inst *inst) {
    if (place->next)
        ir_insert_before(place->next, inst);
    else
        ir_append(place->block, inst);
}

void ir_remove(struct ir_fn *fn, struct ir_inst *inst) {
    struct ir_block *block = inst->block;
    *(inst->prev ? &inst->prev->next : &block->first) = inst->next;
    *(inst->next ? &inst->next->prev : &block->last) = inst->prev;
    for (int i = 0; i < 2; i++)
        if (inst->res[i])
            fn->values[inst->res[i]].def = NULL;
}

/* --------------------------------------------------------------------------------------- edges */

static void add_pred(struct ir_fn *fn, struct ir_block *block, struct ir_block *pred) {
    if (block->npreds == block->preds_room)
        block->preds = grown(fn->arena, block->preds, block->npreds, &block->preds_room,
                             sizeof(struct ir_block *));
    block->preds[block->npreds++] = pred;
}

void ir_set_targets(struct ir_fn *fn, struct ir_block *block, struct ir_block *taken,
                    struct ir_block *other) {
    assert(!block->target[0] && !block->target[1] && taken);
    block->target[0] = taken;
    block->target[1] = other;
    add_pred(fn, taken, block);
    if (other)
        add_pred(fn, other, block);
}

void ir_add_pred(struct ir_fn *fn, struct ir_block *block, struct ir_block *pred,
                 const ir_val *phi_args) {
    add_pred(fn, block, pred);
    for (struct ir_inst *phi = block->first; phi && phi->op == IR_PHI; phi = phi->next) {
        ir_val *args = arena_alloc_array(fn->arena, phi->nargs + 1, sizeof(ir_val));
        memcpy(args, phi->args, phi->nargs * sizeof(ir_val));
        args[phi->nargs++] = *phi_args++;
        phi->args = args;
    }
}

void ir_remove_edge(struct ir_fn *fn, struct ir_block *from, struct ir_block *to) {
    (void)fn;
    if (from->target[1] == to) {
        from->target[1] = NULL;
    } else {
        assert(from->target[0] == to);
        from->target[0] = from->target[1];
        from->target[1] = NULL;
    }
    uint32_t i = 0;
    while (to->preds[i] != from)
        i++;
    uint32_t behind = --to->npreds - i;
    memmove(&to->preds[i], &to->preds[i + 1], behind * sizeof(to->preds[0]));
    for (struct ir_inst *phi = to->first; phi && phi->op == IR_PHI; phi = phi->next) {
        phi->nargs--;
        memmove(&phi->args[i], &phi->args[i + 1], behind * sizeof(ir_val));
    }
}

/* ----------------------------------------------------------------------------------- shorthands */

static ir_val insert_before(struct ir_inst *place, struct ir_inst *inst) {
    inst->insn = place->insn;
    ir_insert_before(place, inst);
    return inst->res[0];
}

ir_val ir_const_before(struct ir_fn *fn, struct ir_inst *place, enum ir_type type, int64_t value) {
    struct ir_inst *inst = ir_inst_new(fn, IR_CONST, type, 0, NULL, 1, type);
    inst->imm = type == IR_I32 ? (int64_t)(uint32_t)value : value;
    return insert_before(place, inst);
}

ir_val ir_unary_before(struct ir_fn *fn, struct ir_inst *place, enum ir_op op, enum ir_type type,
                       ir_val a) {
    return insert_before(place, ir_inst_new(fn, op, type, 1, &a, 1, type));
}

ir_val ir_binary_before(struct ir_fn *fn, struct ir_inst *place, enum ir_op op, enum ir_type type,
                        ir_val a, ir_val b) {
    ir_val args[] = {a, b};
    return insert_before(place, ir_inst_new(fn, op, type, 2, args, 1, type));
}

bool ir_is_const(const struct ir_fn *fn, ir_val v, uint64_t *value) {
    const struct ir_inst *def = v ? fn->values[v].def : NULL;
    if (!def || def->op != IR_CONST)
        return false;
    *value = (uint64_t)def->imm;
    return true;
}

enum ir_cond ir_cond_inverse(enum ir_cond cond) {
    static const uint8_t inverse[] = {
#define IR_COND_INVERSE(NAME, text, INVERSE, SWAPPED) IR_COND_##INVERSE,
        IR_CONDS(IR_COND_INVERSE)
#undef IR_COND_INVERSE
    };
    return (enum ir_cond)inverse[cond];
}

enum ir_cond ir_cond_unsigned(enum ir_cond cond) {
    switch (cond) {
    case IR_COND_SLT: return IR_COND_ULT;
    case IR_COND_SGE: return IR_COND_UGE;
    case IR_COND_SGT: return IR_COND_UGT;
    case IR_COND_SLE: return IR_COND_ULE;
    default: return cond;
    }
}

enum ir_cond ir_cond_swapped(enum ir_cond cond) {
    static const uint8_t swapped[] = {
#define IR_COND_SWAPPED(NAME, text, INVERSE, SWAPPED) IR_COND_##SWAPPED,
        IR_CONDS(IR_COND_SWAPPED)
#undef IR_COND_SWAPPED
    };
    return (enum ir_cond)swapped[cond];
}

/* ---------------------------------------------------------------------------------- replacement */

/* The end of the chain that starts at v; all of the chain then points to it (so that sweeping a
 * function stays linear however long the chains are). */
static ir_val follow(ir_val *forward, ir_val v) {
    ir_val end = v;
    while (forward[end])
        end = forward[end];
    while (forward[v]) {
        ir_val next = forward[v];
        forward[v] = end;
        v = next;
    }
    return end;
}

ir_val ir_forwarded(const struct ir_fn *fn, ir_val v) {
    return fn->forward ? follow(fn->forward, v) : v;
}

void ir_replace(struct ir_fn *fn, ir_val old, ir_val replacement) {
    assert(old && replacement && fn->values[old].type == fn->values[replacement].type);
    if (!fn->forward)
        fn->forward = arena_alloc_array(fn->arena, fn->values_room, sizeof(ir_val));
    old = follow(fn->forward, old);
    replacement = follow(fn->forward, replacement);
    if (old != replacement)
        fn->forward[old] = replacement;
}

void ir_resolve(struct ir_fn *fn) {
    if (!fn->forward)
        return;
    for (uint32_t i = 0; i < fn->nblocks; i++)
        for (struct ir_inst *inst = fn->blocks[i] ? fn->blocks[i]->first : NULL; inst;
             inst = inst->next)
            for (uint32_t k = 0; k < inst->nargs; k++)
                inst->args[k] = follow(fn->forward, inst->args[k]);
    fn->forward = NULL;
}

/* ------------------------------------------------------------------------------------- numbering */

void ir_renumber(struct ir_fn *fn) {
    assert(!fn->forward);
    ir_analyze(fn);
    ir_val *number = arena_alloc_array(fn->arena, fn->nvalues, sizeof(ir_val));
    struct ir_value *values = arena_alloc_array(fn->arena, fn->values_room, sizeof(*values));
    uint32_t next = 1;
    for (uint32_t i = 0; i < fn->norder; i++) {
        fn->order[i]->id = i;
        for (struct ir_inst *inst = fn->order[i]->first; inst; inst = inst->next)
            for (int k = 0; k < 2; k++)
                if (inst->res[k]) {
                    values[next] = fn->values[inst->res[k]];
                    number[inst->res[k]] = next;
                    inst->res[k] = next++;
                }
    }
    for (uint32_t i = 0; i < fn->norder; i++)
        for (struct ir_inst *inst = fn->order[i]->first; inst; inst = inst->next)
            for (uint32_t k = 0; k < inst->nargs; k++)
                inst->args[k] = number[inst->args[k]];
    fn->values = values;
    fn->nvalues = next;
    memcpy(fn->blocks, fn->order, fn->norder * sizeof(fn->blocks[0]));
    fn->nblocks = fn->norder;
}
