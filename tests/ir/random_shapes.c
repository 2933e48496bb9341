/* SPDX-License-Identifier: MIT */
/*
 * What compilers write, and what instruction selection has patterns for: rotations, tables, wide
 * products, fields of bits, operands that are shifted, inverted, extended or constant. Random
 * operations hardly ever stand together like this.
 */
#include "ir/random_gen.h"

static void alu_reg(struct generator *g, enum bpf_op op, unsigned width, uint8_t dst, uint8_t src) {
    gen_put(g, (struct bpf_decoded){
                   .op = op, .width = (uint8_t)width, .src_reg = 1, .dst = dst, .src = src});
}

static unsigned any_width(struct generator *g) {
    return gen_one_in(g, 3) ? 64 : 32;
}

/* Two registers that differ. */
static void two_regs(struct generator *g, uint8_t *a, uint8_t *b) {
    *a = gen_any_reg(g);
    *b = (uint8_t)((*a + 1 + gen_below(g, 6)) % 7);
}

static void rotate(struct generator *g) {
    unsigned width = any_width(g);
    uint8_t a, b;
    two_regs(g, &a, &b);
    int32_t count = 1 + (int32_t)gen_below(g, width - 1);
    gen_mov(g, b, a);
    gen_alu_imm(g, BPF_LSH, width, a, count);
    gen_alu_imm(g, BPF_RSH, width, b, (int32_t)width - count);
    alu_reg(g, gen_one_in(g, 4) ? BPF_ADD : BPF_OR, width, a, b);
}

/* base + (index << n), in the context; sometimes from beyond the element, so that the offset is negative. */
static void element(struct generator *g) {
    unsigned shift = gen_below(g, 4);
    uint8_t address = (uint8_t)(1 + gen_below(g, 5)), index = BPF_R6;
    struct bpf_decoded d = {.op = gen_one_in(g, 3) ? BPF_STX : BPF_LDX,
                            .width = (uint8_t)(8 << gen_below(g, 4))};
    if (d.op == BPF_LDX && d.width < 64 && gen_one_in(g, 2))
        d.op = BPF_LDXS;
    gen_alu_imm(g, BPF_AND, any_width(g), index, 7);
    if (gen_one_in(g, 2)) {
        gen_alu_imm(g, BPF_OR, 64, index, 1);
        d.off = (int16_t) - (1 << shift);
    }
    if (shift)
        gen_alu_imm(g, BPF_LSH, 64, index, (int32_t)shift);
    gen_mov(g, address, CTX);
    alu_reg(g, BPF_ADD, 64, address, index);
    (d.op == BPF_STX) ? (d.dst = address, d.src = BPF_R0) : (d.dst = BPF_R0, d.src = address);
    gen_put(g, d);
    gen_constant(g, address); /* addresses are not results */
}

/* Both operands sign- or zero-extended, then something in 64 bits: products, sums, comparisons. */
static void extended(struct generator *g) {
    static const enum bpf_op ops[] = {BPF_MUL,  BPF_MUL, BPF_ADD,  BPF_SUB, BPF_DIV,
                                      BPF_SDIV, BPF_MOD, BPF_SMOD, BPF_AND, BPF_OR,
                                      BPF_XOR,  BPF_LSH, BPF_RSH,  BPF_ARSH};
    bool sign = gen_one_in(g, 2);
    uint8_t a, b;
    two_regs(g, &a, &b);
    if (!gen_one_in(g, 4))
        alu_reg(g, sign ? BPF_MOVSX32 : BPF_MOV, sign ? 64 : 32, a, a);
    alu_reg(g, sign ? BPF_MOVSX32 : BPF_MOV, sign ? 64 : 32, b, b);
    if (gen_one_in(g, 2)) {
        alu_reg(g, ops[gen_below(g, sizeof(ops) / sizeof(*ops))], 64, a, b);
        return;
    }
    gen_put(g, (struct bpf_decoded){.op = (enum bpf_op)(BPF_JEQ + gen_below(g, 11)),
                                    .width = 64,
                                    .src_reg = 1,
                                    .dst = a,
                                    .src = b,
                                    .target = 2});
    alu_reg(g, BPF_ADD, 64, a, b);
}

/* A test of bits, and the comparison of a pair whose low word is constant. */
static void bits(struct generator *g) {
    unsigned width = any_width(g);
    uint8_t a, b;
    two_regs(g, &a, &b);
    if (gen_one_in(g, 3)) {
        gen_alu_imm(g, BPF_LSH, 64, a, 32);
        gen_alu_imm(g, BPF_OR, 64, a, 1 + (int32_t)gen_below(g, 300));
        gen_put(g, (struct bpf_decoded){.op = (enum bpf_op)(BPF_JEQ + gen_below(g, 11)),
                                        .width = 64,
                                        .src_reg = 1,
                                        .dst = b,
                                        .src = a,
                                        .target = 2});
    } else {
        gen_mov(g, a, b);
        if (gen_one_in(g, 2))
            alu_reg(g, BPF_AND, width, a, (uint8_t)((b + 1) % 7));
        else
            gen_alu_imm(g, BPF_AND, width, a, (int32_t)gen_value(g));
        gen_put(g, (struct bpf_decoded){.op = gen_one_in(g, 2) ? BPF_JEQ : BPF_JNE,
                                        .width = (uint8_t)width,
                                        .dst = a,
                                        .target = 2});
    }
    gen_alu_imm(g, BPF_XOR, 64, b, 0x55);
}

/* a op (b shifted), a op ~b, a +- b * c, (a >> n) & mask. */
static void operand(struct generator *g) {
    static const enum bpf_op ops[] = {BPF_ADD, BPF_SUB, BPF_AND, BPF_OR, BPF_XOR};
    enum bpf_op op = ops[gen_below(g, 5)];
    unsigned width = any_width(g);
    uint8_t a, b;
    two_regs(g, &a, &b);
    switch (gen_below(g, 4)) {
    case 0: {
        static const enum bpf_op shifts[] = {BPF_LSH, BPF_RSH, BPF_ARSH};
        gen_alu_imm(g, shifts[gen_below(g, 3)], width, b, 1 + (int32_t)gen_below(g, 31));
        break;
    }
    case 1: gen_alu_imm(g, BPF_XOR, width, b, -1); break;
    case 2: alu_reg(g, BPF_MUL, width, b, gen_any_reg(g)); break;
    default:
        gen_alu_imm(g, BPF_RSH, width, b, (int32_t)gen_below(g, width));
        gen_alu_imm(g, BPF_AND, width, b, (int32_t)((1u << (1 + gen_below(g, 30))) - 1));
        break;
    }
    alu_reg(g, op, width, a, b);
    gen_constant(g, b); /* the only use: it can be folded */
}

/* The constant comes first, or the count of a shift is masked. */
static void constant_first(struct generator *g) {
    static const enum bpf_op ops[] = {BPF_SUB,  BPF_DIV, BPF_SDIV, BPF_MOD,
                                      BPF_SMOD, BPF_LSH, BPF_RSH,  BPF_ARSH};
    unsigned width = any_width(g);
    uint8_t a, b;
    two_regs(g, &a, &b);
    if (gen_one_in(g, 3))
        gen_alu_imm(g, BPF_AND, width, b, (int32_t)width - 1);
    else
        gen_constant(g, a);
    alu_reg(g, ops[gen_below(g, 8)], width, a, b);
}

void gen_shape(struct generator *g) {
    static void (*const shapes[])(struct generator *) = {rotate, element, extended,
                                                         bits,   operand, constant_first};
    shapes[gen_below(g, sizeof(shapes) / sizeof(*shapes))](g);
}
