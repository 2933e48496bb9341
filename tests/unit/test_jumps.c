/* SPDX-License-Identifier: MIT */
/* Jump threading on machine IR: chains of empty blocks, comparisons that decide nothing, loops. */
#include <criterion/criterion.h>

#include "thumb2/mir.h"

/* n blocks, each ended by a jump to the block of its number in `to`; two targets make a CMPBR. */
static struct mir_fn *make(uint32_t n, const int to[][2]) {
    struct arena *arena = arena_new();
    struct mir_fn *fn = arena_alloc(arena, sizeof(*fn));
    fn->arena = arena;
    fn->nblocks = n;
    fn->blocks = arena_alloc_array(arena, n, sizeof(*fn->blocks));
    for (uint32_t i = 0; i < n; i++) {
        fn->blocks[i] = arena_alloc(arena, sizeof(*fn->blocks[i]));
        fn->blocks[i]->id = i;
    }
    for (uint32_t i = 0; i < n; i++) {
        unsigned op = to[i][0] < 0 ? MIR_RET : to[i][1] < 0 ? MIR_JUMP : MIR_CMPBR;
        struct mir_inst *last = mir_inst_new(fn, op);
        for (int t = 0; t < 2; t++)
            if (to[i][t] >= 0)
                last->target[t] = fn->blocks[to[i][t]];
        if (op == MIR_CMPBR)
            last->src[0] = last->src[1] = 0;
        mir_append(fn->blocks[i], last);
    }
    return fn;
}

Test(jumps, a_chain_of_empty_blocks_goes) {
    struct mir_fn *fn = make(5, (const int[][2]){{3, 1}, {2, -1}, {4, -1}, {-1, -1}, {-1, -1}});
    struct mir_block *last = fn->blocks[4];
    mir_thread_jumps(fn);
    cr_assert_eq(fn->nblocks, 3);
    cr_assert_eq(fn->blocks[0]->last->target[1], last);
    cr_assert_eq(last->id, 2);
    cr_assert_eq(last->npreds, 1);
    arena_free(fn->arena);
}

Test(jumps, a_comparison_with_one_outcome_becomes_a_jump) {
    struct mir_fn *fn = make(4, (const int[][2]){{1, 2}, {3, -1}, {3, -1}, {-1, -1}});
    mir_thread_jumps(fn);
    cr_assert_eq(fn->nblocks, 2);
    cr_assert_eq(fn->blocks[0]->last->op, MIR_JUMP);
    cr_assert_eq(fn->blocks[0]->last->src[0], MREG_NONE);
    cr_assert_eq(fn->blocks[0]->last->target[0], fn->blocks[1]);
    cr_assert_null(fn->blocks[0]->last->target[1]);
    arena_free(fn->arena);
}

Test(jumps, endless_loops_stay) {
    struct mir_fn *fn = make(4, (const int[][2]){{1, 3}, {2, -1}, {1, -1}, {3, -1}});
    mir_thread_jumps(fn);
    cr_assert_geq(fn->nblocks, 3);
    for (uint32_t i = 0; i < fn->nblocks; i++)
        for (int t = 0; t < 2 && fn->blocks[i]->last->target[t]; t++) {
            struct mir_block *to = fn->blocks[i]->last->target[t];
            cr_assert_lt(to->id, fn->nblocks);
            cr_assert_eq(fn->blocks[to->id], to, "a target that is not in the function");
        }
    arena_free(fn->arena);
}

Test(jumps, an_empty_entry_stays_first) {
    struct mir_fn *fn = make(3, (const int[][2]){{2, -1}, {-1, -1}, {1, -1}});
    struct mir_block *entry = fn->blocks[0];
    mir_thread_jumps(fn);
    cr_assert_eq(fn->nblocks, 2);
    cr_assert_eq(fn->blocks[0], entry);
    cr_assert_eq(entry->last->target[0], fn->blocks[1]);
    arena_free(fn->arena);
}
