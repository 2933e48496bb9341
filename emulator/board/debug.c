/* SPDX-License-Identifier: MIT */
/*
 * What a debugger reaches (C1): halting debug with its registers, breakpoints (FPB), watchpoints and
 * the cycle counter (DWT), and the ROM table that leads to them. C_DEBUGEN can be set by the debugger
 * only; without it the core behaves as if none of this were there, but for CYCCNT.
 */
#include "core.h"

#include <string.h>

#define DHCSR 0xE000EDF0u
#define DCRSR 0xE000EDF4u
#define DCRDR 0xE000EDF8u
#define DEMCR 0xE000EDFCu
#define DHCSR_KEY 0xA05Fu
enum {
    DHCSR_S_REGRDY = 1 << 16,
    DHCSR_S_HALT = 1 << 17,
    DHCSR_S_SLEEP = 1 << 18,
    DHCSR_S_LOCKUP = 1 << 19,
    DHCSR_S_RETIRE = 1 << 24,
    DHCSR_S_RESET = 1 << 25,
    DEMCR_VC_CORERESET = 1 << 0,
    DEMCR_VC_MMERR = 1 << 4,
    DEMCR_VC_NOCPERR = 1 << 5,
    DEMCR_VC_CHKERR = 1 << 6,
    DEMCR_VC_STATERR = 1 << 7,
    DEMCR_VC_BUSERR = 1 << 8,
    DEMCR_VC_INTERR = 1 << 9,
    DEMCR_VC_HARDERR = 1 << 10,
    DEMCR_TRCENA = 1 << 24,
    FP_CTRL_ENABLE = 1,
    FP_CTRL_KEY = 2,
    FP_COMP_ENABLE = 1,
    DWT_CYCCNTENA = 1,
};

void debug_reset(struct board *b, bool power) {
    struct debug *d = &b->debug;

    if (power)
        memset(d, 0, sizeof(*d));
    d->halted = d->caught = false;
    d->control &= ~(uint32_t)DHCSR_HALT; /* "clears on core reset": Cortex-M4 TRM, DHCSR */
    d->reset_seen = true;
    systick_pause(b, false);
    if (debug_enabled_bits(d, 0) && d->demcr & DEMCR_VC_CORERESET)
        debug_halt(b, DFSR_VCATCH);
}

/* ------------------------------------------------------------------------------------------------
 * Halting */

void debug_halt(struct board *b, uint32_t reason) {
    b->scb.dfsr |= reason;
    b->debug.control |= DHCSR_HALT;
    b->debug.halted = true;
    b->locked_up = false; /* that ends with debug state (B1.5.15); what runs on may lock up again */
    systick_pause(b, true);
    cpu_attend(b);
}

void debug_resume(struct board *b) {
    b->debug.halted = false;
    systick_pause(b, false);
    cpu_attend(b);
}

void debug_note_fault(struct board *b, const struct fault *fault) {
    static const struct {
        uint32_t cfsr, demcr;
    } rows[] = {
        {CFSR_IACCVIOL | CFSR_DACCVIOL, DEMCR_VC_MMERR},
        {CFSR_IBUSERR | CFSR_PRECISERR, DEMCR_VC_BUSERR},
        {CFSR_NOCP, DEMCR_VC_NOCPERR},
        {CFSR_UNALIGNED | CFSR_DIVBYZERO, DEMCR_VC_CHKERR},
        {CFSR_UNDEFINSTR | CFSR_INVSTATE | CFSR_INVPC, DEMCR_VC_STATERR},
        {CFSR_MSTKERR | CFSR_MUNSTKERR | CFSR_MLSPERR | CFSR_STKERR | CFSR_UNSTKERR | CFSR_LSPERR,
         DEMCR_VC_INTERR},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (fault->cfsr & rows[i].cfsr && b->debug.demcr & rows[i].demcr)
            b->debug.caught = true;
}

void debug_entered(struct board *b, unsigned exception) {
    struct debug *d = &b->debug;

    if (exception == EXC_HARD && d->demcr & DEMCR_VC_HARDERR)
        d->caught = true;
    if (d->caught && debug_enabled_bits(d, 0))
        debug_halt(b, DFSR_VCATCH);
    d->caught = false;
}

static uint32_t status(struct board *b) {
    struct debug *d = &b->debug;
    uint32_t value = DHCSR_S_REGRDY | d->control;

    value |= d->halted ? DHCSR_S_HALT : 0;
    value |= b->sleeping ? DHCSR_S_SLEEP : 0;
    value |= b->locked_up ? DHCSR_S_LOCKUP : 0;
    value |= d->retired ? DHCSR_S_RETIRE : 0;
    value |= d->reset_seen ? DHCSR_S_RESET : 0;
    d->retired = d->reset_seen = false;
    return value;
}

static void write_dhcsr(struct board *b, enum bus_master master, uint32_t value) {
    struct debug *d = &b->debug;
    uint32_t keep = master == BUS_DEBUG ? 0 : DHCSR_DEBUGEN;

    if (value >> 16 != DHCSR_KEY)
        return;
    uint32_t control = (value & 0x2F & ~keep) | (d->control & keep);
    d->control = control & DHCSR_DEBUGEN ? control : 0;
    nvic_changed(b); /* C_MASKINTS */
    if (!d->halted) {
        cpu_attend(b); /* C_HALT is looked at between instructions */
        b->sleeping &= !(d->control & DHCSR_HALT);
    } else if (!(d->control & DHCSR_HALT)) {
        debug_resume(b);
    }
}

/* C1.6.3, REGSEL: where a register is. */
static uint32_t read_register(struct board *b, unsigned which) {
    const struct cpu *cpu = &b->cpu;

    if (which < 16)
        return cpu_reg(b, which);
    if (which == 16)
        return cpu_xpsr(b);
    if (which == 17 || which == 18)
        return cpu_sp(b, which == 18);
    if (which == 20)
        return cpu->control << 24 | cpu->faultmask << 16 | cpu->basepri << 8 | cpu->primask;
    if (which == 33)
        return cpu_fp(b, 32);
    return which >= 64 && which < 96 ? cpu_fp(b, which - 64) : 0;
}

static void write_register(struct board *b, unsigned which, uint32_t value) {
    if (which == 15 || which == 16)
        b->cpu.it = 0;
    if (which < 16) {
        cpu_set_reg(b, which, value);
    } else if (which == 16) {
        if ((value & 0x1FF) != b->cpu.ipsr)
            cpu_set_mode(b, value & 0x1FF, b->cpu.control);
        cpu_set_xpsr(b, value);
    } else if (which == 17 || which == 18) {
        cpu_set_sp(b, which == 18, value);
    } else if (which == 20) {
        cpu_set_masks(b, value & 1, value >> 16 & 1, value >> 8 & 0xFF);
        cpu_set_mode(b, b->cpu.ipsr, value >> 24 & 7);
    } else if (which == 33) {
        cpu_set_fp(b, 32, value);
    } else if (which >= 64 && which < 96) {
        cpu_set_fp(b, which - 64, value);
    }
}

static void write_dcrsr(struct board *b, uint32_t value) {
    if (!b->debug.halted)
        return;
    if (value >> 16 & 1)
        write_register(b, value & 0x7F, b->debug.dcrdr);
    else
        b->debug.dcrdr = read_register(b, value & 0x7F);
}

/* ------------------------------------------------------------------------------------------------
 * Breakpoints and watchpoints */

/* C1.11.5: REPLACE says which halfwords of the word; 0 would remap, which is not modelled. */
static bool matches(uint32_t comp, uint32_t address) {
    unsigned halves = comp >> 30;
    return comp & FP_COMP_ENABLE && (comp & 0x1FFFFFFC) == (address & ~3u) &&
           halves >> (address >> 1 & 1) & 1;
}

bool debug_breakpoint(struct board *b, uint32_t address, struct range *range) {
    bool here = false;

    if (!(b->debug.fp_ctrl & FP_CTRL_ENABLE))
        return false;
    for (unsigned i = 0; i < FPB_CODES; i++) {
        uint32_t comp = b->debug.fp_comp[i], word = comp & 0x1FFFFFFC;
        here |= matches(comp, address);
        if (!(comp & FP_COMP_ENABLE) || word + 4 <= range->start ||
            word >= range->start + range->size)
            continue;
        /* The whole word of a breakpoint is left out of the range. */
        uint32_t end = range->start + range->size;
        if (address >= word + 4)
            *range = (struct range){word + 4, end - word - 4};
        else if (address < word)
            range->size = word - range->start;
        else
            *range = (struct range){address & ~1u, 2};
    }
    return here;
}

/* The instruction has run when the core halts. */
void debug_watch(struct board *b, uint32_t address, unsigned size, bool write) {
    struct debug *d = &b->debug;

    for (unsigned i = 0; i < DWT_COMPARATORS; i++) {
        uint32_t length = 1u << d->dwt_mask[i], function = d->dwt_function[i] & 0xF;
        bool wanted = function == 7 || function == (write ? 6 : 5);
        if (!wanted || address + size <= d->dwt_comp[i] || address >= d->dwt_comp[i] + length)
            continue;
        d->dwt_function[i] |= 1u << 24; /* MATCHED */
        if (debug_enabled_bits(d, 0)) {
            b->scb.dfsr |= DFSR_DWTTRAP;
            d->control |= DHCSR_HALT;
            cpu_attend(b);
        }
    }
}

static bool cyccnt_runs(const struct debug *d) {
    return d->demcr & DEMCR_TRCENA && d->dwt_ctrl & DWT_CYCCNTENA;
}

/* CYCCNT stands still in sleep, and while the core is halted, which `slept` includes. */
static uint32_t cyccnt(const struct board *b) {
    const struct debug *d = &b->debug;
    return cyccnt_runs(d) ? (uint32_t)(b->cycles.total - b->slept - d->cyccnt_base) : d->cyccnt;
}

static void set_cyccnt(struct board *b, uint32_t value) {
    b->debug.cyccnt = value;
    b->debug.cyccnt_base = b->cycles.total - b->slept - value;
}

static bool dwt_read(struct board *b, uint32_t offset, uint32_t *value) {
    const struct debug *d = &b->debug;
    unsigned i = (offset - 0x20) / 16;

    if (offset == 0x00)
        *value = d->dwt_ctrl | DWT_COMPARATORS << 28;
    else if (offset == 0x04)
        *value = cyccnt(b);
    else if (offset == 0x1C) /* PCSR */
        *value = d->halted ? UINT32_MAX : b->cpu.pc;
    else if (offset >= 0x20 && i < DWT_COMPARATORS)
        *value = offset % 16 == 0   ? d->dwt_comp[i]
                 : offset % 16 == 4 ? d->dwt_mask[i]
                 : offset % 16 == 8 ? d->dwt_function[i]
                                    : 0;
    else
        *value = 0;
    return true;
}

static void dwt_write(struct board *b, uint32_t offset, uint32_t value) {
    struct debug *d = &b->debug;
    unsigned i = (offset - 0x20) / 16;
    uint32_t count = cyccnt(b);

    if (offset == 0x00) {
        d->dwt_ctrl = value & 0x0FFFFFFF;
        set_cyccnt(b, count);
    } else if (offset == 0x04) {
        set_cyccnt(b, value);
    } else if (offset >= 0x20 && i < DWT_COMPARATORS) {
        if (offset % 16 == 0)
            d->dwt_comp[i] = value;
        else if (offset % 16 == 4)
            d->dwt_mask[i] = value & 0xF;
        else if (offset % 16 == 8)
            d->dwt_function[i] = value & 0xF;
        d->watching = false;
        for (i = 0; i < DWT_COMPARATORS; i++)
            d->watching |= d->dwt_function[i] & 0xF;
        cpu_forget(b);
    }
}

static bool fpb_read(const struct debug *d, uint32_t offset, uint32_t *value) {
    unsigned i = (offset - 8) / 4;

    if (offset == 0)
        *value = d->fp_ctrl | FPB_LITERALS << 8 | FPB_CODES << 4;
    else if (offset == 4)
        *value = 0x20000000; /* FP_REMAP: fixed, RMPSPT */
    else
        *value = offset >= 8 && i < FPB_CODES + FPB_LITERALS ? d->fp_comp[i] : 0;
    return true;
}

static void fpb_write(struct board *b, uint32_t offset, uint32_t value) {
    unsigned i = (offset - 8) / 4;

    if (offset == 0 && value & FP_CTRL_KEY)
        b->debug.fp_ctrl = value & FP_CTRL_ENABLE;
    else if (offset >= 8 && i < FPB_CODES + FPB_LITERALS)
        b->debug.fp_comp[i] = value & 0xDFFFFFFD;
    cpu_forget(b);
}

/* ------------------------------------------------------------------------------------------------
 * Identification: the ROM table (C1.2.4, D2.1), and the component registers of what it lists. */

static const struct {
    uint32_t page; /* address >> 12 */
    uint16_t part; /* 0: the ROM table itself */
} components[] = {{0xE000E, 0x00C}, {0xE0001, 0x002}, {0xE0002, 0x003},
                  {0xE0000, 0x001}, {0xE0040, 0x9A1}, {0xE0041, 0x925}};
enum { COMPONENTS = sizeof(components) / sizeof(components[0]) };

/* PIDR4 to CIDR3, at 0xFD0 of a component. ROM table: STMicroelectronics, part 0x413. */
static uint32_t identification(uint32_t offset, uint16_t part, bool table) {
    uint32_t class = table ? 0x10 : part == 0x9A1 || part == 0x925 ? 0x90 : 0xE0;
    const uint32_t words[12] = {table ? 0 : 4,
                                0,
                                0,
                                0,
                                table ? 0x13 : part & 0xFF,
                                table ? 0x04 : 0xB0 | part >> 8,
                                table ? 0x0A : 0x0B,
                                0,
                                0x0D,
                                class,
                                0x05,
                                0xB1};
    return words[(offset - 0xFD0) / 4];
}

static bool rom_table_read(uint32_t offset, uint32_t *value) {
    *value = 0;
    if (offset / 4 < COMPONENTS) /* present, 32 bits, offset from the table */
        *value = ((components[offset / 4].page << 12) - 0xE00FF000) | 3;
    else if (offset == 0xFCC)
        *value = 1; /* MEMTYPE: system memory is on this bus */
    return true;
}

bool debug_read(struct board *b, enum bus_master master, uint32_t address, uint32_t *value) {
    uint32_t page = address >> 12, offset = address & 0xFFF;
    (void)master;

    *value = 0;
    if (offset >= 0xFD0 && page == 0xE00FF) {
        *value = identification(offset, 0, true);
        return true;
    }
    for (unsigned i = 0; i < COMPONENTS && offset >= 0xFD0; i++)
        if (components[i].page == page) {
            *value = identification(offset, components[i].part, false);
            return true;
        }
    switch (address) {
    case DHCSR: *value = status(b); return true;
    case DCRSR: return true;
    case DCRDR: *value = b->debug.dcrdr; return true;
    case DEMCR: *value = b->debug.demcr; return true;
    default: break;
    }
    if (page == 0xE0001)
        return dwt_read(b, offset, value);
    if (page == 0xE0002)
        return fpb_read(&b->debug, offset, value);
    if (page == 0xE00FF)
        return rom_table_read(offset, value);
    /* ITM, TPIU, ETM: there, and nothing comes out of them. */
    return page == 0xE0000 || page == 0xE0040 || page == 0xE0041 || page == 0xE000E;
}

bool debug_write(struct board *b, enum bus_master master, uint32_t address, uint32_t value) {
    uint32_t page = address >> 12, count;

    switch (address) {
    case DHCSR: write_dhcsr(b, master, value); return true;
    case DCRSR: write_dcrsr(b, value); return true;
    case DCRDR: b->debug.dcrdr = value; return true;
    case DEMCR:
        count = cyccnt(b);
        b->debug.demcr = value & 0x010F07F1;
        set_cyccnt(b, count);
        return true;
    default: break;
    }
    if (page == 0xE0001)
        dwt_write(b, address & 0xFFF, value);
    else if (page == 0xE0002)
        fpb_write(b, address & 0xFFF, value);
    else
        return page == 0xE0000 || page == 0xE0040 || page == 0xE0041 || page == 0xE000E;
    return true;
}
