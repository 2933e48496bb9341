/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files of register allocation only: liveness, the interference graph, and the steps
 * of one round. How they work together is told at the head of regalloc.c.
 */
#ifndef THUMB2_REGALLOC_H
#define THUMB2_REGALLOC_H

#include "thumb2/mir.h"
#include "util/vec.h"

/* ------------------------------------------------------------------------ liveness (liveness.c) */

/* What "a name" is: a virtual register, or a spill slot (written by SPILL, read by RELOAD). */
enum live_kind { LIVE_REGS, LIVE_SLOTS };

/* A vector as in util/vec.h. */
struct u32_vec {
    uint32_t *items;
    size_t count, capacity;
};

struct liveness {
    struct u32_vec *out;   /* by block: names live at its end */
    uint16_t *machine_out; /* by block: machine registers live at its end; LIVE_REGS only */
};

/* Needs the predecessors. nnames: all names are below it. */
void liveness_compute(struct liveness *live, struct arena *arena, const struct mir_fn *fn,
                      enum live_kind kind, uint32_t nnames);

/* A set of names with constant-time insertion, removal and clearing. */
struct name_set {
    mreg *items;
    uint32_t count;
    uint32_t *position; /* by name; valid if items[position[name]] is the name */
};

void name_set_init(struct name_set *set, struct arena *arena, uint32_t nnames);
bool name_set_has(const struct name_set *set, mreg name);
bool name_set_add(struct name_set *set, mreg name); /* true: it was not there */
bool name_set_remove(struct name_set *set, mreg name);

/* --------------------------------------------------------------- interference (regalloc_build.c) */

/* Unordered pairs of names, an open-addressed hash table. */
struct edge_set {
    uint64_t *slots; /* 0 = empty */
    size_t count, capacity;
};

bool edge_add(struct edge_set *set, struct arena *arena, mreg a, mreg b); /* true: it is new */

enum move_state {
    MOVE_READY,  /* to be tried */
    MOVE_PARKED, /* not safe to coalesce as the graph is now */
    MOVE_DONE    /* coalesced, impossible or given up */
};

/* A COPY between two registers that might become one. */
struct move {
    mreg dst, src;
    float weight;  /* estimated executions */
    uint8_t state; /* enum move_state */
    uint8_t wakes; /* times it went from PARKED back to READY, bounded */
};

enum node_state {
    NODE_ABSENT, /* the register does not occur */
    /* In the graph; a node has one of these states and may stand in the heap of that name. */
    NODE_SIMPLIFY, /* few neighbours, no copies: can always be coloured later */
    NODE_FREEZE,   /* few neighbours, but copies that may yet coalesce */
    NODE_SPILL,    /* many neighbours */
    /* Out of the graph. */
    NODE_STACK,     /* waits for its colour */
    NODE_COALESCED, /* lives on in `alias` */
    NODE_COLOURED,
    NODE_SPILLED
};

/* A virtual register, or several that have been coalesced. Machine registers are not nodes: that one
 * conflicts with a node is a bit in `forbidden`. */
struct node {
    struct u32_vec adjacent;  /* every neighbour once; coalesced ones stay in the list */
    struct u32_vec moves;     /* indices into ra.moves */
    uint32_t degree;          /* neighbours in the graph */
    uint32_t live_moves;      /* moves not DONE */
    uint16_t forbidden;       /* machine registers that are live at the same time */
    uint8_t room;             /* allocatable registers that are not forbidden */
    uint8_t state;            /* enum node_state */
    uint8_t searches;         /* for parked moves, bounded for nodes with many of them */
    uint8_t colour;           /* NODE_COLOURED: the machine register */
    bool spans;               /* live across an instruction that has no part in it */
    bool atomic;              /* a spill temporary of one instruction: never spilled */
    mreg alias;               /* NODE_COALESCED: another node or a machine register */
    uint32_t ndefs;           /* instructions that write it, without coalesced copies */
    uint32_t nrefs;           /* operands */
    float use_cost, def_cost; /* cycles that spilling would add, as estimated */
    const struct mir_inst
        *remat;   /* a definition that can be repeated; the only one if ndefs is 1 */
    int32_t slot; /* NODE_SPILLED and not rematerialised */
};

struct heap_item {
    float key;
    uint32_t id;
};
/* Smallest key first, then smallest id. */
struct heap {
    struct heap_item *items;
    size_t count, capacity;
};

void heap_push(struct heap *h, struct arena *arena, float key, uint32_t id);
struct heap_item heap_pop(struct heap *h);

/* What is known of a virtual register beyond one round. */
struct vreg {
    bool atomic;  /* temporary of one instruction */
    bool stretch; /* temporary of a stretch of a block */
    int32_t slot; /* the slot that always holds the same value, or -1 */
};

/* What outlives a round. */
struct ra_lasting {
    struct arena *arena;
    VEC(struct vreg) vregs; /* by register */
    uint32_t nslots;        /* slots handed out, before they are merged */
    uint32_t nrounds;       /* finished */
};

/* One round. */
struct ra {
    struct mir_fn *fn;
    struct ra_lasting *lasting;
    struct arena *arena;
    uint32_t nnodes; /* registers when the round began */
    struct node *nodes;
    struct edge_set edges; /* between nodes of many neighbours */
    VEC(struct move) moves;
    struct heap ready_moves, simplify, freeze, spill;
    struct u32_vec stack, spilled;
    uint32_t *mark, stamp; /* by node: visited if equal to stamp */
    uint16_t used;         /* machine registers that the function writes so far */
};

static inline float ra_weight(const struct mir_block *b) {
    static const float weights[] = {1, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f};
    return weights[b->loop_depth < 5 ? b->loop_depth : 5];
}

/* The node or machine register that stands for a register now. */
static inline mreg ra_alias(const struct ra *ra, mreg reg) {
    while (reg >= MREG_VIRTUAL && ra->nodes[reg].state == NODE_COALESCED)
        reg = ra->nodes[reg].alias;
    return reg;
}

static inline bool ra_is_remat(const struct node *n) {
    return n->remat && n->ndefs == 1;
}

static inline bool ra_unspillable(const struct node *n) {
    return n->atomic || !n->spans;
}

/* Cycles that it costs to keep the node in memory, or to compute it again at each use. */
float ra_spill_cost(const struct node *n);

/* regalloc_build.c: nodes, edges, moves */
void ra_build(struct ra *ra);
bool ra_connected(const struct ra *ra, mreg a, mreg b);
/* Makes two nodes neighbours, degrees aside; false if they are. */
bool ra_connect(struct ra *ra, mreg a, mreg b);

/* ------------------------------------------------------------------------------- steps of a round */

void ra_reduce(
    struct ra *ra); /* regalloc_coalesce.c: coalesces, and empties the graph to the stack */
void ra_select(struct ra *ra); /* regalloc_select.c: colours from the stack; fills `spilled` */
void ra_spill(struct ra *ra);  /* regalloc_spill.c: rewrites the code for `spilled` */
/* regalloc_slots.c: slots that are not in use together become one; stores nobody reads go. */
void ra_merge_slots(struct ra *ra);

#endif
