/* SPDX-License-Identifier: MIT */
/*
 * Bounds of induction variables. Known bits cannot say that a counter that goes up from 0 until it
 * is n stays below n; without that, every counter of a loop needs its high word, and the comparison
 * that ends the loop both words.
 *
 * A variable here is a phi p of a loop header with one way in (init) and one back edge, which brings
 * next = p + step. Where a branch decides every iteration whether there is another one, its
 * condition holds on the back edge. Let bound be what does not change in the loop:
 *
 *   next < bound     then p <= max(init, bound - 1), whatever the step
 *   next != bound    then p goes from init to bound in steps: if bound - init is a multiple of the
 *                    step and greater than 0, p never passes it. That needs constants, or a step of
 *                    1 from (or to) 0 and a proof that the loop is not entered with 0: a branch
 *                    around the loop, which compilers write when they turn a < into a !=
 *   next > -1        (signed, downwards) then 0 <= p <= init
 *
 * and the same for tests of p itself; the first one, for any sum of p and a constant, too. All of it is about numbers of p's width; a test of trunc(next)
 * is one of next as long as nothing exceeds 32 bits.
 */
#include <assert.h>

#include "opt/known.h"

#define MAX_DEPTH 32 /* dominators looked at for a test, for a guard */

/* A comparison that holds in every iteration that is followed by another one. */
struct test {
    enum ir_cond cond;
    int64_t offset; /* what is tested is the phi + offset: 0 the phi itself, the step: next */
    bool of_next;   /* offset is the step */
    bool low_word;  /* of the low word only */
    ir_val bound;
    uint64_t least, greatest; /* of bound */
};

/* Greatest values; UINT64_MAX: not known. */
struct bounds {
    uint64_t phi, next;
    bool phi_sext, next_sext; /* it is between INT32_MIN and INT32_MAX */
};

/* -------------------------------------------------------------------------------- conditions */

struct condition {
    enum ir_cond cond;
    ir_val a, b;
};

/* What holds when control leaves `block` by side k. */
static bool condition_of(const struct ir_block *block, unsigned k, struct condition *c) {
    const struct ir_inst *br = block->last;
    if (br->op != IR_BR)
        return false;
    enum ir_cond cond = (enum ir_cond)br->cond;
    *c = (struct condition){k ? ir_cond_inverse(cond) : cond, br->args[0], br->args[1]};
    return true;
}

/* The side of `block` by which alone control comes to `to` (which it dominates), or -1. */
static int side_towards(const struct ir_block *block, const struct ir_block *to) {
    for (int k = 0; k < 2 && block->target[1]; k++)
        if (block->target[k]->npreds == 1 && ir_dominates(block->target[k], to))
            return k;
    return -1;
}

static ir_val stripped(const struct ir_fn *fn, ir_val v, enum ir_op op) {
    const struct ir_inst *def = fn->values[v].def;
    return def->op == op ? def->args[0] : v;
}

/* ------------------------------------------------------------------------------------- guards */

static bool implies_nonzero(const struct ir_fn *fn, const struct solution *s, struct condition c,
                            ir_val v) {
    v = stripped(fn, v, IR_ZEXT);
    if (stripped(fn, c.a, IR_ZEXT) != v) {
        ir_val a = c.a;
        c = (struct condition){ir_cond_swapped(c.cond), c.b, a};
        if (stripped(fn, c.a, IR_ZEXT) != v)
            return false;
    }
    const struct known *b = &s->known[c.b];
    switch (c.cond) {
    case IR_COND_NE: return known_max(b) == 0;
    case IR_COND_UGT: return true;
    case IR_COND_UGE:
    case IR_COND_EQ: return b->ones != 0;
    default: return false;
    }
}

/* Whether v is not 0 when the loop is entered. */
static bool nonzero_at_entry(const struct ir_fn *fn, const struct solution *s,
                             const struct induction *var, ir_val v) {
    struct condition c;
    if (s->known[v].ones)
        return true;
    if (var->entry->target[1] && var->entry->target[0] != var->entry->target[1] &&
        condition_of(var->entry, var->entry->target[0] != var->header, &c) &&
        implies_nonzero(fn, s, c, v))
        return true;
    const struct ir_block *block = var->entry->idom;
    for (int i = 0; block && i < MAX_DEPTH; i++, block = block->idom) {
        int side = side_towards(block, var->entry);
        if (side >= 0 && condition_of(block, (unsigned)side, &c) && implies_nonzero(fn, s, c, v))
            return true;
    }
    return false;
}

/* -------------------------------------------------------------------------------------- bounds */

/* The number up to which values may go without being taken for others by the test. */
static uint64_t limit(const struct induction *var, const struct test *t) {
    bool word = var->type == IR_I32 || t->low_word;
    bool is_signed = t->cond >= IR_COND_SLT && t->cond <= IR_COND_SLE;
    return (word ? (uint64_t)UINT32_MAX : UINT64_MAX) >> is_signed;
}

static bool sum_within(uint64_t a, uint64_t b, uint64_t max, uint64_t *sum) {
    *sum = a + b;
    return *sum >= a && *sum <= max;
}

static uint64_t greater(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* p + offset < bound or <= bound, upwards. What is tested is at most `last` then, whatever came before,
 * and the next p is that much and step - offset. */
static bool bound_below(const struct induction *var, const struct test *t, uint64_t init,
                        struct bounds *out) {
    bool strict = t->cond == IR_COND_ULT || t->cond == IR_COND_SLT;
    uint64_t last = t->greatest - (strict && t->greatest > 0), step = (uint64_t)var->step;
    uint64_t max = limit(var, t);
    if (t->greatest > max || init > max)
        return false; /* might be negative, or more than the low word */
    if (t->offset > var->step || !sum_within(last, (uint64_t)(var->step - t->offset), max, &last))
        return false;
    out->phi = greater(init, last);
    return sum_within(out->phi, step, max, &out->next);
}

/* The same from a negative constant to a constant: says whether all numbers fit a signed word. */
static bool meet_signed(const struct solution *s, const struct induction *var, const struct test *t,
                        struct bounds *out) {
    const struct known *init = &s->known[var->init];
    int64_t first = (int64_t)init->ones, bound = (int64_t)t->least;
    bool constant = known_constant(init) && t->least == t->greatest;
    if (!constant || var->type != IR_I64 || t->low_word || first < INT32_MIN || bound > INT32_MAX ||
        first > bound || (first == bound && t->of_next) || (bound - first) % var->step != 0)
        return false;
    *out = (struct bounds){UINT64_MAX, UINT64_MAX, true, false};
    out->next_sext = t->of_next || bound + var->step <= INT32_MAX;
    return true;
}

/* next or p != bound, upwards: p must meet the bound exactly. */
static bool meet_above(const struct ir_fn *fn, const struct solution *s,
                       const struct induction *var, const struct test *t, struct bounds *out) {
    const struct known *init = &s->known[var->init];
    uint64_t step = (uint64_t)var->step, first = init->ones, max = limit(var, t);
    if (!known_constant(init) || first > t->least || t->greatest > max)
        return false;
    bool constant = t->least == t->greatest;
    if (constant && (t->greatest - first) % step != 0)
        return false;
    if (!constant && (step != 1 || first != 0))
        return false;
    if (t->of_next && t->least == first && (constant || !nonzero_at_entry(fn, s, var, t->bound)))
        return false;
    out->phi = t->of_next ? t->greatest - step : t->greatest;
    return sum_within(out->phi, step, max, &out->next);
}

/* next or p != bound, downwards. */
static bool meet_below(const struct ir_fn *fn, const struct solution *s,
                       const struct induction *var, const struct test *t, struct bounds *out) {
    const struct known *init = &s->known[var->init];
    uint64_t step = 0 - (uint64_t)var->step, bound = t->greatest, first = known_max(init);
    if (t->least != bound || init->ones < bound || first > limit(var, t))
        return false;
    bool constant = known_constant(init);
    if (constant && (first - bound) % step != 0)
        return false;
    if (!constant && (step != 1 || bound != 0))
        return false;
    if (t->of_next && init->ones == bound && (constant || !nonzero_at_entry(fn, s, var, var->init)))
        return false;
    out->phi = first;
    if (t->of_next || bound >= step)
        out->next = first - step;
    return true;
}

/* next > bound or >= bound, signed, downwards; the bound is such that next is not negative then. */
static bool bound_above(const struct induction *var, const struct test *t, uint64_t init,
                        struct bounds *out) {
    uint64_t bound = t->greatest, step = 0 - (uint64_t)var->step;
    uint64_t minus_one = var->type == IR_I32 || t->low_word ? (uint64_t)UINT32_MAX : UINT64_MAX;
    bool from_0 = t->cond == IR_COND_SGE ? bound == 0 : bound == minus_one || bound == 0;
    if (!t->of_next || t->least != bound || !from_0 || init > limit(var, t))
        return false;
    out->phi = init;
    out->next_sext = init <= INT32_MAX && step <= INT32_MAX;
    return true;
}

static bool find_bounds(const struct ir_fn *fn, const struct solution *s,
                        const struct induction *var, const struct test *t, struct bounds *out) {
    uint64_t init = known_max(&s->known[var->init]);
    bool exact = t->offset == 0 || t->of_next;
    *out = (struct bounds){UINT64_MAX, UINT64_MAX, false, false};
    switch (t->cond) {
    case IR_COND_ULT:
    case IR_COND_ULE:
    case IR_COND_SLT:
    case IR_COND_SLE: return var->step > 0 && bound_below(var, t, init, out);
    case IR_COND_NE:
        if (!exact)
            return false;
        if (var->step < 0)
            return meet_below(fn, s, var, t, out);
        return meet_above(fn, s, var, t, out) || meet_signed(s, var, t, out);
    case IR_COND_SGT:
    case IR_COND_SGE: return var->step < 0 && bound_above(var, t, init, out);
    default: return false;
    }
}

/* --------------------------------------------------------------------------------- recognition */

bool induction_find(const struct ir_fn *fn, const struct ir_inst *phi, struct induction *var) {
    const struct ir_block *header = phi->block;
    if (header->loop_header != header || header->npreds != 2)
        return false;
    unsigned back = ir_dominates(header, header->preds[1]);
    if (ir_dominates(header, header->preds[!back]))
        return false;
    const struct ir_inst *next = fn->values[phi->args[back]].def;
    uint64_t step;
    if (next->op != IR_ADD || next->args[0] != phi->res[0] || next->type != phi->type ||
        !ir_is_const(fn, next->args[1], &step))
        return false;
    *var = (struct induction){
        .header = header,
        .entry = header->preds[!back],
        .latch = header->preds[back],
        .phi = phi->res[0],
        .init = phi->args[!back],
        .next = next->res[0],
        .step = phi->type == IR_I32 ? (int32_t)step : (int64_t)step,
        .type = (enum ir_type)phi->type,
    };
    /* Sums of bounds and steps then stay far from 2^64. */
    return var->step != 0 && var->step >= INT32_MIN && var->step <= INT32_MAX;
}

/* Whether v is the variable's phi + *offset. */
static bool is_offset(const struct ir_fn *fn, const struct induction *var, ir_val v,
                      int64_t *offset) {
    const struct ir_inst *def = fn->values[v].def;
    uint64_t constant;
    *offset = v == var->next ? var->step : 0;
    if (v == var->phi || v == var->next)
        return true;
    if (def->op != IR_ADD || def->type != var->type || !ir_is_const(fn, def->args[1], &constant) ||
        (def->args[0] != var->phi && def->args[0] != var->next))
        return false;
    int64_t more = var->type == IR_I32 ? (int32_t)constant : (int64_t)constant;
    *offset = (def->args[0] == var->next ? var->step : 0) + more;
    return more >= INT32_MIN && more <= INT32_MAX;
}

/* Reads a condition as a test of the variable against something that the loop does not change. */
static bool as_test(const struct ir_fn *fn, const struct solution *s, const struct induction *var,
                    struct condition c, struct test *t) {
    for (int i = 0; i < 2; i++) {
        ir_val whole = stripped(fn, c.a, IR_TRUNC);
        const struct ir_block *def = fn->values[c.b].def->block;
        bool invariant = known_constant(&s->known[c.b]) ||
                         (def != var->header && ir_dominates(def, var->header));
        int64_t offset;
        if (invariant && is_offset(fn, var, whole, &offset)) {
            *t = (struct test){.cond = c.cond,
                               .offset = offset,
                               .of_next = offset == var->step,
                               .low_word = whole != c.a,
                               .bound = c.b,
                               .least = s->known[c.b].ones,
                               .greatest = known_max(&s->known[c.b])};
            return true;
        }
        c = (struct condition){ir_cond_swapped(c.cond), c.b, c.a};
    }
    return false;
}

/* Keeps the better of what is known. */
static void refine(struct known *k, uint64_t greatest, bool sext, enum ir_type type) {
    if (greatest != UINT64_MAX)
        k->zeros |= greatest ? ~(UINT64_MAX >> __builtin_clzll(greatest)) : UINT64_MAX;
    k->sext |= type == IR_I64 && (sext || greatest <= INT32_MAX);
}

static void refine_variable(const struct ir_fn *fn, struct solution *s,
                            const struct induction *var) {
    const struct ir_block *block = var->latch;
    for (int i = 0; i < MAX_DEPTH; i++, block = block->idom) {
        struct condition c;
        struct test t;
        struct bounds bounds;
        int side = side_towards(block, var->latch);
        if (block == var->latch && block->target[1] && block->target[0] != block->target[1])
            side = block->target[0] != var->header;
        if (side >= 0 && condition_of(block, (unsigned)side, &c) && as_test(fn, s, var, c, &t) &&
            find_bounds(fn, s, var, &t, &bounds)) {
            refine(&s->known[var->phi], bounds.phi, bounds.phi_sext, var->type);
            refine(&s->known[var->next], bounds.next, bounds.next_sext, var->type);
        }
        if (block == var->header)
            return;
    }
}

static void add_knowledge(struct known *k, const struct known *more) {
    k->zeros |= more->zeros;
    k->ones |= more->ones;
    k->sext |= more->sext;
}

static void merge_again(struct solution *s, const struct ir_inst *phi) {
    const bool *live = s->edge_live + s->edge_base[phi->block->id];
    struct known met = KNOWN_NOTHING_YET;
    for (uint32_t i = 0; i < phi->nargs; i++) {
        const struct known *arg = &s->known[phi->args[i]];
        if (!live[i])
            continue;
        met.zeros &= arg->zeros;
        met.ones &= arg->ones;
        met.sext &= arg->sext;
    }
    if (!known_unreached(&met))
        add_knowledge(&s->known[phi->res[0]], &met);
}

/* What follows from better known arguments. */
static void transfer_again(struct solution *s, const struct ir_inst *inst) {
    struct known args[4], result[2];
    if (!(ir_ops[inst->op].flags & IR_PURE) || !inst->res[0])
        return;
    for (uint32_t i = 0; i < inst->nargs; i++)
        args[i] = s->known[inst->args[i]];
    known_transfer(inst, args, result);
    for (int i = 0; i < 2 && inst->res[i]; i++)
        add_knowledge(&s->known[inst->res[i]], &result[i]);
}

void known_induction(const struct ir_fn *fn, struct solution *s) {
    for (uint32_t i = 0; i < fn->norder; i++) {
        const struct ir_inst *inst = fn->order[i]->first;
        if (!s->block_live[fn->order[i]->id])
            continue;
        for (; inst->op == IR_PHI; inst = inst->next) {
            struct induction var;
            merge_again(s, inst);
            if (induction_find(fn, inst, &var))
                refine_variable(fn, s, &var);
        }
        for (; inst; inst = inst->next)
            transfer_again(s, inst);
    }
}
