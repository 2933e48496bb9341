/* SPDX-License-Identifier: MIT */
/*
 * Two branches on one condition, and what compilers make of `if (c) x -= y`. eBPF has no select, so that
 * clang, which turned the statement into x - (c ? y : 0), writes a diamond that chooses y or 0, one for
 * every value that depends on c. Here they become what they were:
 *
 *     b0: br c, b1, b2                     b0: br c, b1, b5
 *     b1: jump b2                          b1: v3 = sub x, y
 *     b2: v1 = phi b0: 0, b1: y                jump b5
 *         br c, b4, b5               =>    b5: v2 = phi b0: x, b1: v3
 *     b4: ...                                  ...
 *     b5: v2 = sub x, v1
 *
 * First, merging: a block of phis that branches as the block in front of it did goes, each way in leads
 * to the side that the condition tells, and its phis move to where the two sides meet. Then, sinking: an
 * operation on a phi that is 0 on all ways in but one is done on that one alone.
 */
#include "opt/opt.h"

#include "opt/uses.h"

#define PHIS_MAX 64 /* of a block where sides meet */
#define ROUNDS 4    /* diamonds in a row that become one */

/* ------------------------------------------------------------------------------------- merging */

struct merger {
    struct ir_fn *fn;
    bool *touched; /* by block id: changed in this round */
    bool changed;
};

/* One way from the first branch to the second one's target, by side of the first. */
struct way {
    struct ir_block *from;   /* the predecessor of the second */
    struct ir_block *target; /* of the second: the side's block, or where sides meet */
    struct ir_block *edge;   /* what precedes that: target, or the second itself */
    uint32_t arg;            /* of the second's phis */
};

struct diamonds {
    struct ir_block *first, *second, *join;
    struct way way[2];
};

static bool is_side(const struct ir_block *b, const struct ir_block *only_pred) {
    return b->npreds == 1 && b->preds[0] == only_pred && b->last->op == IR_JUMP &&
           b->first->op != IR_PHI;
}

/* Whether both branch on one condition; *inverse: in the other order. */
static bool same_condition(const struct ir_inst *a, const struct ir_inst *b, bool *inverse) {
    *inverse = ir_cond_inverse((enum ir_cond)a->cond) == b->cond;
    return a->op == IR_BR && b->op == IR_BR && a->type == b->type && a->args[0] == b->args[0] &&
           a->args[1] == b->args[1] && (*inverse || a->cond == b->cond);
}

static bool is_only_phis(const struct ir_block *b) {
    const struct ir_inst *inst = b->first;
    while (inst->op == IR_PHI)
        inst = inst->next;
    return inst == b->last;
}

static bool find_way(struct diamonds *d, int side, bool inverse) {
    struct way *way = &d->way[side];
    struct ir_block *to = d->first->target[side];
    way->from = to == d->second ? d->first : to;
    if (to != d->second && (!is_side(to, d->first) || to->target[0] != d->second))
        return false;
    way->arg = d->second->preds[1] == way->from;
    way->target = d->second->target[inverse ? !side : side];
    way->edge = is_side(way->target, d->second) ? way->target : d->second;
    return true;
}

static bool find_diamonds(struct ir_block *b, struct diamonds *d) {
    bool inverse;
    if (b->npreds != 2 || !b->idom || b->target[0] == b->target[1] || !is_only_phis(b))
        return false;
    d->first = b->idom;
    d->second = b;
    if (d->first->target[0] == d->first->target[1] ||
        !same_condition(d->first->last, b->last, &inverse) || !find_way(d, 0, inverse) ||
        !find_way(d, 1, inverse))
        return false;
    struct ir_block *join[2];
    for (int k = 0; k < 2; k++)
        join[k] = d->way[k].edge == b ? d->way[k].target : d->way[k].target->target[0];
    d->join = join[0];
    return join[0] == join[1] && d->join->npreds == 2 && d->join != b && d->join != d->first;
}

static void replace_in(struct ir_inst *inst, ir_val old, ir_val v) {
    for (uint32_t i = 0; i < inst->nargs; i++)
        if (inst->args[i] == old)
            inst->args[i] = v;
}

/* A phi of the second block becomes one of the join. */
static void move_phi(struct ir_fn *fn, const struct diamonds *d, struct ir_inst *phi) {
    ir_val v = phi->res[0], brought[2];
    for (int side = 0; side < 2; side++) {
        const struct way *way = &d->way[side];
        uint32_t into = d->join->preds[1] == way->edge;
        brought[into] = phi->args[way->arg];
        for (struct ir_inst *other = d->join->first; other->op == IR_PHI; other = other->next)
            if (other->args[into] == v)
                other->args[into] = brought[into];
        for (struct ir_inst *inst = way->edge == d->second ? NULL : way->target->first; inst;
             inst = inst->next)
            replace_in(inst, v, brought[into]);
    }
    struct ir_inst *moved = ir_inst_new(fn, IR_PHI, phi->type, 2, brought, 1, phi->type);
    moved->insn = phi->insn;
    ir_insert_before(d->join->first, moved);
    ir_replace(fn, v, moved->res[0]);
}

/* The edge from way->from to the second block goes to way->target. */
static void redirect(struct ir_fn *fn, const struct diamonds *d, const struct way *way) {
    struct ir_block *from = way->from;
    ir_val brought[PHIS_MAX];
    uint32_t n = 0;
    if (way->edge == d->second) {
        uint32_t into = d->join->preds[1] == d->second;
        for (const struct ir_inst *phi = d->join->first; phi->op == IR_PHI; phi = phi->next)
            brought[n++] = phi->args[into];
    }
    bool second_target = from->target[0] != d->second;
    from->target[second_target] = way->target;
    ir_add_pred(fn, way->target, from, brought);
}

static uint32_t count_phis(const struct ir_block *b) {
    uint32_t n = 0;
    for (const struct ir_inst *inst = b->first; inst->op == IR_PHI; inst = inst->next)
        n++;
    return n;
}

static void merge(struct merger *m, struct ir_block *b) {
    struct diamonds d;
    if (m->touched[b->id] || !find_diamonds(b, &d) || m->touched[d.first->id] ||
        m->touched[d.join->id] || count_phis(b) + count_phis(d.join) > PHIS_MAX)
        return;
    for (int side = 0; side < 2; side++)
        m->touched[d.way[side].from->id] = m->touched[d.way[side].target->id] = true;
    m->touched[b->id] = m->touched[d.first->id] = m->touched[d.join->id] = m->changed = true;
    while (b->first->op == IR_PHI) {
        struct ir_inst *phi = b->first;
        move_phi(m->fn, &d, phi);
        ir_remove(m->fn, phi);
    }
    for (int side = 0; side < 2; side++)
        redirect(m->fn, &d, &d.way[side]);
    b->npreds = 0; /* unreachable now: the next analysis removes it and its edges */
}

/* -------------------------------------------------------------------------------------- sinking */

struct sinker {
    struct ir_fn *fn;
    struct uses uses;
};

/* The one argument of a phi that is not 0, the others being 0: its number, or -1. */
static int only_argument(const struct ir_fn *fn, const struct ir_inst *phi) {
    int found = -1;
    uint64_t value;
    for (uint32_t i = 0; i < phi->nargs; i++) {
        if (ir_is_const(fn, phi->args[i], &value) && value == 0)
            continue;
        if (found >= 0)
            return -1;
        found = (int)i;
    }
    return found;
}

static bool is_outside(const struct ir_fn *fn, ir_val v, const struct ir_block *b) {
    return fn->values[ir_forwarded(fn, v)].def->block != b;
}

static void move_before(struct ir_fn *fn, struct ir_inst *place, struct ir_inst *inst) {
    (void)fn;
    *(inst->prev ? &inst->prev->next : &inst->block->first) = inst->next;
    inst->next->prev = inst->prev; /* the terminator stays, so there is one */
    ir_insert_before(place, inst);
}

/* Makes v available in front of block b, if it is not: moves what computes it, once what that needs
 * is there. */
static bool make_outside(struct ir_fn *fn, ir_val v, struct ir_block *b) {
    struct ir_inst *def = fn->values[v].def;
    if (def->block != b)
        return true;
    if (!(ir_ops[def->op].flags & IR_PURE))
        return false;
    for (uint32_t i = 0; i < def->nargs; i++) {
        const struct ir_inst *arg = fn->values[ir_forwarded(fn, def->args[i])].def;
        if (arg->block == b && arg->op != IR_CONST)
            return false;
    }
    for (uint32_t i = 0; i < def->nargs; i++)
        if (!is_outside(fn, def->args[i], b))
            move_before(fn, b->idom->last, fn->values[ir_forwarded(fn, def->args[i])].def);
    move_before(fn, b->idom->last, def);
    return true;
}

/* A block that leads to b only, as predecessor number i: if need be, a new one on that edge. */
static struct ir_block *own_pred(struct ir_fn *fn, struct ir_block *b, uint32_t i) {
    struct ir_block *pred = b->preds[i];
    if (!pred->target[1])
        return pred;
    struct ir_block *edge = ir_block_new(fn);
    ir_append(edge, ir_inst_new(fn, IR_JUMP, IR_VOID, 0, NULL, 0, IR_VOID));
    pred->target[pred->target[0] != b] = edge;
    edge->target[0] = b;
    b->preds[i] = edge;
    ir_add_pred(fn, edge, pred, NULL);
    return edge;
}

static void sink(struct sinker *s, struct ir_inst *inst) {
    struct ir_fn *fn = s->fn;
    struct ir_block *b = inst->block;
    bool zero_is_neutral =
        inst->op == IR_ADD || inst->op == IR_SUB || inst->op == IR_OR || inst->op == IR_XOR;
    for (unsigned k = 0; zero_is_neutral && k < 2; k++) {
        ir_val p = inst->args[k], x = ir_forwarded(fn, inst->args[!k]);
        struct ir_inst *phi = fn->values[ir_forwarded(fn, p)].def;
        if ((k == 0 && inst->op == IR_SUB) || phi->res[0] != p || phi->op != IR_PHI ||
            phi->block != b || b->loop_header == b || s->uses.start[p + 1] - s->uses.start[p] != 1)
            continue;
        int only = only_argument(fn, phi);
        if (only < 0 || b->preds[only]->target[0] == b->preds[only]->target[1] ||
            !make_outside(fn, x, b))
            continue;
        struct ir_inst *done = ir_inst_new(fn, (enum ir_op)inst->op, (enum ir_type)inst->type, 2,
                                           NULL, 1, (enum ir_type)inst->type);
        done->args[k] = phi->args[only];
        done->args[!k] = x;
        done->insn = inst->insn;
        ir_insert_before(own_pred(fn, b, (uint32_t)only)->last, done);
        for (uint32_t i = 0; i < phi->nargs; i++)
            phi->args[i] = (int)i == only ? done->res[0] : x;
        ir_replace(fn, inst->res[0], p);
        ir_remove(fn, inst);
        return;
    }
}

static void sink_all(struct ir_fn *fn) {
    struct arena *scratch = arena_new();
    struct sinker s = {.fn = fn};
    uint32_t nvalues = fn->nvalues;
    uses_collect(&s.uses, fn, scratch);
    for (uint32_t i = 0; i < fn->norder; i++) {
        struct ir_block *b = fn->order[i];
        for (struct ir_inst *inst = b->first, *next; b->first->op == IR_PHI && inst; inst = next) {
            next = inst->next;
            if (inst->res[0] && inst->res[0] < nvalues)
                sink(&s, inst);
        }
    }
    ir_resolve(fn);
    arena_free(scratch);
}

void opt_arms(struct ir_fn *fn) {
    for (int round = 0; round < ROUNDS; round++) {
        struct arena *scratch = arena_new();
        struct merger m = {fn, arena_alloc_array(scratch, fn->nblocks, sizeof(bool)), false};
        for (uint32_t i = 0; i < fn->norder; i++)
            merge(&m, fn->order[i]);
        arena_free(scratch);
        if (!m.changed)
            break;
        ir_resolve(fn);
        ir_analyze(fn);
    }
    sink_all(fn);
}
