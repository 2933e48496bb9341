/* SPDX-License-Identifier: MIT */
/*
 * Random functions: nested loops, branches, calls with arguments in registers and on the stack,
 * operations that read and write a register, glued operations with late sources, copies, constants.
 * What the operations compute does not matter, only who reads what.
 */
#include "regalloc/regalloc_test.h"

#include <assert.h>

#include "thumb2/encoding.h"

struct gen {
    struct mir_fn *fn;
    const struct random_mir *options;
    uint64_t state;
    struct mir_block *block; /* where instructions go now */
    uint32_t depth;          /* of loops */
    uint32_t left;           /* instructions still to make */
    uint32_t room;           /* for blocks */
    mreg first_var;
    mreg recent[8]; /* local values */
    uint32_t nrecent;
};

static uint32_t below(struct gen *g, uint32_t n) {
    g->state ^= g->state << 13;
    g->state ^= g->state >> 7;
    g->state ^= g->state << 17;
    return (uint32_t)(g->state >> 33) % n;
}

static bool percent(struct gen *g, uint32_t p) {
    return below(g, 100) < p;
}

static struct mir_block *new_block(struct gen *g) {
    struct mir_fn *fn = g->fn;
    if (fn->nblocks == g->room) {
        struct mir_block **old = fn->blocks;
        g->room = g->room ? g->room * 2 : 16;
        fn->blocks = arena_alloc_array(fn->arena, g->room, sizeof(*fn->blocks));
        for (uint32_t i = 0; i < fn->nblocks; i++)
            fn->blocks[i] = old[i];
    }
    struct mir_block *b = arena_alloc(fn->arena, sizeof(*b));
    b->id = fn->nblocks;
    b->loop_depth = g->depth;
    return fn->blocks[fn->nblocks++] = b;
}

static struct mir_inst *emit(struct gen *g, unsigned op) {
    struct mir_inst *inst = mir_inst_new(g->fn, op);
    mir_append(g->block, inst);
    if (g->left)
        g->left--;
    return inst;
}

static mreg any_var(struct gen *g) {
    return g->first_var + below(g, g->options->nvars);
}

static mreg any_source(struct gen *g) {
    if (g->nrecent && percent(g, 50))
        return g->recent[below(g, g->nrecent < 8 ? g->nrecent : 8)];
    return any_var(g);
}

/* A variable, or a new local value that the next instructions may read. */
static mreg any_destination(struct gen *g) {
    if (percent(g, 40))
        return any_var(g);
    mreg reg = mir_reg_new(g->fn);
    g->recent[g->nrecent++ % 8] = reg;
    return reg;
}

static void copy(struct gen *g, mreg d, mreg s) {
    struct mir_inst *inst = emit(g, MIR_COPY);
    inst->dst[0] = d;
    inst->src[0] = s;
}

static void constant(struct gen *g, mreg d) {
    struct mir_inst *inst = emit(g, MIR_MOVI);
    inst->dst[0] = d;
    inst->imm = (int32_t)below(g, 20);
    inst->remat = true;
}

static void make_call(struct gen *g) {
    uint32_t nargs = below(g, 6);
    bool indirect = percent(g, 20);
    mreg target = any_source(g);
    unsigned uses = 0;
    for (uint32_t i = 4; i < nargs; i++) {
        struct mir_inst *inst = emit(g, MIR_STARG);
        inst->src[0] = any_source(g);
        inst->imm = (int32_t)i - 4;
    }
    for (uint32_t i = 0; i < nargs && i < 4; i++) {
        uses |= 1u << i;
        if (percent(g, 20))
            constant(g, i);
        else
            copy(g, i, any_source(g));
    }
    struct mir_inst *call = emit(g, indirect ? MIR_CALLREG : MIR_CALL);
    if (indirect)
        call->src[0] = target;
    call->uses = (uint16_t)uses;
    call->clobbers = MIR_CALLER_SAVED;
    for (mreg r = 0; r < 2; r++)
        if (percent(g, 60))
            copy(g, any_destination(g), r);
}

/* An operation with two or three destinations and up to four sources, some of them late. */
static void make_glued(struct gen *g) {
    struct mir_inst *inst = emit(g, percent(g, 50) ? MIR_ADD2 : MIR_SHL2);
    uint32_t nsrc = 2 + below(g, 3), ndst = 2 + below(g, 2);
    for (uint32_t i = 0; i < nsrc; i++) {
        inst->src[i] = any_source(g);
        if (percent(g, 50))
            inst->late |= (uint8_t)(1u << i);
    }
    for (uint32_t i = 0; i < ndst; i++)
        inst->dst[i] = i == 1 && percent(g, 20) ? inst->src[0] : mir_reg_new(g->fn);
    if (percent(g, 50))
        copy(g, any_var(g), inst->dst[0]);
    g->recent[g->nrecent++ % 8] = inst->dst[1];
}

static void make_simple(struct gen *g) {
    uint32_t nsrc = below(g, 4);
    struct mir_inst *inst = emit(g, T2_OP_ADD);
    mreg src[3];
    for (uint32_t i = 0; i < nsrc; i++)
        src[i] = any_source(g);
    for (uint32_t i = 0; i < nsrc; i++)
        inst->src[i] = src[i];
    if (percent(g, 30) && nsrc)
        inst->dst[0] = src[0]; /* reads and writes it */
    else if (percent(g, 80))
        inst->dst[0] = any_destination(g);
}

static void make_inst(struct gen *g) {
    uint32_t dice = below(g, 100);
    if (dice < g->options->call_percent)
        make_call(g);
    else if ((dice = below(g, 100)) < 10)
        constant(g, any_destination(g));
    else if (dice < 25)
        copy(g, any_destination(g), any_source(g));
    else if (dice < 35)
        make_glued(g);
    else if (dice < 38) {
        struct mir_inst *inst = emit(g, T2_OP_ADD);
        inst->dst[0] = any_destination(g);
        inst->src[0] = MREG_R9;
        inst->remat = !(g->fn->allocatable >> MREG_R9 & 1);
    } else
        make_simple(g);
}

static void make_straight(struct gen *g) {
    g->nrecent = 0;
    for (uint32_t n = below(g, 12); n > 0; n--)
        make_inst(g);
}

static void jump(struct gen *g, struct mir_block *to) {
    emit(g, MIR_JUMP)->target[0] = to;
}

/* Ends the block; the targets are for the caller to set. */
static struct mir_inst *branch(struct gen *g) {
    bool pair = percent(g, 30);
    struct mir_inst *inst = emit(g, pair ? MIR_CMPBR2 : MIR_CMPBR);
    for (int i = 0; i < (pair ? 4 : 2); i++)
        inst->src[i] = any_source(g);
    if (pair) {
        inst->dst[0] = mir_reg_new(g->fn);
        inst->late = 10;
    }
    return inst;
}

static void make_region(struct gen *g, uint32_t nesting);

static void make_if(struct gen *g, uint32_t nesting) {
    struct mir_inst *end = branch(g);
    g->block = end->target[0] = new_block(g);
    make_region(g, nesting + 1);
    struct mir_block *yes_end = g->block;
    g->block = end->target[1] = new_block(g);
    g->nrecent = 0;
    make_region(g, nesting + 1);
    struct mir_block *no_end = g->block, *join = new_block(g);
    g->block = yes_end;
    jump(g, join);
    g->block = no_end;
    jump(g, join);
    g->block = join;
    g->nrecent = 0;
}

static void make_loop(struct gen *g, uint32_t nesting) {
    struct mir_block *before = g->block;
    g->depth++;
    struct mir_block *head = new_block(g);
    g->block = before;
    jump(g, head);
    g->block = head;
    g->nrecent = 0;
    make_region(g, nesting + 1);
    struct mir_inst *end = branch(g);
    g->depth--;
    end->target[0] = head;
    g->block = end->target[1] = new_block(g);
    g->nrecent = 0;
}

static void make_region(struct gen *g, uint32_t nesting) {
    for (uint32_t n = 1 + below(g, 3); n > 0 && g->left; n--) {
        make_straight(g);
        uint32_t dice = below(g, 4);
        if (nesting < 5 && dice == 0)
            make_if(g, nesting);
        else if (nesting < 5 && dice == 1)
            make_loop(g, nesting);
    }
}

struct mir_fn *random_mir(struct arena *arena, const struct random_mir *options) {
    struct mir_fn *fn = arena_alloc(arena, sizeof(*fn));
    fn->arena = arena;
    fn->name = "random";
    fn->nregs = MREG_VIRTUAL;
    fn->allocatable = options->allocatable;
    struct gen g = {.fn = fn,
                    .options = options,
                    .state = options->seed * 2654435761u + 1,
                    .left = options->ninsts,
                    .first_var = MREG_VIRTUAL};
    fn->nregs += options->nvars;
    g.block = new_block(&g);
    for (mreg r = 0; r < 4; r++)
        copy(&g, any_var(&g), r);
    for (uint32_t i = 0; i < options->nvars; i++) {
        if (percent(&g, 20))
            continue; /* stays undefined on some paths */
        if (percent(&g, 30))
            constant(&g, g.first_var + i);
        else
            emit(&g, MIR_LDARG)->dst[0] = g.first_var + i;
    }
    while (g.left)
        make_region(&g, 0);
    for (uint32_t i = 0; i < options->nvars; i++)
        if (percent(&g, 50))
            emit(&g, T2_OP_STR)->src[0] = g.first_var + i;
    copy(&g, 0, any_source(&g));
    copy(&g, 1, any_source(&g));
    emit(&g, MIR_RET)->uses = 3;
    return fn;
}
