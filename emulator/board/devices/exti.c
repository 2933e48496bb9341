/* SPDX-License-Identifier: MIT */
/*
 * External interrupts (RM0090 12.3) and SYSCFG (9.2), which chooses the port of lines 0 to 15. Lines 16
 * to 22 (PVD, RTC, USB, Ethernet) only come by software. Events (EMR) are not modelled.
 */
#include "gpio.h"
#include "regs.h"
#include "tim.h"

enum { IMR, EMR, RTSR, FTSR, SWIER, PR, EXTI_REGS };
enum { MEMRMP, PMC, EXTICR1, EXTICR4 = 5, CMPCR = 8, SYSCFG_REGS };
enum { LINES = 0x7FFFFF, CMP_READY = BIT(8) };
enum { ADC_LINE = 11, ADC_SOURCE = 15 }; /* table 67: external triggers of regular channels */

/* Table 62. Lines that share an interrupt share a row. */
static const struct {
    uint32_t lines;
    unsigned irq;
} irqs[] = {
    {BIT(0), 6},   {BIT(1), 7},   {BIT(2), 8},  {BIT(3), 9},   {BIT(4), 10},
    {0x3E0, 23},   {0xFC00, 40},  {BIT(16), 1}, {BIT(17), 41}, {BIT(18), 42},
    {BIT(19), 62}, {BIT(20), 76}, {BIT(21), 2}, {BIT(22), 3},
};

static void irq_update(struct device *d) {
    uint32_t active = regs_of(d)[PR] & regs_of(d)[IMR];
    for (unsigned i = 0; i < COUNT(irqs); i++)
        board_irq(d->board, irqs[i].irq, active & irqs[i].lines);
}

void exti_pin_changed(struct board *b, unsigned port, unsigned pin, bool level) {
    struct device *d = board_device(b, &device_exti);
    const uint32_t *syscfg = regs_of(board_device(b, &device_syscfg));
    uint32_t *r = regs_of(d);
    if ((syscfg[EXTICR1 + pin / 4] >> pin % 4 * 4 & 15) != port)
        return;
    if (!(r[level ? RTSR : FTSR] & BIT(pin)))
        return;
    r[PR] |= BIT(pin);
    if (pin == ADC_LINE)
        adc_trigger(b, ADC_SOURCE);
    irq_update(d);
}

static void imr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)index, (void)written, (void)old;
    irq_update(d);
}

/* 12.3.5: a 1 where there was a 0 pends the line. */
static void swier_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    uint32_t *r = regs_of(d);
    r[index] = old | (written & LINES);
    r[PR] |= written & LINES & ~old;
    irq_update(d);
}

/* 12.3.6: clearing the pending bit clears that of SWIER. */
static void pr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)index, (void)old;
    regs_of(d)[SWIER] &= ~written;
    irq_update(d);
}

static const struct reg exti_regs[EXTI_REGS] = {
    [IMR] = {"IMR", .writable = LINES, .write = imr_write},
    [EMR] = {"EMR", .writable = LINES},
    [RTSR] = {"RTSR", .writable = LINES},
    [FTSR] = {"FTSR", .writable = LINES},
    [SWIER] = {"SWIER", .write = swier_write},
    [PR] = {"PR", .clear1 = LINES, .write = pr_write},
};

static void exti_reset(struct device *d, enum board_reset_cause cause) {
    (void)cause;
    regs_reset(d);
    irq_update(d);
}

const struct device_type device_exti = {
    .name = "EXTI",
    .base = 0x40013C00,
    .size = 0x400,
    .state_size = sizeof(struct regs),
    .reset = exti_reset,
    .read = regs_read,
    .write = regs_write,
    .config = &(const struct regs_config){.regs = exti_regs, .count = EXTI_REGS},
};

/* ------------------------------------------------------------------------------------------------
 * SYSCFG */

/* 9.2.1; the board has no external memory (mode 2). */
static void memrmp_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    static const enum board_memory0 modes[4] = {BOARD_MEMORY0_FLASH, BOARD_MEMORY0_ROM,
                                                BOARD_MEMORY0_FLASH, BOARD_MEMORY0_SRAM};
    uint32_t mode = regs_of(d)[index];
    (void)written, (void)old;
    if (mode == 2)
        board_note(d->board, "SYSCFG: there is no external memory to put at address 0");
    board_remap(d->board, modes[mode]);
}

static void cmpcr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)old;
    regs_of(d)[index] = written & 1 ? 1 | CMP_READY : 0;
}

static const struct reg syscfg_regs[SYSCFG_REGS] = {
    [MEMRMP] = {"MEMRMP", .writable = 3, .write = memrmp_write},
    [PMC] = {"PMC", .writable = BIT(23)},
    [EXTICR1] = {"EXTICR1", .writable = 0xFFFF},
    [EXTICR1 + 1] = {"EXTICR2", .writable = 0xFFFF},
    [EXTICR1 + 2] = {"EXTICR3", .writable = 0xFFFF},
    [EXTICR4] = {"EXTICR4", .writable = 0xFFFF},
    [CMPCR] = {"CMPCR", .write = cmpcr_write},
};

static void syscfg_reset(struct device *d, enum board_reset_cause cause) {
    (void)cause;
    regs_reset(d);
    board_remap(d->board, BOARD_MEMORY0_FLASH);
}

const struct device_type device_syscfg = {
    .name = "SYSCFG",
    .base = 0x40013800,
    .size = 0x400,
    .state_size = sizeof(struct regs),
    .reset = syscfg_reset,
    .read = regs_read,
    .write = regs_write,
    .config =
        &(const struct regs_config){.regs = syscfg_regs, .count = SYSCFG_REGS, .gate = {0x44, 14}},
};
