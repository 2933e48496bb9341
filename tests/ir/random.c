/* SPDX-License-Identifier: MIT */
/* Random eBPF programs; see random.h. */
#include "ir/random_gen.h"

#include <assert.h>
#include <stdbool.h>

#include "bpf/helper.h"

static uint64_t next(struct generator *g) {
    g->state ^= g->state << 13;
    g->state ^= g->state >> 7;
    g->state ^= g->state << 17;
    return g->state * 0x2545f4914f6cdd1d;
}

uint32_t gen_below(struct generator *g, uint32_t n) {
    return (uint32_t)((next(g) >> 33) % n);
}

bool gen_one_in(struct generator *g, uint32_t n) {
    return gen_below(g, n) == 0;
}

/* Values at which things go wrong, and small ones. */
int64_t gen_value(struct generator *g) {
    static const int64_t edges[] = {0,
                                    1,
                                    -1,
                                    2,
                                    31,
                                    32,
                                    63,
                                    64,
                                    255,
                                    0x7fff,
                                    0x8000,
                                    0xffff,
                                    INT32_MAX,
                                    INT32_MIN,
                                    UINT32_MAX,
                                    0x100000000,
                                    INT64_MAX,
                                    INT64_MIN,
                                    -0x80000000ll - 1,
                                    -32768,
                                    0x12345678,
                                    0xff00ff00ff};
    switch (gen_below(g, 4)) {
    case 0: return (int64_t)next(g);
    case 1: return (int64_t)gen_below(g, 16) - 4;
    default: return edges[gen_below(g, sizeof(edges) / sizeof(*edges))];
    }
}

uint8_t gen_any_reg(struct generator *g) {
    return (uint8_t)gen_below(g, 7); /* r0 to r6 */
}

void gen_put(struct generator *g, struct bpf_decoded d) {
    assert(g->n + 2 < RANDOM_MAX_INSNS);
    g->n += bpf_encode(&d, g->out + g->n);
}

void gen_mov(struct generator *g, uint8_t dst, uint8_t src) {
    gen_put(g,
            (struct bpf_decoded){.op = BPF_MOV, .width = 64, .src_reg = 1, .dst = dst, .src = src});
}

void gen_alu_imm(struct generator *g, enum bpf_op op, unsigned width, uint8_t dst, int32_t imm) {
    gen_put(g, (struct bpf_decoded){.op = op, .width = (uint8_t)width, .dst = dst, .imm = imm});
}

void gen_constant(struct generator *g, uint8_t dst) {
    int64_t v = gen_value(g);
    if (v != (int32_t)v || gen_one_in(g, 8))
        gen_put(g, (struct bpf_decoded){.op = BPF_LDDW, .dst = dst, .imm = v});
    else
        gen_alu_imm(g, BPF_MOV, gen_one_in(g, 2) ? 32 : 64, dst, (int32_t)v);
}

/* --------------------------------------------------------------------------------- computations */

static void random_alu(struct generator *g) {
    struct bpf_decoded d = {.op = (enum bpf_op)gen_below(g, BPF_ARSH + 1),
                            .width = gen_one_in(g, 2) ? 32 : 64,
                            .dst = gen_any_reg(g)};
    if (gen_one_in(g, 2) && d.op != BPF_NEG) {
        d.src_reg = 1;
        d.src = gen_any_reg(g);
    } else if (d.op == BPF_LSH || d.op == BPF_RSH || d.op == BPF_ARSH) {
        d.imm = gen_below(g, d.width);
    } else if (d.op != BPF_NEG) {
        d.imm = (int32_t)gen_value(g);
    }
    gen_put(g, d);
}

/* What compilers write for extensions before v4. */
static void shift_pair(struct generator *g) {
    static const uint8_t counts[] = {32, 48, 56, 16, 8};
    uint8_t reg = gen_any_reg(g);
    int count = counts[gen_below(g, 5)];
    gen_alu_imm(g, BPF_LSH, 64, reg, count);
    gen_alu_imm(g, gen_one_in(g, 2) ? BPF_RSH : BPF_ARSH, 64, reg, count);
}

static void random_extension(struct generator *g) {
    struct bpf_decoded d = {.dst = gen_any_reg(g)};
    if (gen_one_in(g, 2)) {
        static const uint8_t widths[] = {16, 32, 64};
        d.op = (enum bpf_op)(BPF_LE + gen_below(g, 3));
        d.width = widths[gen_below(g, 3)];
    } else {
        d.op = (enum bpf_op)(BPF_MOVSX8 + gen_below(g, 3));
        d.width = d.op == BPF_MOVSX32 || gen_one_in(g, 2) ? 64 : 32;
        d.src_reg = 1;
        d.src = gen_any_reg(g);
    }
    gen_put(g, d);
}

/* --------------------------------------------------------------------------------------- memory */

uint8_t gen_size(struct generator *g) {
    return (uint8_t)(8 << gen_below(g, 4));
}

/* An offset of an access of `width` bits into [0, size). Aligned to it, mostly. */
static int16_t offset_in(struct generator *g, uint32_t size, unsigned width) {
    uint32_t bytes = width / 8;
    if (gen_one_in(g, 8))
        return (int16_t)gen_below(g, size - bytes + 1);
    return (int16_t)(gen_below(g, size / bytes) * bytes);
}

/* Access at base + from ...: of the context, or of the stack with base r10. */
void gen_access(struct generator *g, uint8_t base, int32_t from, uint32_t size) {
    struct bpf_decoded d = {.width = gen_size(g)};
    if (base == BPF_R10 && !gen_one_in(g, 6))
        d.width = 64; /* spill slots, mostly */
    d.off = (int16_t)(from + offset_in(g, size, d.width));
    switch (gen_below(g, 5)) {
    case 0:
        d.op = BPF_ST;
        d.dst = base;
        d.imm = (int32_t)gen_value(g);
        break;
    case 1:
    case 2:
        d.op = BPF_STX;
        d.dst = base;
        d.src = gen_any_reg(g);
        if (d.src == base)
            d.src = BPF_R6;
        break;
    default:
        d.op = d.width < 64 && gen_one_in(g, 3) ? BPF_LDXS : BPF_LDX;
        d.dst = gen_any_reg(g);
        d.src = base;
        break;
    }
    gen_put(g, d);
}

/* Through a copy of the base in another register, with an index or a constant added. */
static void indirect_access(struct generator *g) {
    uint8_t address = (uint8_t)(1 + gen_below(g, 5)), index = BPF_R6;
    bool stack = gen_one_in(g, 2);
    gen_mov(g, address, stack ? BPF_R10 : CTX);
    if (stack)
        gen_alu_imm(g, BPF_ADD, 64, address, -STACK);
    if (gen_one_in(
            g, 3)) { /* an index without bounds that an analysis could see: what is left of fuel */
        gen_mov(g, index, FUEL);
        gen_put(g, (struct bpf_decoded){
                       .op = BPF_JSGT, .width = 64, .dst = index, .imm = 0, .target = 2});
        gen_alu_imm(g, BPF_MOV, 64, index, 0);
        gen_put(g, (struct bpf_decoded){
                       .op = BPF_ADD, .width = 64, .src_reg = 1, .dst = address, .src = index});
    } else if (gen_one_in(g, 2)) {
        gen_alu_imm(g, BPF_AND, gen_one_in(g, 2) ? 32 : 64, index, 24);
        gen_put(g, (struct bpf_decoded){
                       .op = BPF_ADD, .width = 64, .src_reg = 1, .dst = address, .src = index});
    } else {
        gen_alu_imm(g, BPF_ADD, 64, address, (int32_t)gen_below(g, 4) * 8);
    }
    gen_access(g, address, 0, 32);
    gen_constant(g, address); /* addresses are not results: they differ between engines */
}

static void move_pointer(struct generator *g) {
    gen_mov(g, POINTER, BPF_R10);
    gen_alu_imm(g, BPF_ADD, 64, POINTER, -STACK + 8 * (int32_t)gen_below(g, 5));
}

static void random_atomic(struct generator *g) {
    struct bpf_decoded d = {
        .op = (enum bpf_op)(BPF_ATOMIC_ADD + gen_below(g, BPF_ATOMIC_CMPXCHG - BPF_ATOMIC_ADD + 1)),
        .width = gen_one_in(g, 2) ? 32 : 64,
        .dst = gen_one_in(g, 3) ? BPF_R10 : CTX,
        .src = gen_any_reg(g)};
    uint32_t bytes = d.width / 8;
    d.off = (int16_t)(gen_below(g, 32 / bytes) * bytes - (d.dst == BPF_R10 ? STACK : 0));
    gen_put(g, d);
}

/* ---------------------------------------------------------------------------------------- calls */

/* r1 to r5 hold anything after a call. */
void gen_after_call(struct generator *g) {
    for (uint8_t reg = BPF_R1; reg <= BPF_R5; reg++)
        if (gen_one_in(g, 2))
            gen_constant(g, reg);
        else
            gen_mov(g, reg, BPF_R6);
}

void gen_fixup(struct generator *g, int kind, uint32_t target) {
    assert(g->nfixups < MAX_FIXUPS);
    g->fixups[g->nfixups++] = (struct fixup){.at = g->n, .target = target, .kind = kind};
}

static void helper_argument(struct generator *g, uint8_t reg, unsigned kind) {
    switch (kind) {
    case BPF_ARG_MAP_KEY:
    case BPF_ARG_MAP_VALUE:
    case BPF_ARG_MAP_VALUE_OUT:
    case BPF_ARG_MEM:
    case BPF_ARG_MEM_OUT:
    case BPF_ARG_STR:
    case BPF_ARG_CALLBACK_CTX:
        if (gen_one_in(g, 2)) {
            gen_mov(g, reg, CTX);
            gen_alu_imm(g, BPF_ADD, 64, reg, 8 * (int32_t)gen_below(g, 3));
        } else {
            gen_mov(g, reg, BPF_R10);
            gen_alu_imm(g, BPF_ADD, 64, reg, -8 * (int32_t)(1 + gen_below(g, STACK / 8)));
        }
        break;
    case BPF_ARG_SIZE:
    case BPF_ARG_SIZE0: gen_alu_imm(g, BPF_MOV, 64, reg, 8); break;
    default:
        if (gen_one_in(g, 2))
            gen_constant(g, reg);
        else
            gen_mov(g, reg, gen_any_reg(g));
        break;
    }
}

static void helper_call(struct generator *g) {
    size_t count;
    const struct bpf_helper *helpers = bpf_helpers(&count), *helper;
    do
        helper = &helpers[gen_below(g, (uint32_t)count)];
    while (helper->id >= BPF_HELPER_INTERNAL_BASE);
    for (unsigned i = 0; i < helper->nargs; i++)
        helper_argument(g, (uint8_t)(BPF_R1 + i), helper->arg[i]);
    gen_put(g, (struct bpf_decoded){.op = BPF_CALL_HELPER, .imm = helper->id});
    gen_after_call(g);
}

/* Of a later function: there is no recursion. */
static void local_call(struct generator *g) {
    uint32_t callee = g->func + 1 + gen_below(g, g->nfuncs - g->func - 1);
    if (g->kind[callee] != FUNC_PLAIN)
        return;
    bool indirect = (g->flags & RANDOM_CALLX) && gen_one_in(g, 3);
    gen_mov(g, BPF_R1, CTX);
    gen_mov(g, BPF_R2, POINTER);
    if (indirect) {
        gen_fixup(g, FIX_FUNC, callee);
        gen_put(g, (struct bpf_decoded){
                       .op = BPF_LDDW, .pseudo = BPF_PSEUDO_FUNC, .dst = BPF_R6, .imm = 0});
        gen_put(g, (struct bpf_decoded){.op = BPF_CALLX, .dst = BPF_R6});
    } else {
        gen_fixup(g, FIX_CALL, callee);
        gen_put(g, (struct bpf_decoded){.op = BPF_CALL_LOCAL});
    }
    gen_constant(g, BPF_R6);
    gen_after_call(g);
}

static void patch(struct generator *g, const struct fixup *fix, uint32_t target) {
    struct bpf_decoded d;
    enum bpf_decode_status status = bpf_decode(g->out + fix->at, 2, &d);
    assert(status == BPF_DECODE_OK);
    (void)status;
    if (fix->kind == FIX_FUNC)
        d.imm = target;
    else
        d.target = (int32_t)(target - fix->at);
    bpf_encode(&d, g->out + fix->at);
}

/* --------------------------------------------------------------------------------------- control */

static void forward_jump(struct generator *g, uint32_t item) {
    struct bpf_decoded d = {.op = (enum bpf_op)(BPF_JEQ + gen_below(g, BPF_JSLE - BPF_JEQ + 1)),
                            .width = gen_one_in(g, 2) ? 32 : 64,
                            .dst = gen_any_reg(g)};
    if (gen_one_in(g, 12))
        d = (struct bpf_decoded){.op = BPF_JA, .width = 64};
    else if (gen_one_in(g, 2))
        d.imm = (int32_t)gen_value(g);
    else
        d.src_reg = 1, d.src = gen_any_reg(g);
    uint32_t ahead = 1 + gen_below(g, gen_one_in(g, 12) ? g->nitems : 6);
    uint32_t target = item + ahead > g->nitems ? g->nitems : item + ahead;
    gen_fixup(g, FIX_JUMP, target);
    gen_put(g, d);
}

static void backward_jump(struct generator *g, uint32_t item) {
    gen_alu_imm(g, BPF_ADD, 64, FUEL, -1);
    gen_fixup(g, FIX_JUMP, gen_below(g, item + 1));
    gen_put(g, (struct bpf_decoded){.op = BPF_JSGT, .width = 64, .dst = FUEL, .imm = 0});
}

/* Division of what was sign-extended, mostly. */
static void divide(struct generator *g) {
    static const enum bpf_op ops[] = {BPF_SDIV, BPF_SMOD, BPF_DIV, BPF_MOD};
    uint8_t a = gen_any_reg(g), b = gen_any_reg(g);
    struct bpf_decoded d = {.op = ops[gen_below(g, 4)], .width = 64, .dst = a};
    gen_put(g, (struct bpf_decoded){
                   .op = BPF_MOVSX32, .width = 64, .src_reg = 1, .dst = a, .src = gen_any_reg(g)});
    if (gen_one_in(g, 2)) {
        d.imm = (int32_t)gen_value(g);
    } else {
        d.src_reg = 1;
        d.src = b;
        gen_put(g,
                (struct bpf_decoded){
                    .op = BPF_MOVSX8, .width = 64, .src_reg = 1, .dst = b, .src = gen_any_reg(g)});
    }
    gen_put(g, d);
}

/* A product of words, extended either way, added to something. */
static void multiply_add(struct generator *g) {
    uint8_t a = gen_any_reg(g), b = gen_any_reg(g);
    enum bpf_op extend = gen_one_in(g, 2) ? BPF_MOV : BPF_MOVSX32;
    unsigned width = extend == BPF_MOV ? 32 : 64;
    gen_put(g, (struct bpf_decoded){
                   .op = extend, .width = width, .src_reg = 1, .dst = a, .src = gen_any_reg(g)});
    gen_put(g, (struct bpf_decoded){
                   .op = extend, .width = width, .src_reg = 1, .dst = b, .src = gen_any_reg(g)});
    gen_put(g, (struct bpf_decoded){.op = BPF_MUL, .width = 64, .src_reg = 1, .dst = a, .src = b});
    gen_put(g, (struct bpf_decoded){
                   .op = BPF_ADD, .width = 64, .src_reg = 1, .dst = gen_any_reg(g), .src = a});
}

static enum bpf_op opposite(enum bpf_op op) {
    static const uint8_t pairs[][2] = {{BPF_JEQ, BPF_JNE},
                                       {BPF_JGT, BPF_JLE},
                                       {BPF_JLT, BPF_JGE},
                                       {BPF_JSGT, BPF_JSLE},
                                       {BPF_JSLT, BPF_JSGE}};
    for (unsigned i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
        for (int k = 0; k < 2; k++)
            if (op == pairs[i][k])
                return (enum bpf_op)pairs[i][!k];
    return op;
}

/* What clang makes of `if (c) x -= y`: x - (c ? y : 0), once or twice under one condition. */
static void conditional_sum(struct generator *g) {
    static const enum bpf_op ops[] = {BPF_SUB, BPF_ADD, BPF_XOR, BPF_OR, BPF_AND};
    struct bpf_decoded test = {.op = (enum bpf_op)(BPF_JEQ + gen_below(g, BPF_JSLE - BPF_JEQ + 1)),
                               .width = gen_one_in(g, 2) ? 32 : 64,
                               .dst = gen_any_reg(g),
                               .target = 1};
    if (gen_one_in(g, 2))
        test.imm = (int32_t)gen_value(g);
    else
        test.src_reg = 1, test.src = gen_any_reg(g);
    uint8_t chosen[2];
    uint32_t n = 1 + gen_below(g, 2);
    for (uint32_t i = 0; i < n; i++) {
        chosen[i] = gen_any_reg(g); /* may be what is compared: then the conditions differ */
        gen_mov(g, chosen[i], gen_any_reg(g));
        gen_put(g, test);
        gen_alu_imm(g, BPF_MOV, 64, chosen[i], gen_one_in(g, 6) ? 1 : 0);
        if (gen_one_in(g, 2))
            test.op = opposite(test.op);
    }
    for (uint32_t i = 0; i < n; i++)
        gen_put(g, (struct bpf_decoded){.op = ops[gen_below(g, 5)],
                                        .width = gen_one_in(g, 4) ? 32 : 64,
                                        .src_reg = 1,
                                        .dst = gen_any_reg(g),
                                        .src = chosen[i]});
}

/* A call between two loads of what it may write. */
static void random_call(struct generator *g) {
    struct bpf_decoded load = {.op = BPF_LDX,
                               .width = 64,
                               .dst = BPF_R6,
                               .src = gen_one_in(g, 3) ? BPF_R10 : CTX,
                               .off = (int16_t)(8 * gen_below(g, 3))};
    if (load.src == BPF_R10)
        load.off = (int16_t)(load.off - STACK);
    gen_put(g, load);
    if ((g->flags & RANDOM_HELPERS) && gen_one_in(g, 2))
        helper_call(g);
    else if ((g->flags & RANDOM_CALLS) && g->func + 1 < g->nfuncs)
        local_call(g);
    load.dst = BPF_R1;
    gen_put(g, load);
}

/* A loop over r6 with a test of any kind at its end or its start; it may never hold, or wrap, but
 * fuel ends it. Nothing jumps into it. */
static void counted_loop(struct generator *g) {
    uint8_t width = gen_one_in(g, 3) ? 32 : 64, test_width = gen_one_in(g, 3) ? 32 : 64;
    int32_t step = gen_one_in(g, 2) ? 1 : (int32_t)gen_below(g, 9) - 4;
    bool first = gen_one_in(g, 3), reg = gen_one_in(g, 3);
    struct bpf_decoded test = {.op = (enum bpf_op)(BPF_JEQ + gen_below(g, BPF_JSLE - BPF_JEQ + 1)),
                               .width = test_width,
                               .dst = BPF_R6,
                               .src_reg = reg,
                               .src = reg ? (uint8_t)(1 + gen_below(g, 5)) : 0,
                               .imm = reg                ? 0
                                      : gen_one_in(g, 2) ? (int32_t)gen_below(g, 10)
                                                         : (int32_t)gen_value(g)};
    if (gen_one_in(g, 2))
        test.op = BPF_JNE;
    gen_alu_imm(g, BPF_MOV, 64, BPF_R6,
                gen_one_in(g, 2) ? (int32_t)gen_below(g, 9) : (int32_t)gen_value(g));
    if (reg && gen_one_in(g, 2)) /* a bound of 32 bits, and a way around the loop */
        gen_put(g, (struct bpf_decoded){
                       .op = BPF_MOV, .width = 32, .src_reg = 1, .dst = test.src, .src = test.src});
    uint32_t guard = reg && gen_one_in(g, 2) ? g->n : 0;
    if (guard)
        gen_put(g, (struct bpf_decoded){.op = BPF_JEQ, .width = 64, .dst = test.src, .target = 1});
    uint32_t start = g->n, out = 0;
    if (first) {
        out = g->n;
        gen_put(g, test);
    }
    uint8_t dst = BPF_R0;
    gen_mov(g, dst, BPF_R6);
    gen_alu_imm(g, gen_one_in(g, 2) ? BPF_LSH : BPF_RSH, 64, dst, 20);
    gen_put(g, (struct bpf_decoded){.op = BPF_STX, .width = 64, .dst = CTX, .src = dst, .off = 16});
    gen_alu_imm(g, BPF_ADD, 64, FUEL, -1);
    uint32_t spent = g->n;
    gen_put(g,
            (struct bpf_decoded){.op = BPF_JSLE, .width = 64, .dst = FUEL, .imm = 0, .target = 1});
    gen_alu_imm(g, BPF_ADD, width, BPF_R6, step);
    struct bpf_decoded back = test;
    if (first)
        back = (struct bpf_decoded){.op = BPF_JA, .width = 64};
    back.target = (int32_t)(start - g->n);
    gen_put(g, back);
    uint32_t jumps[] = {guard, out, spent};
    for (int i = 0; i < 3; i++) {
        struct fixup fix = {.at = jumps[i], .kind = FIX_JUMP};
        if (jumps[i])
            patch(g, &fix, g->n);
    }
}

static void random_item(struct generator *g, uint32_t item) {
    if (gen_one_in(g, 10)) {
        gen_idiom(g);
        return;
    }
    if ((g->flags & RANDOM_MAPS) && gen_one_in(g, 5)) {
        gen_map_item(g);
        return;
    }
    if (gen_one_in(g, 6)) {
        gen_shape(g);
        return;
    }
    switch (gen_below(g, 20)) {
    case 0:
    case 1: gen_access(g, CTX, 0, gen_one_in(g, 2) ? 16 : RANDOM_CTX_SIZE); break;
    case 2:
        if (g->plain)
            indirect_access(g);
        else if (gen_one_in(g, 8))
            move_pointer(g);
        else if (gen_one_in(g, 3))
            gen_access(g, POINTER, 0, 32);
        break;
    case 3:
    case 4: gen_access(g, BPF_R10, -STACK, STACK); break;
    case 5:
        if (gen_one_in(g, 3))
            indirect_access(g);
        break;
    case 6:
    case 7:
    case 8: forward_jump(g, item); break;
    case 9: backward_jump(g, item); break;
    case 10:
        if (gen_one_in(g, 3))
            random_atomic(g);
        break;
    case 11: random_extension(g); break;
    case 12:
        switch (gen_below(g, 5)) {
        case 0:
        case 1: divide(g); break;
        case 2: multiply_add(g); break;
        case 3: conditional_sum(g); break;
        default: shift_pair(g); break;
        }
        break;
    case 13: random_call(g); break;
    case 14:
        if (gen_one_in(g, 2)) {
            counted_loop(g);
            break;
        }
        gen_constant(g, gen_any_reg(g));
        break;
    case 15: gen_mov(g, gen_any_reg(g), gen_any_reg(g)); break;
    default: random_alu(g); break;
    }
}

/* ------------------------------------------------------------------------------------- functions */

static bool is_callback(const struct generator *g) {
    return g->kind[g->func] == FUNC_LOOP || g->kind[g->func] == FUNC_EACH;
}

static void prologue(struct generator *g) {
    bool called = g->func > 0 && g->kind[g->func] == FUNC_PLAIN;
    if (is_callback(g))
        gen_callback_prologue(g);
    else
        gen_mov(g, CTX, BPF_R1);
    gen_alu_imm(g, BPF_MOV, 64, FUEL, (int32_t)gen_below(g, 12));
    for (int slot = 8; slot <= STACK; slot += 8)
        gen_put(g,
                (struct bpf_decoded){
                    .op = BPF_ST, .width = 64, .dst = BPF_R10, .off = (int16_t)-slot, .imm = slot});
    if (called && gen_one_in(g, 2))
        gen_mov(g, POINTER, BPF_R2); /* the caller's */
    else
        move_pointer(g);
    for (uint8_t reg = BPF_R0; reg < POINTER; reg++) {
        if (gen_one_in(g, 3) && reg > BPF_R2 && reg <= BPF_R5 && called)
            continue; /* the argument */
        if (gen_one_in(g, 2))
            gen_put(g,
                    (struct bpf_decoded){.op = BPF_LDX,
                                         .width = gen_size(g),
                                         .dst = reg,
                                         .src = CTX,
                                         .off = (int16_t)(gen_below(g, RANDOM_CTX_SIZE / 8) * 8)});
        else
            gen_constant(g, reg);
    }
}

/* Registers, stack slots and the context go into the result, so that an engine need show nothing
 * else. */
static void epilogue(struct generator *g) {
    for (uint8_t reg = BPF_R1; reg < POINTER; reg++)
        if (gen_one_in(g, 2))
            gen_put(g, (struct bpf_decoded){.op = BPF_STX,
                                            .width = 64,
                                            .dst = CTX,
                                            .src = reg,
                                            .off = (int16_t)(8 * (reg + 3))});
    for (int slot = 8; slot <= STACK; slot += 8)
        if (gen_one_in(g, 3)) {
            gen_put(g, (struct bpf_decoded){.op = BPF_LDX,
                                            .width = 64,
                                            .dst = BPF_R1,
                                            .src = BPF_R10,
                                            .off = (int16_t)-slot});
            gen_put(g, (struct bpf_decoded){
                           .op = BPF_XOR, .width = 64, .src_reg = 1, .dst = BPF_R0, .src = BPF_R1});
        }
    for (int off = 0; off < RANDOM_CTX_SIZE && (g->func == 0 || g->kind[g->func] == FUNC_TAIL);
         off += 8) {
        gen_alu_imm(g, BPF_MUL, 64, BPF_R0, 31);
        gen_put(g, (struct bpf_decoded){
                       .op = BPF_LDX, .width = 64, .dst = BPF_R1, .src = CTX, .off = (int16_t)off});
        gen_put(g, (struct bpf_decoded){
                       .op = BPF_ADD, .width = 64, .src_reg = 1, .dst = BPF_R0, .src = BPF_R1});
    }
    if (is_callback(g))
        gen_callback_epilogue(g);
    gen_put(g, (struct bpf_decoded){.op = BPF_EXIT});
}

static void random_function(struct generator *g) {
    g->func_start[g->func] = g->n;
    g->nitems = 3 + gen_below(g, g->kind[g->func] == FUNC_PLAIN ? MAX_ITEMS - 3 : 12);
    uint32_t first = g->nfixups;
    if (g->func == 0)
        gen_name_targets(g);
    g->plain = gen_one_in(g, 3);
    prologue(g);
    for (uint32_t item = 0; item < g->nitems; item++) {
        g->item_start[item] = g->n;
        random_item(g, item);
    }
    g->item_start[g->nitems] = g->n;
    epilogue(g);
    for (uint32_t i = first; i < g->nfixups; i++)
        if (g->fixups[i].kind == FIX_JUMP)
            patch(g, &g->fixups[i], g->item_start[g->fixups[i].target]);
}

uint32_t random_program(uint64_t seed, unsigned flags, struct bpf_insn *out) {
    struct generator g = {.state = seed * 0x9e3779b97f4a7c15 + 1, .flags = flags, .out = out};
    next(&g);
    g.nfuncs = flags & RANDOM_CALLS ? 1 + gen_below(&g, PLAIN_FUNCS) : 1;
    if (flags & RANDOM_MAPS) {
        g.nfuncs = 3 + gen_below(&g, MAX_FUNCS - 2);
        for (uint32_t f = 1, tails = 0; f < g.nfuncs; f++) {
            g.kind[f] = (enum func_kind)gen_below(&g, FUNC_TAIL + 1);
            if (g.kind[f] == FUNC_TAIL && ++tails > 3)
                g.kind[f] = FUNC_PLAIN;
        }
    }
    for (g.func = 0; g.func < g.nfuncs; g.func++)
        random_function(&g);
    for (uint32_t i = 0; i < g.nfixups; i++)
        if (g.fixups[i].kind != FIX_JUMP)
            patch(&g, &g.fixups[i], g.func_start[g.fixups[i].target]);
    return g.n;
}
