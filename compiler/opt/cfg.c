/* SPDX-License-Identifier: MIT */
/*
 * Control-flow cleaning: branches whose sides are equal become jumps, jumps to empty blocks go where
 * these go, and a block that is the only successor of its only predecessor joins it.
 *
 * Lists of predecessors are rebuilt as a whole and never searched: blocks with tens of thousands of
 * predecessors are what large generated programs have.
 */
#include "opt/opt.h"

#include <assert.h>

#include "util/vec.h"

struct edge {
    struct ir_block *pred;
    uint32_t arg; /* the phi arguments that it brings: index in the lists before */
};

struct cleaner {
    struct ir_fn *fn;
    struct arena *arena;
    VEC(struct edge) edges;
    VEC(struct edge) work;
    struct ir_block **joined; /* by block id: the block that it became part of, or NULL */
};

static void jump_instead(struct ir_fn *fn, struct ir_block *block) {
    if (!block->target[1] || block->target[0] != block->target[1])
        return;
    ir_remove_edge(fn, block, block->target[1]);
    block->last->op = IR_JUMP;
    block->last->type = IR_VOID;
    block->last->nargs = 0;
}

/* ---------------------------------------------------------------------------- empty blocks */

static bool is_empty(const struct cleaner *c, const struct ir_block *block) {
    return block != c->fn->blocks[0] && block->first == block->last && block->last->op == IR_JUMP &&
           block->target[0] != block;
}

static bool has_phis(const struct ir_block *block) {
    return block->first->op == IR_PHI;
}

/* Lets the predecessors of an empty block go to its target themselves; those that already go there
 * by their other side stay when phis must tell the two ways apart. */
static void skip_empty(struct cleaner *c, struct ir_block *to, struct edge through) {
    struct ir_block *empty = through.pred;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < empty->npreds; i++) {
        struct ir_block *pred = empty->preds[i];
        bool there = pred->target[0] == to || pred->target[1] == to;
        if (there && has_phis(to)) {
            empty->preds[kept++] = pred;
            continue;
        }
        pred->target[pred->target[0] != empty] = to;
        vec_push(c->arena, &c->work, (struct edge){pred, through.arg});
    }
    empty->npreds = kept;
    if (kept) {
        vec_push(c->arena, &c->edges, through);
        return;
    }
    ir_remove(c->fn, empty->last);
    c->fn->blocks[empty->id] = NULL;
}

static void skip_empty_preds(struct cleaner *c, struct ir_block *block) {
    bool any = false;
    for (uint32_t i = 0; i < block->npreds; i++)
        any |= is_empty(c, block->preds[i]);
    if (!any)
        return;
    vec_clear(&c->edges);
    for (uint32_t i = 0; i < block->npreds; i++) {
        vec_push(c->arena, &c->work, (struct edge){block->preds[i], i});
        while (c->work.count) {
            struct edge edge = vec_pop(&c->work);
            if (edge.pred != block && is_empty(c, edge.pred))
                skip_empty(c, block, edge);
            else
                vec_push(c->arena, &c->edges, edge);
        }
    }
    uint32_t n = (uint32_t)c->edges.count;
    block->preds = arena_alloc_array(c->fn->arena, n, sizeof(struct ir_block *));
    block->npreds = block->preds_room = n;
    for (uint32_t i = 0; i < n; i++)
        block->preds[i] = c->edges.items[i].pred;
    for (struct ir_inst *phi = block->first; phi->op == IR_PHI; phi = phi->next) {
        ir_val *args = arena_alloc_array(c->fn->arena, n, sizeof(ir_val));
        for (uint32_t i = 0; i < n; i++)
            args[i] = phi->args[c->edges.items[i].arg];
        phi->args = args;
        phi->nargs = n;
    }
}

/* ---------------------------------------------------------------------- straight-line blocks */

static struct ir_block *current(const struct cleaner *c, struct ir_block *block) {
    while (c->joined[block->id])
        block = c->joined[block->id];
    return block;
}

/* Predecessor lists of next's successors still name `next`; they are corrected in the end. */
static void join(struct cleaner *c, struct ir_block *block, struct ir_block *next) {
    ir_remove(c->fn, block->last);
    for (struct ir_inst *inst = next->first, *after; inst; inst = after) {
        after = inst->next;
        if (inst->op == IR_PHI) {
            ir_replace(c->fn, inst->res[0], inst->args[0]);
            ir_remove(c->fn, inst);
        } else {
            ir_append(block, inst);
        }
    }
    block->target[0] = next->target[0];
    block->target[1] = next->target[1];
    c->joined[next->id] = block;
    c->fn->blocks[next->id] = NULL;
}

static void join_successors(struct cleaner *c, struct ir_block *block) {
    for (;;) {
        struct ir_block *next = block->target[0];
        if (!next || block->target[1] || next->npreds != 1 || next == block)
            return;
        assert(block->last->op == IR_JUMP && current(c, next->preds[0]) == block);
        join(c, block, next);
    }
}

static void correct_preds(struct cleaner *c) {
    for (uint32_t i = 0; i < c->fn->nblocks; i++) {
        struct ir_block *block = c->fn->blocks[i];
        for (uint32_t k = 0; block && k < block->npreds; k++)
            block->preds[k] = current(c, block->preds[k]);
    }
}

void opt_cfg(struct ir_fn *fn) {
    struct arena *arena = arena_new();
    struct cleaner c = {
        .fn = fn,
        .arena = arena,
        .joined = arena_alloc_array(arena, fn->nblocks, sizeof(struct ir_block *)),
    };
    for (uint32_t i = fn->norder;
         i-- > 0;) { /* successors first: chains are followed to their end */
        struct ir_block *block = fn->order[i];
        if (fn->blocks[block->id])
            skip_empty_preds(&c, block);
    }
    for (uint32_t i = 0; i < fn->norder; i++)
        if (fn->blocks[fn->order[i]->id])
            jump_instead(fn, fn->order[i]);
    for (uint32_t i = 0; i < fn->norder; i++)
        if (fn->blocks[fn->order[i]->id])
            join_successors(&c, fn->order[i]);
    correct_preds(&c);
    ir_resolve(fn);
    arena_free(arena);
}
