/* SPDX-License-Identifier: MIT */
#include "kernel/generate.h"

#include "bpf/helper.h"
#include "bpf/map.h"
#include "ir/random_gen.h"

/* r6 is the memory, r7 its length, r9 a pointer that was computed; r0, r3, r4, r5, r8 are numbers. */
#define MEMORY BPF_R6
#define LENGTH BPF_R7
#define COMPUTED BPF_R9
#define SLOTS 6          /* of 8 bytes on the stack, written at the start */
#define KEY (-8 * SLOTS) /* the lowest of them */
#define MAP_MARK 0x6d6b0000
#define VALUE_SIZE 24
#define EXITS_MAX 200
#define FUNCS_MAX 3
#define CALLS_MAX 50

struct maker {
    struct generator g;
    uint32_t size;                     /* of the memory */
    uint32_t exits[EXITS_MAX], nexits; /* jumps to the end */
    unsigned nesting;
    uint32_t func, nfuncs; /* a function calls later ones only */
    uint32_t calls[CALLS_MAX], callee[CALLS_MAX], ncalls;
};

static void item(struct maker *m);

/* ---- Operands ---- */

static uint8_t number(struct maker *m) {
    static const uint8_t numbers[] = {BPF_R0, BPF_R3, BPF_R4, BPF_R5, BPF_R8};
    return numbers[gen_below(&m->g, 5)];
}

static unsigned width(struct maker *m) {
    return gen_one_in(&m->g, 2) ? 32 : 64;
}

/* Near the size of the memory, near 0, masks; rarely anything. */
static int32_t bound(struct maker *m) {
    switch (gen_below(&m->g, 12)) {
    case 0: return -(int32_t)gen_below(&m->g, 10);
    case 1: return (int32_t)((1u << gen_below(&m->g, 32)) - 1);
    case 2: return (int32_t)gen_value(&m->g);
    case 3:
    case 4: return (int32_t)gen_below(&m->g, 9);
    case 5: return (int32_t)m->size / 2 - (int32_t)gen_below(&m->g, 5);
    default: return (int32_t)m->size + 1 - (int32_t)gen_below(&m->g, 10);
    }
}

static void put_reg(struct maker *m, enum bpf_op op, unsigned w, uint8_t dst, uint8_t src) {
    gen_put(&m->g, (struct bpf_decoded){
                       .op = op, .width = (uint8_t)w, .src_reg = 1, .dst = dst, .src = src});
}

static void memory(struct maker *m, enum bpf_op op, unsigned w, uint8_t base, uint8_t reg,
                   int32_t off) {
    struct bpf_decoded d = {.op = op, .width = (uint8_t)w, .off = (int16_t)off};
    d.dst = op == BPF_STX ? base : reg;
    d.src = op == BPF_STX ? reg : base;
    gen_put(&m->g, d);
}

static void load_number(struct maker *m, uint8_t reg) {
    unsigned w = gen_size(&m->g);
    bool sign = w < 64 && gen_one_in(&m->g, 4);
    memory(m, sign ? BPF_LDXS : BPF_LDX, w, MEMORY, reg,
           (int32_t)gen_below(&m->g, m->size - w / 8 + 1));
}

/* ---- Computation ---- */

static void shift(struct maker *m, uint8_t reg) {
    static const enum bpf_op shifts[] = {BPF_LSH, BPF_RSH, BPF_ARSH};
    unsigned w = width(m);
    int32_t count = (int32_t)(gen_one_in(&m->g, 2) ? w / 2 : gen_below(&m->g, w));
    gen_alu_imm(&m->g, shifts[gen_below(&m->g, 3)], w, reg, count);
    if (gen_one_in(&m->g, 3))
        gen_alu_imm(&m->g, shifts[gen_below(&m->g, 3)], w, reg, count);
}

static void compute(struct maker *m) {
    static const enum bpf_op ops[] = {BPF_ADD, BPF_ADD, BPF_SUB,  BPF_AND, BPF_AND,
                                      BPF_AND, BPF_OR,  BPF_XOR,  BPF_MUL, BPF_DIV,
                                      BPF_MOD, BPF_MOD, BPF_SDIV, BPF_SMOD};
    enum bpf_op op = ops[gen_below(&m->g, sizeof(ops) / sizeof(*ops))];
    uint8_t reg = number(m);
    int32_t imm = bound(m);
    switch (gen_below(&m->g, 8)) {
    case 0: shift(m, reg); break;
    case 1: put_reg(m, BPF_MOV, width(m), reg, gen_one_in(&m->g, 6) ? LENGTH : number(m)); break;
    case 2: put_reg(m, op, width(m), reg, number(m)); break;
    case 3: {
        enum bpf_op extension = (enum bpf_op)(BPF_MOVSX8 + gen_below(&m->g, 3));
        put_reg(m, extension, extension == BPF_MOVSX32 ? 64 : width(m), reg, number(m));
        break;
    }
    default: gen_alu_imm(&m->g, op, width(m), reg, imm ? imm : 1);
    }
}

/* ---- Comparisons ---- */

/* The slot of the jump, whose target is not known yet. */
static uint32_t jump(struct maker *m, uint8_t reg, int op, unsigned w, bool with_reg) {
    struct bpf_decoded d = {.op = (enum bpf_op)op,
                            .width = (uint8_t)w,
                            .src_reg = with_reg,
                            .dst = reg,
                            .src = with_reg ? number(m) : 0,
                            .target = 1};
    if (with_reg && gen_one_in(&m->g, 3))
        d.src = LENGTH;
    if (!with_reg)
        d.imm = bound(m);
    uint32_t at = m->g.n;
    gen_put(&m->g, d);
    return at;
}

static int any_condition(struct maker *m) {
    return BPF_JEQ + (int)gen_below(&m->g, BPF_JSLE - BPF_JEQ + 1);
}

static void to_exit(struct maker *m, uint32_t at) {
    if (m->nexits < EXITS_MAX)
        m->exits[m->nexits++] = at;
}

static void land(struct maker *m, uint32_t at) {
    m->g.out[at].off = (int16_t)(m->g.n - at - 1);
}

static void branch(struct maker *m) {
    uint32_t at = jump(m, number(m), any_condition(m), width(m), gen_one_in(&m->g, 3));
    if (gen_one_in(&m->g, 2)) {
        to_exit(m, at);
        return;
    }
    for (uint32_t n = 1 + gen_below(&m->g, 2); n; n--)
        item(m);
    land(m, at);
}

/* What is left in [0, size - tail], or nearly: in one comparison or two. */
static void guard(struct maker *m, uint8_t reg, uint32_t tail) {
    static const enum bpf_op above[] = {BPF_JGT, BPF_JGE, BPF_JSGT, BPF_JSGE};
    static const enum bpf_op below[] = {BPF_JSLT, BPF_JSLE};
    unsigned w = gen_one_in(&m->g, 3) ? 32 : 64, kind = gen_below(&m->g, 4);
    struct bpf_decoded d = {.op = above[kind], .width = (uint8_t)w, .dst = reg, .target = 1};
    d.imm = (int32_t)(m->size - tail) + (kind & 1); /* the largest that is right */
    if (gen_one_in(&m->g, 4))
        d.imm += (int32_t)gen_below(&m->g, 5) - 3;
    to_exit(m, m->g.n);
    gen_put(&m->g, d);
    if (kind >= 2 && !gen_one_in(&m->g, 12)) {
        uint32_t strict = gen_below(&m->g, 2);
        d.op = below[strict];
        d.imm = -(int32_t)strict;
        to_exit(m, m->g.n);
        gen_put(&m->g, d);
    }
    if (w == 32 && !gen_one_in(&m->g, 6))
        put_reg(m, BPF_MOV, 32, reg, reg);
}

/* ---- Stack, loops, memory ---- */

static void stack(struct maker *m) {
    int32_t slot = -8 * (1 + (int32_t)gen_below(&m->g, SLOTS));
    unsigned w = gen_one_in(&m->g, 3) ? gen_size(&m->g) : 64;
    int32_t off = slot + (int32_t)gen_below(&m->g, 64 / w) * (int32_t)w / 8;
    switch (gen_below(&m->g, 6)) {
    case 0: memory(m, BPF_STX, 64, BPF_R10, gen_one_in(&m->g, 2) ? MEMORY : COMPUTED, slot); break;
    case 1: memory(m, BPF_LDX, 64, BPF_R10, COMPUTED, slot); break;
    case 2:
    case 3: memory(m, BPF_STX, w, BPF_R10, number(m), off); break;
    default: memory(m, BPF_LDX, w, BPF_R10, number(m), off); break;
    }
}

static void loop(struct maker *m) {
    static const enum bpf_op again[] = {BPF_JLT, BPF_JLE, BPF_JSLT, BPF_JNE, BPF_JGT, BPF_JSGE};
    unsigned w = width(m);
    if (m->nesting || gen_one_in(&m->g, 3))
        return;
    m->nesting++;
    gen_alu_imm(&m->g, BPF_MOV, w, BPF_R8, (int32_t)gen_below(&m->g, 3));
    if (gen_one_in(&m->g, 6))
        load_number(m, BPF_R8);
    uint32_t start = m->g.n;
    for (uint32_t n = 1 + gen_below(&m->g, 3); n; n--)
        item(m);
    gen_alu_imm(&m->g, gen_one_in(&m->g, 6) ? BPF_SUB : BPF_ADD, w, BPF_R8,
                1 + (int32_t)(gen_one_in(&m->g, 2) ? 0 : gen_below(&m->g, 4)));
    uint32_t at = jump(m, BPF_R8, again[gen_below(&m->g, 6)], gen_one_in(&m->g, 4) ? width(m) : w,
                       gen_one_in(&m->g, 4));
    m->g.out[at].off = (int16_t)((int32_t)start - (int32_t)at - 1);
    m->nesting--;
}

static void access(struct maker *m, uint8_t base, unsigned w, int32_t off) {
    uint8_t reg = number(m);
    switch (gen_below(&m->g, 6)) {
    case 0: memory(m, BPF_STX, w, base, reg, off); break;
    case 1:
        gen_put(&m->g, (struct bpf_decoded){
                           .op = BPF_ST, .width = (uint8_t)w, .dst = base, .off = (int16_t)off});
        break;
    case 2:
        if (!gen_one_in(&m->g, 4)) /* Linux wants it aligned */
            return;
        gen_put(&m->g, (struct bpf_decoded){.op = BPF_ATOMIC_FETCH_ADD,
                                            .width = w < 32 ? 32 : (uint8_t)w,
                                            .dst = base,
                                            .src = reg,
                                            .off = (int16_t)off});
        break;
    default: memory(m, BPF_LDX, w, base, reg, off);
    }
}

static void index_memory(struct maker *m) {
    uint8_t index = number(m);
    bool on_stack = gen_one_in(&m->g, 8);
    unsigned w = gen_size(&m->g);
    int32_t off = gen_one_in(&m->g, 3) ? (int32_t)gen_below(&m->g, m->size - w / 8 + 1) : 0;
    if (!gen_one_in(&m->g, 8))
        guard(m, index, w / 8 + (uint32_t)off);
    if (on_stack) /* Linux wants it aligned there */
        gen_alu_imm(&m->g, BPF_AND, 64, index, gen_one_in(&m->g, 8) ? 63 : 24);
    if (on_stack &&
        gen_one_in(&m->g, 3)) /* below all constant offsets: the frame must reach there */
        gen_alu_imm(&m->g, BPF_SUB, 64, index, 32);
    put_reg(m, BPF_MOV, 64, COMPUTED, on_stack ? BPF_R10 : MEMORY);
    if (on_stack)
        gen_alu_imm(&m->g, BPF_ADD, 64, COMPUTED, KEY);
    put_reg(m, gen_one_in(&m->g, 40) ? BPF_SUB : BPF_ADD, 64, COMPUTED, index);
    if (gen_one_in(&m->g, 8)) {
        int32_t back = (int32_t)gen_below(&m->g, 9);
        gen_alu_imm(&m->g, BPF_ADD, 64, COMPUTED, -back);
        off += gen_one_in(&m->g, 8) ? 0 : back;
    }
    if (gen_one_in(&m->g, 24))
        put_reg(m, BPF_ADD, 64, COMPUTED, number(m));
    access(m, COMPUTED, w, on_stack ? off & 8 : off);
}

/* A value of a map that may be null, tested or not, with or without an offset. */
static void look_up(struct maker *m) {
    struct generator *g = &m->g;
    put_reg(m, BPF_MOV, 64, BPF_R2, BPF_R10);
    gen_alu_imm(g, BPF_ADD, 64, BPF_R2, KEY);
    gen_put(g, (struct bpf_decoded){.op = BPF_LDDW,
                                    .dst = BPF_R1,
                                    .imm = (int64_t)(MAP_MARK | gen_below(g, 2)) << 32});
    gen_put(g, (struct bpf_decoded){.op = BPF_CALL_HELPER, .imm = BPF_FUNC_MAP_LOOKUP_ELEM});
    put_reg(m, BPF_MOV, 64, COMPUTED, BPF_R0);
    if (gen_one_in(g, 24))
        gen_alu_imm(g, BPF_ADD, 64, COMPUTED, 4);
    for (uint8_t reg = BPF_R3; reg <= BPF_R5; reg++)
        load_number(m, reg);
    uint8_t tested = gen_one_in(g, 2) ? BPF_R0 : COMPUTED;
    struct bpf_decoded test = {
        .op = BPF_JEQ, .width = gen_one_in(g, 16) ? 32 : 64, .dst = tested, .target = 1};
    if (!gen_one_in(g, 16)) {
        to_exit(m, g->n);
        gen_put(g, test);
    }
    load_number(m, BPF_R0);
    if (gen_one_in(g, 2)) {
        uint8_t index = number(m);
        gen_alu_imm(g, BPF_AND, width(m), index, gen_one_in(g, 4) ? 15 : 7);
        put_reg(m, BPF_ADD, 64, COMPUTED, index);
    }
    access(m, COMPUTED, gen_size(g), (int32_t)gen_below(g, 10));
}

/* The callee gets the memory, a number, and a slot of this stack; they are its r6, r7 and r9. */
static void call_func(struct maker *m) {
    uint32_t callee = m->func + 1 + gen_below(&m->g, 2);
    if (callee >= m->nfuncs || m->ncalls == CALLS_MAX)
        return;
    put_reg(m, BPF_MOV, 64, BPF_R2, gen_one_in(&m->g, 3) ? LENGTH : number(m));
    put_reg(m, BPF_MOV, 64, BPF_R1, MEMORY);
    put_reg(m, BPF_MOV, 64, BPF_R3, BPF_R10);
    gen_alu_imm(&m->g, BPF_ADD, 64, BPF_R3, -8 * (1 + (int32_t)gen_below(&m->g, SLOTS)));
    m->callee[m->ncalls] = callee;
    m->calls[m->ncalls++] = m->g.n;
    gen_put(&m->g, (struct bpf_decoded){.op = BPF_CALL_LOCAL, .target = 1});
    for (uint8_t reg = BPF_R3; reg <= BPF_R5; reg++)
        load_number(m, reg);
}

/* What no verifier should let pass, mostly. */
static void misuse(struct maker *m) {
    static const enum bpf_op ops[] = {BPF_SUB, BPF_AND, BPF_XOR, BPF_MUL, BPF_LSH, BPF_MOV};
    uint8_t pointer = gen_one_in(&m->g, 2) ? MEMORY : COMPUTED, reg = number(m);
    switch (gen_below(&m->g, 7)) {
    case 0: memory(m, BPF_STX, 64, MEMORY, pointer, 0); break;
    case 1: put_reg(m, ops[gen_below(&m->g, 6)], width(m), reg, pointer); break;
    case 2: put_reg(m, ops[gen_below(&m->g, 5)], 64, COMPUTED, pointer); break;
    case 3: gen_alu_imm(&m->g, ops[gen_below(&m->g, 5)], width(m), COMPUTED, bound(m)); break;
    case 4: to_exit(m, jump(m, pointer, any_condition(m), width(m), gen_one_in(&m->g, 2))); break;
    case 5:
        memory(m, BPF_STX, 64, BPF_R10, pointer, -8);
        memory(m, BPF_LDX, 32, BPF_R10, reg, -4);
        break;
    default: put_reg(m, BPF_ADD, 64, reg, pointer); access(m, reg, gen_size(&m->g), 0);
    }
}

static void item(struct maker *m) {
    if (m->g.n > GENERATE_MAX_INSNS / 2)
        return;
    switch (gen_below(&m->g, 26)) {
    case 0:
    case 1:
    case 2:
    case 3: branch(m); break;
    case 4:
    case 5: guard(m, number(m), 1 + gen_below(&m->g, 8)); break;
    case 6:
    case 7:
    case 8: stack(m); break;
    case 9: loop(m); break;
    case 10:
    case 11: index_memory(m); break;
    case 12: look_up(m); break;
    case 13: load_number(m, number(m)); break;
    case 14:
        if (gen_one_in(&m->g, 4))
            misuse(m);
        break;
    case 15: call_func(m); break;
    case 16: /* a pointer of the caller or of a look-up, or the memory again */
        memory(m, gen_one_in(&m->g, 2) ? BPF_STX : BPF_LDX, 64, COMPUTED, number(m), 0);
        break;
    default: compute(m);
    }
}

/* ---- Program ---- */

static void start(struct maker *m) {
    put_reg(m, BPF_MOV, 64, MEMORY, BPF_R1);
    put_reg(m, BPF_MOV, 64, LENGTH, BPF_R2);
    put_reg(m, BPF_MOV, 64, COMPUTED, m->func ? BPF_R3 : MEMORY);
    load_number(m, BPF_R0);
    load_number(m, BPF_R3);
    load_number(m, BPF_R4);
    load_number(m, BPF_R8);
    gen_constant(&m->g, BPF_R5);
    uint32_t unwritten = gen_one_in(&m->g, 8) ? gen_below(&m->g, SLOTS) : SLOTS;
    for (uint32_t i = 0; i < SLOTS; i++)
        if (i != unwritten)
            memory(m, BPF_STX, 64, BPF_R10, number(m), -8 * (int32_t)(i + 1));
}

static void function(struct maker *m) {
    m->nexits = 0;
    start(m);
    for (uint32_t n = 3 + gen_below(&m->g, m->func ? 5 : 14); n; n--)
        item(m);
    index_memory(m);
    if (m->func) { /* returns a number, or 0 */
        put_reg(m, BPF_MOV, 64, BPF_R0, number(m));
        gen_put(&m->g, (struct bpf_decoded){.op = BPF_EXIT});
    }
    for (uint32_t i = 0; i < m->nexits; i++)
        land(m, m->exits[i]);
    gen_alu_imm(&m->g, BPF_MOV, 64, BPF_R0, 0);
    gen_put(&m->g, (struct bpf_decoded){.op = BPF_EXIT});
}

uint32_t generate(uint64_t seed, struct bpf_insn *out, uint32_t *mem_size) {
    static const uint8_t sizes[] = {8, 16, 24, 32, 64, 100, 128, 255};
    struct maker m = {.g = {.state = seed * 0x9e3779b97f4a7c15 + 99, .out = out}};
    uint32_t starts[FUNCS_MAX];
    gen_below(&m.g, 2);
    m.size = sizes[gen_below(&m.g, sizeof(sizes))];
    *mem_size = m.size;
    m.nfuncs = gen_one_in(&m.g, 3) ? FUNCS_MAX : 1;
    for (; m.func < m.nfuncs; m.func++) {
        starts[m.func] = m.g.n;
        function(&m);
    }
    for (uint32_t i = 0; i < m.ncalls; i++)
        m.g.out[m.calls[i]].imm = (int32_t)(starts[m.callee[i]] - m.calls[i] - 1);
    return m.g.n;
}

static const struct prog_map maps[] = {
    {.name = "array",
     .type = BPF_MAP_ARRAY,
     .key_size = 4,
     .value_size = VALUE_SIZE,
     .max_entries = 8},
    {.name = "hash",
     .type = BPF_MAP_HASH,
     .key_size = 8,
     .value_size = VALUE_SIZE,
     .max_entries = 8},
};
#define MAPS (sizeof(maps) / sizeof(*maps))

void generate_attach(struct program *p) {
    p->maps = arena_alloc_array(p->arena, MAPS, sizeof(*p->maps));
    p->nmaps = MAPS;
    for (uint32_t i = 0; i < MAPS; i++) {
        p->maps[i] = maps[i];
        p->maps[i].bytes = bpf_map_bytes(maps[i].type, maps[i].key_size, maps[i].value_size,
                                         maps[i].max_entries, 0, NULL);
    }
    for (uint32_t slot = 0; slot < p->ninsns; slot++) {
        struct bpf_decoded *d = &p->decoded[slot];
        uint32_t high = (uint32_t)((uint64_t)d->imm >> 32);
        if (d->len != 2 || d->op != BPF_LDDW || (high & 0xffff0000) != MAP_MARK)
            continue;
        d->pseudo = BPF_PSEUDO_MAP;
        d->imm = high & 0xffff;
        bpf_encode(d, &p->insns[slot]);
    }
}
