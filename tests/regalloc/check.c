/* SPDX-License-Identifier: MIT */
/*
 * A checker of register allocation that knows nothing of how it works: forward data flow over places
 * (machine registers, spill slots), where each place has the set of names whose value it holds.
 * Names are the original's registers, virtual and machine ones. An instruction that was there before
 * must find each value in the place that it reads now; a copy of the original, whatever became of it,
 * makes its destination a name of every value that its source names. Intersection where paths meet.
 *
 * Two kinds of places exist only here: one per rematerialisable definition, which holds what that
 * definition gives and is what a repeated one copies; and one for names not yet written, whose value
 * may be anything.
 */
#include "regalloc/regalloc_test.h"

#include <string.h>

#include "util/bitset.h"
#include "util/vec.h"

struct mir_original {
    uint32_t nnames;
    struct record {
        const struct mir_inst *where;
        struct mir_inst inst; /* as it was */
        int constant;         /* index of what a remat instruction gives, -1 for others */
    } * records;              /* by insn, in block order */
    uint32_t nrecords;
    uint32_t *first; /* by block: index of its first record; one more at the end */
    VEC(const struct mir_inst *) constants;
};

static bool same_constant(const struct mir_inst *a, const struct mir_inst *b) {
    return a->op == b->op && a->imm == b->imm && a->index == b->index && a->src[0] == b->src[0];
}

static int constant_index(struct mir_original *o, struct arena *arena,
                          const struct mir_inst *inst) {
    if (!inst->remat)
        return -1;
    for (size_t i = 0; i < o->constants.count; i++)
        if (same_constant(o->constants.items[i], inst))
            return (int)i;
    vec_push(arena, &o->constants, inst);
    return (int)o->constants.count - 1;
}

struct mir_original *mir_original_take(struct arena *arena, struct mir_fn *fn) {
    struct mir_original *o = arena_alloc(arena, sizeof(*o));
    o->nnames = fn->nregs;
    for (uint32_t b = 0; b < fn->nblocks; b++)
        for (struct mir_inst *inst = fn->blocks[b]->first; inst; inst = inst->next)
            inst->insn = o->nrecords++;
    o->records = arena_alloc_array(arena, o->nrecords, sizeof(*o->records));
    o->first = arena_alloc_array(arena, fn->nblocks + 1, sizeof(*o->first));
    uint32_t n = 0;
    for (uint32_t b = 0; b < fn->nblocks; b++) {
        o->first[b] = n;
        for (struct mir_inst *inst = fn->blocks[b]->first; inst; inst = inst->next, n++) {
            struct record *r = &o->records[n];
            r->where = inst;
            r->inst = *inst;
            r->constant = constant_index(o, arena, &r->inst);
        }
    }
    o->first[fn->nblocks] = n;
    return o;
}

/* ----------------------------------------------------------------------------------------- state */

struct check {
    struct arena *arena;
    const struct mir_original *original;
    const struct mir_fn *fn;
    uint32_t nplaces, first_slot, first_constant, undefined;
    struct bitset **places; /* the state while a block is walked */
    struct bitset *fresh;
    const char *error;
};

static bool fail(struct check *c, uint32_t insn, const char *what, mreg name) {
    if (!c->error)
        c->error = arena_printf(c->arena, "instruction %u: %s (%u)", insn, what, name);
    return false;
}

/* A constant has a name of its own, so that a register that gets it names all places that have it. */
static mreg constant_name(const struct check *c, int constant) {
    return c->original->nnames + (uint32_t)constant;
}

static void set_place(struct check *c, uint32_t place, uint32_t from) {
    bitset_copy(c->places[place], c->places[from]);
}

/* The value of a name changes: no place holds it any more. */
static void forget(struct check *c, mreg name) {
    for (uint32_t p = 0; p < c->nplaces; p++)
        bitset_clear(c->places[p], name);
}

static void define(struct check *c, uint32_t place, mreg name) {
    set_place(c, place, c->undefined);
    bitset_set(c->places[place], name);
}

static void copy_name(struct check *c, mreg d, mreg s) {
    for (uint32_t p = 0; p < c->nplaces; p++)
        if (bitset_test(c->places[p], s))
            bitset_set(c->places[p], d);
        else
            bitset_clear(c->places[p], d);
}

/* ------------------------------------------------------------------------------------ instructions */

static bool check_use(struct check *c, uint32_t insn, mreg name, mreg place) {
    if (place >= MREG_VIRTUAL)
        return fail(c, insn, "a virtual register is left", place);
    if (!bitset_test(c->places[place], name))
        return fail(c, insn, "reads a register that does not hold the value", name);
    return true;
}

static bool check_place(struct check *c, uint32_t insn, mreg before, mreg now) {
    if (before < MREG_VIRTUAL)
        return before == now || fail(c, insn, "a machine operand changed", before);
    if (now >= MREG_VIRTUAL || !(c->fn->allocatable >> now & 1))
        return fail(c, insn, "uses a register that is not allocatable", now);
    return true;
}

/* What the original instruction did to names, with its places in `now` (NULL: it is gone). */
static bool run_original(struct check *c, const struct record *r, const struct mir_inst *now) {
    const struct mir_inst *was = &r->inst;
    uint32_t insn = was->insn;
    for (int i = 0; now && i < MIR_MAX_SRC; i++)
        if (was->src[i] != MREG_NONE && (!check_place(c, insn, was->src[i], now->src[i]) ||
                                         !check_use(c, insn, was->src[i], now->src[i])))
            return false;
    for (mreg m = 0; m < MREG_VIRTUAL; m++)
        if (was->uses >> m & 1 && !check_use(c, insn, m, m))
            return false;
    if (was->op == MIR_COPY) {
        if (now)
            set_place(c, now->dst[0], now->src[0]);
        copy_name(c, was->dst[0], was->src[0]);
        return true;
    }
    if (!now && r->constant < 0)
        return fail(c, insn, "the instruction is gone", was->op);
    for (mreg m = 0; m < MREG_VIRTUAL; m++)
        if (was->clobbers >> m & 1) {
            forget(c, m);
            define(c, m, m);
        }
    for (int i = 0; i < MIR_MAX_DST; i++)
        if (was->dst[i] != MREG_NONE)
            forget(c, was->dst[i]);
    if (r->constant >= 0) {
        copy_name(c, was->dst[0], constant_name(c, r->constant));
        if (now)
            set_place(c, now->dst[0], c->first_constant + (uint32_t)r->constant);
        return true;
    }
    for (int i = 0; i < MIR_MAX_DST; i++) {
        if (was->dst[i] == MREG_NONE)
            continue;
        mreg place = now->dst[i];
        if (!check_place(c, insn, was->dst[i], place))
            return false;
        for (int j = 0; j < i; j++)
            if (was->dst[j] != MREG_NONE && now->dst[j] == place)
                return fail(c, insn, "two destinations are one register", place);
        for (int k = 0; k < MIR_MAX_SRC; k++)
            if (was->late >> k & 1 && i != 1 && was->src[k] != MREG_NONE && now->src[k] == place)
                return fail(c, insn, "a late source is overwritten", place);
        define(c, place, was->dst[i]);
    }
    return true;
}

/* An instruction that allocation has added. */
static bool run_added(struct check *c, const struct mir_inst *inst) {
    uint32_t slot = c->first_slot + (uint32_t)inst->imm;
    bool is_slot = (uint32_t)inst->imm < c->fn->spill_slots;
    if (inst->op == MIR_SPILL || inst->op == MIR_RELOAD) {
        if (!is_slot)
            return fail(c, inst->insn, "a slot outside the frame", (mreg)inst->imm);
        if (inst->op == MIR_SPILL)
            set_place(c, slot, inst->src[0]);
        else
            set_place(c, inst->dst[0], slot);
        return true;
    }
    for (size_t i = 0; i < c->original->constants.count; i++)
        if (inst->remat && same_constant(c->original->constants.items[i], inst)) {
            set_place(c, inst->dst[0], c->first_constant + (uint32_t)i);
            return true;
        }
    return fail(c, inst->insn, "an added instruction is no move", inst->op);
}

static bool is_original(const struct check *c, const struct mir_inst *inst) {
    return inst->insn < c->original->nrecords && c->original->records[inst->insn].where == inst;
}

/* An instruction that is gone takes effect before those added after the last that is still there:
 * among these are the loads that its users need now. Added moves change all names of a place alike,
 * so for copies that are gone the order does not matter. */
static bool walk_block(struct check *c, const struct mir_block *b) {
    const struct record *next = &c->original->records[c->original->first[b->id]];
    const struct record *end = &c->original->records[c->original->first[b->id + 1]];
    for (const struct mir_inst *inst = b->first; inst; inst = inst->next) {
        const struct mir_inst *kept = inst;
        while (kept && !is_original(c, kept))
            kept = kept->next;
        for (; next < end && next->where != kept; next++)
            if (!run_original(c, next, NULL))
                return false;
        if (inst != kept) {
            if (!run_added(c, inst))
                return false;
            continue;
        }
        if (next == end)
            return fail(c, inst->insn, "instructions changed their order", inst->op);
        if (!run_original(c, next++, inst))
            return false;
    }
    return next == end || fail(c, next->inst.insn, "the end of a block is gone", next->inst.op);
}

/* --------------------------------------------------------------------------------------- data flow */

static struct bitset **new_state(struct check *c, bool full) {
    struct bitset **state = arena_alloc_array(c->arena, c->nplaces, sizeof(*state));
    for (uint32_t p = 0; p < c->nplaces; p++) {
        state[p] = bitset_new(c->arena, c->original->nnames + c->original->constants.count);
        if (full)
            bitset_set_all(state[p]);
    }
    return state;
}

/* At the entry nothing is defined but the machine registers, each in its place. */
static struct bitset **entry_state(struct check *c) {
    struct bitset **state = new_state(c, true);
    for (uint32_t p = 0; p < c->nplaces; p++) {
        for (mreg m = 0; m < MREG_VIRTUAL; m++)
            if (p != m)
                bitset_clear(state[p], m);
        for (int k = 0; k < (int)c->original->constants.count; k++)
            if (p != c->first_constant + (uint32_t)k)
                bitset_clear(state[p], constant_name(c, k));
    }
    return state;
}

static const char *check_masks(struct check *c) {
    const struct mir_fn *fn = c->fn;
    for (uint32_t b = 0; b < fn->nblocks; b++)
        for (const struct mir_inst *inst = fn->blocks[b]->first; inst; inst = inst->next)
            for (int i = 0; i < MIR_MAX_DST; i++)
                if (inst->dst[i] < MREG_VIRTUAL && !(fn->used >> inst->dst[i] & 1))
                    return "a register is written but not in the mask of used ones";
    return NULL;
}

const char *mir_allocation_error(struct arena *arena, const struct mir_original *original,
                                 const struct mir_fn *fn) {
    struct check c = {.arena = arena, .original = original, .fn = fn};
    c.first_slot = MREG_VIRTUAL;
    c.first_constant = c.first_slot + fn->spill_slots;
    c.undefined = c.first_constant + (uint32_t)original->constants.count;
    c.nplaces = c.undefined + 1;
    c.places = new_state(&c, false);
    struct bitset ***in = arena_alloc_array(arena, fn->nblocks, sizeof(*in));
    in[0] = entry_state(&c);
    /* Everything is reached from block 0; blocks are walked again until no state shrinks. */
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = 0; b < fn->nblocks; b++) {
            if (!in[b])
                continue;
            for (uint32_t p = 0; p < c.nplaces; p++)
                bitset_copy(c.places[p], in[b][p]);
            if (!walk_block(&c, fn->blocks[b]))
                return c.error;
            for (int t = 0; t < 2 && fn->blocks[b]->last->target[t]; t++) {
                uint32_t to = fn->blocks[b]->last->target[t]->id;
                if (!in[to]) {
                    in[to] = new_state(&c, true);
                    changed = true;
                }
                for (uint32_t p = 0; p < c.nplaces; p++)
                    changed |= bitset_and(in[to][p], c.places[p]);
            }
        }
    }
    return check_masks(&c);
}
