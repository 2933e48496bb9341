/* SPDX-License-Identifier: MIT */
/*
 * Giving colours: nodes come back from the stack, and each gets a register that its neighbours have
 * not. Among those left, the choice is by estimated cycles:
 *   - the register at the other end of a copy saves that copy;
 *   - a callee-saved register (or lr) that the function does not use yet costs a push and a pop;
 *   - r8 and above cost wider encodings, by the number of operands.
 * A node that finds no register takes one from its neighbours if they are cheaper to spill together;
 * a node that can be computed again at each use does without when a register costs more than that.
 */
#include "thumb2/regalloc.h"

#include <assert.h>
#include <math.h>

#define NEW_REGISTER_COST 2.0f /* push and pop of one more register */
#define HIGH_OPERAND_COST 0.1f /* fetching 16 bits more, mostly hidden */

/* The register that a neighbour or the other end of a copy has; MREG_NONE if none yet. */
static mreg colour_of(const struct ra *ra, mreg reg) {
    reg = ra_alias(ra, reg);
    if (reg < MREG_VIRTUAL)
        return reg;
    return ra->nodes[reg].state == NODE_COLOURED ? ra->nodes[reg].colour : MREG_NONE;
}

static unsigned free_registers(const struct ra *ra, const struct node *n) {
    unsigned taken = n->forbidden;
    vec_for_each(mreg, t, &n->adjacent) {
        mreg colour = colour_of(ra, *t);
        if (colour != MREG_NONE)
            taken |= 1u << colour;
    }
    return ra->fn->allocatable & ~taken;
}

/* Cycles saved by each register because it stands at the other end of a copy. */
static void add_hints(const struct ra *ra, const struct node *n, mreg reg, float saved[16]) {
    vec_for_each(uint32_t, id, &n->moves) {
        const struct move *m = &ra->moves.items[*id];
        mreg dst = ra_alias(ra, m->dst), src = ra_alias(ra, m->src);
        mreg colour = colour_of(ra, dst == reg ? src : dst);
        if (colour != MREG_NONE && dst != src)
            saved[colour] += m->weight;
    }
}

static float register_cost(const struct ra *ra, const struct node *n, mreg r) {
    bool is_free = (1u << r & MIR_CALLER_SAVED && r != MREG_LR) || ra->used >> r & 1;
    float cost = is_free ? 0 : NEW_REGISTER_COST;
    if (r >= 8)
        cost += HIGH_OPERAND_COST * (float)n->nrefs;
    return cost;
}

/* The cheapest register of a mask that is not empty; ties go to the lowest. */
static mreg choose(const struct ra *ra, mreg reg, unsigned mask, float *cost) {
    const struct node *n = &ra->nodes[reg];
    float saved[MREG_VIRTUAL] = {0};
    mreg best = MREG_NONE;
    add_hints(ra, n, reg, saved);
    for (mreg r = 0; r < MREG_VIRTUAL; r++) {
        if (!(mask >> r & 1))
            continue;
        float c = register_cost(ra, n, r) - saved[r];
        if (best == MREG_NONE || c < *cost) {
            best = r;
            *cost = c;
        }
    }
    return best;
}

static void set_spilled(struct ra *ra, mreg reg) {
    ra->nodes[reg].state = NODE_SPILLED;
    vec_push(ra->arena, &ra->spilled, reg);
}

/* No register is left for a node: spills the neighbours in one of them if that is cheaper than
 * spilling the node, or the only way. Returns that register. */
static mreg evict(struct ra *ra, mreg reg) {
    const struct node *n = &ra->nodes[reg];
    float price[MREG_VIRTUAL] = {0};
    ra->stamp++;
    vec_for_each(mreg, t, &n->adjacent) {
        mreg other = ra_alias(ra, *t), colour = colour_of(ra, other);
        if (colour == MREG_NONE)
            continue;
        if (other < MREG_VIRTUAL || ra_unspillable(&ra->nodes[other])) {
            price[colour] = INFINITY;
        } else if (ra->mark[other] != ra->stamp) {
            ra->mark[other] = ra->stamp;
            price[colour] += ra_spill_cost(&ra->nodes[other]);
        }
    }
    mreg best = MREG_NONE;
    float limit = ra_unspillable(n) ? INFINITY : ra_spill_cost(n);
    for (mreg r = 0; r < MREG_VIRTUAL; r++)
        if (ra->fn->allocatable & ~(unsigned)n->forbidden & 1u << r && price[r] < limit) {
            best = r;
            limit = price[r];
        }
    if (best == MREG_NONE)
        return best;
    vec_for_each(mreg, t, &n->adjacent) {
        mreg other = ra_alias(ra, *t);
        if (colour_of(ra, other) == best)
            set_spilled(ra, other);
    }
    return best;
}

static void select_one(struct ra *ra, mreg reg) {
    struct node *n = &ra->nodes[reg];
    unsigned mask = free_registers(ra, n);
    float cost = 0;
    mreg r = mask ? choose(ra, reg, mask, &cost) : evict(ra, reg);
    if (mask && ra_is_remat(n) && !ra_unspillable(n) && cost > ra_spill_cost(n))
        r = MREG_NONE;
    if (r == MREG_NONE) {
        assert(!ra_unspillable(n) && "one instruction needs more registers than there are");
        set_spilled(ra, reg);
        return;
    }
    n->state = NODE_COLOURED;
    n->colour = (uint8_t)r;
    ra->used |= (uint16_t)(1u << r);
}

void ra_select(struct ra *ra) {
    while (ra->stack.count)
        select_one(ra, vec_pop(&ra->stack));
}
