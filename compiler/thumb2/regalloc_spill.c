/* SPDX-License-Identifier: MIT */
/*
 * Spilling: the registers of a spilled node live in a slot from now on, or nowhere if their value can
 * be computed again. Every instruction that uses one gets temporaries of its own, which live just for
 * this instruction and are never spilled again, so that allocation ends. A copy from or to a spilled
 * register becomes the load or the store itself.
 */
#include "thumb2/regalloc.h"

#include <assert.h>

struct spiller {
    struct ra *ra;
    struct mir_block *block;
};

/* The spilled node that a register belongs to, or NULL. Registers made in this pass have none. */
static struct node *spilled_node(const struct ra *ra, mreg reg) {
    if (reg == MREG_NONE || reg < MREG_VIRTUAL || reg >= ra->nnodes)
        return NULL;
    reg = ra_alias(ra, reg);
    if (reg < MREG_VIRTUAL || ra->nodes[reg].state != NODE_SPILLED)
        return NULL;
    return &ra->nodes[reg];
}

static mreg new_temporary(struct ra *ra) {
    vec_push(ra->lasting->arena, &ra->lasting->vregs, (struct vreg){.atomic = true, .slot = -1});
    return mir_reg_new(ra->fn);
}

static struct mir_inst *new_inst(struct spiller *s, unsigned op, const struct mir_inst *near) {
    struct mir_inst *inst = mir_inst_new(s->ra->fn, op);
    inst->insn = near->insn;
    return inst;
}

/* Puts the value of a spilled node into d, in front of inst. */
static void load_before(struct spiller *s, struct mir_inst *inst, const struct node *n, mreg d) {
    struct mir_inst *load;
    if (ra_is_remat(n)) {
        load = new_inst(s, n->remat->op, inst);
        uint32_t insn = load->insn;
        *load = *n->remat;
        load->insn = insn;
    } else {
        load = new_inst(s, MIR_RELOAD, inst);
        load->imm = n->slot;
    }
    load->dst[0] = d;
    mir_insert_before(s->block, inst, load);
}

static void store_after(struct spiller *s, struct mir_inst *inst, const struct node *n, mreg from) {
    assert(inst->next && "a terminator writes only scratch registers");
    struct mir_inst *store = new_inst(s, MIR_SPILL, inst);
    store->src[0] = from;
    store->imm = n->slot;
    mir_insert_before(s->block, inst->next, store);
}

/* Copies, loads and stores between a spilled register and something else; true if inst is done. */
static bool rewrite_transfer(struct spiller *s, struct mir_inst *inst) {
    if (inst->op != MIR_COPY)
        return false;
    const struct node *to = spilled_node(s->ra, inst->dst[0]);
    const struct node *from = spilled_node(s->ra, inst->src[0]);
    if (!to && !from)
        return true;
    if (to != from) {
        mreg reg = inst->src[0];
        if (from) {
            reg = to ? new_temporary(s->ra) : inst->dst[0];
            load_before(s, inst, from, reg);
        }
        if (to)
            store_after(s, inst, to, reg);
    }
    mir_remove(s->block, inst);
    return true;
}

static void rewrite_inst(struct spiller *s, struct mir_inst *inst) {
    if (rewrite_transfer(s, inst))
        return;
    const struct node *defined = spilled_node(s->ra, inst->dst[0]);
    if (defined && ra_is_remat(defined)) {
        assert(inst->remat);
        mir_remove(s->block, inst);
        return;
    }
    mreg old_src[MIR_MAX_SRC];
    for (int i = 0; i < MIR_MAX_SRC; i++) {
        old_src[i] = inst->src[i];
        const struct node *n = spilled_node(s->ra, inst->src[i]);
        if (!n)
            continue;
        int first = 0;
        while (old_src[first] != inst->src[i])
            first++;
        if (first == i) {
            inst->src[i] = new_temporary(s->ra);
            load_before(s, inst, n, inst->src[i]);
        } else {
            inst->src[i] = inst->src[first];
        }
    }
    for (int i = 0; i < MIR_MAX_DST; i++) {
        const struct node *n = spilled_node(s->ra, inst->dst[i]);
        if (!n)
            continue;
        mreg reg = MREG_NONE;
        for (int k = 0; k < MIR_MAX_SRC; k++)
            if (old_src[k] == inst->dst[i])
                reg = inst->src[k];
        inst->dst[i] = reg != MREG_NONE ? reg : new_temporary(s->ra);
        if (inst != s->block->last)
            store_after(s, inst, n, inst->dst[i]);
    }
}

void ra_spill(struct ra *ra) {
    vec_for_each(mreg, reg, &ra->spilled) {
        struct node *n = &ra->nodes[*reg];
        n->slot = ra_is_remat(n) ? -1 : (int32_t)ra->lasting->nslots++;
    }
    for (uint32_t i = 0; i < ra->fn->nblocks; i++) {
        struct spiller s = {ra, ra->fn->blocks[i]};
        for (struct mir_inst *inst = s.block->first, *next; inst; inst = next) {
            next = inst->next;
            rewrite_inst(&s, inst);
        }
    }
}
