/* SPDX-License-Identifier: MIT */
/*
 * Liveness at the ends of blocks, one name at a time: from every block that reads a name before it
 * writes it, walk up the predecessors until a block that writes it. The work is the size of the
 * answer, and names that stay inside a block cost nothing; bit sets over all names would be
 * quadratic for a long function. The sixteen machine registers are one mask, by plain iteration.
 */
#include "thumb2/regalloc.h"

#include <assert.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- name sets */

void name_set_init(struct name_set *set, struct arena *arena, uint32_t nnames) {
    set->items = arena_alloc_array(arena, nnames, sizeof(*set->items));
    set->position = arena_alloc_array(arena, nnames, sizeof(*set->position));
    set->count = 0;
}

bool name_set_has(const struct name_set *set, mreg name) {
    uint32_t at = set->position[name];
    return at < set->count && set->items[at] == name;
}

bool name_set_add(struct name_set *set, mreg name) {
    if (name_set_has(set, name))
        return false;
    set->position[name] = set->count;
    set->items[set->count++] = name;
    return true;
}

bool name_set_remove(struct name_set *set, mreg name) {
    if (!name_set_has(set, name))
        return false;
    mreg last = set->items[--set->count];
    set->items[set->position[name]] = last;
    set->position[last] = set->position[name];
    return true;
}

/* ----------------------------------------------------------------------------------------- names */

/* The names that inst reads; returns their number. */
static int reads(const struct mir_inst *inst, enum live_kind kind, mreg out[MIR_MAX_SRC]) {
    int n = 0;
    if (kind == LIVE_SLOTS) {
        if (inst->op == MIR_RELOAD)
            out[n++] = (mreg)inst->imm;
        return n;
    }
    for (int i = 0; i < MIR_MAX_SRC; i++)
        if (inst->src[i] != MREG_NONE && inst->src[i] >= MREG_VIRTUAL)
            out[n++] = inst->src[i];
    return n;
}

static int writes(const struct mir_inst *inst, enum live_kind kind, mreg out[MIR_MAX_DST]) {
    int n = 0;
    if (kind == LIVE_SLOTS) {
        if (inst->op == MIR_SPILL)
            out[n++] = (mreg)inst->imm;
        return n;
    }
    for (int i = 0; i < MIR_MAX_DST; i++)
        if (inst->dst[i] != MREG_NONE && inst->dst[i] >= MREG_VIRTUAL)
            out[n++] = inst->dst[i];
    return n;
}

/* ---------------------------------------------------------------------------------- one name up */

#define NO_LINK UINT32_MAX

/* Lists of blocks by name, as links in one vector. */
struct link {
    uint32_t block, next;
};

struct walk {
    struct arena *arena;
    const struct mir_fn *fn;
    VEC(struct link) links;
    uint32_t *uses; /* by name: first link, blocks that read it before they write it */
    uint32_t *defs; /* by name: first link, blocks that write it; of names with uses only */
};

static void add_link(struct walk *w, uint32_t *list, uint32_t block) {
    vec_push(w->arena, &w->links, (struct link){block, *list});
    *list = (uint32_t)(w->links.count - 1);
}

static uint32_t *filled(struct arena *arena, uint32_t n) {
    uint32_t *array = arena_alloc_array(arena, n, sizeof(*array));
    memset(array, 0xff, n * sizeof(*array));
    return array;
}

static void collect(struct walk *w, enum live_kind kind, uint32_t nnames) {
    w->uses = filled(w->arena, nnames);
    w->defs = filled(w->arena, nnames);
    uint32_t *read = filled(w->arena, nnames), *written = filled(w->arena, nnames);
    mreg names[MIR_MAX_SRC];
    for (uint32_t b = 0; b < w->fn->nblocks; b++)
        for (const struct mir_inst *inst = w->fn->blocks[b]->first; inst; inst = inst->next) {
            for (int i = reads(inst, kind, names); i-- > 0;)
                if (written[names[i]] != b && read[names[i]] != b) {
                    read[names[i]] = b;
                    add_link(w, &w->uses[names[i]], b);
                }
            for (int i = writes(inst, kind, names); i-- > 0;)
                written[names[i]] = b;
        }
    memset(written, 0xff, nnames * sizeof(*written));
    for (uint32_t b = 0; b < w->fn->nblocks; b++)
        for (const struct mir_inst *inst = w->fn->blocks[b]->first; inst; inst = inst->next)
            for (int i = writes(inst, kind, names); i-- > 0;)
                if (w->uses[names[i]] != NO_LINK && written[names[i]] != b) {
                    written[names[i]] = b;
                    add_link(w, &w->defs[names[i]], b);
                }
}

static void spread(struct walk *w, struct liveness *live, uint32_t nnames) {
    const struct mir_fn *fn = w->fn;
    uint32_t *in = filled(w->arena, fn->nblocks), *out = filled(w->arena, fn->nblocks),
             *stop = filled(w->arena, fn->nblocks);
    uint32_t *work = arena_alloc_array(w->arena, fn->nblocks, sizeof(*work));
    for (mreg name = 0; name < nnames; name++) {
        uint32_t nwork = 0;
        for (uint32_t l = w->defs[name]; l != NO_LINK; l = w->links.items[l].next)
            stop[w->links.items[l].block] = name;
        for (uint32_t l = w->uses[name]; l != NO_LINK; l = w->links.items[l].next) {
            in[w->links.items[l].block] = name;
            work[nwork++] = w->links.items[l].block;
        }
        while (nwork) {
            const struct mir_block *b = fn->blocks[work[--nwork]];
            for (uint32_t p = 0; p < b->npreds; p++) {
                uint32_t pred = b->preds[p]->id;
                if (out[pred] == name)
                    continue;
                out[pred] = name;
                vec_push(w->arena, &live->out[pred], name);
                if (stop[pred] == name || in[pred] == name)
                    continue;
                in[pred] = name;
                work[nwork++] = pred;
            }
        }
    }
}

/* ------------------------------------------------------------------------------ machine registers */

static void machine_inst(const struct mir_inst *inst, uint16_t *live) {
    unsigned mask = *live & ~(unsigned)inst->clobbers;
    for (int i = 0; i < MIR_MAX_DST; i++)
        if (inst->dst[i] < MREG_VIRTUAL)
            mask &= ~(1u << inst->dst[i]);
    mask |= inst->uses;
    for (int i = 0; i < MIR_MAX_SRC; i++)
        if (inst->src[i] < MREG_VIRTUAL)
            mask |= 1u << inst->src[i];
    *live = (uint16_t)mask;
}

static void machine_liveness(struct liveness *live, struct arena *arena, const struct mir_fn *fn) {
    /* in = gen | (out & pass) */
    uint16_t *gen = arena_alloc_array(arena, fn->nblocks, sizeof(*gen));
    uint16_t *pass = arena_alloc_array(arena, fn->nblocks, sizeof(*pass));
    for (uint32_t b = 0; b < fn->nblocks; b++) {
        uint16_t none = 0, all = UINT16_MAX;
        for (const struct mir_inst *inst = fn->blocks[b]->last; inst; inst = inst->prev) {
            machine_inst(inst, &none);
            machine_inst(inst, &all);
        }
        gen[b] = none;
        pass[b] = all;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = fn->nblocks; b-- > 0;) {
            const struct mir_inst *last = fn->blocks[b]->last;
            uint16_t out = 0;
            for (int t = 0; t < 2 && last->target[t]; t++) {
                uint32_t to = last->target[t]->id;
                out |= gen[to] | (live->machine_out[to] & pass[to]);
            }
            changed |= out != live->machine_out[b];
            live->machine_out[b] = out;
        }
    }
}

void liveness_compute(struct liveness *live, struct arena *arena, const struct mir_fn *fn,
                      enum live_kind kind, uint32_t nnames) {
    struct walk w = {.arena = arena, .fn = fn};
    live->out = arena_alloc_array(arena, fn->nblocks, sizeof(*live->out));
    live->machine_out = arena_alloc_array(arena, fn->nblocks, sizeof(*live->machine_out));
    collect(&w, kind, nnames);
    spread(&w, live, nnames);
    if (kind == LIVE_REGS)
        machine_liveness(live, arena, fn);
}
