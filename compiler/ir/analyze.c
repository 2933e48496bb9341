/* SPDX-License-Identifier: MIT */
/*
 * Analyses of the control-flow graph: reachability and reverse post-order, dominators, natural loops.
 *
 * Dominators by Lengauer and Tarjan, "A fast algorithm for finding dominators in a flowgraph"
 * (TOPLAS 1979), the simple version: O(m log n). The iterative method is shorter, but a function
 * that checks 50,000 conditions in a row and leaves to one exit makes it quadratic. Nothing here
 * recurses, so that deep graphs do not exhaust the C stack.
 */
#include <assert.h>
#include <string.h>

#include "ir/ir.h"

#define NONE UINT32_MAX

struct graph {
    struct ir_fn *fn;
    struct arena *arena; /* of the running analysis */
    uint32_t n;          /* reachable blocks */
    struct ir_block **preorder;
    uint32_t *number; /* preorder number by block id, NONE if unreachable */
    uint32_t *parent; /* in the depth-first tree; this and all below by preorder number */
    uint32_t *semi, *label, *ancestor, *idom;
    uint32_t *bucket, *bucket_next; /* lists of the nodes that share a semidominator */
    uint32_t *path;                 /* stack of compress() */
};

static uint32_t *numbers(struct arena *arena, uint32_t n, uint32_t value) {
    uint32_t *items = arena_alloc_array(arena, n + 1, sizeof(*items));
    for (uint32_t i = 0; i <= n; i++)
        items[i] = value;
    return items;
}

/* Depth-first search from the entry: preorder numbers and reverse post-order. */
static void search(struct graph *g) {
    struct ir_fn *fn = g->fn;
    uint32_t depth = 0, done = 0;
    uint32_t *stack = numbers(g->arena, fn->nblocks, 0); /* preorder numbers on the path */
    uint8_t *edge = arena_alloc_array(g->arena, fn->nblocks + 1, 1);
    struct ir_block **postorder = arena_alloc_array(g->arena, fn->nblocks + 1, sizeof(*postorder));

    g->preorder[0] = fn->blocks[0];
    g->number[fn->blocks[0]->id] = 0;
    g->n = depth = 1;
    while (depth) {
        uint32_t at = stack[depth - 1];
        struct ir_block *block = g->preorder[at];
        struct ir_block *next = edge[at] < 2 ? block->target[edge[at]++] : NULL;
        if (next && g->number[next->id] == NONE) {
            g->number[next->id] = g->n;
            g->parent[g->n] = at;
            g->preorder[g->n] = next;
            stack[depth++] = g->n++;
        } else if (!next) {
            postorder[done++] = block;
            depth--;
        }
    }
    assert(done == g->n);
    fn->order = arena_alloc_array(fn->arena, g->n, sizeof(*fn->order));
    fn->norder = g->n;
    for (uint32_t i = 0; i < g->n; i++) {
        fn->order[i] = postorder[g->n - 1 - i];
        fn->order[i]->rpo = i;
    }
}

/* Drops unreachable blocks and the edges from them, each list filtered once. */
static void remove_unreachable(struct graph *g) {
    struct ir_fn *fn = g->fn;
    for (uint32_t i = 0; i < g->n; i++) {
        struct ir_block *block = fn->order[i];
        uint32_t kept = 0;
        for (uint32_t k = 0; k < block->npreds; k++) {
            if (g->number[block->preds[k]->id] == NONE)
                continue;
            for (struct ir_inst *phi = block->first; phi && phi->op == IR_PHI; phi = phi->next)
                phi->args[kept] = phi->args[k];
            block->preds[kept++] = block->preds[k];
        }
        for (struct ir_inst *phi = block->first; phi && phi->op == IR_PHI; phi = phi->next)
            phi->nargs = kept;
        block->npreds = kept;
    }
    for (uint32_t i = 0; i < fn->nblocks; i++) {
        struct ir_block *block = fn->blocks[i];
        if (!block || g->number[i] != NONE)
            continue;
        while (block->first)
            ir_remove(fn, block->first);
        fn->blocks[i] = NULL;
    }
}

/* ----------------------------------------------------------------------------------- dominators */

/* Hangs all nodes on v's path to the root of its tree below that root, keeping in label[] the node
 * with the smallest semidominator on the path. */
static void compress(struct graph *g, uint32_t v) {
    uint32_t depth = 0;
    for (; g->ancestor[g->ancestor[v]] != NONE; v = g->ancestor[v])
        g->path[depth++] = v;
    while (depth) {
        v = g->path[--depth];
        uint32_t above = g->ancestor[v];
        if (g->semi[g->label[above]] < g->semi[g->label[v]])
            g->label[v] = g->label[above];
        g->ancestor[v] = g->ancestor[above];
    }
}

static uint32_t eval(struct graph *g, uint32_t v) {
    if (g->ancestor[v] == NONE)
        return v;
    compress(g, v);
    return g->label[v];
}

static void find_semidominator(struct graph *g, uint32_t v) {
    const struct ir_block *block = g->preorder[v];
    for (uint32_t i = 0; i < block->npreds; i++) {
        uint32_t pred = g->number[block->preds[i]->id];
        if (pred == NONE)
            continue;
        uint32_t u = eval(g, pred);
        if (g->semi[u] < g->semi[v])
            g->semi[v] = g->semi[u];
    }
    g->bucket_next[v] = g->bucket[g->semi[v]];
    g->bucket[g->semi[v]] = v;
}

static void find_dominators(struct graph *g) {
    for (uint32_t v = g->n - 1; v > 0; v--) {
        find_semidominator(g, v);
        uint32_t parent = g->parent[v];
        g->ancestor[v] = parent;
        for (uint32_t w = g->bucket[parent]; w != NONE; w = g->bucket_next[w]) {
            uint32_t u = eval(g, w);
            g->idom[w] = g->semi[u] < g->semi[w] ? u : parent;
        }
        g->bucket[parent] = NONE;
    }
    g->preorder[0]->idom = NULL;
    for (uint32_t v = 1; v < g->n; v++) {
        if (g->idom[v] != g->semi[v])
            g->idom[v] = g->idom[g->idom[v]];
        g->preorder[v]->idom = g->preorder[g->idom[v]];
    }
}

/* Preorder intervals of the dominator tree. An idom precedes its children in reverse post-order, so
 * subtree sizes add up backwards and the intervals are handed out forwards. */
static void number_dominators(struct graph *g) {
    struct ir_fn *fn = g->fn;
    uint32_t *size = numbers(g->arena, g->n, 1);
    for (uint32_t i = g->n; i-- > 1;)
        size[fn->order[i]->idom->rpo] += size[i];
    uint32_t *next = numbers(g->arena, g->n, 0); /* next free number below each block */
    for (uint32_t i = 0; i < g->n; i++) {
        struct ir_block *block = fn->order[i];
        block->dom_first = 0;
        if (block->idom) {
            block->dom_first = next[block->idom->rpo];
            next[block->idom->rpo] += size[i];
        }
        block->dom_last = block->dom_first + size[i] - 1;
        next[i] = block->dom_first + 1;
    }
}

bool ir_dominates(const struct ir_block *a, const struct ir_block *b) {
    return a->dom_first <= b->dom_first && b->dom_first <= a->dom_last;
}

/* ---------------------------------------------------------------------------------------- loops */

struct loops {
    struct ir_block **parent; /* by block id of a header: header of the loop around it */
    struct ir_block **outer;  /* the same, path-compressed: some loop around it */
    struct ir_block **work;
    uint32_t nwork;
};

static struct ir_block *outermost(struct loops *l, struct ir_block *header) {
    struct ir_block *top = header;
    while (l->outer[top->id])
        top = l->outer[top->id];
    while (header != top) {
        struct ir_block *next = l->outer[header->id];
        l->outer[header->id] = top;
        header = next;
    }
    return top;
}

static void push_preds(struct loops *l, const struct ir_block *block) {
    for (uint32_t i = 0; i < block->npreds; i++)
        l->work[l->nwork++] = block->preds[i];
}

/* Collects the natural loop of `header`: what reaches its back edges without passing it. Inner loops
 * have been collected before and are passed over from header to header. */
static void collect_loop(struct loops *l, struct ir_block *header) {
    for (uint32_t i = 0; i < header->npreds; i++)
        if (ir_dominates(header, header->preds[i]))
            l->work[l->nwork++] = header->preds[i];
    if (!l->nwork)
        return;
    header->loop_header = header;
    while (l->nwork) {
        struct ir_block *block = l->work[--l->nwork];
        if (!block->loop_header) {
            block->loop_header = header;
            push_preds(l, block);
            continue;
        }
        struct ir_block *inner = outermost(l, block->loop_header);
        if (inner == header)
            continue;
        l->parent[inner->id] = l->outer[inner->id] = header;
        push_preds(l, inner);
    }
}

static void find_loops(struct graph *g) {
    struct ir_fn *fn = g->fn;
    uint32_t edges = 0;
    for (uint32_t i = 0; i < fn->norder; i++) {
        fn->order[i]->loop_header = NULL;
        fn->order[i]->loop_depth = 0;
        edges += fn->order[i]->npreds;
    }
    struct loops l = {
        .parent = arena_alloc_array(g->arena, fn->nblocks, sizeof(struct ir_block *)),
        .outer = arena_alloc_array(g->arena, fn->nblocks, sizeof(struct ir_block *)),
        .work = arena_alloc_array(g->arena, 2 * edges + 1, sizeof(struct ir_block *)),
    };
    for (uint32_t i = fn->norder; i-- > 0;)
        collect_loop(&l, fn->order[i]);
    for (uint32_t i = 0; i < fn->norder; i++) {
        struct ir_block *block = fn->order[i], *header = block->loop_header;
        if (!header)
            continue;
        struct ir_block *around = l.parent[header->id];
        block->loop_depth =
            header != block ? header->loop_depth : 1 + (around ? around->loop_depth : 0);
    }
}

void ir_analyze(struct ir_fn *fn) {
    struct arena *arena = arena_new();
    uint32_t n = fn->nblocks;
    struct graph g = {
        .fn = fn,
        .arena = arena,
        .preorder = arena_alloc_array(arena, n, sizeof(struct ir_block *)),
        .number = numbers(arena, n, NONE),
        .parent = numbers(arena, n, NONE),
        .label = numbers(arena, n, NONE),
        .semi = numbers(arena, n, NONE),
        .ancestor = numbers(arena, n, NONE),
        .idom = numbers(arena, n, NONE),
        .bucket = numbers(arena, n, NONE),
        .bucket_next = numbers(arena, n, NONE),
        .path = numbers(arena, n, NONE),
    };
    for (uint32_t i = 0; i < n; i++)
        g.label[i] = g.semi[i] = i;
    search(&g);
    remove_unreachable(&g);
    find_dominators(&g);
    number_dominators(&g);
    find_loops(&g);
    arena_free(arena);
}
