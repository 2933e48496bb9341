/* SPDX-License-Identifier: MIT */
/*
 * Register allocation by graph colouring, a whole function at a time.
 *
 * A round builds the interference graph (regalloc_build.c, liveness.c), takes it apart while
 * coalescing copies (regalloc_coalesce.c), and gives colours on the way back (regalloc_select.c).
 * Registers that found no colour are spilled in the code (regalloc_spill.c), and the next round starts
 * from scratch: usually there are two. After the last one, spill slots are merged (regalloc_slots.c)
 * and the colours are written into the code.
 *
 * Copies are the currency between the stages. Instruction selection leaves them wherever values meet:
 * phis, arguments, results, parameters. It is this stage that makes them vanish, the hottest first,
 * by making one node of both ends where that keeps the graph as easy to colour as it was (tests of
 * Briggs and of George), and by preferring the other end's register when colours are given.
 *
 * Machine registers occur next to calls, at the entry and at returns; calls have a mask of registers
 * that they overwrite. Machine registers are no nodes of the graph, because they would be neighbours
 * of almost all. Instead a node has a mask of machine registers that are live, or overwritten, while
 * it is live. A node is easy to colour if it has fewer neighbours than registers outside its mask. So
 * what lives across a call can only get a callee-saved register, and if there are too many such
 * values, the ones that are spilled are the cheapest of them.
 *
 * What to spill is decided by estimated cycles: uses and definitions, ten times as many for each
 * loop around them, divided by the neighbours that it would relieve. That makes a value that lives
 * through a hot loop without being used there the first to go. Colouring is optimistic: a node is
 * spilled only if no register is left when its turn comes, and then the neighbours in one register
 * are spilled instead if they are cheaper together. Constants and addresses are not loaded from slots
 * but made again in front of each use.
 *
 * Termination. A spilled register becomes temporaries. Those of one instruction, and registers that
 * live from one instruction to the very next, are never spilled. A temporary shared by instructions
 * close to each other is spilled once more at most, into temporaries of one instruction. Each round
 * thus uses up a register that can be spilled. When none is left, only the operands of one instruction
 * are live at a time, and the machine registers of a call sequence; there are enough registers for
 * those, with six already (at most four late sources and two destinations).
 *
 * Time. Liveness, edges, adjacency and copies are sparse; choices are by heaps; tests of one copy look
 * at a bounded number of neighbours a bounded number of times. A round is n log n in the size of the
 * graph, which is the number of registers times the pressure.
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
        lasting.nrounds++;
    }
    arena_free(lasting.arena);
    summarize(fn);
}
