/* SPDX-License-Identifier: MIT */
/*
 * Natural loops, and the order of blocks that follows from them.
 *
 * A header's loop is what gets to one of its latches without passing it. Inner loops are found first
 * and stand for one block from then on, their header: each block is looked at once, and each edge
 * as often as it enters a loop (union-find, as in Tarjan's test of reducibility, 1974).
 *
 * Order: a walk is given extra edges, from the header of a loop to each block to which control leaves the
 * loop, to be taken before the header's own. When the loop's blocks are walked, everything behind the
 * loop is then finished, so they finish one after another, and last their header. The walk is one of
 * a graph with the same dominators among loops: what an extra edge says, a path of the function says
 * as well. An edge that leaves many loops at once counts for the outermost of them only, since the
 * others are walked after it.
 */
#include "verifier/cfg_parts.h"

#include "util/vec.h"

/* Whether the first walk found this edge to lead back: to a block it had not finished. */
static bool leads_back(const struct cfg_builder *b, uint32_t from, uint32_t to) {
    return b->number[to] <= b->number[from];
}

/* ------------------------------------------------------------------------------ irreducibility */

/*
 * The edge from a block to `head` leads back, but `head` does not dominate it. Among the blocks
 * that get there from below `head` in the walk's tree, one is entered from outside this subtree.
 */
static uint32_t entry_into(const struct cfg_builder *b, uint32_t head, uint32_t from) {
    struct bitset *seen = bitset_new(b->arena, b->nblocks);
    VEC(uint32_t) todo = {0};

    bitset_set(seen, head);
    bitset_set(seen, from);
    vec_push(b->arena, &todo, from);
    while (todo.count) {
        const struct cfg_block *block = &b->blocks[vec_pop(&todo)];
        for (uint32_t k = 0; k < block->npreds; k++) {
            uint32_t pred = block->preds[k];
            bool below = b->pre[pred] >= b->pre[head] && b->number[pred] >= b->number[head];
            if (!below)
                return b->blocks[pred].last;
            if (!bitset_test(seen, pred)) {
                bitset_set(seen, pred);
                vec_push(b->arena, &todo, pred);
            }
        }
    }
    return b->blocks[from].last;
}

/* --------------------------------------------------------------------------------------- loops */

struct finder {
    struct cfg_builder *b;
    uint32_t *top; /* by block: towards the header of the outermost loop found so far around it */
    VEC(uint32_t) todo;
};

static uint32_t top_of(struct finder *f, uint32_t block) {
    while (f->top[block] != block)
        block = f->top[block] = f->top[f->top[block]];
    return block;
}

/* Adds the blocks from which control gets to the latches in f->todo, backwards up to the header. */
static void gather(struct finder *f, uint32_t header) {
    struct cfg_block *blocks = f->b->blocks;

    blocks[header].loop = header;
    while (f->todo.count) {
        uint32_t block = top_of(f, vec_pop(&f->todo));
        if (block == header)
            continue;
        f->top[block] = header;
        if (blocks[block].loop == block)
            f->b->outer[block] = header;
        else
            blocks[block].loop = header;
        for (uint32_t k = 0; k < blocks[block].npreds; k++)
            vec_push(f->b->arena, &f->todo, blocks[block].preds[k]);
    }
}

bool cfg_find_loops(struct cfg_builder *b, uint32_t *culprit) {
    struct finder f = {.b = b, .top = cfg_filled(b->arena, b->nblocks, 0)};

    b->outer = cfg_filled(b->arena, b->nblocks, CFG_NONE);
    for (uint32_t i = 0; i < b->nblocks; i++) {
        f.top[i] = i;
        b->blocks[i].loop = CFG_NONE;
    }
    for (uint32_t i = b->nblocks; i-- > 0;) {
        uint32_t header = b->order[i];
        const struct cfg_block *block = &b->blocks[header];
        bool any = false;
        for (uint32_t k = 0; k < block->npreds; k++) {
            if (!leads_back(b, block->preds[k], header))
                continue;
            if (!cfg_block_dominates(block, &b->blocks[block->preds[k]])) {
                *culprit = entry_into(b, header, block->preds[k]);
                return false;
            }
            any = true;
            vec_push(b->arena, &f.todo, block->preds[k]);
        }
        b->nloops += any;
        if (any)
            gather(&f, header);
    }
    return true;
}

/* --------------------------------------------------------------------------------------- order */

/* The tree of loops; node b->nblocks, its root, is the function. */
static uint32_t loop_node(const struct cfg_builder *b, uint32_t header) {
    return header == CFG_NONE ? b->nblocks : header;
}

static void loop_tree(const struct cfg_builder *b, struct cfg_tree *tree) {
    cfg_tree_init(tree, b->arena, b->nblocks + 1, b->nblocks);
    for (uint32_t i = 0; i < b->nblocks; i++)
        if (b->blocks[b->order[i]].loop == b->order[i])
            cfg_tree_add(tree, b->order[i], loop_node(b, b->outer[b->order[i]]));
}

void cfg_order_loops(struct cfg_builder *b) {
    uint32_t edges = 0;
    struct cfg_tree tree;

    if (b->nloops == 0)
        return;
    loop_tree(b, &tree);
    b->extra = cfg_filled(b->arena, b->nblocks, CFG_NONE);
    b->extra_next = arena_alloc_array(b->arena, 2 * (size_t)b->nblocks, sizeof(*b->extra_next));
    b->extra_block = arena_alloc_array(b->arena, 2 * (size_t)b->nblocks, sizeof(*b->extra_block));
    for (uint32_t i = 0; i < b->nblocks; i++) {
        const struct cfg_block *block = &b->blocks[i];
        for (uint32_t k = 0; k < block->nsucc; k++) {
            uint32_t from = loop_node(b, block->loop),
                     to = loop_node(b, b->blocks[block->succ[k]].loop);
            uint32_t depth = tree.depth[cfg_tree_common(&tree, from, to)];
            if (depth == tree.depth[from])
                continue;
            uint32_t left = cfg_tree_ancestor(&tree, from, depth + 1);
            b->extra_block[edges] = block->succ[k];
            b->extra_next[edges] = b->extra[left];
            b->extra[left] = edges++;
        }
    }
    cfg_walk(b);
}

/* ---------------------------------------------------------------------------------------- list */

static void list_latches(const struct cfg_builder *b, struct cfg *out, struct cfg_loop *loop) {
    const struct cfg_block *header = &out->blocks[loop->header];
    uint32_t *latches = arena_alloc_array(b->arena, header->npreds, sizeof(*latches));

    for (uint32_t k = 0; k < header->npreds; k++) {
        bool again = k > 0 && header->preds[k - 1] == header->preds[k];
        if (header->preds[k] >= loop->header && !again)
            latches[loop->nlatches++] = header->preds[k];
    }
    loop->latches = latches;
}

void cfg_list_loops(const struct cfg_builder *b, struct cfg *out) {
    uint32_t *all = arena_alloc_array(b->arena, b->nblocks, sizeof(*all));
    uint32_t *loop_at = cfg_filled(b->arena, b->nblocks, CFG_NONE); /* by header, old number */

    out->loops = arena_alloc_array(b->arena, b->nloops, sizeof(*out->loops));
    for (uint32_t i = 0; i < b->nblocks; i++) {
        uint32_t old = b->order[i];
        all[i] = i;
        if (b->blocks[old].loop != old)
            continue;
        struct cfg_loop *loop = &out->loops[out->nloops];
        loop_at[old] = out->nloops++;
        loop->header = i;
        loop->blocks = all + i;
        loop->parent = b->outer[old] == CFG_NONE ? CFG_NONE : loop_at[b->outer[old]];
        loop->depth = loop->parent == CFG_NONE ? 1 : out->loops[loop->parent].depth + 1;
        list_latches(b, out, loop);
    }
    for (uint32_t i = 0; i < b->nblocks; i++) {
        struct cfg_block *block = &out->blocks[i];
        if (block->loop == CFG_NONE)
            continue;
        block->loop = loop_at[block->loop];
        out->loops[block->loop].nblocks++;
    }
    for (uint32_t i = out->nloops; i-- > 0;)
        if (out->loops[i].parent != CFG_NONE)
            out->loops[out->loops[i].parent].nblocks += out->loops[i].nblocks;
}
