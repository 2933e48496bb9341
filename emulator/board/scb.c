/* SPDX-License-Identifier: MIT */
/*
 * The system control block (B3.2) and the private peripheral bus around it, on which the NVIC,
 * SysTick, the MPU and the debug blocks lie. Registers are words; where bytes and halfwords may be
 * written (priorities, CFSR) the lanes say which bits are meant.
 */
#include "core.h"

#include <string.h>

enum {
    ICSR = 0x04,
    VTOR = 0x08,
    AIRCR = 0x0C,
    SCR = 0x10,
    CCR = 0x14,
    SHPR1 = 0x18,
    SHPR3 = 0x20,
    SHCSR = 0x24,
    CFSR = 0x28,
    HFSR = 0x2C,
    DFSR = 0x30,
    MMFAR = 0x34,
    BFAR = 0x38,
    AFSR = 0x3C,
    CPACR = 0x88,
};
#define ICSR_NMIPENDSET (1u << 31)
#define ICSR_PENDSVSET (1u << 28)
#define ICSR_PENDSVCLR (1u << 27)
#define ICSR_PENDSTSET (1u << 26)
#define ICSR_PENDSTCLR (1u << 25)
#define AIRCR_KEY 0x05FAu

void scb_reset(struct board *b) {
    memset(&b->scb, 0, sizeof(b->scb));
    b->scb.ccr = CCR_STKALIGN;
    b->scb.fpccr = FPCCR_ASPEN | FPCCR_LSPEN;
}

/* SHCSR: active and pending bits of the system exceptions (B3.2.13). */
static const struct {
    uint8_t bit, exception;
    bool pending;
} shcsr[] = {
    {0, EXC_MEM, false},    {1, EXC_BUS, false},      {3, EXC_USAGE, false},
    {7, EXC_SVCALL, false}, {8, EXC_DEBUG, false},    {10, EXC_PENDSV, false},
    {12, EXC_USAGE, true},  {11, EXC_SYSTICK, false}, {13, EXC_MEM, true},
    {14, EXC_BUS, true},    {15, EXC_SVCALL, true},
};

static uint32_t shcsr_read(const struct nvic *n) {
    uint32_t value = 0;

    for (size_t i = 0; i < sizeof(shcsr) / sizeof(shcsr[0]); i++)
        value |= (uint32_t)(shcsr[i].pending ? n->pending : n->active)[shcsr[i].exception]
                 << shcsr[i].bit;
    for (unsigned i = 0; i < 3; i++)
        value |= (uint32_t)n->enabled[EXC_MEM + i] << (16 + i);
    return value;
}

static void shcsr_write(struct board *b, uint32_t value) {
    struct nvic *n = &b->nvic;

    for (size_t i = 0; i < sizeof(shcsr) / sizeof(shcsr[0]); i++)
        (shcsr[i].pending ? n->pending : n->active)[shcsr[i].exception] = value >> shcsr[i].bit & 1;
    for (unsigned i = 0; i < 3; i++)
        n->enabled[EXC_MEM + i] = value >> (16 + i) & 1;
    nvic_changed(b);
}

static uint32_t icsr_read(struct board *b) {
    const struct nvic *n = &b->nvic;
    uint32_t value = b->cpu.ipsr | n->best << 12;

    for (unsigned e = EXC_IRQ0; e < EXC_COUNT; e++)
        value |= n->pending[e] ? 1u << 22 : 0; /* ISRPENDING */
    if (nvic_active_count(b) <= 1)
        value |= 1u << 11; /* RETTOBASE */
    return value | (n->pending[EXC_SYSTICK] ? ICSR_PENDSTSET : 0) |
           (n->pending[EXC_PENDSV] ? ICSR_PENDSVSET : 0) |
           (n->pending[EXC_NMI] ? ICSR_NMIPENDSET : 0);
}

static void icsr_write(struct board *b, uint32_t value) {
    static const struct {
        uint32_t bit;
        unsigned exception;
        bool set;
    } rows[] = {{ICSR_NMIPENDSET, EXC_NMI, true},
                {ICSR_PENDSVSET, EXC_PENDSV, true},
                {ICSR_PENDSVCLR, EXC_PENDSV, false},
                {ICSR_PENDSTSET, EXC_SYSTICK, true},
                {ICSR_PENDSTCLR, EXC_SYSTICK, false}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (value & rows[i].bit)
            (rows[i].set ? nvic_pend : nvic_unpend)(b, rows[i].exception);
}

static void aircr_write(struct board *b, uint32_t value) {
    if (value >> 16 != AIRCR_KEY)
        return;
    b->nvic.group = value >> 8 & 7;
    if (value & 1 << 2) /* SYSRESETREQ */
        board_request_reset(b, BOARD_RESET_SOFTWARE);
    nvic_changed(b);
}

static uint32_t shpr_read(const struct nvic *n, uint32_t offset) {
    uint32_t value = 0;

    for (unsigned i = 0; i < 4; i++)
        value |= (uint32_t)n->priority[4 + offset - SHPR1 + i] << i * 8;
    return value;
}

static void shpr_write(struct board *b, uint32_t offset, uint32_t value, uint32_t lanes) {
    static const uint16_t exists = 1 << EXC_MEM | 1 << EXC_BUS | 1 << EXC_USAGE | 1 << EXC_SVCALL |
                                   1 << EXC_DEBUG | 1 << EXC_PENDSV | 1 << EXC_SYSTICK;

    for (unsigned i = 0; i < 4; i++) {
        unsigned e = 4 + offset - SHPR1 + i;
        if (exists >> e & 1 && lanes >> i * 8 & 0xFF)
            b->nvic.priority[e] = value >> i * 8 & 0xF0;
    }
    nvic_changed(b);
}

/* Offset from 0xE000ED00. The identification of a Cortex-M4 r0p1 (TRM 4.2). */
uint32_t scb_read(struct board *b, uint32_t offset) {
    static const uint32_t identification[] = {
        0x00000030, 0x00000200, 0x00100000, 0,          0x00100030, 0,          0x01000000,
        0,          0x01101110, 0x02112000, 0x21232231, 0x01111131, 0x01310102,
    };
    const struct scb *s = &b->scb;

    if (offset >= 0x40 && offset < 0x40 + sizeof(identification))
        return identification[(offset - 0x40) / 4];
    switch (offset) {
    case 0x00: return 0x410FC241;
    case ICSR: return icsr_read(b);
    case VTOR: return s->vtor;
    case AIRCR: return 0xFA050000 | b->nvic.group << 8;
    case SCR: return s->scr;
    case CCR: return s->ccr;
    case SHPR1:
    case SHPR1 + 4:
    case SHPR3: return shpr_read(&b->nvic, offset);
    case SHCSR: return shcsr_read(&b->nvic);
    case CFSR: return s->cfsr;
    case HFSR: return s->hfsr;
    case DFSR: return s->dfsr;
    case MMFAR: return s->mmfar;
    case BFAR: return s->bfar;
    case AFSR: return s->afsr;
    case CPACR: return s->cpacr;
    default: return 0;
    }
}

void scb_write(struct board *b, uint32_t offset, uint32_t value, uint32_t lanes) {
    struct scb *s = &b->scb;

    switch (offset) {
    case ICSR: icsr_write(b, value); break;
    case VTOR: s->vtor = value & 0x3FFFFF80; break;
    case AIRCR: aircr_write(b, value); break;
    case SCR: s->scr = value & (SCR_SLEEPONEXIT | SCR_SLEEPDEEP | SCR_SEVONPEND); break;
    case CCR:
        s->ccr = value & (CCR_NONBASETHRDENA | CCR_USERSETMPEND | CCR_UNALIGN_TRP | CCR_DIV_0_TRP |
                          CCR_BFHFNMIGN | CCR_STKALIGN);
        break;
    case SHPR1:
    case SHPR1 + 4:
    case SHPR3: shpr_write(b, offset, value, lanes); break;
    case SHCSR: shcsr_write(b, value); break;
    case CFSR: s->cfsr &= ~value; break; /* write 1 to clear, here and below */
    case HFSR: s->hfsr &= ~value; break;
    case DFSR: s->dfsr &= ~value; break;
    case MMFAR: s->mmfar = value; break;
    case BFAR: s->bfar = value; break;
    case AFSR: s->afsr &= ~value; break;
    case CPACR:
        s->cpacr = value & 0x00F00000;
        cpu_fpu_trap(b);
        break;
    default: break;
    }
}

/* FPCCR, FPCAR, FPDSCR, MVFR0 to 2 (B3.2.20 to B3.2.22); offset from 0xE000EF30. */
static uint32_t fpu_read(const struct scb *s, uint32_t offset) {
    switch (offset) {
    case 0x04: return s->fpccr;
    case 0x08: return s->fpcar;
    case 0x0C: return s->fpdscr;
    case 0x10: return 0x10110021;
    case 0x14: return 0x11000011;
    default: return 0;
    }
}

static void fpu_write(struct board *b, uint32_t offset, uint32_t value) {
    switch (offset) {
    case 0x04: b->scb.fpccr = value & 0xC000017B; break;
    case 0x08: b->scb.fpcar = value & ~7u; break;
    case 0x0C: b->scb.fpdscr = value & 0x07C00000; break;
    default: break;
    }
    cpu_fpu_trap(b);
}

/* STIR: an interrupt by its number (B3.4.9). */
static void stir_write(struct board *b, uint32_t value) {
    unsigned exception = EXC_IRQ0 + (value & 0x1FF);

    if (exception < EXC_COUNT)
        nvic_pend(b, exception);
}

/* ------------------------------------------------------------------------------------------------
 * The bus */

static bool word_read(struct board *b, enum bus_master master, uint32_t address, uint32_t *value) {
    uint32_t offset = address - 0xE000E000;

    if (offset >= 0x1000 || offset - 0xDF0 < 0x10)
        return debug_read(b, master, address, value);
    if (offset == 0x004) /* ICTR */
        *value = (EXC_IRQS - 1) / 32;
    else if (offset - 0x010 < 0x10)
        *value = systick_read(b, offset - 0x010, master == BUS_CORE);
    else if (offset - 0x100 < 0x400)
        *value = nvic_read(b, offset - 0x100);
    else if (offset - 0xD90 < 0x2C)
        *value = mpu_read(b, offset - 0xD90);
    else if (offset - 0xD00 < 0x90)
        *value = scb_read(b, offset - 0xD00);
    else if (offset - 0xF30 < 0x20)
        *value = fpu_read(&b->scb, offset - 0xF30);
    else
        *value = 0; /* reserved in the system control space: reads as zero */
    return true;
}

static bool word_write(struct board *b, enum bus_master master, uint32_t address, uint32_t value,
                       uint32_t lanes) {
    uint32_t offset = address - 0xE000E000;

    if (offset >= 0x1000 || offset - 0xDF0 < 0x10)
        return debug_write(b, master, address, value);
    if (offset == 0x008) /* ACTLR: nothing in it shows */
        return true;
    if (offset - 0x010 < 0x10)
        systick_write(b, offset - 0x010, value);
    else if (offset - 0x100 < 0x400)
        nvic_write(b, offset - 0x100, value, lanes);
    else if (offset - 0xD90 < 0x2C)
        mpu_write(b, offset - 0xD90, value);
    else if (offset - 0xD00 < 0x90)
        scb_write(b, offset - 0xD00, value, lanes);
    else if (offset == 0xF00)
        stir_write(b, value);
    else if (offset - 0xF30 < 0x20)
        fpu_write(b, offset - 0xF30, value);
    return true;
}

bool ppb_read(struct board *b, enum bus_master master, uint32_t address, unsigned size,
              uint32_t *value) {
    unsigned shift = address % 4 * 8;

    if (!word_read(b, master, address & ~3u, value))
        return false;
    *value = *value >> shift & (uint32_t)(0xFFFFFFFFull >> (32 - size * 8));
    return true;
}

bool ppb_write(struct board *b, enum bus_master master, uint32_t address, unsigned size,
               uint32_t value) {
    unsigned shift = address % 4 * 8;
    uint32_t lanes = (uint32_t)(0xFFFFFFFFull >> (32 - size * 8)) << shift;

    return word_write(b, master, address & ~3u, value << shift & lanes, lanes);
}
