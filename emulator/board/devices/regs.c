/* SPDX-License-Identifier: MIT */
#include "regs.h"

enum { AHB_BASE = 0x40020000 };

void regs_reset(struct device *d) {
    const struct regs_config *config = regs_config(d);
    struct regs *regs = d->state;
    for (unsigned i = 0; i < config->count; i++)
        regs->r[i] = config->regs[i].reset;
    regs->noted = false;
}

bool regs_clocked(struct device *d) {
    struct regs *regs = d->state;
    struct clock_gate gate = regs_config(d)->gate;
    if (!gate.enr)
        return true;
    if (!regs->rcc)
        regs->rcc = board_device(d->board, &device_rcc);
    return rcc_gate_open(regs->rcc, gate);
}

/* The register at an offset; null: none, or none that answers. */
static const struct reg *find(struct device *d, uint32_t offset, const char *access) {
    const struct regs_config *config = regs_config(d);
    struct regs *regs = d->state;
    if (!regs_clocked(d)) {
        if (!regs->noted)
            board_note(d->board, "%s of %s while its clock is off (RCC)", access, d->type->name);
        regs->noted = true;
        return NULL;
    }
    unsigned index = offset / 4;
    return index < config->count && config->regs[index].name ? &config->regs[index] : NULL;
}

bool regs_read(struct device *d, uint32_t offset, unsigned size, uint32_t *value) {
    const struct reg *reg = find(d, offset, "read");
    uint32_t word = 0;
    if (reg)
        word = reg->read ? reg->read(d, offset / 4) : regs_of(d)[offset / 4];
    word >>= offset % 4 * 8;
    *value = size == 4 ? word : word & (BIT(size * 8) - 1);
    return true;
}

/*
 * What reaches the register of a narrow store (RM0090 2.3): the bridge to APB repeats byte or half-word
 * over all lanes; AHB writes only the lanes that are meant.
 */
static uint32_t widen(const struct device *d, uint32_t offset, unsigned size, uint32_t *value) {
    if (size == 4)
        return UINT32_MAX;
    uint32_t mask = BIT(size * 8) - 1;
    *value &= mask;
    if (d->type->base < AHB_BASE) {
        *value *= size == 1 ? 0x01010101 : 0x00010001;
        return UINT32_MAX;
    }
    *value <<= offset % 4 * 8;
    return mask << offset % 4 * 8;
}

bool regs_write(struct device *d, uint32_t offset, unsigned size, uint32_t value) {
    const struct reg *reg = find(d, offset, "write");
    if (!reg)
        return true;
    uint32_t *stored = &regs_of(d)[offset / 4];
    uint32_t old = *stored;
    uint32_t lanes = widen(d, offset, size, &value);
    uint32_t writable = reg->writable & lanes;
    *stored = (old & ~writable) | (value & writable);
    *stored &= ~((~value & reg->clear0 & lanes) | (value & reg->clear1 & lanes));
    if (reg->write)
        reg->write(d, offset / 4, value, old);
    return true;
}

__extension__ typedef unsigned __int128 wide; /* cycles times hertz is more than 64 bits */

uint64_t ticks_now(const struct board *b, const struct ticks *t) {
    uint64_t cycles = board_cycles(b) - t->since;
    if (!t->hz || !t->core_hz)
        return t->count;
    return t->count +
           (t->hz == t->core_hz ? cycles : (uint64_t)((wide)cycles * t->hz / t->core_hz));
}

void ticks_rate(const struct board *b, struct ticks *t, uint32_t hz) {
    uint64_t count = ticks_now(b, t);
    bool same = t->hz == hz && t->core_hz == board_clocks(b)->core_hz;
    /* At the same rate the part of a tick that has passed stays: a guest that polls sees time pass. */
    if (!same)
        t->since = board_cycles(b);
    else if (count != t->count)
        t->since = ticks_cycle(t, count);
    t->count = count;
    t->hz = hz;
    t->core_hz = board_clocks(b)->core_hz;
}

uint64_t ticks_cycle(const struct ticks *t, uint64_t tick) {
    if (!t->hz)
        return UINT64_MAX;
    if (tick <= t->count)
        return t->since;
    wide cycles = ((wide)(tick - t->count) * t->core_hz + t->hz - 1) / t->hz;
    return cycles > UINT64_MAX - t->since ? UINT64_MAX : t->since + (uint64_t)cycles;
}
