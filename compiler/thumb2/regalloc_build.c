/* SPDX-License-Identifier: MIT */
/*
 * The interference graph of one round: every block is walked backwards with the set of live
 * registers; what an instruction writes conflicts with what lives on after it. The source of a copy
 * does not conflict with its destination because of the copy: both hold one value.
 */
#include "thumb2/regalloc.h"

#include <assert.h>

/* ------------------------------------------------------------------------------------------ edges */

static uint64_t edge_key(mreg a, mreg b) {
    return a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a; /* b > 0, so never 0 */
}

static size_t edge_index(const struct edge_set *set, uint64_t key) {
    /* Each half by an odd number of its own: the high word of the sum depends on all of both. */
    uint64_t hash = (key >> 32) * UINT64_C(0x9e3779b97f4a7c15) +
                    (key & UINT32_MAX) * UINT64_C(0xc2b2ae3d27d4eb4f);
    size_t i = (size_t)(hash >> 32) & (set->capacity - 1);
    while (set->slots[i] && set->slots[i] != key)
        i = (i + 1) & (set->capacity - 1);
    return i;
}

static void edge_set_grow(struct edge_set *set, struct arena *arena) {
    struct edge_set old = *set;
    set->capacity = old.capacity ? old.capacity * 2 : 1024;
    set->slots = arena_alloc_array(arena, set->capacity, sizeof(*set->slots));
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i])
            set->slots[edge_index(set, old.slots[i])] = old.slots[i];
}

bool edge_add(struct edge_set *set, struct arena *arena, mreg a, mreg b) {
    if (set->count * 2 >= set->capacity)
        edge_set_grow(set, arena);
    uint64_t key = edge_key(a, b);
    size_t i = edge_index(set, key);
    if (set->slots[i])
        return false;
    set->slots[i] = key;
    set->count++;
    return true;
}

/* A list of neighbours up to this length is searched; only edges between two nodes with longer lists
 * are in the hash table. Most nodes are small and found in the cache, the table is not. */
#define SHORT_LIST 32

/* Eight at a time without a branch between them: that is several in one instruction. */
static bool is_listed(const struct node *n, mreg reg) {
    const mreg *items = n->adjacent.items;
    size_t i = 0, count = n->adjacent.count;
    for (; i + 8 <= count; i += 8) {
        unsigned found = 0;
        for (size_t k = 0; k < 8; k++)
            found |= items[i + k] == reg;
        if (found)
            return true;
    }
    for (; i < count; i++)
        if (items[i] == reg)
            return true;
    return false;
}

bool ra_connected(const struct ra *ra, mreg a, mreg b) {
    const struct node *na = &ra->nodes[a], *nb = &ra->nodes[b];
    if (na->adjacent.count <= SHORT_LIST)
        return is_listed(na, b);
    if (nb->adjacent.count <= SHORT_LIST)
        return is_listed(nb, a);
    return ra->edges.count && ra->edges.slots[edge_index(&ra->edges, edge_key(a, b))];
}

static void add_neighbour(struct ra *ra, mreg to, mreg reg) {
    struct u32_vec *list = &ra->nodes[to].adjacent;
    vec_push(ra->arena, list, reg);
    size_t from = list->count - 1;
    if (list->count == SHORT_LIST + 1)
        from = 0; /* it has become long with this one: enter all that it has */
    for (size_t i = from; list->count > SHORT_LIST && i < list->count; i++)
        if (ra->nodes[list->items[i]].adjacent.count > SHORT_LIST)
            edge_add(&ra->edges, ra->arena, to, list->items[i]);
}

bool ra_connect(struct ra *ra, mreg a, mreg b) {
    if (ra_connected(ra, a, b))
        return false;
    add_neighbour(ra, a, b);
    add_neighbour(ra, b, a);
    return true;
}

static void connect(struct ra *ra, mreg a, mreg b) {
    if (a == b || !ra_connect(ra, a, b))
        return;
    ra->nodes[a].degree++;
    ra->nodes[b].degree++;
}

/* Two registers of any kind must differ. */
static void keep_apart(struct ra *ra, mreg a, mreg b) {
    if (a == MREG_NONE || b == MREG_NONE)
        return;
    if (a >= MREG_VIRTUAL && b >= MREG_VIRTUAL) {
        assert(a != b);
        connect(ra, a, b);
    } else if (a >= MREG_VIRTUAL) {
        ra->nodes[a].forbidden |= (uint16_t)(1u << b);
    } else if (b >= MREG_VIRTUAL) {
        ra->nodes[b].forbidden |= (uint16_t)(1u << a);
    }
}

/* ----------------------------------------------------------------------------------------- blocks */

struct scan {
    struct ra *ra;
    struct name_set live;
    uint16_t machine;  /* machine registers that are live */
    uint32_t *entered; /* by register: instruction that made it live, counted from the end */
    uint32_t position; /* of the instruction, counted from the end of the function */
    float weight;
};

/* Only allocatable machine registers matter: nobody is ever put into the others. */
static unsigned machine_bit(const struct scan *s, mreg reg) {
    return reg < MREG_VIRTUAL ? 1u << reg & s->ra->fn->allocatable : 0;
}

/* Does repeating inst elsewhere give the same value? Its sources must be registers that nobody else
 * is put into. */
static bool is_repeatable(const struct scan *s, const struct mir_inst *inst) {
    if (!inst->remat || inst->dst[1] != MREG_NONE)
        return false;
    for (int i = 0; i < MIR_MAX_SRC; i++)
        if (inst->src[i] != MREG_NONE &&
            (inst->src[i] >= MREG_VIRTUAL || machine_bit(s, inst->src[i])))
            return false;
    return true;
}

static void note_def(struct scan *s, const struct mir_inst *inst, mreg d) {
    struct node *n = &s->ra->nodes[d];
    n->state = NODE_SIMPLIFY;
    n->nrefs++;
    n->ndefs++;
    n->def_cost += s->weight * (inst->op == MIR_COPY ? 1 : 2);
    if (is_repeatable(s, inst))
        n->remat = inst;
    if (name_set_remove(&s->live, d) && s->position - s->entered[d] > 1)
        n->spans = true;
}

static void note_use(struct scan *s, const struct mir_inst *inst, mreg reg) {
    struct node *n = &s->ra->nodes[reg];
    n->state = NODE_SIMPLIFY;
    n->nrefs++;
    n->use_cost += s->weight * (inst->op == MIR_COPY ? 1 : 2);
    if (name_set_add(&s->live, reg))
        s->entered[reg] = s->position;
}

static void note_move(struct scan *s, const struct mir_inst *inst) {
    struct ra *ra = s->ra;
    mreg ends[2] = {inst->dst[0], inst->src[0]};
    bool fixed[2];
    for (int i = 0; i < 2; i++) {
        fixed[i] = ends[i] < MREG_VIRTUAL;
        if (fixed[i] && !machine_bit(s, ends[i]))
            return;
    }
    if (ends[0] == ends[1] || (fixed[0] && fixed[1]))
        return;
    vec_push(ra->arena, &ra->moves, (struct move){ends[0], ends[1], s->weight, MOVE_READY, 0});
    for (int i = 0; i < 2; i++)
        if (!fixed[i]) {
            struct node *n = &ra->nodes[ends[i]];
            vec_push(ra->arena, &n->moves, (uint32_t)(ra->moves.count - 1));
            n->live_moves++;
        }
}

/* What the destinations of inst conflict with: all that is live after it, and each other. */
static void interfere(struct scan *s, const struct mir_inst *inst) {
    struct ra *ra = s->ra;
    mreg same = inst->op == MIR_COPY ? inst->src[0] : MREG_NONE;
    unsigned written = inst->clobbers & ra->fn->allocatable;
    for (int i = 0; i < MIR_MAX_DST; i++)
        written |= machine_bit(s, inst->dst[i]);
    if (written)
        for (uint32_t k = 0; k < s->live.count; k++)
            if (s->live.items[k] != same)
                ra->nodes[s->live.items[k]].forbidden |= (uint16_t)written;
    for (int i = 0; i < MIR_MAX_DST; i++) {
        mreg d = inst->dst[i];
        if (d == MREG_NONE || d < MREG_VIRTUAL)
            continue;
        ra->nodes[d].forbidden |= (uint16_t)((s->machine | written) & ~machine_bit(s, same));
        for (uint32_t k = 0; k < s->live.count; k++)
            if (s->live.items[k] != same)
                connect(ra, d, s->live.items[k]);
        for (int j = i + 1; j < MIR_MAX_DST; j++)
            keep_apart(ra, d, inst->dst[j]);
    }
    for (int i = 0; i < MIR_MAX_SRC; i++)
        if (inst->late >> i & 1) {
            keep_apart(ra, inst->src[i], inst->dst[0]);
            keep_apart(ra, inst->src[i], inst->dst[2]);
        }
    s->machine &= (uint16_t)~written;
    ra->used |= (uint16_t)(written | inst->clobbers);
}

static void scan_inst(struct scan *s, const struct mir_inst *inst) {
    s->position++;
    interfere(s, inst);
    for (int i = 0; i < MIR_MAX_DST; i++)
        if (inst->dst[i] != MREG_NONE && inst->dst[i] >= MREG_VIRTUAL)
            note_def(s, inst, inst->dst[i]);
    s->machine |= inst->uses & s->ra->fn->allocatable;
    for (int i = 0; i < MIR_MAX_SRC; i++) {
        if (inst->src[i] == MREG_NONE)
            continue;
        if (inst->src[i] >= MREG_VIRTUAL)
            note_use(s, inst, inst->src[i]);
        else
            s->machine |= (uint16_t)machine_bit(s, inst->src[i]);
    }
    if (inst->op == MIR_COPY)
        note_move(s, inst);
}

static void scan_block(struct scan *s, const struct liveness *live, const struct mir_block *b) {
    s->live.count = 0;
    s->weight = ra_weight(b);
    s->machine = live->machine_out[b->id] & s->ra->fn->allocatable;
    vec_for_each(mreg, reg, &live->out[b->id]) {
        name_set_add(&s->live, *reg);
        s->ra->nodes[*reg].spans = true;
    }
    for (const struct mir_inst *inst = b->last; inst; inst = inst->prev)
        scan_inst(s, inst);
    s->position++;
    if (b->id == 0) /* not defined on every path */
        for (uint32_t k = 0; k < s->live.count; k++)
            s->ra->nodes[s->live.items[k]].spans = true;
}

float ra_spill_cost(const struct node *n) {
    if (!ra_is_remat(n))
        return n->use_cost + n->def_cost;
    /* Computing again takes half of a load, and the definition goes away. */
    float cost = (n->use_cost - n->def_cost) / 2;
    return cost > 0.25f ? cost : 0.25f;
}

void ra_build(struct ra *ra) {
    struct liveness live;
    uint32_t n = ra->nnodes = ra->fn->nregs;
    liveness_compute(&live, ra->arena, ra->fn, LIVE_REGS, n);
    ra->nodes = arena_alloc_array(ra->arena, n, sizeof(*ra->nodes));
    ra->mark = arena_alloc_array(ra->arena, n, sizeof(*ra->mark));
    struct scan s = {.ra = ra};
    name_set_init(&s.live, ra->arena, n);
    s.entered = arena_alloc_array(ra->arena, n, sizeof(*s.entered));
    for (uint32_t i = ra->fn->nblocks; i-- > 0;)
        scan_block(&s, &live, ra->fn->blocks[i]);
    for (mreg r = MREG_VIRTUAL; r < n; r++) {
        struct node *node = &ra->nodes[r];
        node->room = (uint8_t)__builtin_popcount(ra->fn->allocatable & ~(unsigned)node->forbidden);
        node->atomic = ra->lasting->vregs.items[r].atomic;
    }
}
