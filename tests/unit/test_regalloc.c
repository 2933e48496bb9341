/* SPDX-License-Identifier: MIT */
/*
 * Register allocation: random functions through an independent checker, and small functions where the
 * quality of the result is known.
 */
#include <criterion/criterion.h>

#include "regalloc/regalloc_test.h"
#include "thumb2/encoding.h"

#define ALL_REGISTERS 0x5dffu /* all but r9 and sp: 13 */

/* ----------------------------------------------------------------------------- random functions */

static void allocate_and_check(const struct random_mir *options) {
    struct arena *arena = arena_new();
    struct mir_fn *fn = random_mir(arena, options);
    struct mir_original *original = mir_original_take(arena, fn);
    regalloc(fn);
    const char *error = mir_allocation_error(arena, original, fn);
    cr_assert_null(error, "seed %llu, %u variables, registers %x: %s",
                   (unsigned long long)options->seed, options->nvars, options->allocatable, error);
    arena_free(arena);
}

static void many(uint32_t count, uint32_t nvars, uint32_t calls, uint16_t allocatable) {
    for (uint64_t seed = 1; seed <= count; seed++)
        allocate_and_check(&(struct random_mir){.seed = seed,
                                                .nvars = 1 + (uint32_t)(seed * 7 % nvars),
                                                .ninsts = 20 + (uint32_t)(seed * 13 % 200),
                                                .call_percent = calls,
                                                .allocatable = allocatable});
}

Test(regalloc, low_pressure) {
    many(400, 8, 5, ALL_REGISTERS);
}

Test(regalloc, high_pressure) {
    many(400, 40, 5, ALL_REGISTERS);
}

Test(regalloc, many_calls) {
    many(400, 20, 40, ALL_REGISTERS);
}

Test(regalloc, six_registers) {
    many(400, 30, 10, 0x003f);
    many(100, 30, 10, 0x00f3);
}

Test(regalloc, with_r9) {
    many(200, 20, 10, 0x5fff);
}

Test(regalloc, no_argument_registers) {
    many(200, 20, 10, 0x1df0);
}

Test(regalloc, a_long_function) {
    allocate_and_check(&(struct random_mir){
        .seed = 1, .nvars = 20, .ninsts = 3000, .call_percent = 5, .allocatable = ALL_REGISTERS});
}

/* ---------------------------------------------------------------------------- functions by hand */

struct maker {
    struct mir_fn *fn;
    struct mir_block *block;
    struct mir_original *original;
};

static struct mir_block *add_block(struct maker *m, uint32_t loop_depth) {
    struct mir_fn *fn = m->fn;
    struct mir_block **old = fn->blocks;
    fn->blocks = arena_alloc_array(fn->arena, fn->nblocks + 1, sizeof(*fn->blocks));
    for (uint32_t i = 0; i < fn->nblocks; i++)
        fn->blocks[i] = old[i];
    m->block = arena_alloc(fn->arena, sizeof(*m->block));
    m->block->id = fn->nblocks;
    m->block->loop_depth = loop_depth;
    return fn->blocks[fn->nblocks++] = m->block;
}

static struct maker start(void) {
    struct arena *arena = arena_new();
    struct maker m = {.fn = arena_alloc(arena, sizeof(*m.fn))};
    m.fn->arena = arena;
    m.fn->nregs = MREG_VIRTUAL;
    m.fn->allocatable = ALL_REGISTERS;
    add_block(&m, 0);
    return m;
}

static struct mir_inst *emit(struct maker *m, unsigned op, mreg d, mreg a, mreg b) {
    struct mir_inst *inst = mir_inst_new(m->fn, op);
    inst->dst[0] = d;
    inst->src[0] = a;
    inst->src[1] = b;
    mir_append(m->block, inst);
    return inst;
}

static mreg value(struct maker *m, unsigned op, mreg a, mreg b) {
    mreg d = mir_reg_new(m->fn);
    emit(m, op, d, a, b);
    return d;
}

static mreg argument(struct maker *m, mreg r) {
    return value(m, MIR_COPY, r, MREG_NONE);
}

static mreg constant(struct maker *m, int32_t imm) {
    mreg d = value(m, MIR_MOVI, MREG_NONE, MREG_NONE);
    m->block->last->imm = imm;
    m->block->last->remat = true;
    return d;
}

static void use(struct maker *m, mreg reg) {
    emit(m, T2_OP_STR, MREG_NONE, reg, reg);
}

static void call(struct maker *m, uint16_t uses) {
    struct mir_inst *inst = emit(m, MIR_CALL, MREG_NONE, MREG_NONE, MREG_NONE);
    inst->uses = uses;
    inst->clobbers = MIR_CALLER_SAVED;
}

static void ret(struct maker *m, mreg reg) {
    emit(m, MIR_COPY, 0, reg, MREG_NONE);
    emit(m, MIR_RET, MREG_NONE, MREG_NONE, MREG_NONE)->uses = 1;
}

static void allocate(struct maker *m) {
    m->original = mir_original_take(m->fn->arena, m->fn);
    regalloc(m->fn);
    cr_assert_null(mir_allocation_error(m->fn->arena, m->original, m->fn));
}

static uint32_t count(const struct mir_block *b, unsigned op) {
    uint32_t n = 0;
    for (const struct mir_inst *inst = b->first; inst; inst = inst->next)
        n += inst->op == op;
    return n;
}

Test(regalloc, arguments_and_results_need_no_copies) {
    struct maker m = start();
    mreg a = argument(&m, 0), b = argument(&m, 1);
    mreg sum = value(&m, T2_OP_ADD, a, b);
    emit(&m, MIR_COPY, 0, sum, MREG_NONE);
    emit(&m, MIR_COPY, 1, b, MREG_NONE);
    call(&m, 3);
    mreg result = argument(&m, 0);
    ret(&m, value(&m, T2_OP_ADD, result, result));
    allocate(&m);
    cr_assert_eq(m.fn->ncopies, 0);
    cr_assert_eq(m.fn->used & MIR_CALLEE_SAVED, 0);
    arena_free(m.fn->arena);
}

Test(regalloc, values_across_a_call_share_few_saved_registers) {
    struct maker m = start();
    mreg a = argument(&m, 0);
    call(&m, 0);
    mreg b = value(&m, T2_OP_ADD, a, a); /* a ends, b begins: one register */
    call(&m, 0);
    ret(&m, b);
    allocate(&m);
    cr_assert_eq(m.fn->used & MIR_CALLEE_SAVED, 1 << 4);
    cr_assert_eq(m.fn->nspills, 0);
    arena_free(m.fn->arena);
}

/* n values that are all live at once: defined by ops, used in order by use(). */
static void pressure(struct maker *m, mreg *values, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        values[i] = value(m, MIR_LDARG, MREG_NONE, MREG_NONE);
}

Test(regalloc, constants_are_made_again_instead_of_spilled) {
    struct maker m = start();
    mreg values[13], one = constant(&m, 1);
    pressure(&m, values, 13);
    use(&m, one);
    for (int i = 0; i < 13; i++)
        use(&m, values[i]);
    use(&m, one);
    ret(&m, values[0]);
    allocate(&m);
    /* values[0] and the constant are one too many for `ret`, so one value has a slot at most. */
    cr_assert_leq(m.fn->nspills, 1);
    cr_assert_gt(count(m.fn->blocks[0], MIR_MOVI), 1);
    arena_free(m.fn->arena);
}

Test(regalloc, what_a_loop_does_not_use_is_spilled_outside_of_it) {
    struct maker m = start();
    mreg values[16];
    pressure(&m, values, 16);
    struct mir_block *loop = m.block;
    struct mir_inst *enter = emit(&m, MIR_JUMP, MREG_NONE, MREG_NONE, MREG_NONE);
    enter->target[0] = loop = add_block(&m, 1);
    for (int i = 0; i < 12; i++)
        use(&m, values[i]);
    struct mir_inst *again = emit(&m, MIR_CMPBR, MREG_NONE, values[0], values[1]);
    again->target[0] = loop;
    again->target[1] = add_block(&m, 0);
    for (int i = 0; i < 16; i++)
        use(&m, values[i]);
    ret(&m, values[0]);
    allocate(&m);
    cr_assert_eq(count(loop, MIR_RELOAD) + count(loop, MIR_SPILL), 0);
    /* 12 values stay in registers, the 13th register carries the others to and from their slots. */
    cr_assert_eq(m.fn->nspills, 4);
    cr_assert_eq(m.fn->nreloads, 4);
    arena_free(m.fn->arena);
}

Test(regalloc, slots_are_shared) {
    struct maker m = start();
    for (int round = 0; round < 3; round++) {
        mreg values[17];
        pressure(&m, values, 17);
        for (int i = 0; i < 17; i++)
            use(&m, values[i]);
    }
    ret(&m, constant(&m, 0));
    allocate(&m);
    cr_assert_eq(m.fn->spill_slots, 5);
    cr_assert_eq(m.fn->nspills, 15);
    arena_free(m.fn->arena);
}

Test(regalloc, uses_close_to_each_other_load_once) {
    struct maker m = start();
    mreg values[14];
    pressure(&m, values, 14);
    for (int i = 1; i < 14; i++)
        for (int k = 0; k < 3; k++)
            use(&m, values[i]);
    for (int k = 0; k < 3; k++)
        use(&m, values[0]);
    ret(&m, constant(&m, 0));
    allocate(&m);
    cr_assert_eq(m.fn->nspills, 1);
    cr_assert_eq(m.fn->nreloads, 1);
    arena_free(m.fn->arena);
}
