/* SPDX-License-Identifier: MIT */
/* CRC unit (RM0090 4): polynomial 0x04C11DB7 over whole words, most significant bit first. */
#include "regs.h"

enum { DR, IDR, CR, REGS };
enum { POLYNOMIAL = 0x04C11DB7, CR_RESET = 1 };

static void dr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    uint32_t crc = old ^ written;
    for (int bit = 0; bit < 32; bit++)
        crc = crc & BIT(31) ? crc << 1 ^ POLYNOMIAL : crc << 1;
    regs_of(d)[index] = crc;
}

static void cr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)index, (void)old;
    if (written & CR_RESET)
        regs_of(d)[DR] = UINT32_MAX;
}

static const struct reg crc_regs[REGS] = {
    [DR] = {"DR", .reset = UINT32_MAX, .write = dr_write},
    [IDR] = {"IDR", .writable = 0xFF},
    [CR] = {"CR", .write = cr_write},
};

static void crc_reset(struct device *d, enum board_reset_cause cause) {
    (void)cause;
    regs_reset(d);
}

const struct device_type device_crc = {
    .name = "CRC",
    .base = 0x40023000,
    .size = 0x400,
    .state_size = sizeof(struct regs),
    .reset = crc_reset,
    .read = regs_read,
    .write = regs_write,
    .config = &(const struct regs_config){.regs = crc_regs, .count = REGS, .gate = {0x30, 12}},
};
