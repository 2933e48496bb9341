/* SPDX-License-Identifier: MIT */
/*
 * What the board must know of an instruction before it runs: its cycles (cycles.c; the FPU's are
 * here) and whether it needs care. Cycles of the FPU are those of the Cortex-M4 Technical Reference
 * Manual, DDI0439D 7.2.3. What neither knows (coprocessors, UDF) faults anyway; it is charged 1.
 */
#include "core.h"

enum { VDIV_CYCLES = 14, VMLA_CYCLES = 3 };

/* Coprocessors 10 and 11, A6.4. */
static bool is_fpu(uint32_t word) {
    return (word & 0xEC000E00) == 0xEC000A00;
}

/* VLDR and VSTR, VLDM and VSTM, moves of two core registers (A6.5, A6.6, A6.7). */
static unsigned fpu_move_cycles(uint32_t word) {
    bool is_double = word >> 8 & 1;

    if ((word & 0xFFE00000) == 0xEC400000)
        return 2;
    if ((word & 0x01200000) == 0x01000000)
        return is_double ? 3 : 2;
    return 1 + (word & 0xFF); /* words */
}

static unsigned fpu_cycles(uint32_t word) {
    if (word >> 24 != 0xEE)
        return fpu_move_cycles(word);
    if (word >> 4 & 1)
        return 1; /* one core register */
    switch (word >> 20 & 0xB) {
    case 0x0:
    case 0x1: return VMLA_CYCLES;
    case 0x8: return VDIV_CYCLES;
    case 0x9:
    case 0xA: return VMLA_CYCLES;
    case 0xB: return (word & 0xF00C0) == 0x100C0 ? VDIV_CYCLES : 1; /* VSQRT */
    default: return 1;
    }
}

static void decode_fpu(struct decoded *d, uint32_t word) {
    d->care = CARE_FPU;
    d->cycles.class = CYCLES_FIXED;
    d->cycles.fixed = fpu_cycles(word);
    bool memory = word >> 25 == 0xEC >> 1 && (word & 0xFFE00000) != 0xEC400000;
    d->cycles.aligned = memory;
    d->cycles.address = memory ? 1u << (word >> 16 & 15) : 0;
}

static enum care care_of_hint(unsigned hint) {
    return hint == 2 ? CARE_WFE : hint == 3 ? CARE_WFI : hint == 4 ? CARE_SEV : CARE_NONE;
}

static enum care care_of(const struct cycles_insn *insn, uint32_t word) {
    bool wide = insn->size == 4;

    switch ((enum cycles_class)insn->class) {
    case CYCLES_DIVIDE: return CARE_DIVIDE;
    case CYCLES_IT: return CARE_IT;
    case CYCLES_SYSTEM: return insn->writes ? CARE_NONE : CARE_SPECIAL;
    case CYCLES_ALU:
        if (!wide && (word & 0xFF0F) == 0xBF00)
            return care_of_hint(word >> 4 & 15);
        if (wide && (word & 0xFFFFFF00) == 0xF3AF8000)
            return care_of_hint(word & 0xFF);
        return wide && word == 0xF3BF8F2F ? CARE_STREX : CARE_NONE; /* CLREX */
    case CYCLES_LOAD:
        if (wide && ((word & 0xFFF00000) == 0xE8500000 || (word & 0xFFF00FC0) == 0xE8D00F40))
            return CARE_LDREX;
        if (wide && ((word & 0xFFF00000) == 0xE8400000 || (word & 0xFFF00FC0) == 0xE8C00F40))
            return CARE_STREX;
        /* fall through */
    case CYCLES_STORE: /* A7.7.66 LDRT: the immediate form with 1110 above the offset */
        return wide && (word & 0xFE000F00) == 0xF8000E00 && (word >> 16 & 15) != 15 &&
                       !(word >> 23 & 1)
                   ? CARE_USER
                   : CARE_NONE;
    default: return CARE_NONE;
    }
}

/* The instructions of an IT block cannot be stopped at; what might have to be is known in advance. */
static void decode_block(struct decoded *d, const uint16_t *code, size_t count) {
    size_t at = 1;

    for (unsigned i = 0; i < d->cycles.it_count; i++) {
        struct decoded inner = decode(code + at, count - at);
        d->block_divides |= inner.care == CARE_DIVIDE;
        d->block_fpu |= inner.care == CARE_FPU;
        at += d->cycles.it_size[i] / 2;
        if (at >= count)
            return;
    }
}

struct decoded decode(const uint16_t *code, size_t count) {
    struct decoded d = {.cycles = cycles_decode(code, count)};
    uint32_t word = code[0];

    if (d.cycles.size == 4)
        word = word << 16 | (count > 1 ? code[1] : 0);
    d.code = code[0] | (d.cycles.size == 4 && count > 1 ? (uint32_t)code[1] << 16 : 0);
    if (d.cycles.class != CYCLES_UNKNOWN) {
        d.care = care_of(&d.cycles, word);
        if (d.care == CARE_IT)
            decode_block(&d, code, count);
    } else if (d.cycles.size == 4 && is_fpu(word)) {
        decode_fpu(&d, word);
    } else {
        d.cycles.class = CYCLES_FIXED;
        d.cycles.fixed = 1;
    }
    return d;
}
