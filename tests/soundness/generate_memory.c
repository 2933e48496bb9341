/* SPDX-License-Identifier: MIT */
/* Random programs: memory of every kind at offsets that are bounded, nearly bounded or not at all. */
#include "soundness/generate.h"

#include "program/hook.h"

/* ---- Bounds */

/* The low word is tested, of a register or of a copy; what is used may be more. */
static uint32_t bound_low_word(struct generator *g, unsigned r, uint32_t most) {
    if (chance(g, 95))
        alu_reg(g, BPF_MOV, 32, r, r);
    return jump(g, BPF_JGT, 32, r, -1, most);
}

/* A copy is tested, or one that a constant was added to. */
static uint32_t bound_copy(struct generator *g, unsigned r, uint32_t most) {
    unsigned copy = other_register(g, r);
    alu_reg(g, BPF_MOV, 64, copy, r);
    set_number(g, copy);
    if (chance(g, 50))
        return jump(g, BPF_JGE, 64, copy, -1, (int64_t)most + 1);
    /* As compilers write 5 <= x && x < 5 + n; without a mask it may be below 5. */
    unsigned w = width(g);
    alu_imm(g, BPF_AND, 64, r, INT32_MAX);
    alu_reg(g, BPF_MOV, 64, copy, r);
    alu_imm(g, BPF_ADD, w, copy, 5);
    return jump(g, BPF_JGE, w, copy, -1, (int64_t)most + 6 - (chance(g, 90) ? 1 : 0));
}

/* What lies on the stack is tested, by a copy; then it is read again. */
static uint32_t bound_spilled(struct generator *g, unsigned r, uint32_t most) {
    unsigned word = pick(g, 8), copy = other_register(g, r);
    unsigned bytes = chance(g, 50) ? 8 : 4;
    int off = -8 * (int)(word + 1);
    if (bytes == 4) /* all of it is written first */
        write_words(g, word, 1);
    memory(g, BPF_STX, bytes, BPF_R10, r, off, 0);
    g->written[word] = true;
    memory(g, BPF_LDX, bytes, copy, BPF_R10, off, 0);
    set_number(g, copy);
    bool copied = chance(g, 50) && bytes == 8;
    uint32_t skip = jump(g, BPF_JGT, 64, copied ? r : copy, -1, most);
    memory(g, BPF_LDX, bytes, r, BPF_R10, off, 0);
    return skip;
}

/* Only the other side of a comparison has a bound. */
static uint32_t bound_by_register(struct generator *g, unsigned r, uint32_t most) {
    unsigned limit = other_register(g, r), w = width(g);
    alu_imm(g, BPF_MOV, 64, limit, most);
    set_number(g, limit);
    if (chance(g, 50) && most > 2) { /* a limit that is a range itself */
        alu_imm(g, BPF_AND, 64, r, 255);
        return jump(g, chance(g, 50) ? BPF_JGT : BPF_JSGT, w, r, (int)limit, 0);
    }
    if (w == 32)
        alu_reg(g, BPF_MOV, 32, r, r);
    return jump(g, BPF_JLT, w, limit, (int)r, 0);
}

uint32_t bound(struct generator *g, unsigned r, uint32_t most) {
    most += chance(g, 3) ? 1 : 0;
    if (chance(g, 2))
        return UINT32_MAX;
    switch (pick(g, 9)) {
    case 0: /* a mask below a power of two */
        alu_imm(g, BPF_AND, width(g), r, (INT64_C(1) << (31 - __builtin_clz(most + 1))) - 1);
        return UINT32_MAX;
    case 1: alu_imm(g, BPF_MOD, width(g), r, (int64_t)most + 1); return UINT32_MAX;
    case 2: return jump(g, BPF_JGT, 64, r, -1, most);
    case 3: return bound_low_word(g, r, most);
    case 4: return bound_copy(g, r, most);
    case 5: return bound_spilled(g, r, most);
    case 6: return bound_by_register(g, r, most);
    case 7: { /* shifted down until it fits */
        unsigned bits = most ? 31 - (unsigned)__builtin_clz(most + 1) : 0, w = width(g);
        alu_imm(g, BPF_RSH, w, r, bits ? w - bits : w - 1);
        if (bits == 0)
            alu_imm(g, BPF_AND, 64, r, 0);
        return UINT32_MAX;
    }
    default: /* signed, from both sides */
        alu_imm(g, BPF_AND, 64, r, INT32_MAX);
        return jump(g, BPF_JSGT, width(g), r, -1, most);
    }
}

/* ---- Regions */

/* Bytes behind r9 that may be indexed: the raw memory, an array of a context, a caller's words. */
static struct region behind_r9(const struct generator *g) {
    enum func_kind kind = kind_of(g);
    struct hook_field field;
    if (kind != FUNC_MAIN && kind != FUNC_TAIL)
        return (struct region){.size = 16, .kind = REGION_CONTEXT};
    if (g->out->hook == BPF_HOOK_RAW)
        return (struct region){.size = RAW_MEMORY, .kind = REGION_CONTEXT};
    for (size_t i = 0; hook_field(g->out->hook, i, &field); i++)
        if (field.count > 1)
            return (struct region){
                .size = field.size * field.count, .kind = REGION_CONTEXT, .off = (int)field.offset};
    return (struct region){0};
}

struct region any_region(struct generator *g) {
    struct region r = behind_r9(g);
    unsigned choice = pick(g, 8);
    if (choice < 3 && r.size && kind_of(g) != FUNC_FIND)
        return r;
    if (choice < 5 && g->held)
        return (struct region){.size = g->held, .kind = REGION_HELD, .constant = g->held_constant};
    if (choice < 6) {
        write_words(g, 0, 4);
        return (struct region){.size = 32, .kind = REGION_STACK, .off = -32};
    }
    return (struct region){.size = DATA_BYTES,
                           .kind = choice == 6 ? REGION_CONST : REGION_VAR,
                           .constant = choice == 6};
}

/* p becomes the address of the region's first byte. */
void region_base(struct generator *g, const struct region *r, unsigned p) {
    switch (r->kind) {
    case REGION_CONST: lddw(g, p, BPF_PSEUDO_DATA, DATA_CONST, 0); break;
    case REGION_VAR: lddw(g, p, BPF_PSEUDO_DATA, DATA_VAR, 0); break;
    default:
        alu_reg(g, BPF_MOV, 64, p,
                r->kind == REGION_STACK  ? BPF_R10
                : r->kind == REGION_HELD ? BPF_R7
                                         : BPF_R9);
    }
    if (r->off)
        alu_imm(g, BPF_ADD, 64, p, r->off);
    set_unset(g, p);
}

/* ---- Accesses */

static void atomic(struct generator *g, unsigned p, unsigned bytes, unsigned r, int off) {
    enum bpf_op op =
        (enum bpf_op)(BPF_ATOMIC_ADD + pick(g, BPF_ATOMIC_CMPXCHG - BPF_ATOMIC_ADD + 1));
    if (op == BPF_ATOMIC_CMPXCHG && (g->reg[0] != NUMBER || p == 0))
        op = BPF_ATOMIC_FETCH_ADD;
    memory(g, op, bytes, p, r, off, 0);
}

static void access_with(struct generator *g, unsigned p, unsigned bytes, int off, bool read_only) {
    unsigned r;
    if (!read_only && chance(g, 45)) {
        r = (unsigned)number_register(g);
        if (bytes >= 4 && chance(g, 25))
            atomic(g, p, bytes, r, off);
        else if (chance(g, 25))
            memory(g, BPF_ST, bytes, p, 0, off, constant(g));
        else
            memory(g, BPF_STX, bytes, p, r, off, 0);
        return;
    }
    r = other_register(g, p);
    memory(g, bytes < 8 && chance(g, 25) ? BPF_LDXS : BPF_LDX, bytes, r, p, off, 0);
    set_number(g, r);
}

void access(struct generator *g, unsigned p, unsigned bytes, int off, bool read_only) {
    uint16_t pinned = g->pinned;
    g->pinned |= (uint16_t)(1u << p);
    access_with(g, p, bytes, off, read_only);
    g->pinned = pinned;
}

/* A number from behind r9, or out of a field of the context. */
void do_load(struct generator *g) {
    struct region region = behind_r9(g);
    struct hook_field field;
    unsigned r = other_register(g, 99), bytes = size(g);
    enum func_kind kind = kind_of(g);
    if (kind == FUNC_FIND)
        return;
    if (g->out->hook != BPF_HOOK_RAW && (kind == FUNC_MAIN || kind == FUNC_TAIL)) {
        size_t fields = 0;
        while (hook_field(g->out->hook, fields, &field))
            fields++;
        hook_field(g->out->hook, pick(g, (uint32_t)fields), &field);
        memory(g, BPF_LDX, field.size, r, BPF_R9, (int)field.offset, 0);
    } else {
        bool sign = bytes < 8 && chance(g, 25);
        memory(g, sign ? BPF_LDXS : BPF_LDX, bytes, r, BPF_R9,
               region.off + (int)(bytes * pick(g, 16 / bytes)), 0);
    }
    set_number(g, r);
}

/* base + index * scale, bounded; through a register that is dead afterwards. */
void do_indexed(struct generator *g) {
    unsigned i = (unsigned)number_register(g), p = other_register(g, i), bytes = size(g);
    struct region region = any_region(g);
    unsigned shift = chance(g, 50) ? 0 : pick(g, 3);
    if (region.size < bytes)
        bytes = 1;
    uint32_t skip = bound(g, i, (region.size - bytes) >> shift);
    struct beliefs before = believe(g);
    bool down = region.kind == REGION_STACK && chance(g, 15);
    region_base(g, &region, p);
    if (down)
        alu_imm(g, BPF_ADD, 64, p, 32 - (int)bytes);
    if (shift)
        alu_imm(g, BPF_LSH, chance(g, 80) ? 64 : 32, i, shift);
    int off = 0;
    if (chance(g, 20) && !down) { /* a part of the offset in the instruction */
        off = -(int)pick(g, 16);
        alu_imm(g, BPF_SUB, 64, p, off);
    }
    alu_reg(g, down ? BPF_SUB : BPF_ADD, 64, p, i);
    access(g, p, bytes, off, region.constant && chance(g, 98));
    land(g, skip);
    if (skip != UINT32_MAX)
        join(g, &before);
    set_unset(g, p);
}

/* Accesses through a pointer that is kept. */
void do_held(struct generator *g) {
    if (!g->held)
        return;
    unsigned bytes = size(g);
    if (g->held < bytes)
        bytes = 1;
    int off = (int)(bytes * pick(g, g->held / bytes)) + (chance(g, 2) ? 8 : 0);
    access(g, BPF_R7, bytes, off, g->held_constant && chance(g, 97));
}

/* ---- Stack */

void do_spill(struct generator *g) {
    unsigned word = pick(g, 8), bytes = size(g), r = (unsigned)number_register(g);
    int off = -8 * (int)(word + 1) + (int)(bytes * pick(g, 8 / bytes));
    if (!g->written[word] && bytes < 8 && chance(g, 90))
        write_words(g, word, 1);
    if (chance(g, 5) && bytes > 1 && bytes < 8 && word > 0)
        off += (int)bytes / 2; /* over an edge of cells */
    memory(g, BPF_STX, bytes, BPF_R10, r, off, 0);
    g->written[word] |= bytes == 8;
}

void do_fill(struct generator *g) {
    unsigned word = pick(g, 8), bytes = size(g), r = other_register(g, 99);
    if (!g->written[word] && chance(g, 98))
        write_words(g, word, 1);
    int off = -8 * (int)(word + 1) + (int)(bytes * pick(g, 8 / bytes));
    memory(g, bytes < 8 && chance(g, 20) ? BPF_LDXS : BPF_LDX, bytes, r, BPF_R10, off, 0);
    set_number(g, r);
}

/* A pointer on the stack and back; between, something may be written over it. */
void do_pointer_spill(struct generator *g) {
    unsigned p = other_register(g, 99);
    struct region region = any_region(g);
    int off = SPILL_AT + 8 * (int)pick(g, 2);
    region_base(g, &region, p);
    memory(g, BPF_STX, 8, BPF_R10, p, off, 0);
    struct beliefs before = believe(g);
    uint32_t skip = UINT32_MAX;
    if (chance(g, 10))
        skip =
            jump(g, random_condition(g), width(g), (unsigned)number_register(g), -1, constant(g));
    if (chance(g, 5))
        memory(g, BPF_ST, size(g), BPF_R10, 0, off, 0);
    land(g, skip);
    if (skip != UINT32_MAX)
        join(g, &before);
    statements(g, pick(g, 2));
    unsigned q = other_register(g, 99);
    memory(g, BPF_LDX, chance(g, 98) ? 8 : 4, q, BPF_R10, off, 0);
    set_unset(g, q);
    access(g, q, 1, (int)pick(g, region.size), region.constant);
    set_unset(g, q);
}

/* ---- Pointers */

/* Pointers into one object: compared, subtracted. Now and then into two. */
void do_pointers(struct generator *g) {
    struct region region = any_region(g), other = chance(g, 3) ? any_region(g) : region;
    unsigned i = (unsigned)number_register(g), p = other_register(g, i), q = other_register(g, p);
    if (q == i || region.size < 2)
        return;
    alu_imm(g, BPF_AND, 64, i, region.size >= 32 ? 31 : 7);
    region_base(g, &region, p);
    alu_reg(g, BPF_ADD, 64, p, i);
    region_base(g, &other, q);
    if (chance(g, 50))
        alu_imm(g, BPF_ADD, 64, q, pick(g, 9));
    set_unset(g, q);
    if (chance(g, 50)) {
        alu_reg(g, BPF_SUB, 64, p, q);
        set_number(g, p);
        return;
    }
    set_unset(g, p);
    uint32_t skip =
        jump(g, (enum bpf_op)(BPF_JEQ + pick(g, 3)), 64, chance(g, 50) ? p : q, (int)q, 0);
    if (g->code[skip].dst == q)
        g->code[skip].src = (uint8_t)p;
    memory(g, BPF_LDX, 1, p, chance(g, 50) ? p : q, 0, 0);
    land(g, skip);
    set_unset(g, p);
}

/* Tables of pointers among constants, by a constant or by an index; functions are called. */
void do_tables(struct generator *g) {
    unsigned p = 6;
    if (g->reg[6] != UNSET && chance(g, 70))
        return;
    lddw(g, p, BPF_PSEUDO_DATA, DATA_POINTERS, 0);
    if (chance(g, 50)) { /* one of two pointers into the variables */
        unsigned i = (unsigned)number_register(g);
        if (i == p)
            return;
        alu_imm(g, BPF_AND, 64, i, 1);
        alu_imm(g, BPF_LSH, 64, i, 3);
        alu_reg(g, BPF_ADD, 64, p, i);
        memory(g, BPF_LDX, 8, p, p, 0, 0);
    } else {
        memory(g, BPF_LDX, 8, p, p, chance(g, 97) ? 0 : 4, 0);
    }
    set_unset(g, p);
    access(g, p, 8, (int)pick(g, 17), false);
    set_unset(g, p);
}
