/* SPDX-License-Identifier: MIT */
/*
 * The constant folder. What corresponds to an eBPF operation is computed by the expressions of
 * insn.def, so that their meaning stands in one place; the rest (width changes, word pairs) is here.
 */
#include <assert.h>

#include "bpf/insn.h"
#include "ir/ir.h"

static uint64_t truncated(uint64_t v, unsigned width) {
    return width == 32 ? (uint32_t)v : v;
}

static int64_t extended(uint64_t v, unsigned width) {
    return width == 32 ? (int32_t)v : (int64_t)v;
}

static uint64_t alu(enum bpf_op op, unsigned w, uint64_t a, uint64_t b) {
    a = truncated(a, w);
    b = truncated(b, w);
    int64_t sa = extended(a, w), sb = extended(b, w);
    switch (op) {
/* clang-format off */
#define BPF_ALU(NAME, code, off, group, widths, mnemonic, symbol, expr)                            \
    case BPF_##NAME: return truncated(expr, w);
#define BPF_MOVSX(NAME, off, widths, mnemonic, expr)                                               \
    case BPF_##NAME: return truncated(expr, w);
#include "bpf/insn.def"
    /* clang-format on */
    default: assert(!"an eBPF operation with a value"); return 0;
    }
}

static uint64_t swapped(uint64_t v, unsigned bytes) {
    uint64_t result = 0;
    for (unsigned i = 0; i < bytes; i++)
        result = result << 8 | (v >> (8 * i) & 0xff);
    return result;
}

/* The eBPF operation of an IR operation, or BPF_OP_COUNT. */
static enum bpf_op alu_op(enum ir_op op) {
    switch (op) {
    case IR_ADD: return BPF_ADD;
    case IR_SUB: return BPF_SUB;
    case IR_MUL: return BPF_MUL;
    case IR_UDIV: return BPF_DIV;
    case IR_SDIV: return BPF_SDIV;
    case IR_UMOD: return BPF_MOD;
    case IR_SMOD: return BPF_SMOD;
    case IR_AND: return BPF_AND;
    case IR_OR: return BPF_OR;
    case IR_XOR: return BPF_XOR;
    case IR_SHL: return BPF_LSH;
    case IR_LSHR: return BPF_RSH;
    case IR_ASHR: return BPF_ARSH;
    default: return BPF_OP_COUNT;
    }
}

static uint64_t joined(uint64_t lo, uint64_t hi) {
    return (uint32_t)lo | hi << 32;
}

static bool fold_pair(enum ir_op op, const uint64_t *args, uint64_t result[2]) {
    uint64_t a = joined(args[0], args[1]), value;
    switch (op) {
    case IR_ADD2: value = alu(BPF_ADD, 64, a, joined(args[2], args[3])); break;
    case IR_SUB2: value = alu(BPF_SUB, 64, a, joined(args[2], args[3])); break;
    case IR_SHL2: value = alu(BPF_LSH, 64, a, args[2]); break;
    case IR_LSHR2: value = alu(BPF_RSH, 64, a, args[2]); break;
    case IR_ASHR2: value = alu(BPF_ARSH, 64, a, args[2]); break;
    case IR_UMULL: value = (args[0] & UINT32_MAX) * (args[1] & UINT32_MAX); break;
    case IR_SMULL: value = (uint64_t)((int64_t)(int32_t)args[0] * (int32_t)args[1]); break;
    default: return false;
    }
    result[0] = (uint32_t)value;
    result[1] = value >> 32;
    return true;
}

bool ir_fold(enum ir_op op, enum ir_type type, const uint64_t *args, uint32_t nargs,
             uint64_t result[2]) {
    unsigned width = type == IR_I32 ? 32 : 64;
    result[1] = 0;
    if (alu_op(op) != BPF_OP_COUNT) {
        assert(nargs == 2);
        result[0] = alu(alu_op(op), width, args[0], args[1]);
        return true;
    }
    switch (op) {
    case IR_TRUNC:
    case IR_ZEXT: result[0] = (uint32_t)args[0]; return true;
    case IR_SEXT: result[0] = alu(BPF_MOVSX32, 64, 0, args[0]); return true;
    case IR_SEXT8: result[0] = alu(BPF_MOVSX8, width, 0, args[0]); return true;
    case IR_SEXT16: result[0] = alu(BPF_MOVSX16, width, 0, args[0]); return true;
    case IR_BSWAP16: result[0] = swapped(args[0], 2); return true;
    case IR_BSWAP32: result[0] = swapped(args[0], 4); return true;
    case IR_BSWAP64: result[0] = swapped(args[0], 8); return true;
    default: return fold_pair(op, args, result);
    }
}

static bool jump_taken(enum bpf_op op, unsigned width, uint64_t a, uint64_t b) {
    a = truncated(a, width);
    b = truncated(b, width);
    int64_t sa = extended(a, width), sb = extended(b, width);
    switch (op) {
/* clang-format off */
#define BPF_JCC(NAME, code, mnemonic, symbol, INVERSE, SWAPPED, expr)                              \
    case BPF_##NAME: return expr;
#include "bpf/insn.def"
    /* clang-format on */
    default: assert(!"a conditional jump"); return false;
    }
}

bool ir_fold_cond(enum ir_cond cond, enum ir_type type, uint64_t a, uint64_t b) {
    static const enum bpf_op jump[IR_COND_COUNT] = {
        [IR_COND_EQ] = BPF_JEQ,   [IR_COND_NE] = BPF_JNE,   [IR_COND_ULT] = BPF_JLT,
        [IR_COND_UGE] = BPF_JGE,  [IR_COND_UGT] = BPF_JGT,  [IR_COND_ULE] = BPF_JLE,
        [IR_COND_SLT] = BPF_JSLT, [IR_COND_SGE] = BPF_JSGE, [IR_COND_SGT] = BPF_JSGT,
        [IR_COND_SLE] = BPF_JSLE, [IR_COND_SET] = BPF_JSET,
    };
    unsigned width = type == IR_I32 ? 32 : 64;
    if (cond == IR_COND_CLEAR) /* the only one that eBPF lacks */
        return !jump_taken(BPF_JSET, width, a, b);
    return jump_taken(jump[cond], width, a, b);
}
