/* SPDX-License-Identifier: MIT */
/* Power controller (RM0090 5.4): the voltage scale is kept; the low-power modes are not modelled. */
#include "regs.h"

enum { CR, CSR, REGS };
enum { CWUF = BIT(2), CSBF = BIT(3), VOSRDY = BIT(14) };

/* The regulator has settled by the time that anybody looks. */
static uint32_t csr_read(struct device *d, unsigned index) {
    return regs_of(d)[index] | VOSRDY;
}

static const struct reg pwr_regs[REGS] = {
    [CR] = {"CR", .reset = 0x4000, .writable = 0x43FF & ~(CWUF | CSBF)},
    [CSR] = {"CSR", .writable = 0x300, .read = csr_read},
};

static void pwr_reset(struct device *d, enum board_reset_cause cause) {
    (void)cause;
    regs_reset(d);
}

const struct device_type device_pwr = {
    .name = "PWR",
    .base = 0x40007000,
    .size = 0x400,
    .state_size = sizeof(struct regs),
    .reset = pwr_reset,
    .read = regs_read,
    .write = regs_write,
    .config = &(const struct regs_config){.regs = pwr_regs, .count = REGS, .gate = {0x40, 28}},
};
