/* SPDX-License-Identifier: MIT */
/*
 * Register allocation by graph colouring, a whole function at a time.
 *
 * A round builds the interference graph (regalloc_build.c), takes it apart while coalescing copies
 * (regalloc_coalesce.c), and gives colours on the way back (regalloc_select.c). Registers that found
 * no colour are spilled in the code (regalloc_spill.c), and the next round starts from scratch. After
 * the last round spill slots are merged (regalloc_slots.c) and the colours are written into the code.
 *
 * Machine registers. Instruction selection puts arguments, results and parameters into machine
 * registers by copies next to the call, and gives calls a mask of registers that they overwrite.
 * Machine registers are no nodes of the graph, because they would be neighbours of almost all: a node
 * has a mask of the machine registers it must not get, and needs fewer neighbours than the rest to be
 * easy. What lives across a call can so only get a callee-saved register, and the copies around calls
 * vanish by coalescing a node with a machine register.
 *
 * Ends. Spilling replaces a register by temporaries of one instruction each. These, and registers
 * that live from one instruction to the very next, are never spilled; everything else can be. As no
 * instruction has more operands than there are registers (isel keeps machine registers live only
 * around calls), at the latest when all else is spilled there is a colour for each, and each round
 * spills at least one register that existed at the start.
 *
 * Time. Liveness, edges, adjacency and copies are sparse; choices are by heaps; tests of one copy look
 * at a bounded number of neighbours a bounded number of times. So a round is n log n for the size
 * of the graph, which is the number of registers times the pressure, and few rounds are needed.
 */
#include "thumb2/regalloc.h"

#include <assert.h>

/* Replaces registers by colours; copies that have become empty go. */
static mreg machine_register(const struct ra *ra, mreg reg) {
    if (reg == MREG_NONE || reg < MREG_VIRTUAL)
        return reg;
    reg = ra_alias(ra, reg);
    if (reg < MREG_VIRTUAL)
        return reg;
    assert(ra->nodes[reg].state == NODE_COLOURED);
    return ra->nodes[reg].colour;
}

static void assign(const struct ra *ra) {
    for (uint32_t b = 0; b < ra->fn->nblocks; b++)
        for (struct mir_inst *inst = ra->fn->blocks[b]->first, *next; inst; inst = next) {
            next = inst->next;
            for (int i = 0; i < MIR_MAX_DST; i++)
                inst->dst[i] = machine_register(ra, inst->dst[i]);
            for (int i = 0; i < MIR_MAX_SRC; i++)
                inst->src[i] = machine_register(ra, inst->src[i]);
            if (inst->op == MIR_COPY && inst->dst[0] == inst->src[0])
                mir_remove(ra->fn->blocks[b], inst);
        }
}

static void summarize(struct mir_fn *fn) {
    for (uint32_t b = 0; b < fn->nblocks; b++)
        for (const struct mir_inst *inst = fn->blocks[b]->first; inst; inst = inst->next) {
            fn->used |= inst->clobbers;
            for (int i = 0; i < MIR_MAX_DST; i++)
                if (inst->dst[i] != MREG_NONE)
                    fn->used |= (uint16_t)(1u << inst->dst[i]);
            fn->ncopies += inst->op == MIR_COPY;
            fn->nspills += inst->op == MIR_SPILL;
            fn->nreloads += inst->op == MIR_RELOAD;
        }
}

/* One attempt; true if every register found its place. */
static bool run_round(struct ra *ra) {
    ra_build(ra);
    ra_reduce(ra);
    ra_select(ra);
    if (ra->spilled.count) {
        ra_spill(ra);
        return false;
    }
    assign(ra);
    if (ra->lasting->nslots)
        ra_merge_slots(ra);
    return true;
}

void regalloc(struct mir_fn *fn) {
    struct ra_lasting lasting = {.arena = arena_new()};
    mir_compute_preds(fn);
    for (mreg r = 0; r < fn->nregs; r++)
        vec_push(lasting.arena, &lasting.vregs, (struct vreg){.slot = -1});
    for (bool done = false; !done;) {
        struct ra ra = {.fn = fn, .lasting = &lasting, .arena = arena_new()};
        done = run_round(&ra);
        arena_free(ra.arena);
    }
    arena_free(lasting.arena);
    summarize(fn);
}
