/* SPDX-License-Identifier: MIT */
/*
 * Window watchdog (RM0090 22): counts down on APB1 / 4096, resets below 0x40 or when it is refreshed too
 * early; its interrupt comes at 0x40.
 */
#include "regs.h"

enum { CR, CFR, SR, REGS };
enum { CR_WDGA = BIT(7), CFR_EWI = BIT(9), SR_EWIF = BIT(0), T_MAX = 0x7F, T_LAST = 0x40 };

struct wwdg {
    struct regs regs;
    struct ticks clock;
    struct board_event due;
    uint64_t since; /* tick at which CR was written */
};

static uint32_t period(const struct device *d) {
    return 4096u << (regs_of(d)[CFR] >> 7 & 3);
}

/* CR keeps the counter as it was written. */
static uint32_t count_now(struct device *d) {
    const struct wwdg *w = d->state;
    uint64_t passed = (ticks_now(d->board, &w->clock) - w->since) / period(d);
    return (uint32_t)(regs_of(d)[CR] - passed) & T_MAX;
}

static void irq_update(struct device *d) {
    board_irq(d->board, regs_config(d)->irq, regs_of(d)[CFR] & CFR_EWI && regs_of(d)[SR] & SR_EWIF);
}

/* Next the counter reaches 0x40, or from there the next value. */
static void schedule(struct device *d) {
    struct wwdg *w = d->state;
    uint32_t t = count_now(d);
    uint64_t passed = (ticks_now(d->board, &w->clock) - w->since) / period(d);
    uint64_t left = t > T_LAST ? t - T_LAST : 1;
    if (regs_of(d)[CR] & CR_WDGA)
        board_event_at(d->board, &w->due,
                       ticks_cycle(&w->clock, w->since + (passed + left) * period(d)));
}

static void due(struct board_event *event) {
    struct device *d = event->device;
    uint32_t t = count_now(d);
    if (t < T_LAST) {
        board_request_reset(d->board, BOARD_RESET_WINDOW_WATCHDOG);
        return;
    }
    if (t == T_LAST)
        regs_of(d)[SR] |= SR_EWIF;
    irq_update(d);
    schedule(d);
}

static uint32_t cr_read(struct device *d, unsigned index) {
    return (regs_of(d)[index] & CR_WDGA) | count_now(d);
}

static void cr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    struct wwdg *w = d->state;
    uint32_t *r = regs_of(d), now = r[index];
    r[index] = old;
    bool early = old & CR_WDGA && count_now(d) > (r[CFR] & T_MAX);
    r[index] = now | (old & CR_WDGA); /* set only by software, cleared only by reset */
    w->since = ticks_now(d->board, &w->clock);
    if (r[index] & CR_WDGA && (early || !(written & T_LAST)))
        board_request_reset(d->board, BOARD_RESET_WINDOW_WATCHDOG);
    schedule(d);
}

static void cfr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)written;
    regs_of(d)[index] |= old & CFR_EWI; /* cleared only by reset */
    schedule(d);
    irq_update(d);
}

static void sr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)index, (void)written, (void)old;
    irq_update(d);
}

static const struct reg wwdg_regs[REGS] = {
    [CR] = {"CR", .reset = 0x7F, .writable = 0xFF, .read = cr_read, .write = cr_write},
    [CFR] = {"CFR", .reset = 0x7F, .writable = 0x3FF, .write = cfr_write},
    [SR] = {"SR", .clear0 = SR_EWIF, .write = sr_write},
};

static void clock_changed(struct device *d) {
    struct wwdg *w = d->state;
    ticks_rate(d->board, &w->clock, board_clocks(d->board)->apb1_hz);
    schedule(d);
}

static void wwdg_reset(struct device *d, enum board_reset_cause cause) {
    struct wwdg *w = d->state;
    (void)cause;
    board_event_cancel(d->board, &w->due);
    w->due.fire = due;
    w->due.device = d;
    regs_reset(d);
    clock_changed(d);
    w->since = w->clock.count;
    irq_update(d);
}

const struct device_type device_wwdg = {
    .name = "WWDG",
    .base = 0x40002C00,
    .size = 0x400,
    .state_size = sizeof(struct wwdg),
    .reset = wwdg_reset,
    .read = regs_read,
    .write = regs_write,
    .clock_changed = clock_changed,
    .config =
        &(const struct regs_config){.regs = wwdg_regs, .count = REGS, .irq = 0, .gate = {0x40, 11}},
};
