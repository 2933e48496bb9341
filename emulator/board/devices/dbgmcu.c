/* SPDX-License-Identifier: MIT */
/*
 * Debug MCU (RM0090 38.16): who the chip is. Its settings are kept through system resets; that devices
 * stand still while the core is halted is so anyway, since no time passes then.
 */
#include "regs.h"

enum { IDCODE, CR, APB1_FZ, APB2_FZ, REGS };

static const struct reg dbgmcu_regs[REGS] = {
    [IDCODE] = {"IDCODE", .reset = 0x10076413}, /* STM32F405/407, revision 0x1007 */
    [CR] = {"CR", .writable = 0xE7},
    [APB1_FZ] = {"APB1_FZ", .writable = 0x06E01DFF},
    [APB2_FZ] = {"APB2_FZ", .writable = 0x00070003},
};

static void dbgmcu_reset(struct device *d, enum board_reset_cause cause) {
    if (cause == BOARD_RESET_POWER)
        regs_reset(d);
}

const struct device_type device_dbgmcu = {
    .name = "DBGMCU",
    .base = 0xE0042000,
    .size = 0x400,
    .state_size = sizeof(struct regs),
    .reset = dbgmcu_reset,
    .read = regs_read,
    .write = regs_write,
    .config = &(const struct regs_config){.regs = dbgmcu_regs, .count = REGS},
};
