/* SPDX-License-Identifier: MIT */
/*
 * Blocks and dominators. The function is cut into blocks, walked depth-first, and its dominators are
 * found in reverse post-order without the edges that lead back: the immediate dominator of a block is
 * the nearest common one of its predecessors. In a reducible function this is the whole truth: the source
 * of an edge that leads back is dominated by its target already, so that leaving out the way round
 * takes no block from any path. cfg_find_loops() refuses the others. Loops then decide the final order.
 */
#include "verifier/cfg_parts.h"

#include "util/vec.h"

/* ----------------------------------------------------------------------------------- ancestors */

void cfg_tree_init(struct cfg_tree *tree, struct arena *arena, uint32_t nodes, uint32_t root) {
    tree->parent = arena_alloc_array(arena, nodes, sizeof(*tree->parent));
    tree->far = arena_alloc_array(arena, nodes, sizeof(*tree->far));
    tree->depth = arena_alloc_array(arena, nodes, sizeof(*tree->depth));
    tree->parent[root] = tree->far[root] = root;
}

void cfg_tree_add(struct cfg_tree *tree, uint32_t node, uint32_t parent) {
    uint32_t far = tree->far[parent], farther = tree->far[far];
    bool equal = tree->depth[parent] - tree->depth[far] == tree->depth[far] - tree->depth[farther];
    tree->parent[node] = parent;
    tree->depth[node] = tree->depth[parent] + 1;
    tree->far[node] = equal ? farther : parent;
}

uint32_t cfg_tree_ancestor(const struct cfg_tree *tree, uint32_t node, uint32_t depth) {
    while (tree->depth[node] > depth) {
        uint32_t far = tree->far[node];
        node = tree->depth[far] >= depth ? far : tree->parent[node];
    }
    return node;
}

uint32_t cfg_tree_common(const struct cfg_tree *tree, uint32_t a, uint32_t b) {
    a = cfg_tree_ancestor(tree, a, tree->depth[b]);
    b = cfg_tree_ancestor(tree, b, tree->depth[a]);
    while (a != b) { /* equal depth: equal distances */
        bool skip = tree->far[a] != tree->far[b];
        a = skip ? tree->far[a] : tree->parent[a];
        b = skip ? tree->far[b] : tree->parent[b];
    }
    return a;
}

/* -------------------------------------------------------------------------------------- blocks */

/* Marks the slots that control gets to, and those among them that begin a block. */
static void mark_slots(const struct cfg_builder *b, struct bitset *reached,
                       struct bitset *leaders) {
    uint32_t first = b->func->start;
    VEC(uint32_t) todo = {0};

    vec_push(b->arena, &todo, first);
    while (todo.count) {
        uint32_t slot = vec_pop(&todo);
        bitset_set(leaders, slot - first);
        while (!bitset_test(reached, slot - first)) {
            const struct bpf_decoded *d = &b->program->decoded[slot];
            bitset_set(reached, slot - first);
            if (bpf_op_is_jump(d->op))
                vec_push(b->arena, &todo, slot + (uint32_t)d->target);
            if (d->op == BPF_JA || d->op == BPF_EXIT)
                break;
            slot += d->len;
            if (bpf_op_is_jcc(d->op))
                bitset_set(leaders, slot - first);
        }
    }
}

static void cut_blocks(struct cfg_builder *b) {
    uint32_t first = b->func->start, len = b->func->len;
    struct bitset *reached = bitset_new(b->arena, len), *leaders = bitset_new(b->arena, len);

    mark_slots(b, reached, leaders);
    b->blocks = arena_alloc_array(b->arena, bitset_count(leaders), sizeof(*b->blocks));
    b->block_of = cfg_filled(b->arena, len, CFG_NONE);
    bitset_for_each(i, reached) {
        uint32_t slot = first + (uint32_t)i;
        if (bitset_test(leaders, i))
            b->blocks[b->nblocks++].start = slot;
        struct cfg_block *block = &b->blocks[b->nblocks - 1];
        block->last = slot;
        block->end = slot + b->program->decoded[slot].len;
        b->block_of[i] = b->nblocks - 1;
    }
}

static void find_succs(struct cfg_builder *b) {
    for (uint32_t i = 0; i < b->nblocks; i++) {
        struct cfg_block *block = &b->blocks[i];
        const struct bpf_decoded *d = &b->program->decoded[block->last];
        if (d->op != BPF_JA && d->op != BPF_EXIT)
            block->succ[block->nsucc++] = b->block_of[block->end - b->func->start];
        if (bpf_op_is_jump(d->op))
            block->succ[block->nsucc++] =
                b->block_of[block->last + (uint32_t)d->target - b->func->start];
    }
}

/* In the order of the blocks that they come from. */
static void find_preds(struct arena *arena, struct cfg_block *blocks, uint32_t nblocks) {
    uint32_t *preds = arena_alloc_array(arena, 2 * (size_t)nblocks, sizeof(*preds));
    uint32_t *place = arena_alloc_array(arena, nblocks, sizeof(*place));
    uint32_t edges = 0;

    for (uint32_t i = 0; i < nblocks; i++)
        blocks[i].npreds = 0;
    for (uint32_t i = 0; i < nblocks; i++)
        for (uint32_t k = 0; k < blocks[i].nsucc; k++)
            blocks[blocks[i].succ[k]].npreds++;
    for (uint32_t i = 0; i < nblocks; i++) {
        blocks[i].preds = preds + edges;
        place[i] = edges;
        edges += blocks[i].npreds;
    }
    for (uint32_t i = 0; i < nblocks; i++)
        for (uint32_t k = 0; k < blocks[i].nsucc; k++)
            preds[place[blocks[i].succ[k]]++] = i;
}

/* --------------------------------------------------------------------------------------- walks */

struct visit {
    uint32_t block;
    uint32_t extra; /* edges that remain: extra ones, then the block's own in reverse, so that code
                       that falls through stays together */
    uint32_t nsucc;
};

static struct visit visit_of(const struct cfg_builder *b, uint32_t block) {
    return (struct visit){block, b->extra ? b->extra[block] : CFG_NONE, b->blocks[block].nsucc};
}

/* The next block that a visit leads to, or CFG_NONE at its end. */
static uint32_t step(const struct cfg_builder *b, struct visit *v) {
    if (v->extra != CFG_NONE) {
        uint32_t edge = v->extra;
        v->extra = b->extra_next[edge];
        return b->extra_block[edge];
    }
    return v->nsucc ? b->blocks[v->block].succ[--v->nsucc] : CFG_NONE;
}

void cfg_walk(struct cfg_builder *b) {
    struct bitset *seen = bitset_new(b->arena, b->nblocks);
    uint32_t before = 0, left = b->nblocks;
    VEC(struct visit) path = {0};

    bitset_set(seen, 0);
    b->pre[0] = before++;
    vec_push(b->arena, &path, visit_of(b, 0));
    while (path.count) {
        struct visit *v = &vec_last(&path);
        uint32_t next = step(b, v);
        if (next == CFG_NONE) {
            b->order[--left] = v->block;
            b->number[v->block] = left;
            (void)vec_pop(&path);
        } else if (!bitset_test(seen, next)) {
            bitset_set(seen, next);
            b->pre[next] = before++;
            vec_push(b->arena, &path, visit_of(b, next));
        }
    }
}

/* ---------------------------------------------------------------------------------- dominators */

static void number_dominators(struct cfg_builder *b) {
    uint32_t *size = cfg_filled(b->arena, b->nblocks, 1);
    uint32_t *next =
        arena_alloc_array(b->arena, b->nblocks, sizeof(*next)); /* for its next child */

    for (uint32_t i = b->nblocks; --i > 0;)
        size[b->blocks[b->order[i]].idom] += size[b->order[i]];
    for (uint32_t i = 0; i < b->nblocks; i++) {
        struct cfg_block *block = &b->blocks[b->order[i]];
        block->dom_first = 0;
        if (block->idom != CFG_NONE) {
            block->dom_first = next[block->idom];
            next[block->idom] += size[b->order[i]];
        }
        block->dom_last = block->dom_first + size[b->order[i]] - 1;
        next[b->order[i]] = block->dom_first + 1;
    }
}

static void find_dominators(struct cfg_builder *b) {
    struct cfg_tree tree;

    cfg_tree_init(&tree, b->arena, b->nblocks, 0);
    b->blocks[0].idom = CFG_NONE;
    for (uint32_t i = 1; i < b->nblocks; i++) {
        struct cfg_block *block = &b->blocks[b->order[i]];
        block->idom = CFG_NONE;
        for (uint32_t k = 0; k < block->npreds; k++) {
            uint32_t pred = block->preds[k];
            if (b->number[pred] < i)
                block->idom =
                    block->idom == CFG_NONE ? pred : cfg_tree_common(&tree, block->idom, pred);
        }
        cfg_tree_add(&tree, b->order[i], block->idom);
    }
    number_dominators(b);
}

/* ----------------------------------------------------------------------------------- the whole */

/* Blocks in their final order. */
static void renumber(const struct cfg_builder *b, struct cfg *out) {
    out->nblocks = b->nblocks;
    out->blocks = arena_alloc_array(b->arena, b->nblocks, sizeof(*out->blocks));
    for (uint32_t i = 0; i < b->nblocks; i++) {
        struct cfg_block *block = &out->blocks[i];
        *block = b->blocks[b->order[i]];
        for (uint32_t k = 0; k < block->nsucc; k++)
            block->succ[k] = b->number[block->succ[k]];
        if (block->idom != CFG_NONE)
            block->idom = b->number[block->idom];
    }
    find_preds(b->arena, out->blocks, b->nblocks);
    for (uint32_t i = 0; i < b->func->len; i++)
        if (b->block_of[i] != CFG_NONE)
            b->block_of[i] = b->number[b->block_of[i]];
    out->block_of = b->block_of;
}

bool cfg_build(struct arena *arena, const struct program *program, uint32_t func,
               const uint16_t *live_args, struct cfg *out, uint32_t *culprit) {
    struct cfg_builder b = {.arena = arena, .program = program, .func = &program->funcs[func]};

    cut_blocks(&b);
    b.order = arena_alloc_array(arena, b.nblocks, sizeof(*b.order));
    b.number = arena_alloc_array(arena, b.nblocks, sizeof(*b.number));
    b.pre = arena_alloc_array(arena, b.nblocks, sizeof(*b.pre));
    find_succs(&b);
    find_preds(arena, b.blocks, b.nblocks);
    cfg_walk(&b);
    find_dominators(&b);
    if (!cfg_find_loops(&b, culprit))
        return false;
    cfg_order_loops(&b);
    *out = (struct cfg){.func = func};
    renumber(&b, out);
    cfg_list_loops(&b, out);
    cfg_find_live(arena, program, live_args, out);
    return true;
}

bool cfg_dominates(const struct cfg *cfg, uint32_t a, uint32_t b) {
    return cfg_block_dominates(&cfg->blocks[a], &cfg->blocks[b]);
}

bool cfg_in_loop(const struct cfg *cfg, uint32_t block, uint32_t loop) {
    const struct cfg_loop *l = &cfg->loops[loop];
    return block >= l->header && block - l->header < l->nblocks;
}
