/* SPDX-License-Identifier: MIT */
/*
 * Random programs for the verifier: numbers of all sizes and what is learnt of them by comparing, copies and
 * spills, memory of every kind at offsets that are bounded, nearly bounded or not at all, loops up, down, by
 * strides and by data, calls with pointers to the caller's stack, callbacks. Most accesses are meant to be
 * right; some are off by one or lack their test, so that a part of the programs is unsafe.
 */
#include "soundness/soundness.h"

#include "bpf/helper.h"
#include "bpf/map.h"
#include "util/vec.h"

#include <assert.h>
#include <string.h>

enum { FUNC_MAIN, FUNC_SUB, FUNC_CALLBACK, FUNCS };

/* What the generator believes of a register: enough to make programs that are mostly right. */
enum belief { UNSET, NUM, PTR };

struct generator {
    struct arena *arena;
    uint64_t state;
    VEC(struct bpf_decoded) code;
    VEC(uint32_t) calls[FUNCS]; /* slots that call or name a function */
    enum belief reg[BPF_NREGS];
    bool written[64]; /* words of the stack, from r10 downwards */
    int func, depth;  /* of statements */
    bool has[FUNCS];
};

static uint32_t pick(struct generator *g, uint32_t n) {
    g->state ^= g->state << 13;
    g->state ^= g->state >> 7;
    g->state ^= g->state << 17;
    return (uint32_t)(g->state >> 20) % n;
}

static bool chance(struct generator *g, uint32_t percent) {
    return pick(g, 100) < percent;
}

static int64_t constant(struct generator *g) {
    static const int32_t edges[] = {0,   1,   -1,  2,   3,    4,         5,         7,  8,   10,
                                    15,  16,  31,  32,  48,   56,        60,        63, 64,  100,
                                    127, 128, 255, 256, 4095, INT32_MAX, INT32_MIN, -2, -16, -64};
    return chance(g, 85) ? edges[pick(g, sizeof(edges) / sizeof(edges[0]))]
                         : (int32_t)(pick(g, UINT32_MAX) - 0);
}

/* ---- Emitting */

static uint32_t emit(struct generator *g, struct bpf_decoded d) {
    d.len = d.op == BPF_LDDW ? 2 : 1;
    vec_push(g->arena, &g->code, d);
    if (d.len == 2)
        vec_push(g->arena, &g->code, (struct bpf_decoded){0});
    return (uint32_t)g->code.count - d.len;
}

static void alu_imm(struct generator *g, enum bpf_op op, unsigned width, unsigned dst,
                    int64_t imm) {
    emit(g,
         (struct bpf_decoded){.op = op, .width = (uint8_t)width, .dst = (uint8_t)dst, .imm = imm});
}

static void alu_reg(struct generator *g, enum bpf_op op, unsigned width, unsigned dst,
                    unsigned src) {
    emit(g, (struct bpf_decoded){.op = op,
                                 .width = (uint8_t)width,
                                 .dst = (uint8_t)dst,
                                 .src = (uint8_t)src,
                                 .src_reg = true});
}

static void memory(struct generator *g, enum bpf_op op, unsigned size, unsigned dst, unsigned src,
                   int off, int64_t imm) {
    emit(g, (struct bpf_decoded){.op = op,
                                 .width = (uint8_t)(8 * size),
                                 .dst = (uint8_t)dst,
                                 .src = (uint8_t)src,
                                 .off = (int16_t)off,
                                 .imm = imm});
}

static void lddw(struct generator *g, unsigned dst, enum bpf_pseudo pseudo, uint32_t index,
                 int off) {
    emit(g, (struct bpf_decoded){.op = BPF_LDDW,
                                 .dst = (uint8_t)dst,
                                 .pseudo = pseudo,
                                 .imm = (int64_t)((uint64_t)(uint32_t)off << 32 | index)});
}

static enum bpf_op random_jcc(struct generator *g) {
    return (enum bpf_op)(BPF_JEQ + pick(g, BPF_JSLE - BPF_JEQ + 1));
}

/* A jump whose target is set later. */
static uint32_t jump(struct generator *g, enum bpf_op op, unsigned width, unsigned dst, int src,
                     int64_t imm) {
    return emit(g, (struct bpf_decoded){.op = op,
                                        .width = (uint8_t)(op == BPF_JA ? 64 : width),
                                        .dst = (uint8_t)dst,
                                        .src = (uint8_t)(src < 0 ? 0 : src),
                                        .src_reg = src >= 0,
                                        .imm = src < 0 ? imm : 0});
}

static void land(struct generator *g, uint32_t from) {
    g->code.items[from].target = (int32_t)(g->code.count - from);
}

/* ---- Registers: r0 to r7 are free, r8 counts loops, r9 is the memory (or the argument) */

static unsigned width(struct generator *g) {
    return chance(g, 50) ? 32 : 64;
}

static unsigned size(struct generator *g) {
    return 1u << pick(g, 4);
}

static int number_register(struct generator *g) {
    unsigned start = pick(g, 8);
    for (unsigned i = 0; i < 8; i++)
        if (g->reg[(start + i) % 8] == NUM)
            return (int)((start + i) % 8);
    unsigned r = start;
    alu_imm(g, BPF_MOV, 64, r, constant(g));
    g->reg[r] = NUM;
    return (int)r;
}

static unsigned other_register(struct generator *g, unsigned not_this) {
    unsigned r = pick(g, 8);
    return r == not_this ? (r + 1) % 8 : r;
}

static void forget_arguments(struct generator *g) {
    for (int r = 1; r <= 5; r++)
        g->reg[r] = UNSET;
}

/* ---- Statements */

static void statements(struct generator *g, unsigned count);

static void do_alu(struct generator *g) {
    static const enum bpf_op ops[] = {BPF_ADD,  BPF_ADD,  BPF_SUB, BPF_MUL, BPF_DIV,
                                      BPF_SDIV, BPF_OR,   BPF_AND, BPF_LSH, BPF_RSH,
                                      BPF_MOD,  BPF_SMOD, BPF_XOR, BPF_ARSH};
    unsigned a = (unsigned)number_register(g), w = width(g);
    enum bpf_op op = ops[pick(g, sizeof(ops) / sizeof(ops[0]))];
    if (chance(g, 5)) {
        alu_imm(g, BPF_NEG, w, a, 0);
        return;
    }
    if (chance(g, 8)) {
        unsigned from = 8u << pick(g, 3);
        enum bpf_op sx = from == 8 ? BPF_MOVSX8 : from == 16 ? BPF_MOVSX16 : BPF_MOVSX32;
        emit(g, (struct bpf_decoded){.op = sx,
                                     .width = (uint8_t)(from == 32 ? 64 : w),
                                     .dst = (uint8_t)a,
                                     .src = (uint8_t)a,
                                     .src_reg = true});
        return;
    }
    if (chance(g, 5)) {
        enum bpf_op end = (enum bpf_op)(BPF_LE + pick(g, 3));
        emit(g, (struct bpf_decoded){
                    .op = end, .width = (uint8_t)(16u << pick(g, 3)), .dst = (uint8_t)a});
        return;
    }
    if (chance(g, 45)) {
        alu_reg(g, op, w, a, (unsigned)number_register(g));
        return;
    }
    int64_t imm = constant(g);
    if (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH)
        imm = pick(g, w);
    if ((op == BPF_DIV || op == BPF_SDIV || op == BPF_MOD || op == BPF_SMOD) && imm == 0)
        imm = 10;
    alu_imm(g, op, w, a, imm);
}

static void do_copy(struct generator *g) {
    unsigned a = (unsigned)number_register(g), b = other_register(g, a);
    alu_reg(g, BPF_MOV, width(g), b, a);
    g->reg[b] = NUM;
    if (chance(g, 40))
        alu_imm(g, chance(g, 70) ? BPF_ADD : BPF_SUB, width(g), b, constant(g));
}

/* The distance of two copies that a constant was added to, which is known whatever they are. */
static void do_difference(struct generator *g) {
    unsigned a = (unsigned)number_register(g), b = other_register(g, a);
    alu_reg(g, BPF_MOV, 64, b, a);
    alu_imm(g, BPF_ADD, 64, b, 1 + pick(g, 40));
    g->reg[b] = NUM;
    if (chance(g, 50))
        alu_reg(g, BPF_SUB, 64, b, a);
    else
        alu_reg(g, BPF_SUB, 64, a, b);
}

static void do_load(struct generator *g) {
    unsigned r = other_register(g, 99), s = size(g);
    bool sign = s < 8 && chance(g, 25);
    memory(g, sign ? BPF_LDXS : BPF_LDX, s, r, 9, (int)(s * pick(g, 16 / s)), 0);
    g->reg[r] = NUM;
}

/* if, with or without else; what registers hold is joined by hand. */
static void do_branch(struct generator *g) {
    unsigned a = (unsigned)number_register(g);
    int b = chance(g, 40) ? number_register(g) : -1;
    enum belief before[BPF_NREGS], then[BPF_NREGS];
    bool written[64], written_then[64];
    uint32_t over = jump(g, random_jcc(g), width(g), a, b, constant(g));
    memcpy(before, g->reg, sizeof(before));
    memcpy(written, g->written, sizeof(written));
    statements(g, 1 + pick(g, 3));
    memcpy(then, g->reg, sizeof(then));
    memcpy(written_then, g->written, sizeof(written));
    memcpy(g->reg, before, sizeof(before));
    memcpy(g->written, written, sizeof(written));
    if (chance(g, 40)) {
        uint32_t end = jump(g, BPF_JA, 64, 0, -1, 0);
        land(g, over);
        statements(g, 1 + pick(g, 3));
        over = end;
    }
    land(g, over);
    for (int r = 0; r < BPF_NREGS; r++)
        if (g->reg[r] != then[r])
            g->reg[r] = UNSET;
    for (int i = 0; i < 64; i++)
        g->written[i] &= written_then[i];
}

static void do_spill(struct generator *g) {
    unsigned word = pick(g, 8), s = size(g), r = (unsigned)number_register(g);
    int off = -8 * (int)(word + 1) + (int)(s * pick(g, 8 / s));
    if (!g->written[word] && chance(g, 90)) {
        memory(g, BPF_ST, 8, 10, 0, -8 * (int)(word + 1), constant(g));
        g->written[word] = true;
    }
    memory(g, BPF_STX, s, 10, r, off, 0);
}

static void do_fill(struct generator *g) {
    unsigned word = pick(g, 8), s = size(g), r = other_register(g, 99);
    if (!g->written[word] && chance(g, 97))
        return;
    memory(g, s < 8 && chance(g, 20) ? BPF_LDXS : BPF_LDX, s, r, 10,
           -8 * (int)(word + 1) + (int)(s * pick(g, 8 / s)), 0);
    g->reg[r] = NUM;
}

/* Makes r at most `limit`, in one of the ways that people do; now and then one too many, or not at all.
 * Gives a jump to be landed behind the use, or UINT32_MAX. */
static uint32_t bound(struct generator *g, unsigned r, uint32_t limit) {
    uint32_t most = limit + (chance(g, 3) ? 1 : 0);
    if (chance(g, 2))
        return UINT32_MAX;
    switch (pick(g, 6)) {
    case 0: /* a mask below a power of two */
        alu_imm(g, BPF_AND, width(g), r, (INT64_C(1) << (31 - __builtin_clz(most + 1))) - 1);
        return UINT32_MAX;
    case 1: alu_imm(g, BPF_MOD, chance(g, 50) ? 32 : 64, r, most + 1); return UINT32_MAX;
    case 2: return jump(g, BPF_JGT, 64, r, -1, most);
    case 3: /* the low word, which a move makes the whole */
        alu_reg(g, BPF_MOV, 32, r, r);
        return jump(g, BPF_JGT, 32, r, -1, most);
    case 4: { /* a copy is tested */
        unsigned copy = other_register(g, r);
        alu_reg(g, BPF_MOV, 64, copy, r);
        g->reg[copy] = NUM;
        if (chance(g, 50)) {
            alu_imm(g, BPF_ADD, 64, copy, 5);
            alu_imm(g, BPF_ADD, 64, r, 5);
            alu_imm(g, BPF_SUB, 64, r, 5);
            return jump(g, BPF_JGE, 64, copy, -1, (int64_t)most + 6) /* and not below 5 */;
        }
        return jump(g, BPF_JGE, 64, copy, -1, most + 1);
    }
    default: /* signed, from both sides */
        alu_imm(g, BPF_AND, 64, r, INT32_MAX);
        return jump(g, BPF_JSGT, chance(g, 50) ? 32 : 64, r, -1, most);
    }
}

static void access(struct generator *g, unsigned p, unsigned s, int off, bool read_only) {
    unsigned r;
    if (!read_only && chance(g, 40)) {
        r = (unsigned)number_register(g);
        if (r != p) {
            if (s >= 4 && chance(g, 25)) {
                static const enum bpf_op atomics[] = {BPF_ATOMIC_ADD, BPF_ATOMIC_FETCH_ADD,
                                                      BPF_ATOMIC_XCHG, BPF_ATOMIC_FETCH_OR};
                memory(g, atomics[pick(g, 4)], s, p, r, off, 0);
            } else {
                memory(g, BPF_STX, s, p, r, off, 0);
            }
            return;
        }
    }
    r = other_register(g, p);
    memory(g, s < 8 && chance(g, 20) ? BPF_LDXS : BPF_LDX, s, r, p, off, 0);
    g->reg[r] = NUM;
}

/* base + index * scale, bounded; through a pointer register that is dead afterwards. */
static void do_indexed(struct generator *g) {
    unsigned i = (unsigned)number_register(g), p = other_register(g, i), s = size(g);
    unsigned shift = chance(g, 50) ? 0 : pick(g, 3);
    uint32_t room = MEMORY;
    int off = 0;
    unsigned where = pick(g, 4);
    if (where == 1)
        room = 32; /* of the stack, the last 32 bytes of what is written first */
    else if (where == 2)
        room = DATA_BYTES;
    if (where == 1) {
        for (int w = 0; w < 4; w++)
            if (!g->written[w]) {
                memory(g, BPF_ST, 8, 10, 0, -8 * (w + 1), w);
                g->written[w] = true;
            }
    }
    uint32_t skip = bound(g, i, (room - s) >> shift);
    enum belief before[BPF_NREGS];
    memcpy(before, g->reg, sizeof(before));
    bool down = where == 1 && chance(g, 50);
    if (where == 1) {
        alu_reg(g, BPF_MOV, 64, p, 10);
        alu_imm(g, BPF_ADD, 64, p, down ? -(int)s : -32);
    } else if (where == 2) {
        lddw(g, p, BPF_PSEUDO_DATA, chance(g, 50), 0);
    } else {
        alu_reg(g, BPF_MOV, 64, p, 9);
    }
    g->reg[p] = PTR;
    bool constants = where == 2 && g->code.items[g->code.count - 2].imm == 0;
    if (shift)
        alu_imm(g, BPF_LSH, 64, i, shift);
    alu_reg(g, down ? BPF_SUB : BPF_ADD, 64, p, i);
    access(g, p, s, off, constants);
    if (skip != UINT32_MAX) {
        land(g, skip);
        for (int r = 0; r < BPF_NREGS; r++)
            if (g->reg[r] != before[r])
                g->reg[r] = UNSET;
    }
    g->reg[p] = UNSET;
}

static void do_lookup(struct generator *g) {
    unsigned map = pick(g, 2), key = (unsigned)number_register(g);
    if (chance(g, 50))
        alu_imm(g, BPF_AND, 64, key, 3);
    memory(g, BPF_STX, 4, 10, key, -72, 0);
    alu_reg(g, BPF_MOV, 64, 2, 10);
    alu_imm(g, BPF_ADD, 64, 2, -72);
    lddw(g, 1, BPF_PSEUDO_MAP, map, 0);
    emit(g, (struct bpf_decoded){.op = BPF_CALL_HELPER, .imm = BPF_FUNC_MAP_LOOKUP_ELEM});
    forget_arguments(g);
    g->reg[0] = UNSET;
    unsigned tested = 0;
    if (chance(g, 30)) {
        alu_reg(g, BPF_MOV, 64, 6, 0);
        g->reg[6] = UNSET;
        tested = chance(g, 50) ? 6 : 0;
    }
    uint32_t skip = chance(g, 97) ? jump(g, BPF_JEQ, 64, tested, -1, 0) : UINT32_MAX;
    enum belief before[BPF_NREGS];
    memcpy(before, g->reg, sizeof(before));
    unsigned s = size(g);
    g->reg[0] = PTR;
    access(g, 0, s, (int)(s * pick(g, MAP_VALUE / s)) + (chance(g, 2) ? 8 : 0), false);
    if (skip != UINT32_MAX)
        land(g, skip);
    for (int r = 0; r < BPF_NREGS; r++)
        if (g->reg[r] != before[r])
            g->reg[r] = UNSET;
    g->reg[0] = UNSET;
}

/* A loop that ends, or mostly does; r8 counts. Inside, r8 may index the memory. */
static void do_loop(struct generator *g) {
    if (g->reg[8] != UNSET || g->depth > 1)
        return;
    unsigned w = width(g), step = 1 + (chance(g, 30) ? pick(g, 4) : 0), kind = pick(g, 6);
    uint32_t limit = 1 + pick(g, 40);
    enum belief before[BPF_NREGS];
    int n = -1;
    alu_imm(g, BPF_MOV, w, 8, kind == 1 ? limit : kind == 2 ? 256 : 0);
    g->reg[8] = NUM;
    if (kind == 3) { /* an unknown limit, and a test before */
        n = number_register(g);
        alu_imm(g, BPF_AND, 64, (unsigned)n, 31);
    }
    memcpy(before, g->reg, sizeof(before));
    uint32_t skip = kind == 3 ? jump(g, BPF_JEQ, 64, (unsigned)n, -1, 0) : UINT32_MAX;
    uint32_t top = (uint32_t)g->code.count;
    if (n >= 0)
        g->reg[n] = UNSET; /* kept: not a register for statements */
    g->depth++;
    bool uses = kind != 2 && limit <= 32 && kind != 1 && chance(g, 50);
    if (uses) {
        unsigned p = other_register(g, (unsigned)(n < 0 ? 99 : n));
        alu_reg(g, BPF_MOV, 64, p, 9);
        alu_reg(g, BPF_ADD, 64, p, 8);
        memory(g, BPF_LDX, 1, p, p, 0, 0);
        g->reg[p] = NUM;
    }
    statements(g, pick(g, 3));
    g->depth--;
    uint32_t back;
    switch (kind) {
    case 0:
        alu_imm(g, BPF_ADD, w, 8, step);
        back = jump(g, chance(g, 50) ? BPF_JLT : BPF_JSLT, w, 8, -1, limit);
        break;
    case 1:
        alu_imm(g, BPF_SUB, w, 8, 1);
        back = chance(g, 50) ? jump(g, BPF_JNE, w, 8, -1, 0) : jump(g, BPF_JSGT, w, 8, -1, 0);
        break;
    case 2:
        alu_imm(g, BPF_RSH, w, 8, 1 + pick(g, 2));
        back = jump(g, BPF_JNE, w, 8, -1, 0);
        break;
    case 3:
        alu_imm(g, BPF_ADD, 64, 8, 1);
        back = jump(g, chance(g, 50) ? BPF_JNE : BPF_JLT, 64, 8, n, 0);
        break;
    case 4: { /* a step that depends on data */
        alu_imm(g, BPF_ADD, 64, 8, 1);
        back = jump(g, BPF_JLT, 64, 8, -1, limit);
        break;
    }
    default:
        alu_imm(g, BPF_ADD, w, 8, step);
        back = jump(g, BPF_JNE, w, 8, -1, step * limit);
        break;
    }
    g->code.items[back].target = (int32_t)(top - back);
    if (skip != UINT32_MAX)
        land(g, skip);
    for (int r = 0; r < BPF_NREGS; r++)
        if (g->reg[r] != before[r])
            g->reg[r] = UNSET;
    g->reg[8] = UNSET;
}

static void name_function(struct generator *g, int func) {
    g->has[func] = true;
    vec_push(g->arena, &g->calls[func], (uint32_t)g->code.count);
}

/* A call of the sub-program, with a number and a pointer to two words of our stack. */
static void do_call(struct generator *g) {
    if (g->func != FUNC_MAIN)
        return;
    unsigned r = (unsigned)number_register(g);
    for (int w = 8; w < 10; w++)
        if (!g->written[w]) {
            memory(g, BPF_ST, 8, 10, 0, -8 * (w + 1), 1);
            g->written[w] = true;
        }
    alu_reg(g, BPF_MOV, 64, 1, r);
    alu_reg(g, BPF_MOV, 64, 2, 10);
    alu_imm(g, BPF_ADD, 64, 2, -80);
    name_function(g, FUNC_SUB);
    emit(g, (struct bpf_decoded){.op = BPF_CALL_LOCAL});
    forget_arguments(g);
    g->reg[0] = NUM;
}

static void do_callback(struct generator *g) {
    if (g->func != FUNC_MAIN || g->depth > 0)
        return;
    for (int w = 8; w < 10; w++)
        if (!g->written[w]) {
            memory(g, BPF_ST, 8, 10, 0, -8 * (w + 1), 0);
            g->written[w] = true;
        }
    alu_imm(g, BPF_MOV, 64, 1, 1 + pick(g, 20));
    name_function(g, FUNC_CALLBACK);
    lddw(g, 2, BPF_PSEUDO_FUNC, 0, 0);
    alu_reg(g, BPF_MOV, 64, 3, 10);
    alu_imm(g, BPF_ADD, 64, 3, -80);
    alu_imm(g, BPF_MOV, 64, 4, 0);
    emit(g, (struct bpf_decoded){.op = BPF_CALL_HELPER, .imm = BPF_FUNC_LOOP});
    forget_arguments(g);
    g->reg[0] = NUM;
}

static void do_random(struct generator *g) {
    emit(g, (struct bpf_decoded){.op = BPF_CALL_HELPER, .imm = BPF_FUNC_GET_PRANDOM_U32});
    forget_arguments(g);
    g->reg[0] = NUM;
}

/* Pointers in one object: compared, subtracted, spilled. */
static void do_pointers(struct generator *g) {
    unsigned i = (unsigned)number_register(g), p = other_register(g, i);
    alu_imm(g, BPF_AND, 64, i, 31);
    alu_reg(g, BPF_MOV, 64, p, 9);
    alu_reg(g, BPF_ADD, 64, p, i);
    if (chance(g, 50)) {
        memory(g, BPF_STX, 8, 10, p, -96, 0);
        memory(g, BPF_LDX, 8, p, 10, -96, 0);
    }
    if (chance(g, 50)) {
        alu_reg(g, BPF_SUB, 64, p, 9);
        g->reg[p] = NUM;
        return;
    }
    uint32_t skip = jump(g, chance(g, 50) ? BPF_JGT : BPF_JEQ, 64, p, 9, 0);
    memory(g, BPF_LDX, 1, p, p, 32, 0);
    land(g, skip);
    g->reg[p] = UNSET;
}

static void statements(struct generator *g, unsigned count) {
    static void (*const kinds[])(struct generator *) = {
        do_alu,   do_alu,   do_alu,      do_copy,   do_copy,     do_load,      do_branch, do_branch,
        do_spill, do_spill, do_fill,     do_fill,   do_indexed,  do_indexed,   do_lookup, do_loop,
        do_loop,  do_call,  do_callback, do_random, do_pointers, do_difference};
    for (unsigned i = 0; i < count; i++) {
        if (g->depth > 3 || g->code.count > 400) {
            do_alu(g);
            continue;
        }
        g->depth++;
        kinds[pick(g, sizeof(kinds) / sizeof(kinds[0]))](g);
        g->depth--;
    }
}

/* ---- Functions */

static void function(struct generator *g, int func) {
    g->func = func;
    g->depth = 0;
    memset(g->written, 0, sizeof(g->written));
    for (int r = 0; r < BPF_NREGS; r++)
        g->reg[r] = UNSET;
    if (func == FUNC_MAIN) {
        g->reg[2] = NUM;
        alu_reg(g, BPF_MOV, 64, 9, 1);
        statements(g, 6 + pick(g, 14));
    } else {
        /* r1: a number, or the callback's index; r2: 16 bytes of the caller's. */
        g->reg[1] = NUM;
        alu_reg(g, BPF_MOV, 64, 6, 2);
        alu_reg(g, BPF_MOV, 64, 7, 1);
        memory(g, BPF_LDX, 8, 0, 6, 0, 0);
        alu_imm(g, BPF_ADD, 64, 0, 1);
        memory(g, BPF_STX, chance(g, 50) ? 8 : 4, 6, 0, 0, 0);
        memory(g, BPF_STX, 8, 6, 7, 8, 0);
        g->reg[0] = g->reg[7] = NUM;
        /* The memory is out of reach here: r9 is the caller's words. */
        alu_reg(g, BPF_MOV, 64, 9, 6);
        g->reg[6] = UNSET;
        for (unsigned i = 0; i < 3; i++)
            do_alu(g);
    }
    if (func == FUNC_CALLBACK)
        alu_imm(g, BPF_MOV, 64, 0, chance(g, 80) ? 0 : 1);
    else if (g->reg[0] != NUM)
        alu_imm(g, BPF_MOV, 64, 0, 0);
    emit(g, (struct bpf_decoded){.op = BPF_EXIT});
}

/* ---- The program around the code */

static void add_tables(struct arena *arena, struct program *p) {
    p->nmaps = 2;
    p->maps = arena_alloc_array(arena, 2, sizeof(*p->maps));
    for (uint32_t i = 0; i < 2; i++)
        p->maps[i] = (struct prog_map){.name = i ? "hash" : "array",
                                       .type = i ? BPF_MAP_HASH : BPF_MAP_ARRAY,
                                       .key_size = 4,
                                       .value_size = MAP_VALUE,
                                       .max_entries = MAP_ELEMENTS};
    p->ndatas = 2;
    p->datas = arena_alloc_array(arena, 2, sizeof(*p->datas));
    uint8_t *image = arena_alloc(arena, DATA_BYTES);
    for (unsigned i = 0; i < DATA_BYTES; i++)
        image[i] = (uint8_t)(i * 7 % 23);
    p->datas[0] =
        (struct prog_data){.name = ".rodata", .image = image, .size = DATA_BYTES, .align = 8};
    p->datas[1] = (struct prog_data){
        .name = ".data", .image = image, .size = DATA_BYTES, .align = 8, .writable = true};
}

struct program *generate(struct arena *arena, uint64_t seed) {
    struct generator *g = arena_alloc(arena, sizeof(*g));
    uint32_t start[FUNCS];
    g->arena = arena;
    g->state = seed * 0x9e3779b97f4a7c15u + 0x1234567;
    for (int func = 0; func < FUNCS; func++) {
        start[func] = (uint32_t)g->code.count;
        if (func == FUNC_MAIN || g->has[func])
            function(g, func);
    }
    for (int func = 1; func < FUNCS; func++)
        vec_for_each(uint32_t, slot, &g->calls[func]) {
            struct bpf_decoded *d = &g->code.items[*slot];
            if (d->op == BPF_CALL_LOCAL)
                d->target = (int32_t)(start[func] - *slot);
            else
                d->imm = start[func]; /* a slot: program_from_insns() makes it an index */
        }
    uint32_t count = (uint32_t)g->code.count;
    struct bpf_insn *insns = arena_alloc_array(arena, count + 1, sizeof(*insns));
    /* Maps and data come in afterwards: bare instructions have none. */
    for (uint32_t i = 0; i < count; i += g->code.items[i].len) {
        struct bpf_decoded d = g->code.items[i];
        d.pseudo = d.pseudo == BPF_PSEUDO_FUNC ? d.pseudo : BPF_PSEUDO_NONE;
        bpf_encode(&d, &insns[i]);
    }
    struct diag *diag = diag_new();
    struct program *p = program_from_insns(arena, "random", insns, count, MEMORY, diag);
    if (!p)
        diag_print(diag, stderr, false);
    assert(p);
    diag_free(diag);
    for (uint32_t i = 0; i < count; i += g->code.items[i].len) {
        uint8_t pseudo = g->code.items[i].pseudo;
        if (pseudo == BPF_PSEUDO_NONE || pseudo == BPF_PSEUDO_FUNC)
            continue;
        p->insns[i].regs |= (uint8_t)(pseudo << 4);
        p->decoded[i].pseudo = pseudo;
    }
    add_tables(arena, p);
    return p;
}
