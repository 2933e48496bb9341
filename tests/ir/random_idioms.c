/* SPDX-License-Identifier: MIT */
/*
 * What compilers and people write again and again, and random instructions hardly ever: rotations, products of
 * extended words, walks along memory, indexed accesses, and-not, a branch around an instruction or two.
 */
#include "ir/random_gen.h"

static void reg_op(struct generator *g, enum bpf_op op, unsigned width, uint8_t dst, uint8_t src) {
    gen_put(g, (struct bpf_decoded){
                   .op = op, .width = (uint8_t)width, .src_reg = 1, .dst = dst, .src = src});
}

static void rotate(struct generator *g) {
    unsigned width = gen_one_in(g, 2) ? 32 : 64, count = 1 + gen_below(g, width - 1);
    uint8_t x = (uint8_t)(BPF_R1 + gen_below(g, 2)), t = BPF_R3;
    reg_op(g, BPF_MOV, width, t, x);
    gen_alu_imm(g, BPF_LSH, width, x, (int32_t)count);
    gen_alu_imm(g, BPF_RSH, width, t, (int32_t)(width - count));
    reg_op(g, gen_one_in(g, 4) ? BPF_ADD : BPF_OR, width, x, t);
}

/* sum += a * b, a and b extended from words. */
static void product(struct generator *g) {
    bool is_signed = gen_one_in(g, 2);
    uint8_t a = BPF_R1, b = BPF_R2, sum = gen_one_in(g, 2) ? BPF_R0 : BPF_R5;
    reg_op(g, is_signed ? BPF_MOVSX32 : BPF_MOV, is_signed ? 64 : 32, a, gen_any_reg(g));
    if (gen_one_in(g, 3))
        gen_put(g, (struct bpf_decoded){.op = is_signed ? BPF_LDXS : BPF_LDX,
                                        .width = gen_one_in(g, 2) ? 16 : 32,
                                        .dst = b,
                                        .src = CTX,
                                        .off = (int16_t)(4 * gen_below(g, 8))});
    else
        reg_op(g, is_signed ? BPF_MOVSX32 : BPF_MOV, is_signed ? 64 : 32, b, gen_any_reg(g));
    reg_op(g, BPF_MUL, 64, a, b);
    if (!gen_one_in(g, 4))
        reg_op(g, gen_one_in(g, 4) ? BPF_SUB : BPF_ADD, 64, sum, a);
}

/* 32 bytes that the program owns, in r7. Through an index that is not known the whole stack counts as
 * used, of which a chain of calls has only one. */
static void own_memory(struct generator *g) {
    if (g->nfuncs > 1 || gen_one_in(g, 2)) {
        gen_mov(g, POINTER, CTX);
    } else {
        gen_mov(g, POINTER, BPF_R10);
        gen_alu_imm(g, BPF_ADD, 64, POINTER, -STACK);
    }
}

static void give_back(struct generator *g) {
    gen_mov(g, POINTER, BPF_R10);
    gen_alu_imm(g, BPF_ADD, 64, POINTER, -STACK);
}

static struct bpf_decoded access_at(struct generator *g, unsigned width, int32_t offset) {
    struct bpf_decoded d = {.width = (uint8_t)width, .off = (int16_t)offset};
    bool store = gen_one_in(g, 2);
    d.op = store ? BPF_STX : width < 64 && gen_one_in(g, 2) ? BPF_LDXS : BPF_LDX;
    d.dst = store ? POINTER : BPF_R1;
    d.src = store ? BPF_R1 : POINTER;
    return d;
}

/* A loop that goes up or down in memory, the step in front of the access or behind it. */
static void walk(struct generator *g) {
    unsigned width = gen_size(g), bytes = width / 8, count = 2 + gen_below(g, 3);
    bool down = gen_one_in(g, 4), first = gen_one_in(g, 2);
    int32_t step = down ? -(int32_t)bytes : (int32_t)bytes;
    own_memory(g);
    if (down)
        gen_alu_imm(g, BPF_ADD, 64, POINTER, (int32_t)(count * bytes));
    gen_alu_imm(g, BPF_MOV, 32, BPF_R6, 0);
    uint32_t start = g->n;
    int32_t offset = down ? (first ? 0 : -(int32_t)bytes) : first ? -(int32_t)bytes : 0;
    if (first)
        gen_alu_imm(g, BPF_ADD, 64, POINTER, step);
    gen_put(g, access_at(g, width, offset));
    reg_op(g, BPF_ADD, 64, BPF_R0, BPF_R1);
    if (!first)
        gen_alu_imm(g, BPF_ADD, 64, POINTER, step);
    gen_alu_imm(g, BPF_ADD, 32, BPF_R6, 1);
    gen_put(g, (struct bpf_decoded){.op = BPF_JLT,
                                    .width = 32,
                                    .dst = BPF_R6,
                                    .imm = count,
                                    .target = (int32_t)(start - g->n)});
    give_back(g);
}

/* memory[index] with an index that shifts to the width. */
static void indexed(struct generator *g) {
    unsigned log = gen_below(g, 4), width = 8u << log;
    own_memory(g);
    reg_op(g, BPF_MOV, 32, BPF_R2, gen_any_reg(g));
    gen_alu_imm(g, BPF_AND, 32, BPF_R2, 3);
    if (log)
        gen_alu_imm(g, BPF_LSH, 64, BPF_R2, (int32_t)log);
    reg_op(g, BPF_ADD, 64, POINTER, BPF_R2);
    gen_put(g, access_at(g, width, 0));
    give_back(g);
}

static void and_not(struct generator *g) {
    unsigned width = gen_one_in(g, 2) ? 32 : 64;
    uint8_t x = gen_any_reg(g);
    reg_op(g, BPF_MOV, width, BPF_R3, gen_any_reg(g));
    gen_alu_imm(g, BPF_XOR, width, BPF_R3, -1);
    reg_op(g, gen_one_in(g, 2) ? BPF_AND : BPF_OR, width, x, BPF_R3);
}

/* if (a ? b) something short; sometimes with an else. */
static void select_one(struct generator *g) {
    unsigned width = gen_one_in(g, 3) ? 64 : 32;
    uint8_t x = (uint8_t)(BPF_R1 + gen_below(g, 4));
    bool otherwise = gen_one_in(g, 3);
    struct bpf_decoded jump = {.op = (enum bpf_op)(BPF_JEQ + gen_below(g, BPF_JSLE - BPF_JEQ + 1)),
                               .width = (uint8_t)width,
                               .dst = gen_any_reg(g),
                               .target = otherwise ? 3 : 2};
    if (gen_one_in(g, 2))
        jump.imm = gen_one_in(g, 2) ? 0 : (int32_t)gen_value(g);
    else
        jump.src_reg = 1, jump.src = gen_any_reg(g);
    gen_put(g, jump);
    if (gen_one_in(g, 2))
        reg_op(g, BPF_MOV, width, x, gen_any_reg(g));
    else
        gen_alu_imm(g, gen_one_in(g, 2) ? BPF_ADD : BPF_MOV, 32, x,
                    (int32_t)gen_below(g, 200) - 100);
    if (!otherwise)
        return;
    gen_put(g, (struct bpf_decoded){.op = BPF_JA, .width = 64, .target = 2});
    gen_alu_imm(g, gen_one_in(g, 2) ? BPF_MOV : BPF_XOR, 32, x, (int32_t)gen_below(g, 1000));
}

void gen_idiom(struct generator *g) {
    switch (gen_below(g, 8)) {
    case 0: rotate(g); break;
    case 1: product(g); break;
    case 2:
    case 3: walk(g); break;
    case 4: indexed(g); break;
    case 5: and_not(g); break;
    default: select_one(g); break;
    }
}
