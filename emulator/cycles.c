/* SPDX-License-Identifier: MIT */
/*
 * The cycle model: decoding from the diagrams of cycles.def, and the charges. The rules and where
 * they come from are in docs/emulator.md; TRM is the Cortex-M4 Technical Reference Manual, DDI0439.
 */
#include "cycles.h"

#include <assert.h>
#include <string.h>

enum { SP = 1, ALIGNED = 2, PC = 4, SIGNED = 8 };
#define REG_SP (1u << 13)
#define REG_PC (1u << 15)

struct row {
    enum cycles_class class;
    const char *diagram;
    unsigned flags;
};

static const struct row rows[] = {
#define CYCLES(CLASS, diagram, flags) {CYCLES_##CLASS, diagram, flags},
#include "cycles.def"
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* The diagrams once more, as what a comparison needs and with where the letters lie. */
struct pattern {
    uint32_t mask, value;
    unsigned bits;      /* 16 or 32 */
    uint32_t field[26]; /* bits of a letter */
};
static struct pattern patterns[ROWS];
static unsigned first_wide; /* the 16-bit rows come first */

static void pattern_compile(struct pattern *p, const char *diagram) {
    for (const char *c = diagram; *c; c++)
        p->bits += *c != ' ';
    unsigned bit = p->bits;
    for (const char *c = diagram; *c; c++) {
        if (*c == ' ')
            continue;
        uint32_t one = 1u << --bit;
        if (*c == '0' || *c == '1')
            p->mask |= one;
        else
            p->field[*c - 'a'] |= one;
        if (*c == '1')
            p->value |= one;
    }
    assert(p->bits == 16 || p->bits == 32);
}

static void patterns_compile(void) {
    if (first_wide)
        return;
    for (size_t i = 0; i < ROWS; i++) {
        pattern_compile(&patterns[i], rows[i].diagram);
        assert(i == 0 || patterns[i].bits >= patterns[i - 1].bits);
        if (patterns[i].bits == 16)
            first_wide = i + 1;
    }
}

/* The number in a letter's bits, gathered: they need not lie side by side. */
static unsigned field(const struct pattern *p, char letter, uint32_t word) {
    uint32_t mask = p->field[letter - 'a'];
    unsigned value = 0;

    for (unsigned at = 0; mask; mask &= mask - 1)
        value |= (word >> __builtin_ctz(mask) & 1) << at++;
    return value;
}

/* The register that a letter names, as a set; empty if the row does not have the letter. */
static uint16_t reg(const struct pattern *p, char letter, uint32_t word) {
    return p->field[letter - 'a'] ? 1u << field(p, letter, word) : 0;
}

/* Bits 15 to 11 of the first halfword tell the length (A5.1). */
static unsigned length(uint16_t first) {
    return first >> 11 >= 0x1d ? 4 : 2;
}

static const struct row *find(uint32_t word, unsigned size) {
    size_t i = size == 2 ? 0 : first_wide, end = size == 2 ? first_wide : ROWS;

    while (i < end && (word & patterns[i].mask) != patterns[i].value)
        i++;
    return i < end ? &rows[i] : NULL;
}

/* An IT's mask says how many instructions follow: its lowest one bit ends it (A7.3.2). */
static void decode_it(struct cycles_insn *insn, unsigned mask, const uint16_t *code, size_t count) {
    unsigned left = 4 - __builtin_ctz(mask);

    for (size_t at = 1; left > 0 && at < count; left--) {
        insn->it_size[insn->it_count] = length(code[at]);
        at += insn->it_size[insn->it_count++] / 2;
    }
}

struct cycles_insn cycles_decode(const uint16_t *code, size_t count) {
    struct cycles_insn insn = {.class = CYCLES_UNKNOWN, .size = 2};

    patterns_compile();
    assert(count > 0);
    insn.size = length(code[0]);
    if (insn.size > count * 2)
        return insn;
    uint32_t word = insn.size == 2 ? code[0] : (uint32_t)code[0] << 16 | code[1];
    const struct row *row = find(word, insn.size);
    if (!row)
        return insn;

    const struct pattern *p = &patterns[row - rows];
    uint16_t list = field(p, 'l', word) | field(p, 'r', word) << 14 | field(p, 'p', word) << 15;
    insn.writes = reg(p, 'd', word) | reg(p, 'e', word) | reg(p, 't', word) | reg(p, 'u', word);
    insn.aligned = row->flags & ALIGNED;
    switch (row->class) {
    case CYCLES_ALU:
        if (insn.size == 4)
            insn.writes &= ~REG_PC;
        if (row->flags & SP)
            insn.writes |= REG_SP;
        break;
    case CYCLES_DIVIDE:
        insn.dividend = field(p, 'n', word);
        insn.divisor = field(p, 'm', word);
        insn.is_signed = row->flags & SIGNED;
        break;
    case CYCLES_LDM:
    case CYCLES_STM:
        insn.aligned = true;
        insn.words = __builtin_popcount(list);
        insn.writes = row->class == CYCLES_LDM ? list : 0;
        if (insn.words == 0)
            return insn;
        /* fall through */
    case CYCLES_LOAD:
    case CYCLES_STORE:
    case CYCLES_DUAL:
    case CYCLES_TABLE:
        insn.address = reg(p, 'n', word) | reg(p, 'm', word) | (row->flags & SP ? REG_SP : 0);
        if (row->class == CYCLES_LOAD && insn.writes & REG_PC && !(row->flags & PC))
            return insn;
        break;
    case CYCLES_IT:
        if (field(p, 'x', word) == 0)
            return insn; /* an unallocated hint */
        decode_it(&insn, field(p, 'x', word), code, count);
        break;
    default: break;
    }
    insn.class = row->class;
    return insn;
}

unsigned cycles_divide(uint32_t dividend, uint32_t divisor, bool is_signed) {
    if (is_signed) {
        dividend = dividend >> 31 ? -dividend : dividend;
        divisor = divisor >> 31 ? -divisor : divisor;
    }
    if (divisor == 0 || dividend < divisor)
        return 2;
    /* The quotient has at most this many bits; the TRM only says that division ends early. */
    unsigned bits = __builtin_clz(divisor) - __builtin_clz(dividend) + 1;
    return 2 + (bits * 5 + 15) / 16;
}

/* TRM 3.3.3: a word at an odd address becomes byte, halfword, byte; any other split gives two. */
unsigned cycles_unaligned(uint32_t address, unsigned size) {
    if (address % size == 0)
        return 0;
    return size == 4 && address % 2 ? 2 : 1;
}

void cycles_reset(struct cycles *c) {
    memset(c, 0, sizeof(*c));
}

void cycles_break(struct cycles *c) {
    c->last.class = CYCLES_UNKNOWN;
    c->it_left = 0;
}

void cycles_add(struct cycles *c, unsigned count, enum cycles_part where) {
    c->total += count;
    c->part[where] += count;
}

/* What the previous instruction still owes, now that it is known where it went: instructions that
 * an IT skipped (never seen by the machine), and the refill of a conditional branch. */
static void settle(struct cycles *c, const struct cycles_insn *insn, uint32_t pc) {
    bool jumped = pc != c->next;

    while (c->it_left > 0 && pc != c->it_next) {
        cycles_add(c, 1, c->where);
        c->instructions++;
        c->it_next += *c->it_size++;
        c->it_left--;
        c->last.class = CYCLES_UNKNOWN;
        jumped = false;
    }
    if (c->it_left > 0) {
        c->it_next += *c->it_size++;
        c->it_left--;
    }
    if (c->last.class == CYCLES_COND && jumped)
        cycles_add(c, CYCLES_REFILL, c->where);
    /* A branch fetches one word; a 32-bit instruction across words needs a second one. */
    if (c->last.class != CYCLES_UNKNOWN && jumped && pc % 4 != 0 && insn->size == 4)
        cycles_add(c, 1, c->where);
}

/* Cycles that an address waits for registers (TRM 3.3.3). A load's data arrives in time for every
 * instruction but one that is pipelined behind it. */
static unsigned address_wait(const struct cycles_insn *last, const struct cycles_insn *insn) {
    bool slow =
        last->class == CYCLES_ALU || last->class == CYCLES_DIVIDE || last->class == CYCLES_SYSTEM ||
        (last->class == CYCLES_LOAD && (insn->class == CYCLES_LOAD || insn->class == CYCLES_STORE));
    return slow && last->writes & insn->address ? 1 : 0;
}

static unsigned cost(const struct cycles_insn *last, const struct cycles_insn *insn,
                     unsigned divide) {
    unsigned refill = insn->writes & REG_PC ? CYCLES_REFILL : 0;
    unsigned wait = address_wait(last, insn);

    switch ((enum cycles_class)insn->class) {
    case CYCLES_ALU: return 1 + refill;
    case CYCLES_DIVIDE: return divide;
    case CYCLES_LOAD:
        if (refill)
            return 5 + wait; /* LDR PC blocks: load and refill never overlap */
        return (last->class == CYCLES_LOAD ? 1 : 2) + wait;
    case CYCLES_STORE: return 1 + wait;
    case CYCLES_DUAL: return 3 + wait;
    case CYCLES_LDM: return 1 + insn->words + refill + wait;
    case CYCLES_STM: return 1 + insn->words + wait;
    case CYCLES_BRANCH: return 1 + CYCLES_REFILL;
    case CYCLES_COND: return 1; /* the refill follows when it was taken */
    case CYCLES_TABLE: return 2 + CYCLES_REFILL + wait;
    case CYCLES_IT: return 1;
    case CYCLES_SYSTEM: return 2;
    case CYCLES_BARRIER: return 1 + CYCLES_REFILL;
    case CYCLES_SVC: return 0;
    case CYCLES_FIXED: return insn->fixed + wait;
    case CYCLES_UNKNOWN: break;
    }
    assert(!"an instruction outside the model must not run");
    return 0;
}

void cycles_step(struct cycles *c, const struct cycles_insn *insn, uint32_t pc,
                 enum cycles_part where, unsigned divide) {
    settle(c, insn, pc);
    cycles_add(c, cost(&c->last, insn, divide), where);
    c->instructions++;
    c->last = *insn;
    c->next = pc + insn->size;
    c->where = where;
    if (insn->class == CYCLES_IT) {
        memcpy(c->it_sizes, insn->it_size, sizeof(c->it_sizes));
        c->it_size = c->it_sizes;
        c->it_left = insn->it_count;
        c->it_next = c->next;
    }
}
