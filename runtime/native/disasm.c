/* SPDX-License-Identifier: MIT */
/*
 * eBPF as llvm-objdump writes it (`r1 += 5`, `w0 = *(u32 *)(r1 + 4)`), for people; asm/asm_print.c writes
 * what our assembler reads back. Two differences: targets are absolute slots, as the listing counts them,
 * and pseudo constants name the table row that they mean. Host only.
 */
#include "bpf/insn.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What insn.def knows about an operation as text. Loads, stores and the rest have no symbol. */
struct name {
    const char *mnemonic, *symbol;
};

static const struct name names[BPF_OP_COUNT] = {
#define BPF_ALU(NAME, code, off, group, widths, mnemonic, symbol, expr)                            \
    [BPF_##NAME] = {mnemonic, symbol},
#define BPF_ALU1(NAME, code, off, group, widths, mnemonic, symbol, expr)                           \
    [BPF_##NAME] = {mnemonic, symbol},
#define BPF_END(NAME, class, source, mnemonic, swaps) [BPF_##NAME] = {mnemonic, NULL},
#define BPF_JCC(NAME, code, mnemonic, symbol, INVERSE, SWAPPED, expr)                              \
    [BPF_##NAME] = {mnemonic, symbol},
#define BPF_ATOMIC(NAME, imm, fetches, mnemonic, expr) [BPF_##NAME] = {mnemonic, NULL},
#include "bpf/insn.def"
};

/* The text so far; it may be longer than what has room. */
struct text {
    char *buf;
    size_t size, length;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    bool room = t->length < t->size;
    int n =
        vsnprintf(room ? t->buf + t->length : NULL, room ? t->size - t->length : 0, format, args);
    va_end(args);
    t->length += (size_t)n;
}

/* The 32-bit view of a register is called w. */
static void put_reg(struct text *t, unsigned width, unsigned reg) {
    put(t, "%c%u", width == 64 ? 'r' : 'w', reg);
}

static void put_operand(struct text *t, const struct bpf_decoded *d) {
    if (d->src_reg)
        put_reg(t, d->width, d->src);
    else
        put(t, "%" PRId64, d->imm);
}

static void put_place(struct text *t, unsigned base, int off) {
    put(t, "(r%u %c %d)", base, off < 0 ? '-' : '+', off < 0 ? -off : off);
}

static void put_alu(struct text *t, const struct bpf_decoded *d) {
    put_reg(t, d->width, d->dst);
    put(t, " %s", names[d->op].symbol);
    if (d->op == BPF_NEG) { /* its symbol ends in the sign */
        put_reg(t, d->width, d->dst);
        return;
    }
    put(t, " ");
    put_operand(t, d);
}

static void put_movsx(struct text *t, const struct bpf_decoded *d) {
    static const uint8_t bits[] = {
#define BPF_MOVSX(NAME, off, widths, mnemonic, expr) [BPF_##NAME - BPF_MOVSX8] = off,
#include "bpf/insn.def"
    };
    put_reg(t, d->width, d->dst);
    put(t, " = (s%u)", bits[d->op - BPF_MOVSX8]);
    put_reg(t, d->width, d->src);
}

static void put_memory(struct text *t, const struct bpf_decoded *d) {
    bool load = d->op == BPF_LDX || d->op == BPF_LDXS;
    char kind = d->op == BPF_LDXS ? 's' : 'u';
    if (load) { /* a sign-extending load fills 64 bits */
        put_reg(t, d->op == BPF_LDXS ? 64 : d->width, d->dst);
        put(t, " = ");
    }
    put(t, "*(%c%u *)", kind, d->width);
    put_place(t, load ? d->src : d->dst, d->off);
    if (load)
        return;
    put(t, " = ");
    if (d->op == BPF_STX)
        put_reg(t, d->width, d->src);
    else
        put(t, "%" PRId64, d->imm);
}

/* An atomic operation that fetches nothing is written as the ALU operation of the same name. */
static const char *atomic_symbol(enum bpf_op op) {
    enum bpf_op alu = BPF_ADD;
    while (strcmp(names[alu].mnemonic, names[op].mnemonic) != 0)
        alu++;
    return names[alu].symbol;
}

static void put_atomic(struct text *t, const struct bpf_decoded *d) {
    const char *mnemonic = names[d->op].mnemonic;
    const char *suffix = d->width == 64 ? "_64" : "32_32";
    if (!bpf_atomic_fetches(d->op)) {
        put(t, "lock *(u%u *)", d->width);
        put_place(t, d->dst, d->off);
        put(t, " %s ", atomic_symbol(d->op));
        put_reg(t, d->width, d->src);
        return;
    }
    put_reg(t, d->width, d->op == BPF_ATOMIC_CMPXCHG ? BPF_R0 : d->src);
    if (d->op == BPF_ATOMIC_XCHG || d->op == BPF_ATOMIC_CMPXCHG) {
        char place[24];
        struct text inner = {place, sizeof(place), 0};
        put_place(&inner, d->dst, d->off);
        place[inner.length - 1] = '\0'; /* its closing parenthesis is the call's */
        put(t, " = %s%s%s, ", mnemonic, suffix, place);
    } else {
        put(t, " = atomic_%s((u%u *)", mnemonic, d->width);
        put_place(t, d->dst, d->off);
        put(t, ", ");
    }
    if (d->op == BPF_ATOMIC_CMPXCHG) {
        put_reg(t, d->width, BPF_R0);
        put(t, ", ");
    }
    put_reg(t, d->width, d->src);
    put(t, ")");
}

static void put_lddw(struct text *t, const struct bpf_decoded *d) {
    static const char *const tables[] = {
        [BPF_PSEUDO_MAP] = "map", [BPF_PSEUDO_DATA] = "data", [BPF_PSEUDO_FUNC] = "func"};
    uint32_t index = (uint32_t)d->imm, offset = (uint32_t)((uint64_t)d->imm >> 32);
    put(t, "r%u = ", d->dst);
    if (d->pseudo == BPF_PSEUDO_NONE)
        put(t, "0x%" PRIx64, (uint64_t)d->imm);
    else
        put(t, offset ? "%s %u+%u" : "%s %u", tables[d->pseudo], index, offset);
    put(t, " ll");
}

static void put_control(struct text *t, const struct bpf_decoded *d, uint32_t target) {
    switch (d->op) {
    case BPF_JA: put(t, "goto%s %u", d->width == 32 ? "l" : "", target); break;
    case BPF_CALL_HELPER: put(t, "call %" PRId64, d->imm); break;
    case BPF_CALL_LOCAL: put(t, "call local %u", target); break;
    case BPF_CALLX: put(t, "callx r%u", d->dst); break;
    case BPF_LDDW: put_lddw(t, d); break;
    default: put(t, "exit"); break;
    }
}

size_t bpf_disasm(char *buf, size_t size, const struct bpf_decoded *d, uint32_t pc) {
    struct text t = {buf, size, 0};
    uint32_t target = pc + (uint32_t)d->target;
    if (size)
        buf[0] = '\0';
    if (bpf_op_is_alu(d->op)) {
        put_alu(&t, d);
    } else if (bpf_op_is_movsx(d->op)) {
        put_movsx(&t, d);
    } else if (bpf_op_is_end(d->op)) {
        put(&t, "r%u = %s%u r%u", d->dst, names[d->op].mnemonic, d->width, d->dst);
    } else if (bpf_op_is_jcc(d->op)) {
        put(&t, "if ");
        put_reg(&t, d->width, d->dst);
        put(&t, " %s ", names[d->op].symbol);
        put_operand(&t, d);
        put(&t, " goto %u", target);
    } else if (bpf_op_is_atomic(d->op)) {
        put_atomic(&t, d);
    } else if (d->op >= BPF_LDX && d->op <= BPF_STX) {
        put_memory(&t, d);
    } else {
        put_control(&t, d, target);
    }
    return t.length;
}
