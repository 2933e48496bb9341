/* SPDX-License-Identifier: MIT */
/*
 * Taking the graph apart (iterated register coalescing, George and Appel 1996): as long as there is
 * one, take in this order
 *   - a node with few neighbours and no copies: onto the stack, whatever its neighbours get,
 *     a register is left for it;
 *   - a copy whose two ends may become one node without making the graph harder to colour;
 *   - a node with few neighbours: its copies are given up, so that it can go onto the stack;
 *   - a node with many neighbours, the cheapest to spill: it goes onto the stack too, and whether it
 *     really finds no register shows when colours are given.
 * Each choice is by a heap: cold nodes first, hot copies first.
 *
 * A node knows machine registers as bits of `forbidden`; it has few neighbours if there are fewer of
 * them than registers it may have (`room`). Coalescing a node with a machine register thus adds
 * no edges: its neighbours lose a neighbour and, unless they had lost it before, that register.
 */
#include "thumb2/regalloc.h"

#include <assert.h>

/* Bounds that keep every step near constant on extreme graphs; ordinary ones stay far below. */
#define MAX_EXAMINED 1000 /* neighbours that one test looks at */
#define MAX_WAKES 8       /* times that a parked copy is tried again */
#define MANY_MOVES 32     /* copies of a node that are looked through MAX_WAKES times at most */

/* ------------------------------------------------------------------------------------------ heaps */

static bool before(struct heap_item a, struct heap_item b) {
    return a.key != b.key ? a.key < b.key : a.id < b.id;
}

void heap_push(struct heap *h, struct arena *arena, float key, uint32_t id) {
    struct heap_item item = {key, id};
    vec_push(arena, h, item);
    size_t i = h->count - 1;
    for (; i > 0 && before(item, h->items[(i - 1) / 2]); i = (i - 1) / 2)
        h->items[i] = h->items[(i - 1) / 2];
    h->items[i] = item;
}

struct heap_item heap_pop(struct heap *h) {
    struct heap_item top = h->items[0], item = vec_pop(h);
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < h->count; i = child) {
        if (child + 1 < h->count && before(h->items[child + 1], h->items[child]))
            child++;
        if (!before(h->items[child], item))
            break;
        h->items[i] = h->items[child];
    }
    if (h->count)
        h->items[i] = item;
    return top;
}

/* ------------------------------------------------------------------------------------- node states */

static bool is_low(const struct node *n) {
    return n->degree < n->room;
}

static bool in_graph(const struct node *n) {
    return n->state == NODE_SIMPLIFY || n->state == NODE_FREEZE || n->state == NODE_SPILL;
}

static float spill_key(const struct node *n) {
    return (ra_unspillable(n) ? 1e30f : ra_spill_cost(n)) / (float)(n->degree + 1);
}

/* Of the copies looked at: what is lost if the node is frozen. */
static float copies_weight(const struct ra *ra, const struct node *n) {
    float sum = 0;
    for (size_t i = 0; i < n->moves.count && i < MANY_MOVES; i++) {
        const struct move *m = &ra->moves.items[n->moves.items[i]];
        if (m->state != MOVE_DONE)
            sum += m->weight;
    }
    return sum;
}

/* Puts a node into the state, and the heap, that its degree and copies ask for. */
static void classify(struct ra *ra, mreg reg) {
    struct node *n = &ra->nodes[reg];
    if (!is_low(n)) {
        n->state = NODE_SPILL;
        heap_push(&ra->spill, ra->arena, spill_key(n), reg);
    } else if (n->live_moves) {
        n->state = NODE_FREEZE;
        heap_push(&ra->freeze, ra->arena, copies_weight(ra, n), reg);
    } else {
        n->state = NODE_SIMPLIFY;
        heap_push(&ra->simplify, ra->arena, n->use_cost + n->def_cost, reg);
    }
}

static void wake_moves(struct ra *ra, struct node *n) {
    if (!n->live_moves || (n->moves.count > MANY_MOVES && n->searches == MAX_WAKES))
        return;
    if (n->searches < MAX_WAKES)
        n->searches++;
    vec_for_each(uint32_t, id, &n->moves) {
        struct move *m = &ra->moves.items[*id];
        if (m->state != MOVE_PARKED || m->wakes == MAX_WAKES)
            continue;
        m->wakes++;
        m->state = MOVE_READY;
        heap_push(&ra->ready_moves, ra->arena, -m->weight, *id);
    }
}

/* The node lost a neighbour. When that makes it low, copies near it may have become safe. */
static void lose_neighbour(struct ra *ra, mreg reg) {
    struct node *n = &ra->nodes[reg];
    bool was_low = is_low(n);
    n->degree--;
    if (was_low || !is_low(n))
        return;
    wake_moves(ra, n);
    if (n->adjacent.count <= MAX_EXAMINED) /* a merged node passes here after each merge */
        vec_for_each(mreg, t, &n->adjacent)
            if (in_graph(&ra->nodes[*t]))
                wake_moves(ra, &ra->nodes[*t]);
    classify(ra, reg);
}

static void simplify(struct ra *ra, mreg reg) {
    struct node *n = &ra->nodes[reg];
    n->state = NODE_STACK;
    vec_push(ra->arena, &ra->stack, reg);
    vec_for_each(mreg, t, &n->adjacent)
        if (in_graph(&ra->nodes[*t]))
            lose_neighbour(ra, *t);
}

/* -------------------------------------------------------------------------------------- coalescing */

/* One end of a copy has one less that may coalesce. */
static void drop_move(struct ra *ra, mreg end) {
    if (end < MREG_VIRTUAL)
        return;
    struct node *n = &ra->nodes[end];
    assert(n->live_moves > 0);
    n->live_moves--;
    if (n->state == NODE_FREEZE && !n->live_moves)
        classify(ra, end);
}

/* Does t stay as easy to colour when it gets `with` as its neighbour? */
static bool harmless(const struct ra *ra, mreg t, mreg with) {
    const struct node *n = &ra->nodes[t];
    if (!in_graph(n) || is_low(n))
        return true;
    return with < MREG_VIRTUAL ? n->forbidden >> with & 1 : ra_connected(ra, t, with);
}

/* George's test: every neighbour of v is low or a neighbour of u already. */
static bool george(const struct ra *ra, mreg u, mreg v) {
    const struct node *n = &ra->nodes[v];
    if (n->adjacent.count > MAX_EXAMINED)
        return false;
    if (u >= MREG_VIRTUAL && n->forbidden & ~(unsigned)ra->nodes[u].forbidden)
        return false;
    vec_for_each(mreg, t, &n->adjacent)
        if (!harmless(ra, *t, u))
            return false;
    return true;
}

/* Briggs' test: the node made of u and v has fewer high neighbours than registers. */
static bool briggs(struct ra *ra, mreg u, mreg v) {
    const struct node *ends[2] = {&ra->nodes[u], &ra->nodes[v]};
    unsigned forbidden = ends[0]->forbidden | (unsigned)ends[1]->forbidden;
    int room = __builtin_popcount(ra->fn->allocatable & ~forbidden), high = 0;
    if (room == 0 || ends[0]->adjacent.count + ends[1]->adjacent.count > MAX_EXAMINED)
        return false;
    ra->stamp++;
    for (int e = 0; e < 2; e++)
        vec_for_each(mreg, t, &ends[e]->adjacent) {
            const struct node *n = &ra->nodes[*t];
            if (!in_graph(n) || ra->mark[*t] == ra->stamp)
                continue;
            ra->mark[*t] = ra->stamp;
            /* A common neighbour will have one neighbour less. */
            bool common = e == 0 && ra_connected(ra, *t, v);
            if (n->degree - common >= n->room && ++high >= room)
                return false;
        }
    return true;
}

static bool conflict(const struct ra *ra, mreg u, mreg v) {
    if (u < MREG_VIRTUAL)
        return ra->nodes[v].forbidden >> u & 1;
    return ra_connected(ra, u, v);
}

/* Is there a hotter copy between v and something else, still to be had? Once v is a machine register
 * that one may be lost, while the copy at hand is likely to be saved by the choice of colours too. */
static bool has_hotter_copy(const struct ra *ra, mreg v, float weight) {
    const struct node *n = &ra->nodes[v];
    for (size_t i = 0; i < n->moves.count && i < MANY_MOVES; i++) {
        const struct move *m = &ra->moves.items[n->moves.items[i]];
        mreg dst = ra_alias(ra, m->dst), src = ra_alias(ra, m->src);
        mreg other = dst == v ? src : dst;
        if (m->weight > weight && other != v && !conflict(ra, other, v))
            return true;
    }
    return false;
}

static bool is_safe(struct ra *ra, mreg u, mreg v, float weight) {
    if (u < MREG_VIRTUAL)
        return george(ra, u, v) && !has_hotter_copy(ra, v, weight);
    return briggs(ra, u, v) || george(ra, u, v) || george(ra, v, u);
}

static void become_machine(struct ra *ra, mreg u, mreg v) {
    struct node *n = &ra->nodes[v];
    wake_moves(ra, n);
    n->state = NODE_COALESCED;
    n->alias = u;
    vec_for_each(mreg, t, &n->adjacent) {
        struct node *neighbour = &ra->nodes[*t];
        if (!in_graph(neighbour))
            continue;
        if (neighbour->forbidden >> u & 1) {
            lose_neighbour(ra, *t);
            continue;
        }
        /* One neighbour and one register less: as easy or hard as before. */
        neighbour->forbidden |= (uint16_t)(1u << u);
        neighbour->room--;
        neighbour->degree--;
    }
}

static void merge_facts(struct ra *ra, struct node *to, struct node *from) {
    to->forbidden |= from->forbidden;
    to->room = (uint8_t)__builtin_popcount(ra->fn->allocatable & ~(unsigned)to->forbidden);
    to->spans |= from->spans;
    to->atomic |= from->atomic;
    to->ndefs += from->ndefs;
    to->nrefs += from->nrefs;
    to->use_cost += from->use_cost;
    to->def_cost += from->def_cost;
    if (!to->remat)
        to->remat = from->remat;
    to->live_moves += from->live_moves;
    if (to->moves.count < from->moves.count) {
        struct u32_vec swap = to->moves;
        to->moves = from->moves;
        from->moves = swap;
    }
    vec_for_each(uint32_t, m, &from->moves)
        vec_push(ra->arena, &to->moves, *m);
}

static void become_one(struct ra *ra, mreg u, mreg v) {
    struct node *to = &ra->nodes[u], *from = &ra->nodes[v];
    wake_moves(ra, from);
    from->state = NODE_COALESCED;
    from->alias = u;
    merge_facts(ra, to, from);
    vec_for_each(mreg, t, &from->adjacent) {
        if (!in_graph(&ra->nodes[*t]))
            continue;
        if (ra_connect(ra, *t, u))
            to->degree++;
        else
            lose_neighbour(ra, *t);
    }
}

/* Both ends of a copy are u now: it is an instruction that no longer counts. */
static void forget_copy(struct ra *ra, mreg u, const struct move *m) {
    if (u < MREG_VIRTUAL)
        return;
    struct node *n = &ra->nodes[u];
    n->ndefs--;
    n->nrefs -= 2;
    n->use_cost -= m->weight;
    n->def_cost -= m->weight;
}

static void try_move(struct ra *ra, struct move *m) {
    mreg u = ra_alias(ra, m->dst), v = ra_alias(ra, m->src);
    if (v < MREG_VIRTUAL ||
        (u >= MREG_VIRTUAL && ra->nodes[u].adjacent.count < ra->nodes[v].adjacent.count)) {
        mreg swap = u;
        u = v;
        v = swap;
    }
    if (u == v) {
        m->state = MOVE_DONE;
        forget_copy(ra, u, m);
    } else if (v < MREG_VIRTUAL || conflict(ra, u, v)) {
        m->state = MOVE_DONE;
    } else if (is_safe(ra, u, v, m->weight)) {
        m->state = MOVE_DONE;
        if (u < MREG_VIRTUAL) {
            become_machine(ra, u, v);
            return;
        }
        become_one(ra, u, v);
        forget_copy(ra, u, m);
        ra->nodes[u].live_moves -= 2;
        classify(ra, u);
        return;
    } else {
        m->state = MOVE_PARKED;
        return;
    }
    drop_move(ra, u);
    drop_move(ra, v);
}

/* The node's copies will stay: what remains is a hint for the choice of colours. */
static void freeze_moves(struct ra *ra, mreg reg) {
    struct node *n = &ra->nodes[reg];
    vec_for_each(uint32_t, id, &n->moves) {
        struct move *m = &ra->moves.items[*id];
        if (m->state == MOVE_DONE)
            continue;
        m->state = MOVE_DONE;
        mreg dst = ra_alias(ra, m->dst), src = ra_alias(ra, m->src);
        drop_move(ra, dst == reg ? src : dst);
    }
    n->live_moves = 0;
}

/* --------------------------------------------------------------------------------------- main loop */

/* The node on top of a heap if it still is in that state; MREG_NONE for a stale entry. */
static mreg take(struct ra *ra, struct heap *h, enum node_state state) {
    mreg reg = heap_pop(h).id;
    return ra->nodes[reg].state == state ? reg : MREG_NONE;
}

static void choose_spill(struct ra *ra) {
    struct heap_item item = heap_pop(&ra->spill);
    struct node *n = &ra->nodes[item.id];
    if (n->state != NODE_SPILL)
        return;
    /* Its degree has changed since it was pushed: look again if another is cheaper now. */
    float key = spill_key(n);
    if (key > item.key && ra->spill.count && ra->spill.items[0].key < key) {
        heap_push(&ra->spill, ra->arena, key, item.id);
        return;
    }
    freeze_moves(ra, item.id);
    simplify(ra, item.id);
}

void ra_reduce(struct ra *ra) {
    for (mreg r = MREG_VIRTUAL; r < ra->nnodes; r++)
        if (ra->nodes[r].state != NODE_ABSENT)
            classify(ra, r);
    for (uint32_t m = 0; m < ra->moves.count; m++)
        heap_push(&ra->ready_moves, ra->arena, -ra->moves.items[m].weight, m);
    for (;;) {
        mreg reg;
        if (ra->simplify.count) {
            if ((reg = take(ra, &ra->simplify, NODE_SIMPLIFY)) != MREG_NONE)
                simplify(ra, reg);
        } else if (ra->ready_moves.count) {
            struct move *m = &ra->moves.items[heap_pop(&ra->ready_moves).id];
            if (m->state == MOVE_READY)
                try_move(ra, m);
        } else if (ra->freeze.count) {
            if ((reg = take(ra, &ra->freeze, NODE_FREEZE)) != MREG_NONE) {
                freeze_moves(ra, reg);
                classify(ra, reg);
            }
        } else if (ra->spill.count) {
            choose_spill(ra);
        } else {
            return;
        }
    }
}
