/* SPDX-License-Identifier: MIT */
/*
 * If-conversion, after register allocation: a branch around one or two instructions, or between two
 * sides that short, becomes an IT block. A taken branch refills the pipeline (3 cycles); IT takes one,
 * and so does each instruction that it skips.
 *
 *     b1: cmpbr.ult r0, r1 -> b2, b3        b1: cmpit.ult r0, r1
 *     b2: r2 = copy r3; jump b3                 r2 = copy r3          (predicate THEN)
 *     b3: ...                                   jump b3
 *
 * A block that only the converted one still leads to joins it. When that begins with an IT block of the
 * same comparison, and nothing has changed its operands, the two become one.
 *
 * Blocks are visited from the last to the first, so that inner branches are converted before those around
 * them are looked at; joined blocks hand over their instructions as lists, so that all is linear.
 */
#include <assert.h>

#include "ir/ir.h"
#include "thumb2/encoding.h"
#include "thumb2/finish.h"

#define IT_MAX 4    /* instructions under one IT */
#define SIDE_MAX 2  /* of one side: what a taken branch costs more than IT */
#define LOOK_MAX 16 /* blocks looked at for the one that code falls into */

struct converter {
    struct mir_fn *fn;
    uint32_t *npreds; /* by block id: edges from blocks that are still there */
    bool *gone;       /* by block id */
};

/* ---------------------------------------------------------------------------- what IT can hold */

static bool is_memory(unsigned op) {
    return op < MIR_PSEUDO && t2_op_traits((enum t2_op)op) & (T2_LOAD | T2_STORE);
}

/* Machine operations that instruction selection makes, none of which sets flags or branches. */
static bool is_plain(unsigned op) {
    switch (op) {
    case T2_OP_MOV:
    case T2_OP_MVN:
    case T2_OP_ADD:
    case T2_OP_SUB:
    case T2_OP_RSB:
    case T2_OP_AND:
    case T2_OP_BIC:
    case T2_OP_ORR:
    case T2_OP_ORN:
    case T2_OP_EOR:
    case T2_OP_LSL:
    case T2_OP_LSR:
    case T2_OP_ASR:
    case T2_OP_ROR:
    case T2_OP_MUL:
    case T2_OP_MLA:
    case T2_OP_MLS:
    case T2_OP_SXTB:
    case T2_OP_SXTH:
    case T2_OP_UXTB:
    case T2_OP_UXTH:
    case T2_OP_UBFX: return true;
    default: return is_memory(op);
    }
}

/* Whether inst becomes exactly one instruction that may stand in an IT block. */
static bool is_predicable(const struct mir_inst *inst) {
    uint32_t imm12, value = (uint32_t)inst->imm;
    switch (inst->op) {
    case MIR_COPY:
    case MIR_RELOAD:
    case MIR_SPILL: return true;
    case MIR_MOVI:
        return value <= 0xffff || t2_modified_imm(value, &imm12) || t2_modified_imm(~value, &imm12);
    default: return !inst->predicate && inst->op < MIR_PSEUDO && is_plain(inst->op);
    }
}

/* ------------------------------------------------------------------------------------- shapes */

/* One way out of a branch: the instructions of a block that only this branch leads to, and where
 * control goes then; or none, and the target itself. */
struct side {
    struct mir_block *block; /* NULL: nothing on this side */
    unsigned count;
    struct mir_block *join;
};

static struct side side_of(const struct converter *c, const struct mir_block *from,
                           struct mir_block *to) {
    struct side none = {NULL, 0, to}, side = {to, 0, NULL};
    if (c->npreds[to->id] != 1 || to == from || to->last->op != MIR_JUMP)
        return none;
    for (const struct mir_inst *inst = to->first; inst != to->last; inst = inst->next)
        if (!is_predicable(inst) || ++side.count > SIDE_MAX)
            return none;
    side.join = to->last->target[0];
    return side.join == to ? none : side;
}

/* Whether control falls from `b` into `join` when the two sides are gone. */
static bool falls_into(const struct converter *c, const struct mir_block *b,
                       const struct side side[2], const struct mir_block *join) {
    for (uint32_t i = b->id + 1; i < c->fn->nblocks && i <= b->id + LOOK_MAX; i++) {
        const struct mir_block *next = c->fn->blocks[i];
        if (next == join)
            return true;
        bool empty = next->first == next->last && next->last->op == MIR_JUMP;
        if (!c->gone[i] && !empty && next != side[0].block && next != side[1].block)
            return false;
    }
    return false;
}

/* Both sides of b's branch, such that they meet in one block; false if they do not, or if it does not
 * pay: a branch around code far from where it goes on is already free. */
static bool find_sides(const struct converter *c, const struct mir_block *b, struct side side[2]) {
    const struct mir_inst *br = b->last;
    side[0] = side_of(c, b, br->target[0]);
    side[1] = side_of(c, b, br->target[1]);
    if (side[0].join != side[1].join || side[0].join == b || side[0].count + side[1].count == 0)
        return false;
    return (side[0].count && side[1].count) || c->npreds[side[0].join->id] <= 2 ||
           falls_into(c, b, side, side[0].join);
}

/* --------------------------------------------------------------------------------- conversion */

/* The comparison whose flags hold at the end of b: of an IT block that is the last thing in b. */
static struct mir_inst *flags_of(const struct mir_block *b, unsigned *count) {
    struct mir_inst *inst = b->last;
    for (*count = 0; inst && inst->predicate; inst = inst->prev)
        ++*count;
    return inst && (inst->op == MIR_CMPIT || inst->op == MIR_CMPIT2) ? inst : NULL;
}

static bool writes(const struct mir_inst *inst, mreg reg) {
    for (int i = 0; i < MIR_MAX_DST; i++)
        if (inst->dst[i] == reg && reg != MREG_NONE)
            return true;
    return false;
}

/* Whether `again` compares what `it` did, which nothing has changed since. */
static bool same_comparison(const struct mir_inst *it, const struct mir_inst *again) {
    bool same = it->op == again->op && it->form == again->form && it->imm == again->imm &&
                it->imm2 == again->imm2 && it->shift == again->shift &&
                it->shift_amount == again->shift_amount &&
                (it->cond == again->cond || it->cond == ir_cond_inverse((enum ir_cond)again->cond));
    for (int i = 0; i < MIR_MAX_SRC; i++)
        for (const struct mir_inst *inst = it; inst; inst = inst->next)
            same &= it->src[i] == again->src[i] && !writes(inst, again->src[i]);
    return same;
}

/* An IT block at the start of `next` becomes part of the one at the end of b, if it depends on the
 * same flags and there is room. */
static void share_flags(const struct mir_block *b, struct mir_block *next) {
    unsigned before, count = 0;
    struct mir_inst *it = flags_of(b, &before), *again = next->first;
    if (!it || (again->op != MIR_CMPIT && again->op != MIR_CMPIT2) || !same_comparison(it, again))
        return;
    for (const struct mir_inst *inst = again->next; inst->predicate; inst = inst->next)
        count++;
    if (before + count > IT_MAX)
        return;
    for (struct mir_inst *inst = again->next; inst->predicate && it->cond != again->cond;
         inst = inst->next)
        inst->predicate = inst->predicate == MIR_THEN ? MIR_ELSE : MIR_THEN;
    mir_remove(next, again);
}

static void take_over(struct mir_block *b, struct mir_block *from, unsigned predicate) {
    for (struct mir_inst *inst = from->first, *next; inst != from->last; inst = next) {
        next = inst->next;
        mir_remove(from, inst);
        inst->predicate = (uint8_t)predicate;
        mir_insert_before(b, b->last, inst);
    }
}

static void remove_block(struct converter *c, struct mir_block *b) {
    c->gone[b->id] = true;
}

/* b goes on with all of next, to which nothing else leads. */
static void join_blocks(struct converter *c, struct mir_block *b, struct mir_block *next) {
    mir_remove(b, b->last);
    if (b->last) {
        share_flags(b, next);
        b->last->next = next->first;
        next->first->prev = b->last;
    } else {
        b->first = next->first;
    }
    b->last = next->last;
    remove_block(c, next);
}

static void convert(struct converter *c, struct mir_block *b) {
    struct mir_inst *br = b->last;
    struct side side[2];
    if ((br->op != MIR_CMPBR && br->op != MIR_CMPBR2) || br->target[0] == br->target[1] ||
        !find_sides(c, b, side))
        return;
    struct mir_inst *jump = mir_inst_new(c->fn, MIR_JUMP);
    jump->insn = br->insn;
    jump->target[0] = side[0].join;
    mir_append(b, jump);
    br->op = br->op == MIR_CMPBR ? MIR_CMPIT : MIR_CMPIT2;
    br->target[0] = br->target[1] = NULL;
    for (int k = 0; k < 2; k++)
        if (side[k].block) {
            take_over(b, side[k].block, k == 0 ? MIR_THEN : MIR_ELSE);
            remove_block(c, side[k].block);
        }
    uint32_t left = --c->npreds[side[0].join->id]; /* two ways came to it from b, one is left */
    if (left == 1 && side[0].join != c->fn->blocks[0])
        join_blocks(c, b, side[0].join);
}

static void drop_removed(struct converter *c) {
    struct mir_fn *fn = c->fn;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < fn->nblocks; i++)
        if (!c->gone[i]) {
            fn->blocks[kept] = fn->blocks[i];
            fn->blocks[kept]->id = kept;
            kept++;
        }
    fn->nblocks = kept;
    mir_compute_preds(fn);
}

void if_convert(struct mir_fn *fn) {
    struct arena *arena = arena_new();
    struct converter c = {.fn = fn};
    c.npreds = arena_alloc_array(arena, fn->nblocks, sizeof(*c.npreds));
    c.gone = arena_alloc_array(arena, fn->nblocks, sizeof(*c.gone));
    for (uint32_t i = 0; i < fn->nblocks; i++)
        c.npreds[i] = fn->blocks[i]->npreds;
    for (uint32_t i = fn->nblocks; i-- > 0;)
        if (!c.gone[i])
            convert(&c, fn->blocks[i]);
    drop_removed(&c);
    arena_free(arena);
}
