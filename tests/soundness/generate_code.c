/* SPDX-License-Identifier: MIT */
/* Random programs: code pointers that are named, chosen or out of tables; comparisons of anything with anything. */
#include "soundness/generate.h"

#include "bpf/helper.h"

/* ---- Code pointers */

enum origin { NAMED, CHOSEN, ELEMENT, INDEXED };

static bool has_kind(const struct generator *g, enum func_kind kind, uint32_t before) {
    for (uint32_t f = 0; f < before; f++)
        if (g->out->kind[f] == kind)
            return true;
    return false;
}

static void named(struct generator *g, unsigned p) {
    uint32_t f;
    do
        f = pick(g, g->out->nfuncs);
    while (g->out->kind[f] != FUNC_TABLE);
    g->calls[g->ncalls++] = (struct fixup){g->count, f};
    lddw(g, p, BPF_PSEUDO_FUNC, 0, 0);
}

static enum origin any_origin(struct generator *g) {
    static const enum origin origins[] = {NAMED, CHOSEN, CHOSEN, ELEMENT, INDEXED, INDEXED};
    return origins[pick(g, sizeof(origins) / sizeof(origins[0]))];
}

/* p becomes one, or null. There is a function for tables, and room for two fixups. */
static void code_pointer(struct generator *g, unsigned p, enum origin origin) {
    uint32_t table = chance(g, 50) ? DATA_NULLS : DATA_FUNCS;
    if (origin == NAMED) {
        named(g, p);
    } else if (origin == CHOSEN) {
        unsigned r = (unsigned)number_register(g);
        if (chance(g, 80))
            named(g, p);
        else
            alu_imm(g, BPF_MOV, 64, p, 0);
        uint32_t over = jump(g, random_condition(g), width(g), r, -1, constant(g));
        named(g, p);
        land(g, over);
    } else if (origin == ELEMENT) {
        lddw(g, p, BPF_PSEUDO_DATA, table, 0);
        memory(g, BPF_LDX, 8, p, p, 8 * (int)pick(g, TABLE_ELEMENTS), 0);
    } else {
        unsigned i = (unsigned)number_register(g);
        bool half = chance(g, 60); /* of the table */
        alu_imm(g, BPF_AND, 64, i, half ? 1 : chance(g, 98) ? 1 + pick(g, 3) : 7);
        alu_imm(g, BPF_LSH, 64, i, 3);
        lddw(g, p, BPF_PSEUDO_DATA, table, 0);
        alu_reg(g, BPF_ADD, 64, p, i);
        memory(g, BPF_LDX, 8, p, p, half ? 16 * (int)pick(g, 2) : 0, 0);
    }
    if (chance(g, 20)) {
        memory(g, BPF_STX, 8, BPF_R10, p, SPILL_AT, 0);
        memory(g, BPF_LDX, 8, p, BPF_R10, SPILL_AT, 0);
    }
}

/* Around what follows, if p is null; now and then if it is not. */
static uint32_t test_null(struct generator *g, unsigned p) {
    return jump(g, chance(g, 95) ? BPF_JEQ : BPF_JNE, chance(g, 99) ? 64 : 32, p, -1, 0);
}

static void call_pointer(struct generator *g, unsigned p) {
    unsigned r = (unsigned)number_register(g);
    write_words(g, 8, 2);
    alu_reg(g, BPF_MOV, 64, BPF_R1, r);
    alu_reg(g, BPF_MOV, 64, BPF_R2, BPF_R10);
    alu_imm(g, BPF_ADD, 64, BPF_R2, WORDS_AT);
    emit(g, (struct bpf_decoded){.op = BPF_CALLX, .dst = (uint8_t)p});
    for (unsigned i = BPF_R1; i <= BPF_R5; i++)
        set_unset(g, i);
    set_number(g, 0);
}

/* Whether what p may be can be called from here: no recursion, and these arguments. */
static bool may_call(const struct generator *g, enum origin origin) {
    if (has_kind(g, FUNC_TABLE, g->func + 1))
        return false;
    uint32_t n = g->out->nfuncs;
    return origin != CHOSEN ||
           !(has_kind(g, FUNC_LOOP, n) || has_kind(g, FUNC_EACH, n) || has_kind(g, FUNC_TIMER, n));
}

/* One or two, tested for null, compared, called. */
void do_code(struct generator *g) {
    const unsigned p = BPF_R3, q = BPF_R4;
    uint32_t skip[3] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
    if (!has_kind(g, FUNC_TABLE, g->out->nfuncs) || g->ncalls + 5 > FIXUPS_MAX)
        return;
    uint16_t pinned = g->pinned;
    g->pinned |= 1 << p | 1 << q;
    set_unset(g, p);
    set_unset(g, q);
    enum origin origin = any_origin(g);
    code_pointer(g, p, origin);
    bool two = chance(g, 60), call = may_call(g, origin) && chance(g, 70);
    if (two)
        code_pointer(g, q, chance(g, 60) ? origin : any_origin(g));
    (void)number_register(g); /* for what is called, on every way */
    write_words(g, 8, 2);
    struct beliefs before = believe(g);
    if (chance(g, call ? 93 : 50))
        skip[0] = test_null(g, p);
    if (two && chance(g, 20))
        skip[1] = test_null(g, q);
    if (two) {
        enum bpf_op op = chance(g, 50) ? BPF_JEQ : BPF_JNE;
        skip[2] = jump(g, chance(g, 99) ? op : random_condition(g), chance(g, 99) ? 64 : 32, p,
                       (int)q, 0);
    }
    if (call)
        call_pointer(g, p);
    else
        alu_imm(g, BPF_MOV, 64, 0, pick(g, 9)), set_number(g, 0);
    for (int i = 0; i < 3; i++)
        land(g, skip[i]);
    g->pinned = pinned;
    join(g, &before);
    set_unset(g, p);
    set_unset(g, q);
}

/* ---- Comparisons */

/* r becomes something: what kind, the machine sees. */
static void anything(struct generator *g, unsigned r) {
    static const uint32_t sections[] = {DATA_CONST, DATA_VAR, DATA_FUNCS, DATA_POINTERS, DATA_TEXT};
    switch (pick(g, 9)) {
    case 0: alu_imm(g, BPF_MOV, width(g), r, constant(g)); break;
    case 1: alu_reg(g, BPF_MOV, 64, r, (unsigned)number_register(g)); break;
    case 2: alu_reg(g, BPF_MOV, 64, r, BPF_R10); break;
    case 3: alu_reg(g, BPF_MOV, 64, r, kind_of(g) == FUNC_FIND ? BPF_R10 : BPF_R9); break;
    case 4: lddw(g, r, BPF_PSEUDO_MAP, pick(g, MAPS), 0); break;
    case 5: lddw(g, r, BPF_PSEUDO_DATA, sections[pick(g, 5)], (int)pick(g, 9)); break;
    case 6: /* a pointer, a map, or a number out of a table of pointers */
        lddw(g, r, BPF_PSEUDO_DATA, DATA_POINTERS, 0);
        memory(g, BPF_LDX, 8, r, r, 8 * (int)pick(g, 4), 0);
        break;
    case 7:
        if (has_kind(g, FUNC_TABLE, g->out->nfuncs) && g->ncalls + 2 < FIXUPS_MAX)
            code_pointer(g, r, any_origin(g));
        else
            alu_imm(g, BPF_MOV, 64, r, 0);
        break;
    default: /* an element, a key, a record */
        alu_reg(g, BPF_MOV, 64, r, g->reg[BPF_R7] == POINTER ? BPF_R7 : BPF_R10);
        break;
    }
}

/* With null, with itself and a distance; now and then with anything, in any way. */
void do_compare(struct generator *g) {
    const unsigned p = BPF_R3, q = BPF_R4;
    uint16_t pinned = g->pinned;
    enum bpf_op equality = chance(g, 50) ? BPF_JEQ : BPF_JNE;
    uint32_t skip;
    g->pinned |= 1 << p | 1 << q;
    anything(g, p);
    set_unset(g, p);
    if (chance(g, 10)) {
        anything(g, q);
        skip = jump(g, chance(g, 50) ? random_condition(g) : equality, chance(g, 80) ? 64 : 32, p,
                    (int)q, 0);
    } else if (chance(g, 50)) {
        alu_reg(g, BPF_MOV, 64, q, p);
        skip = jump(g, equality, 64, chance(g, 50) ? p : q, chance(g, 50) ? (int)p : (int)q, 0);
    } else if (chance(g, 50)) {
        alu_imm(g, BPF_MOV, 64, q, 0);
        skip = jump(g, equality, 64, p, (int)q, 0);
    } else {
        skip = jump(g, equality, 64, p, -1, chance(g, 99) ? 0 : constant(g));
    }
    set_unset(g, q);
    struct beliefs before = believe(g);
    alu_imm(g, BPF_MOV, 64, 0, pick(g, 9));
    set_number(g, 0);
    land(g, skip);
    join(g, &before);
    g->pinned = pinned;
}
