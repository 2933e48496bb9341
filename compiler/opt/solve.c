/* SPDX-License-Identifier: MIT */
/*
 * The sparse conditional solver of known.h: two work lists, of edges that control may take and of
 * uses whose argument has changed. What is known only shrinks; a phi takes in the argument that
 * changed instead of being computed anew, so that phis of very many arguments cost nothing extra.
 */
#include <assert.h>

#include "opt/known.h"
#include "opt/uses.h"
#include "util/vec.h"

struct cfg_edge {
    struct ir_block *to;
    uint32_t index; /* in to->preds */
};

struct solver {
    const struct ir_fn *fn;
    struct arena *arena;
    struct solution *s;
    struct uses uses;
    VEC(struct cfg_edge) edges;
    VEC(ir_val) changed;
    uint8_t *lowered; /* by value, phis only: how often, up to PATIENCE */
};

/* What a phi keeps losing bit by bit, as a counter does, is given up at once after so many times. */
#define PATIENCE 8

static struct known met(const struct known *a, const struct known *b) {
    return (struct known){a->zeros & b->zeros, a->ones & b->ones, a->sext && b->sext};
}

/* Gives v what is less than it has, if it is; its uses will be looked at again. */
static bool lower(struct solver *s, ir_val v, struct known less) {
    struct known *own = &s->s->known[v];
    if (less.zeros == own->zeros && less.ones == own->ones && less.sext == own->sext)
        return false;
    *own = less;
    vec_push(s->arena, &s->changed, v);
    return true;
}

/* Less than k: the bits above the next width of memory that are 0, and those at the bottom that are. */
static struct known widened(const struct known *k) {
    unsigned bits = k->zeros >> 8 == UINT64_MAX >> 8     ? 8
                    : k->zeros >> 16 == UINT64_MAX >> 16 ? 16
                    : k->zeros >> 32 == UINT64_MAX >> 32 ? 32
                                                         : 64;
    uint64_t above = bits == 64 ? 0 : UINT64_MAX << bits;
    uint64_t below = k->zeros & ~(k->zeros + 1); /* the run of ones from bit 0 on */
    return (struct known){.zeros = above | below, .sext = k->sext};
}

static void lower_phi(struct solver *s, ir_val phi, const struct known *arg) {
    struct known less = met(&s->s->known[phi], arg);
    if (s->lowered[phi] == PATIENCE)
        lower(s, phi, widened(&less));
    else
        s->lowered[phi] += lower(s, phi, less);
}

static void take(struct solver *s, struct ir_block *block, unsigned side) {
    struct ir_block *to = block->target[side];
    uint32_t index = s->s->edge[block->id][side];
    if (s->s->edge_live[s->s->edge_base[to->id] + index])
        return;
    s->s->edge_live[s->s->edge_base[to->id] + index] = true;
    vec_push(s->arena, &s->edges, (struct cfg_edge){to, index});
}

static void visit_terminator(struct solver *s, const struct ir_inst *inst) {
    struct ir_block *block = inst->block;
    int holds = -1;
    if (inst->op == IR_BR) {
        const struct known *a = &s->s->known[inst->args[0]], *b = &s->s->known[inst->args[1]];
        if (known_unreached(a) || known_unreached(b))
            return;
        holds = known_cond((enum ir_cond)inst->cond, (enum ir_type)inst->type, a, b);
    } else if (inst->op == IR_BR2) {
        struct known words[2];
        for (int i = 0; i < 2; i++) {
            const struct known *lo = &s->s->known[inst->args[2 * i]];
            const struct known *hi = &s->s->known[inst->args[2 * i + 1]];
            if (known_unreached(lo) || known_unreached(hi))
                return;
            words[i] = (struct known){(lo->zeros & UINT32_MAX) | hi->zeros << 32,
                                      (lo->ones & UINT32_MAX) | hi->ones << 32, false};
        }
        holds = known_cond((enum ir_cond)inst->cond, IR_I64, &words[0], &words[1]);
    }
    for (unsigned side = 0; side < 2 && block->target[side]; side++)
        if (holds < 0 || (unsigned)!holds == side)
            take(s, block, side);
}

static void visit(struct solver *s, const struct ir_inst *inst) {
    if (ir_ops[inst->op].flags & IR_TERM) {
        visit_terminator(s, inst);
        return;
    }
    if (!inst->res[0])
        return;
    struct known args[4] = {{0}}, result[2];
    bool pure = ir_ops[inst->op].flags & IR_PURE;
    assert(!pure || inst->nargs <= 4);
    for (uint32_t i = 0; pure && i < inst->nargs; i++) {
        args[i] = s->s->known[inst->args[i]];
        if (known_unreached(&args[i]))
            return;
    }
    known_transfer(inst, args, result);
    for (int i = 0; i < 2; i++)
        if (inst->res[i])
            lower(s, inst->res[i], met(&s->s->known[inst->res[i]], &result[i]));
}

static void visit_phi_argument(struct solver *s, const struct ir_inst *phi, uint32_t index) {
    const struct known *arg = &s->s->known[phi->args[index]];
    if (s->s->edge_live[s->s->edge_base[phi->block->id] + index] && !known_unreached(arg))
        lower_phi(s, phi->res[0], arg);
}

static void visit_edge(struct solver *s, struct cfg_edge edge) {
    struct ir_inst *inst = edge.to->first;
    for (; inst && inst->op == IR_PHI; inst = inst->next)
        visit_phi_argument(s, inst, edge.index);
    if (s->s->block_live[edge.to->id])
        return;
    s->s->block_live[edge.to->id] = true;
    for (; inst; inst = inst->next)
        visit(s, inst);
}

static void visit_uses(struct solver *s, ir_val v) {
    uses_for_each(use, &s->uses, v) {
        if (!s->s->block_live[use->inst->block->id])
            continue;
        if (use->inst->op == IR_PHI)
            visit_phi_argument(s, use->inst, use->arg);
        else
            visit(s, use->inst);
    }
}

/* Where each edge stands in its target's list of predecessors. */
static void number_edges(struct solver *s) {
    const struct ir_fn *fn = s->fn;
    uint32_t n = 0;
    for (uint32_t i = 0; i < fn->nblocks; i++)
        s->s->edge[i][0] = s->s->edge[i][1] = UINT32_MAX;
    for (uint32_t i = 0; i < fn->norder; i++) {
        const struct ir_block *block = fn->order[i];
        s->s->edge_base[block->id] = n;
        n += block->npreds;
        for (uint32_t k = 0; k < block->npreds; k++) {
            const struct ir_block *pred = block->preds[k];
            uint32_t *sides = s->s->edge[pred->id];
            bool second = pred->target[0] != block || sides[0] != UINT32_MAX;
            sides[second] = k;
        }
    }
    s->s->edge_live = arena_alloc_array(s->arena, n + 1, sizeof(bool));
}

void known_solve(const struct ir_fn *fn, struct arena *arena, struct solution *out) {
    struct solver s = {.fn = fn, .arena = arena, .s = out};
    out->known = arena_alloc_array(arena, fn->nvalues, sizeof(*out->known));
    out->block_live = arena_alloc_array(arena, fn->nblocks, sizeof(bool));
    out->edge_base = arena_alloc_array(arena, fn->nblocks, sizeof(uint32_t));
    out->edge = arena_alloc_array(arena, fn->nblocks, sizeof(*out->edge));
    for (uint32_t v = 0; v < fn->nvalues; v++)
        out->known[v] = KNOWN_NOTHING_YET;
    s.lowered = arena_alloc_array(arena, fn->nvalues, sizeof(*s.lowered));
    number_edges(&s);
    uses_collect(&s.uses, fn, arena);
    out->block_live[fn->blocks[0]->id] = true;
    for (const struct ir_inst *inst = fn->blocks[0]->first; inst; inst = inst->next)
        visit(&s, inst);
    while (s.edges.count || s.changed.count) {
        if (s.changed.count)
            visit_uses(&s, vec_pop(&s.changed));
        else
            visit_edge(&s, vec_pop(&s.edges));
    }
}
