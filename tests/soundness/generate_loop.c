/* SPDX-License-Identifier: MIT */
/* Random programs: loops up, down, by strides, by data, over pointers; nested, and left early. */
#include "soundness/generate.h"

/* What a loop's body does to what is believed at its top: a register that it leaves unset would be so in
 * the second iteration. */
static void end_of_loop(struct generator *g, const struct beliefs *before) {
    join(g, before);
}

/* r8 as an index of something, if the loop keeps it within a small limit. */
static void use_counter(struct generator *g, uint32_t limit) {
    struct region region = any_region(g);
    unsigned p = other_register(g, 99), bytes = chance(g, 70) ? 1 : size(g);
    if (limit + bytes > region.size + 1)
        return;
    region_base(g, &region, p);
    alu_reg(g, BPF_ADD, 64, p, BPF_R8);
    access(g, p, bytes, chance(g, 2) ? (int)bytes : 0, region.constant);
    set_unset(g, p);
}

static void body(struct generator *g, uint32_t limit) {
    if (limit && chance(g, 60))
        use_counter(g, limit);
    statements(g, pick(g, 3));
    if (!g->record && chance(g, 12)) { /* left early */
        unsigned a = (unsigned)number_register(g);
        jump_out(g, random_condition(g), width(g), a, -1, constant(g));
    }
}

/* Counts in r8. */
void do_loop(struct generator *g) {
    if (g->counting || g->depth > 3)
        return;
    unsigned w = width(g), step = 1 + (chance(g, 30) ? pick(g, 4) : 0), kind = pick(g, 8);
    uint32_t limit = 1 + pick(g, 30);
    int n = -1;
    alu_imm(g, BPF_MOV, w, BPF_R8, kind == 1 ? (int)limit : kind == 2 ? 256 : kind == 6 ? -5 : 0);
    if (kind == 3 || kind == 7) { /* an unknown limit, and a test before */
        n = number_register(g);
        alu_imm(g, BPF_AND, 64, (unsigned)n, 31);
        if (n == BPF_R6)
            set_unset(g, BPF_R6);
    }
    uint32_t skip = kind == 3 ? jump(g, BPF_JEQ, 64, (unsigned)n, -1, 0) : UINT32_MAX;
    if (n >= 0) { /* kept where statements do not get at it */
        memory(g, BPF_STX, 8, BPF_R10, (unsigned)n, LIMIT_AT, 0);
        set_unset(g, (unsigned)n);
    }
    struct beliefs before = believe(g);
    g->counting = true;
    uint32_t top = g->count, leave = UINT32_MAX;
    if (kind == 7) { /* tested at the top */
        memory(g, BPF_LDX, 8, 0, BPF_R10, LIMIT_AT, 0);
        set_unset(g, 0);
        before.reg[0] = UNSET;
        leave = jump(g, chance(g, 70) ? BPF_JGE : BPF_JSGE, w, BPF_R8, 0, 0);
    }
    body(g, kind == 1 || kind == 2 || kind == 6 ? 0 : kind == 3 || kind == 7 ? 31 : limit);
    uint32_t back;
    switch (kind) {
    case 0:
        alu_imm(g, BPF_ADD, w, BPF_R8, step);
        back = jump(g, chance(g, 50) ? BPF_JLT : BPF_JSLT, w, BPF_R8, -1, limit);
        break;
    case 1:
        alu_imm(g, BPF_SUB, w, BPF_R8, 1);
        back = jump(g, chance(g, 50) ? BPF_JNE : BPF_JSGT, w, BPF_R8, -1, 0);
        break;
    case 2:
        alu_imm(g, chance(g, 50) ? BPF_RSH : BPF_DIV, w, BPF_R8, 2 + pick(g, 2));
        back = jump(g, BPF_JNE, w, BPF_R8, -1, 0);
        break;
    case 3:
        alu_imm(g, BPF_ADD, 64, BPF_R8, 1);
        memory(g, BPF_LDX, 8, 0, BPF_R10, LIMIT_AT, 0);
        set_unset(g, 0);
        back = jump(g, chance(g, 50) ? BPF_JNE : BPF_JLT, w, BPF_R8, 0, 0);
        break;
    case 4: { /* a step that depends on data */
        unsigned r = (unsigned)number_register(g);
        alu_imm(g, BPF_AND, 64, r, 3);
        alu_reg(g, BPF_ADD, w, BPF_R8, r);
        alu_imm(g, BPF_ADD, w, BPF_R8, chance(g, 95) ? 1 : 0);
        back = jump(g, BPF_JLT, w, BPF_R8, -1, limit);
        break;
    }
    case 7:
        alu_imm(g, BPF_ADD, w, BPF_R8, 1);
        back = jump(g, BPF_JA, 64, 0, -1, 0);
        break;
    default:
        alu_imm(g, BPF_ADD, w, BPF_R8, step);
        back = jump(g, BPF_JNE, w, BPF_R8, -1,
                    kind == 6 ? (int64_t)(step * limit) - 5 : (int64_t)step * limit);
        break;
    }
    g->code[back].target = (int32_t)(top - back);
    g->counting = false;
    land(g, skip);
    land(g, leave);
    end_of_loop(g, &before);
}

/* while (x): a number that shrinks until nothing is left. */
void do_data_loop(struct generator *g) {
    if (g->depth > 3)
        return;
    unsigned x = (unsigned)number_register(g), t = other_register(g, x), w = width(g);
    alu_imm(g, BPF_MOV, 64, t, 0);
    set_number(g, t);
    unsigned kind = pick(g, 5);
    if (kind == 4)
        alu_imm(g, BPF_AND, w, x, 63);
    uint32_t skip = chance(g, 80) ? jump(g, BPF_JEQ, w, x, -1, 0) : UINT32_MAX;
    uint32_t top = g->count;
    unsigned copy = other_register(g, x);
    if (chance(g, 40))
        alu_imm(g, BPF_ADD, width(g), t, 1);
    switch (kind) {
    case 0: alu_imm(g, BPF_RSH, w, x, 1 + pick(g, 8)); break;
    case 1: alu_imm(g, BPF_DIV, w, x, 2 + pick(g, 9)); break;
    case 2: /* x &= x - 1 */
    case 3:
        if (copy == t)
            return;
        alu_reg(g, BPF_MOV, 64, copy, x);
        alu_imm(g, BPF_ADD, w, copy, chance(g, 95) ? -1 : -2);
        alu_reg(g, BPF_AND, w, x, copy);
        set_number(g, copy);
        break;
    default: alu_imm(g, BPF_SUB, w, x, 1); break;
    }
    if (chance(g, 30)) { /* counted on the stack as well */
        write_words(g, 3, 1);
        memory(g, BPF_ATOMIC_ADD, 8, BPF_R10, t, -32, 0);
    }
    uint32_t back = jump(g, BPF_JNE, w, x, -1, 0);
    g->code[back].target = (int32_t)(top - back);
    land(g, skip);
    if (skip != UINT32_MAX && (kind == 2 || kind == 3))
        set_unset(g, copy);
}

/* for (p = start; p != end; p += step), and two counters that go together. */
void do_pointer_loop(struct generator *g) {
    struct region region = any_region(g);
    unsigned p = other_register(g, 99), end = other_register(g, p), n = other_register(g, p);
    unsigned bytes = size(g);
    if (region.size < 8 || n == end || g->depth > 3)
        return;
    unsigned count = region.size / bytes > 20 ? 20 : region.size / bytes;
    region_base(g, &region, p);
    alu_reg(g, BPF_MOV, 64, end, p);
    alu_imm(g, BPF_ADD, 64, end, (int)(count * bytes) + (chance(g, 3) ? (int)bytes : 0));
    alu_imm(g, BPF_MOV, width(g), n, chance(g, 50) ? 0 : 7);
    set_unset(g, p);
    set_unset(g, end);
    set_unset(g, n);
    if (!chance(g, 30))
        set_number(g, n);
    bool spilled = chance(g, 20);
    uint32_t top = g->count;
    unsigned v = other_register(g, p);
    if (v != end && v != n) {
        memory(g, BPF_LDX, bytes, v, p, 0, 0);
        set_number(g, v);
    }
    if (!region.constant && chance(g, 50))
        memory(g, BPF_ST, bytes, p, 0, 0, constant(g));
    if (spilled) {
        memory(g, BPF_STX, 8, BPF_R10, p, CURSOR_AT, 0);
        memory(g, BPF_LDX, 8, p, BPF_R10, CURSOR_AT, 0);
    }
    alu_imm(g, BPF_ADD, 64, p, bytes);
    alu_imm(g, BPF_ADD, width(g), n, 1);
    static const enum bpf_op tests[] = {BPF_JNE, BPF_JLT, BPF_JNE, BPF_JLT, BPF_JLE};
    uint32_t back = jump(g, tests[pick(g, 4 + (chance(g, 5) ? 1 : 0))], 64, p, (int)end, 0);
    g->code[back].target = (int32_t)(top - back);
    set_number(g, n);
    if (n < FREE_REGISTERS && chance(g, 50) && count <= 20 && !region.constant) {
        /* n went along with p: it is count now, or count + 7. */
        alu_imm(g, BPF_SUB, 64, n, 8);
        if (count >= 8) {
            alu_imm(g, BPF_AND, 64, n, 7);
        }
    }
}
