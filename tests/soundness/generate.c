/* SPDX-License-Identifier: MIT */
/* Random programs for the verifier: numbers, branches, functions. See generate.h. */
#include "soundness/generate.h"

#include "bpf/helper.h"
#include "program/hook.h"

#include <assert.h>
#include <string.h>

/* ---- Chance */

uint32_t pick(struct generator *g, uint32_t n) {
    g->state ^= g->state << 13;
    g->state ^= g->state >> 7;
    g->state ^= g->state << 17;
    return (uint32_t)((g->state * 0x2545f4914f6cdd1du) >> 33) % n;
}

bool chance(struct generator *g, uint32_t percent) {
    return pick(g, 100) < percent;
}

int64_t constant(struct generator *g) {
    static const int32_t edges[] = {0,   1,   -1,  2,   3,    4,         5,         7,  8,   10,
                                    15,  16,  31,  32,  48,   56,        60,        63, 64,  100,
                                    127, 128, 255, 256, 4095, INT32_MAX, INT32_MIN, -2, -16, -64};
    if (chance(g, 85))
        return edges[pick(g, sizeof(edges) / sizeof(edges[0]))];
    return (int32_t)(pick(g, INT32_MAX) * (chance(g, 50) ? 1u : -1u));
}

unsigned width(struct generator *g) {
    return chance(g, 50) ? 32 : 64;
}

unsigned size(struct generator *g) {
    return 1u << pick(g, 4);
}

enum bpf_op random_condition(struct generator *g) {
    return (enum bpf_op)(BPF_JEQ + pick(g, BPF_JSLE - BPF_JEQ + 1));
}

/* ---- Emitting */

uint32_t emit(struct generator *g, struct bpf_decoded d) {
    d.len = d.op == BPF_LDDW ? 2 : 1;
    assert(g->count + 2 < SOURCE_MAX);
    uint32_t at = g->count;
    g->code[at] = d;
    if (d.len == 2)
        g->code[at + 1] = (struct bpf_decoded){0};
    g->count += d.len;
    return at;
}

void alu_imm(struct generator *g, enum bpf_op op, unsigned w, unsigned dst, int64_t imm) {
    emit(g, (struct bpf_decoded){.op = op, .width = (uint8_t)w, .dst = (uint8_t)dst, .imm = imm});
}

void alu_reg(struct generator *g, enum bpf_op op, unsigned w, unsigned dst, unsigned src) {
    emit(g, (struct bpf_decoded){.op = op,
                                 .width = (uint8_t)w,
                                 .dst = (uint8_t)dst,
                                 .src = (uint8_t)src,
                                 .src_reg = true});
}

void memory(struct generator *g, enum bpf_op op, unsigned bytes, unsigned dst, unsigned src,
            int off, int64_t imm) {
    emit(g, (struct bpf_decoded){.op = op,
                                 .width = (uint8_t)(8 * bytes),
                                 .dst = (uint8_t)dst,
                                 .src = (uint8_t)src,
                                 .off = (int16_t)off,
                                 .imm = imm});
}

void lddw(struct generator *g, unsigned dst, enum bpf_pseudo pseudo, uint32_t index, int off) {
    emit(g, (struct bpf_decoded){.op = BPF_LDDW,
                                 .dst = (uint8_t)dst,
                                 .pseudo = pseudo,
                                 .imm = (int64_t)((uint64_t)(uint32_t)off << 32 | index)});
}

void helper(struct generator *g, uint32_t id) {
    emit(g, (struct bpf_decoded){.op = BPF_CALL_HELPER, .imm = id});
    for (unsigned r = BPF_R1; r <= BPF_R5; r++)
        set_unset(g, r);
    set_unset(g, BPF_R0);
}

uint32_t jump(struct generator *g, enum bpf_op op, unsigned w, unsigned dst, int src, int64_t imm) {
    return emit(g, (struct bpf_decoded){.op = op,
                                        .width = (uint8_t)(op == BPF_JA ? 64 : w),
                                        .dst = (uint8_t)dst,
                                        .src = (uint8_t)(src < 0 ? 0 : src),
                                        .src_reg = src >= 0,
                                        .imm = src < 0 ? imm : 0});
}

void land(struct generator *g, uint32_t from) {
    if (from != UINT32_MAX)
        g->code[from].target = (int32_t)(g->count - from);
}

void jump_out(struct generator *g, enum bpf_op op, unsigned w, unsigned dst, int src, int64_t imm) {
    if (g->nouts < sizeof(g->outs) / sizeof(g->outs[0]))
        g->outs[g->nouts++] = jump(g, op, w, dst, src, imm);
}

/* ---- Beliefs */

enum func_kind kind_of(const struct generator *g) {
    return g->out->kind[g->func];
}

void set_number(struct generator *g, unsigned reg) {
    g->reg[reg] = NUMBER;
    if (reg == BPF_R7)
        g->held = 0;
}

void set_unset(struct generator *g, unsigned reg) {
    g->reg[reg] = UNSET;
    if (reg == BPF_R7)
        g->held = 0;
}

int number_register(struct generator *g) {
    unsigned start = pick(g, FREE_REGISTERS);
    for (unsigned i = 0; i < FREE_REGISTERS; i++)
        if (g->reg[(start + i) % FREE_REGISTERS] == NUMBER &&
            !(g->pinned >> (start + i) % FREE_REGISTERS & 1))
            return (int)((start + i) % FREE_REGISTERS);
    unsigned r = other_register(g, 99);
    alu_imm(g, BPF_MOV, 64, r, constant(g));
    set_number(g, r);
    return (int)r;
}

/* A held pointer is mostly kept. */
unsigned other_register(struct generator *g, unsigned not_this) {
    unsigned r = pick(g, FREE_REGISTERS);
    for (int tries = 0; tries < 50; tries++) {
        bool held = (r == BPF_R7 && g->held && chance(g, 95)) || g->pinned >> r & 1;
        if (r != not_this && !held)
            break;
        r = pick(g, FREE_REGISTERS);
    }
    return r;
}

struct beliefs believe(const struct generator *g) {
    struct beliefs b = {.held = g->held, .held_constant = g->held_constant};
    memcpy(b.reg, g->reg, sizeof(b.reg));
    memcpy(b.written, g->written, sizeof(b.written));
    return b;
}

void restore(struct generator *g, const struct beliefs *b) {
    memcpy(g->reg, b->reg, sizeof(b->reg));
    memcpy(g->written, b->written, sizeof(b->written));
    g->held = b->held;
    g->held_constant = b->held_constant;
}

void join(struct generator *g, const struct beliefs *b) {
    for (unsigned r = 0; r < BPF_NREGS; r++)
        if (g->reg[r] != b->reg[r])
            set_unset(g, r);
    if (g->held != b->held || g->held_constant != b->held_constant)
        g->held = 0;
    for (int i = 0; i < WORDS; i++)
        g->written[i] &= b->written[i];
}

void write_words(struct generator *g, unsigned first, unsigned count) {
    for (unsigned w = first; w < first + count; w++)
        if (!g->written[w]) {
            memory(g, BPF_ST, 8, BPF_R10, 0, -8 * (int)(w + 1), chance(g, 40) ? 0 : constant(g));
            g->written[w] = true;
        }
}

/* ---- Numbers */

static void extend(struct generator *g, unsigned r) {
    unsigned from = 8u << pick(g, 3);
    enum bpf_op op = from == 8 ? BPF_MOVSX8 : from == 16 ? BPF_MOVSX16 : BPF_MOVSX32;
    emit(g, (struct bpf_decoded){.op = op,
                                 .width = (uint8_t)(from == 32 ? 64 : width(g)),
                                 .dst = (uint8_t)r,
                                 .src = (uint8_t)number_register(g),
                                 .src_reg = true});
}

static void do_alu(struct generator *g) {
    static const enum bpf_op ops[] = {BPF_ADD,  BPF_ADD,  BPF_SUB, BPF_MUL, BPF_DIV,
                                      BPF_SDIV, BPF_OR,   BPF_AND, BPF_LSH, BPF_RSH,
                                      BPF_MOD,  BPF_SMOD, BPF_XOR, BPF_ARSH};
    unsigned a = (unsigned)number_register(g), w = width(g);
    enum bpf_op op = ops[pick(g, sizeof(ops) / sizeof(ops[0]))];
    unsigned choice = pick(g, 100);
    if (choice < 5) {
        alu_imm(g, BPF_NEG, w, a, 0);
    } else if (choice < 13) {
        extend(g, a);
    } else if (choice < 18) {
        emit(g, (struct bpf_decoded){.op = (enum bpf_op)(BPF_LE + pick(g, 3)),
                                     .width = (uint8_t)(16u << pick(g, 3)),
                                     .dst = (uint8_t)a});
    } else if (choice < 22) {
        emit(g, (struct bpf_decoded){.op = BPF_LDDW,
                                     .dst = (uint8_t)a,
                                     .imm = constant(g) * (chance(g, 50) ? 1 : 0x10001)});
    } else if (choice < 60) {
        alu_reg(g, op, w, a, (unsigned)number_register(g));
    } else {
        int64_t imm = constant(g);
        if (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH)
            imm = pick(g, w);
        if ((op == BPF_DIV || op == BPF_SDIV || op == BPF_MOD || op == BPF_SMOD) && imm == 0)
            imm = 10;
        alu_imm(g, op, w, a, imm);
    }
}

static void do_copy(struct generator *g) {
    unsigned a = (unsigned)number_register(g), b = other_register(g, a);
    alu_reg(g, BPF_MOV, width(g), b, a);
    set_number(g, b);
    if (chance(g, 40))
        alu_imm(g, chance(g, 70) ? BPF_ADD : BPF_SUB, width(g), b, constant(g));
}

/* The distance of two copies that a constant was added to, which is known whatever they are. */
static void do_difference(struct generator *g) {
    unsigned a = (unsigned)number_register(g), b = other_register(g, a);
    alu_reg(g, BPF_MOV, 64, b, a);
    alu_imm(g, BPF_ADD, width(g), b, 1 + pick(g, 40));
    set_number(g, b);
    if (chance(g, 50))
        alu_reg(g, BPF_SUB, width(g), b, a);
    else
        alu_reg(g, BPF_SUB, width(g), a, b);
}

/* ---- Branches */

/* if, with or without else. A side may leave the function. */
static void do_branch(struct generator *g) {
    unsigned a = (unsigned)number_register(g);
    int b = chance(g, 40) ? number_register(g) : -1;
    if (!g->record && chance(g, 15)) {
        jump_out(g, random_condition(g), width(g), a, b, constant(g));
        return;
    }
    uint32_t over = jump(g, random_condition(g), width(g), a, b, constant(g));
    struct beliefs before = believe(g);
    statements(g, 1 + pick(g, 3));
    struct beliefs then = believe(g);
    restore(g, &before);
    if (chance(g, 40)) {
        uint32_t end = jump(g, BPF_JA, 64, 0, -1, 0);
        land(g, over);
        statements(g, 1 + pick(g, 3));
        over = end;
    }
    land(g, over);
    join(g, &then);
}

/* One value is tested twice, so that some ways are impossible. */
static void do_two_tests(struct generator *g) {
    unsigned a = (unsigned)number_register(g), copy = a;
    int64_t c = constant(g);
    if (chance(g, 50)) {
        copy = other_register(g, a);
        alu_reg(g, BPF_MOV, 64, copy, a);
        set_number(g, copy);
    }
    uint32_t first = jump(g, random_condition(g), width(g), a, -1, c);
    struct beliefs before = believe(g);
    uint32_t second = jump(g, random_condition(g), width(g), copy, -1, c + pick(g, 3) - 1);
    statements(g, 1);
    land(g, first);
    land(g, second);
    join(g, &before);
}

/* ---- All */

void statements(struct generator *g, unsigned count) {
    static void (*const kinds[])(struct generator *) = {
        do_alu,      do_alu,          do_alu,           do_alu,          do_copy,    do_copy,
        do_load,     do_load,         do_branch,        do_branch,       do_branch,  do_two_tests,
        do_spill,    do_spill,        do_fill,          do_fill,         do_indexed, do_indexed,
        do_indexed,  do_held,         do_held,          do_lookup,       do_lookup,  do_two_lookups,
        do_loop,     do_loop,         do_data_loop,     do_pointer_loop, do_call,    do_callback,
        do_pointers, do_difference,   do_pointer_spill, do_tables,       do_map,     do_record,
        do_buffer,   do_small_helper, do_find,          do_tail_call,    do_timer,   do_code,
        do_code,     do_compare};
    for (unsigned i = 0; i < count; i++) {
        if (g->depth > 3 || g->count > 600) {
            do_alu(g);
            continue;
        }
        g->depth++;
        kinds[pick(g, sizeof(kinds) / sizeof(kinds[0]))](g);
        g->depth--;
    }
}

/* ---- Functions */

/* r0 as the function's kind wants it, mostly. */
static void result(struct generator *g) {
    const struct hook_info *hook = hook_info(g->out->hook);
    enum func_kind kind = kind_of(g);
    bool program = kind == FUNC_MAIN || kind == FUNC_TAIL;
    if (kind == FUNC_FIND) {
        find_element(g);
    } else if (kind == FUNC_LOOP || kind == FUNC_EACH) {
        if (g->reg[0] == NUMBER && chance(g, 50))
            alu_imm(g, BPF_AND, width(g), 0, chance(g, 95) ? 1 : 3);
        else
            alu_imm(g, BPF_MOV, 64, 0, chance(g, 80) ? 0 : 1);
    } else if ((program && hook->max == 0) || kind == FUNC_TIMER) {
        if (g->reg[0] == NUMBER && chance(g, 40))
            alu_imm(g, BPF_AND, width(g), 0, 0);
        else
            alu_imm(g, BPF_MOV, width(g), 0, chance(g, 98) ? 0 : 1);
    } else if (g->reg[0] != NUMBER) {
        alu_imm(g, BPF_MOV, 64, 0, 0);
    }
}

static void function(struct generator *g) {
    g->out->start[g->func] = g->count;
    g->depth = g->held = g->nouts = g->pinned = 0;
    g->record = g->counting = false;
    memset(g->written, 0, sizeof(g->written));
    for (unsigned r = 0; r < BPF_NREGS; r++)
        g->reg[r] = UNSET;
    begin_function(g);
    if (kind_of(g) == FUNC_MAIN && chance(g, 30)) /* early, so that it is run mostly */
        do_timer(g);
    if (kind_of(g) == FUNC_MAIN)
        statements(g, 5 + pick(g, 14));
    else
        statements(g, 1 + pick(g, 4));
    result(g);
    emit(g, (struct bpf_decoded){.op = BPF_EXIT});
    if (g->nouts == 0)
        return;
    for (uint32_t i = 0; i < g->nouts; i++)
        land(g, g->outs[i]);
    alu_imm(g, BPF_MOV, 64, 0, 0);
    emit(g, (struct bpf_decoded){.op = BPF_EXIT});
}

/* Which functions there are: a function calls those behind it. */
static void choose_functions(struct generator *g) {
    struct source *s = g->out;
    s->nfuncs = 1;
    s->kind[0] = FUNC_MAIN;
    uint32_t more = pick(g, SOURCE_FUNCS);
    bool called = chance(g, 30); /* by programs only, so that any address may be called */
    for (uint32_t i = 0; i < more; i++)
        s->kind[s->nfuncs++] =
            called && chance(g, 90)
                ? chance(g, 70) ? FUNC_TABLE : FUNC_SUB
                : (enum func_kind)(FUNC_SUB + pick(g, FUNC_TIMER - FUNC_SUB + 1));
}

void generate(struct source *s, uint64_t seed) {
    static struct generator generator;
    struct generator *g = &generator;
    static const enum bpf_hook hooks[] = {BPF_HOOK_RAW,  BPF_HOOK_RAW, BPF_HOOK_RAW,
                                          BPF_HOOK_UART, BPF_HOOK_ADC, BPF_HOOK_TIMER,
                                          BPF_HOOK_CMD,  BPF_HOOK_GPIO};
    memset(g, 0, sizeof(*g));
    memset(s, 0, sizeof(*s));
    g->out = s;
    g->state = (seed + 1) * 0x9e3779b97f4a7c15u | 1;
    for (int i = 0; i < 8; i++)
        pick(g, 2);
    s->seed = seed;
    s->hook = hooks[pick(g, sizeof(hooks) / sizeof(hooks[0]))];
    choose_functions(g);
    for (g->func = 0; g->func < s->nfuncs; g->func++)
        function(g);
    for (uint32_t i = 0; i < g->ncalls; i++) {
        struct bpf_decoded *d = &g->code[g->calls[i].slot];
        if (d->op == BPF_CALL_LOCAL)
            d->target = (int32_t)(s->start[g->calls[i].func] - g->calls[i].slot);
        else
            d->imm = g->calls[i].func;
    }
    for (uint32_t i = 0; i < g->count; i += g->code[i].len)
        bpf_encode(&g->code[i], &s->insns[i]);
    s->count = g->count;
}
