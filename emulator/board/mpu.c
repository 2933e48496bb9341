/* SPDX-License-Identifier: MIT */
/*
 * The memory protection unit, PMSAv7 (B3.5): eight regions with subregions, the highest number wins,
 * and the default memory map behind them. Attributes other than rights are kept and not used.
 */
#include "core.h"

enum { RASR_ENABLE = 1 };

static uint64_t region_size(uint32_t rasr) {
    return 2ull << (rasr >> 1 & 31);
}

/* B3.1, table B3-1: peripherals, external devices and the system space hold no code. */
static struct mpu_rights default_rights(uint32_t address) {
    bool execute = address < 0x40000000 || address - 0x60000000 < 0x40000000;
    return (struct mpu_rights){true, true, execute};
}

/* Table B3-15, access permissions. */
static struct mpu_rights region_rights(uint32_t rasr, bool privileged) {
    static const struct {
        uint8_t privileged, user; /* 1: read, 2: write too */
    } table[8] = {{0, 0}, {2, 0}, {2, 1}, {2, 2}, {0, 0}, {1, 0}, {1, 1}, {1, 1}};
    unsigned ap = rasr >> 24 & 7;
    unsigned right = privileged ? table[ap].privileged : table[ap].user;

    return (struct mpu_rights){right >= 1, right == 2, right >= 1 && !(rasr >> 28 & 1)};
}

static void narrow(struct range *range, uint64_t start, uint64_t end, uint32_t address) {
    uint64_t range_start = range->start, range_end = range_start + range->size;

    if (start > address) { /* the region lies above: end before it */
        if (start < range_end)
            range_end = start;
    } else if (end <= address) {
        if (end > range_start)
            range_start = end;
    } else {
        range_start = start > range_start ? start : range_start;
        range_end = end < range_end ? end : range_end;
    }
    range->start = (uint32_t)range_start;
    range->size = (uint32_t)(range_end - range_start);
}

/* Whether the address is in a region; the range is narrowed to where the answer is the same. */
static bool region_has(uint32_t rbar, uint32_t rasr, uint32_t address, struct range *range) {
    if (!(rasr & RASR_ENABLE))
        return false;
    uint64_t size = region_size(rasr), base = rbar & ~(size - 1);
    narrow(range, base, base + size, address);
    if (address < base || address - base >= size)
        return false;
    if (size < 256) /* no subregions */
        return true;
    unsigned part = (unsigned)((address - base) / (size / 8));
    narrow(range, base + part * (size / 8), base + (part + 1) * (size / 8), address);
    return !(rasr >> 8 >> part & 1);
}

static bool is_on(struct board *b) {
    if (!(b->mpu.ctrl & MPU_ENABLE))
        return false;
    return b->mpu.ctrl & MPU_HFNMIENA || nvic_running(b) >= 0;
}

struct mpu_rights mpu_rights(struct board *b, uint32_t address, bool privileged,
                             struct range *range) {
    narrow(range, address & ~0x1FFFFFFFull, (address & ~0x1FFFFFFFull) + 0x20000000, address);
    narrow(range, PPB_BASE, (uint64_t)PPB_BASE + PPB_SIZE, address);
    if (!is_on(b) || address - PPB_BASE < PPB_SIZE)
        return default_rights(address);
    for (unsigned i = MPU_REGIONS; i-- > 0;)
        if (region_has(b->mpu.rbar[i], b->mpu.rasr[i], address, range)) {
            struct mpu_rights rights = region_rights(b->mpu.rasr[i], privileged);
            rights.execute &= address < 0xE0000000; /* B3.1: always execute never */
            return rights;
        }
    if (privileged && b->mpu.ctrl & MPU_PRIVDEFENA)
        return default_rights(address);
    return (struct mpu_rights){false, false, false};
}

/* ------------------------------------------------------------------------------------------------
 * Registers, B3.5.4 to B3.5.9; offset from 0xE000ED90 */

uint32_t mpu_read(struct board *b, uint32_t offset) {
    unsigned i = b->mpu.rnr;

    switch (offset) {
    case 0x00: return MPU_REGIONS << 8;
    case 0x04: return b->mpu.ctrl;
    case 0x08: return i;
    case 0x0C:
    case 0x14:
    case 0x1C:
    case 0x24: return b->mpu.rbar[i] | i;
    case 0x10:
    case 0x18:
    case 0x20:
    case 0x28: return b->mpu.rasr[i];
    default: return 0;
    }
}

static void write_rbar(struct mpu *mpu, uint32_t value) {
    if (value & 1 << 4) { /* VALID */
        if ((value & 15) >= MPU_REGIONS)
            return;
        mpu->rnr = value & 15;
    }
    mpu->rbar[mpu->rnr] = value & ~31u;
}

void mpu_write(struct board *b, uint32_t offset, uint32_t value) {
    switch (offset) {
    case 0x04: b->mpu.ctrl = value & 7; break;
    case 0x08: b->mpu.rnr = value % MPU_REGIONS; break;
    case 0x0C:
    case 0x14:
    case 0x1C:
    case 0x24: write_rbar(&b->mpu, value); break;
    case 0x10:
    case 0x18:
    case 0x20:
    case 0x28: b->mpu.rasr[b->mpu.rnr] = value & 0x173FFF3F; break;
    default: break;
    }
    cpu_forget(b);
}
