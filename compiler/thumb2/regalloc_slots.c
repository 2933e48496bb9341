/* SPDX-License-Identifier: MIT */
/*
 * Spill slots after allocation: stores that no load reads are removed, and slots whose contents are
 * never needed at the same time become one word of the frame, by greedy colouring.
 */
#include "thumb2/regalloc.h"

#include <assert.h>

struct slots {
    struct ra *ra;
    struct liveness live;
    struct edge_set edges;
    struct u32_vec *adjacent; /* by slot */
};

static void connect_slots(struct slots *s, mreg a, mreg b) {
    if (a == b || !edge_add(&s->edges, s->ra->arena, a, b))
        return;
    vec_push(s->ra->arena, &s->adjacent[a], b);
    vec_push(s->ra->arena, &s->adjacent[b], a);
}

static void scan(struct slots *s, struct mir_block *b, struct name_set *live) {
    live->count = 0;
    vec_for_each(mreg, slot, &s->live.out[b->id])
        name_set_add(live, *slot);
    for (struct mir_inst *inst = b->last, *prev; inst; inst = prev) {
        prev = inst->prev;
        mreg slot = (mreg)inst->imm;
        if (inst->op == MIR_RELOAD)
            name_set_add(live, slot);
        if (inst->op != MIR_SPILL)
            continue;
        if (!name_set_remove(live, slot)) {
            mir_remove(b, inst);
            continue;
        }
        for (uint32_t k = 0; k < live->count; k++)
            connect_slots(s, slot, live->items[k]);
    }
}

/* The lowest word that no neighbour has. */
static uint32_t lowest_free(const struct slots *s, mreg slot, const uint32_t *word,
                            uint32_t *taken) {
    vec_for_each(mreg, t, &s->adjacent[slot])
        if (word[*t] != UINT32_MAX)
            taken[word[*t]] = slot;
    uint32_t w = 0;
    while (taken[w] == slot)
        w++;
    return w;
}

void ra_merge_slots(struct ra *ra) {
    uint32_t n = ra->lasting->nslots;
    struct slots s = {.ra = ra};
    struct name_set live;
    liveness_compute(&s.live, ra->arena, ra->fn, LIVE_SLOTS, n);
    s.adjacent = arena_alloc_array(ra->arena, n, sizeof(*s.adjacent));
    name_set_init(&live, ra->arena, n);
    for (uint32_t i = 0; i < ra->fn->nblocks; i++)
        scan(&s, ra->fn->blocks[i], &live);

    uint32_t *word = arena_alloc_array(ra->arena, n, sizeof(*word));
    uint32_t *taken = arena_alloc_array(ra->arena, n + 1, sizeof(*taken)); /* by word: by whom */
    for (uint32_t i = 0; i < n; i++)
        word[i] = UINT32_MAX;
    for (uint32_t i = 0; i <= n; i++)
        taken[i] = UINT32_MAX;
    for (uint32_t i = 0; i < ra->fn->nblocks; i++)
        for (struct mir_inst *inst = ra->fn->blocks[i]->first; inst; inst = inst->next) {
            if (inst->op != MIR_SPILL && inst->op != MIR_RELOAD)
                continue;
            uint32_t slot = (uint32_t)inst->imm;
            if (word[slot] == UINT32_MAX)
                word[slot] = lowest_free(&s, slot, word, taken);
            if (word[slot] >= ra->fn->spill_slots)
                ra->fn->spill_slots = word[slot] + 1;
            inst->imm = (int32_t)word[slot];
        }
}
