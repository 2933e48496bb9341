/* SPDX-License-Identifier: MIT */
/*
 * Spilling: the registers of a spilled node live in a slot from now on, or nowhere if their value can
 * be computed again. Every instruction that uses one gets temporaries of its own, which live just for
 * this instruction and are never spilled again, so that allocation ends. A copy from or to a spilled
 * register becomes the load or the store itself.
 *
 * Uses that follow each other closely share a temporary instead of loading again. Such a temporary
 * of a stretch can be spilled once more, and then gives way to temporaries of one instruction. It keeps
 * the slot, which has the same value all along, so that only its loads go.
 */
#include "thumb2/regalloc.h"

#include <assert.h>

#define REACH 16         /* instructions from one use to the next that share a temporary */
#define SHARING_ROUNDS 1 /* later, the few registers that still spill do it at once for good */

/* What holds the value of a spilled node at this point of a block. */
struct held {
    mreg temp;
    uint32_t position; /* of the last instruction that used it; 0: nothing holds it */
};

struct spiller {
    struct ra *ra;
    struct mir_block *block;
    struct held *held; /* by node */
    uint32_t position; /* of the instruction */
    uint32_t barrier;  /* position of the last call, or of the block's start */
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

static mreg new_temporary(struct ra *ra, const struct node *n) {
    vec_push(ra->lasting->arena, &ra->lasting->vregs,
             (struct vreg){.atomic = true, .slot = n->slot});
    return mir_reg_new(ra->fn);
}

static struct held *held_of(const struct spiller *s, const struct node *n) {
    return &s->held[n - s->ra->nodes];
}

/* A temporary that still has the node's value, or MREG_NONE. */
static mreg still_held(struct spiller *s, mreg reg, const struct node *n) {
    struct held *h = held_of(s, n);
    if (s->ra->lasting->nrounds >= SHARING_ROUNDS || s->ra->lasting->vregs.items[reg].stretch ||
        h->position <= s->barrier || s->position - h->position > REACH)
        return MREG_NONE;
    struct vreg *temp = &s->ra->lasting->vregs.items[h->temp];
    temp->atomic = false;
    temp->stretch = true;
    h->position = s->position;
    return h->temp;
}

static void now_holds(struct spiller *s, const struct node *n, mreg temp) {
    *held_of(s, n) = (struct held){temp, s->position};
}

static void holds_nothing(struct spiller *s, const struct node *n) {
    held_of(s, n)->position = 0;
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

/* A temporary with the value of reg, which belongs to n. */
static mreg value_before(struct spiller *s, struct mir_inst *inst, mreg reg, const struct node *n) {
    mreg temp = still_held(s, reg, n);
    if (temp == MREG_NONE) {
        temp = new_temporary(s->ra, n);
        load_before(s, inst, n, temp);
        now_holds(s, n, temp);
    }
    return temp;
}

static void rewrite_copy(struct spiller *s, struct mir_inst *inst) {
    mreg src = inst->src[0];
    const struct node *to = spilled_node(s->ra, inst->dst[0]);
    const struct node *from = spilled_node(s->ra, src);
    if (to == from) {
        if (to)
            mir_remove(s->block, inst); /* the slot has the value already */
        return;
    }
    if (from && to) {
        src = value_before(s, inst, src, from);
    } else if (from) {
        mreg temp = still_held(s, src, from);
        if (temp != MREG_NONE) {
            inst->src[0] = temp;
            return;
        }
        load_before(s, inst, from, inst->dst[0]);
    }
    if (to) {
        store_after(s, inst, to, src);
        holds_nothing(s, to);
    }
    mir_remove(s->block, inst);
}

/* Is inst the load or store of a temporary that goes back to where the value is anyway? */
static bool is_superfluous(const struct spiller *s, const struct mir_inst *inst) {
    const struct node *n = NULL;
    if (inst->op == MIR_RELOAD)
        n = spilled_node(s->ra, inst->dst[0]);
    else if (inst->op == MIR_SPILL)
        n = spilled_node(s->ra, inst->src[0]);
    if (n)
        return !ra_is_remat(n) && n->slot == inst->imm;
    n = spilled_node(s->ra, inst->dst[0]);
    return n && ra_is_remat(n);
}

static void rewrite_operands(struct spiller *s, struct mir_inst *inst) {
    mreg old_src[MIR_MAX_SRC];
    for (int i = 0; i < MIR_MAX_SRC; i++) {
        old_src[i] = inst->src[i];
        const struct node *n = spilled_node(s->ra, inst->src[i]);
        if (!n)
            continue;
        int first = 0;
        while (old_src[first] != inst->src[i])
            first++;
        inst->src[i] = first < i ? inst->src[first] : value_before(s, inst, inst->src[i], n);
    }
    for (int i = 0; i < MIR_MAX_DST; i++) {
        const struct node *n = spilled_node(s->ra, inst->dst[i]);
        if (!n)
            continue;
        mreg reg = MREG_NONE;
        for (int k = 0; k < MIR_MAX_SRC; k++)
            if (old_src[k] == inst->dst[i])
                reg = inst->src[k];
        inst->dst[i] = reg != MREG_NONE ? reg : new_temporary(s->ra, n);
        now_holds(s, n, inst->dst[i]);
        if (inst != s->block->last)
            store_after(s, inst, n, inst->dst[i]);
    }
}

static void rewrite_block(struct spiller *s) {
    s->barrier = s->position++;
    for (struct mir_inst *inst = s->block->first, *next; inst; inst = next) {
        next = inst->next;
        s->position++;
        if (is_superfluous(s, inst))
            mir_remove(s->block, inst);
        else if (inst->op == MIR_COPY)
            rewrite_copy(s, inst);
        else
            rewrite_operands(s, inst);
        if (inst->clobbers)
            s->barrier = s->position;
    }
}

/* Spilled nodes get slots: that of their registers, if these are temporaries that share one. */
static void assign_slots(struct ra *ra) {
    enum { UNSEEN = -2 };
    vec_for_each(mreg, reg, &ra->spilled)
        ra->nodes[*reg].slot = UNSEEN;
    for (mreg r = MREG_VIRTUAL; r < ra->nnodes; r++) {
        struct node *n = spilled_node(ra, r);
        int32_t slot = ra->lasting->vregs.items[r].slot;
        if (n)
            n->slot = n->slot == UNSEEN || n->slot == slot ? slot : -1;
    }
    vec_for_each(mreg, reg, &ra->spilled) {
        struct node *n = &ra->nodes[*reg];
        if (ra_is_remat(n))
            n->slot = -1;
        else if (n->slot < 0)
            n->slot = (int32_t)ra->lasting->nslots++;
    }
}

void ra_spill(struct ra *ra) {
    struct spiller s = {.ra = ra};
    s.held = arena_alloc_array(ra->arena, ra->nnodes, sizeof(*s.held));
    assign_slots(ra);
    for (uint32_t i = 0; i < ra->fn->nblocks; i++) {
        s.block = ra->fn->blocks[i];
        rewrite_block(&s);
    }
}
