/* SPDX-License-Identifier: MIT */
/*
 * Large functions: shapes that make a quadratic walk out of an innocent loop. Each runs through the
 * builder, the checker and the whole optimiser within a CPU time that a quadratic step misses by far
 * (30,000 blocks; what is linear takes well under a second, sanitizers included).
 */
#include "ir/ir.h"
#include "opt/opt.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

#define SIZE 30000
#define LIMIT 12 /* seconds */

struct code {
    struct bpf_insn *insns;
    uint32_t n;
};

static void put(struct code *code, struct bpf_decoded d) {
    code->n += bpf_encode(&d, code->insns + code->n);
}

static void put_jump(struct code *code, int32_t imm, int32_t target) {
    put(code, (struct bpf_decoded){
                  .op = BPF_JEQ, .width = 64, .dst = BPF_R2, .imm = imm, .target = target});
}

static void put_add(struct code *code, uint8_t dst, uint8_t src) {
    put(code,
        (struct bpf_decoded){.op = BPF_ADD, .width = 64, .src_reg = 1, .dst = dst, .src = src});
}

/* Diamonds with an empty side: chains of phis that merge nothing. */
static void empty_diamonds(struct code *code) {
    for (int i = 0; i < SIZE; i++) {
        put_jump(code, i, 2);
        put(code, (struct bpf_decoded){.op = BPF_JA, .width = 64, .target = 1});
    }
}

static void diamonds(struct code *code) {
    for (int i = 0; i < SIZE; i++) {
        put_jump(code, i, 2);
        put_add(code, BPF_R0, BPF_R2);
        put_add(code, BPF_R2, BPF_R1);
    }
}

/* One block with very many predecessors, far away: through a ja each. */
static void exits(struct code *code) {
    uint32_t end = 3 * SIZE;
    for (int i = 0; i < SIZE; i++) {
        put_jump(code, i, 2);
        put(code, (struct bpf_decoded){.op = BPF_JA, .width = 64, .target = 2});
        put(code, (struct bpf_decoded){
                      .op = BPF_JA, .width = 32, .target = (int32_t)(end - code->n % end)});
    }
}

/* Loops inside each other, as deep as conditional jumps reach. */
static void nest(struct code *code) {
    int depth = 16000;
    for (int i = 0; i < depth; i++)
        put_add(code, (uint8_t)(i % 6), BPF_R1);
    for (int i = 0; i < depth; i++)
        put_jump(code, i, -2 * i - 1);
}

static void straight(struct code *code) {
    for (int i = 0; i < 3 * SIZE; i++)
        put_add(code, (uint8_t)(i % 6), (uint8_t)((i + 1) % 7));
}

static void run(void (*shape)(struct code *)) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct code code = {.insns = calloc(4 * SIZE, sizeof(struct bpf_insn))};
    shape(&code);
    put(&code, (struct bpf_decoded){.op = BPF_EXIT});
    struct program *prog = program_from_insns(arena, "big", code.insns, code.n, 4096, diag);
    cr_assert(prog);
    clock_t start = clock();
    struct ir_fn *fn = ir_build(arena, prog, 0, 0, NULL);
    struct opt_options options = {.level = 2, .check = true};
    opt_run(fn, &options);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    cr_expect_lt(seconds, LIMIT, "%.1f s", seconds);
    free(code.insns);
    diag_free(diag);
    arena_free(arena);
}

Test(ir_scale, empty_diamonds) {
    run(empty_diamonds);
}
Test(ir_scale, diamonds) {
    run(diamonds);
}
Test(ir_scale, exits) {
    run(exits);
}
Test(ir_scale, nest) {
    run(nest);
}
Test(ir_scale, straight) {
    run(straight);
}
