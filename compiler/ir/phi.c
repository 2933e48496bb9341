/* SPDX-License-Identifier: MIT */
/*
 * Removes phis whose arguments are all one value or the phi itself. That can make phis that used
 * them removable, so these are looked at again. After it, a function with reducible control flow
 * that had phis at every join has minimal SSA form (Braun et al., "Simple and efficient construction
 * of static single assignment form", CC 2013, section 3.1 and its theorem 2).
 */
#include <assert.h>

#include "ir/ir.h"
#include "util/vec.h"

struct use {
    struct ir_inst *phi;
    uint32_t next; /* in the list of uses of one value, 0 ends it */
};

struct simplifier {
    struct ir_fn *fn;
    struct arena *arena;
    struct use *uses; /* by phis, of phis */
    uint32_t nuses;
    uint32_t *first, *last; /* list of uses by value */
    ir_val (*witness)[2];   /* by value of a phi: two arguments that differed */
    VEC(struct ir_inst *) work;
};

static void add_use(struct simplifier *s, ir_val v, struct ir_inst *phi) {
    uint32_t use = ++s->nuses;
    s->uses[use].phi = phi;
    if (s->first[v])
        s->uses[s->last[v]].next = use;
    else
        s->first[v] = use;
    s->last[v] = use;
}

/* Uses of the phi `from` become uses of `to` and are looked at again. Those that are gone are dropped
 * from the list: it must not grow along a chain of phis that vanish one after another. */
static void move_uses(struct simplifier *s, ir_val from, ir_val to) {
    for (uint32_t use = s->first[from], next; use; use = next) {
        struct ir_inst *phi = s->uses[use].phi;
        next = s->uses[use].next;
        if (s->fn->values[phi->res[0]].def != phi)
            continue;
        vec_push(s->arena, &s->work, phi);
        s->uses[use].next = 0;
        if (s->first[to])
            s->uses[s->last[to]].next = use;
        else
            s->first[to] = use;
        s->last[to] = use;
    }
}

/* Whether two known arguments still differ: then a phi with very many arguments that becomes
 * simpler one by one need not be searched each time. */
static bool witnesses_hold(const struct simplifier *s, ir_val self) {
    ir_val a = ir_forwarded(s->fn, s->witness[self][0]);
    ir_val b = ir_forwarded(s->fn, s->witness[self][1]);
    return a && b && a != b && a != self && b != self;
}

/* The only value that a phi merges, or 0. */
static ir_val only_value(struct simplifier *s, const struct ir_inst *phi) {
    ir_val self = phi->res[0], only = 0;
    if (witnesses_hold(s, self))
        return 0;
    for (uint32_t i = 0; i < phi->nargs; i++) {
        ir_val arg = ir_forwarded(s->fn, phi->args[i]);
        if (arg == self || arg == only)
            continue;
        if (only) {
            s->witness[self][0] = only;
            s->witness[self][1] = arg;
            return 0;
        }
        only = arg;
    }
    return only;
}

static void simplify(struct simplifier *s, struct ir_inst *phi) {
    ir_val self = phi->res[0];
    if (s->fn->values[self].def != phi) /* gone already */
        return;
    ir_val value = only_value(s, phi);
    if (!value)
        return;
    ir_remove(s->fn, phi);
    move_uses(s, self, value);
    ir_replace(s->fn, self, value);
}

void ir_simplify_phis(struct ir_fn *fn) {
    struct arena *arena = arena_new();
    struct simplifier s = {.fn = fn, .arena = arena};
    size_t nargs = 0;
    /* Taken from the end: the first block's phis are looked at first, so that chains are replaced
     * from where they start. */
    for (uint32_t i = fn->nblocks; i-- > 0;)
        for (struct ir_inst *phi = fn->blocks[i] ? fn->blocks[i]->first : NULL;
             phi && phi->op == IR_PHI; phi = phi->next) {
            nargs += phi->nargs;
            vec_push(arena, &s.work, phi);
        }
    if (nargs) {
        s.uses = arena_alloc_array(arena, nargs + 1, sizeof(*s.uses));
        s.first = arena_alloc_array(arena, fn->nvalues, sizeof(*s.first));
        s.last = arena_alloc_array(arena, fn->nvalues, sizeof(*s.last));
        s.witness = arena_alloc_array(arena, fn->nvalues, sizeof(*s.witness));
        for (size_t i = 0; i < s.work.count; i++)
            for (uint32_t k = 0; k < s.work.items[i]->nargs; k++)
                add_use(&s, ir_forwarded(fn, s.work.items[i]->args[k]), s.work.items[i]);
        while (s.work.count)
            simplify(&s, vec_pop(&s.work));
    }
    ir_resolve(fn);
    arena_free(arena);
}
