/* SPDX-License-Identifier: MIT */
/*
 * What the files that make a struct cfg share. Until the last step blocks are numbered by slot; a loop
 * is named by its header then.
 */
#ifndef VERIFIER_CFG_PARTS_H
#define VERIFIER_CFG_PARTS_H

#include "verifier/cfg.h"

/*
 * A tree that grows by leaves and answers questions about ancestors in logarithmic time: each node has
 * its parent and one far ancestor. Far distances follow the skew-binary numbers (Myers, "An
 * applicative random-access stack", 1983): two equal ones are followed by one that spans both.
 */
struct cfg_tree {
    uint32_t *parent, *far; /* of the root: the root */
    uint32_t *depth;        /* of the root: 0 */
};

void cfg_tree_init(struct cfg_tree *tree, struct arena *arena, uint32_t nodes, uint32_t root);
void cfg_tree_add(struct cfg_tree *tree, uint32_t node, uint32_t parent);
uint32_t cfg_tree_common(const struct cfg_tree *tree, uint32_t a, uint32_t b);
uint32_t cfg_tree_ancestor(const struct cfg_tree *tree, uint32_t node, uint32_t depth);

struct cfg_builder {
    struct arena *arena;
    const struct program *program;
    const struct prog_func *func;
    uint32_t nblocks;
    struct cfg_block *blocks; /* by slot; preds of all of them are parts of one array */
    uint32_t *block_of;       /* as in struct cfg */
    /* Of the last walk, by block: */
    uint32_t *order;  /* the blocks in reverse post-order */
    uint32_t *number; /* place in it */
    uint32_t *pre;    /* place in preorder */
    uint32_t nloops;
    uint32_t *outer; /* by header: header of the loop around, or CFG_NONE */
    /* Edges that a walk takes as if they were a block's first ones: a list for each block. */
    uint32_t *extra;                    /* by block: first one, or CFG_NONE; NULL: nowhere any */
    uint32_t *extra_next, *extra_block; /* by extra edge */
};

/* Depth-first from the entry, along the extra edges as well. */
void cfg_walk(struct cfg_builder *b);

/* --- cfg_loops.c */
/* Sets the blocks' loops and b->outer; needs dominators. False if the function is irreducible. */
bool cfg_find_loops(struct cfg_builder *b, uint32_t *culprit);
/* Walks again so that the loops' blocks stand together. */
void cfg_order_loops(struct cfg_builder *b);
/* out->loops, once blocks have their final numbers; b still has the old ones. */
void cfg_list_loops(const struct cfg_builder *b, struct cfg *out);

/* --- cfg_live.c */
void cfg_find_live(struct arena *arena, const struct program *program, const uint16_t *live_args,
                   struct cfg *cfg);

/* a dominates b, once dom_first and dom_last are there. */
static inline bool cfg_block_dominates(const struct cfg_block *a, const struct cfg_block *b) {
    return a->dom_first <= b->dom_first && b->dom_first <= a->dom_last;
}

static inline uint32_t *cfg_filled(struct arena *arena, size_t count, uint32_t value) {
    uint32_t *items = arena_alloc_array(arena, count, sizeof(*items));
    for (size_t i = 0; i < count; i++)
        items[i] = value;
    return items;
}

#endif
