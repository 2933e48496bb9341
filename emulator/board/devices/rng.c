/* SPDX-License-Identifier: MIT */
/*
 * Random number generator (RM0090 24). A value is ready 40 periods of the PLL's 48 MHz after the generator
 * was switched on or the last one was read; without that clock none comes and CECS tells why. The numbers
 * are the same in every run (splitmix64), go on through resets and begin anew when power comes.
 */
#include "regs.h"

enum { CR, SR, DR, REGS };
enum { CR_RNGEN = BIT(2), CR_IE = BIT(3) };
enum { SR_DRDY = BIT(0), SR_CECS = BIT(1), SR_CEIS = BIT(5), SR_SEIS = BIT(6), PERIODS = 40 };

struct rng {
    struct regs regs;
    struct board_event ready;
    uint64_t sequence;
};

static uint32_t next(struct rng *rng) {
    uint64_t x = rng->sequence += 0x9E3779B97F4A7C15;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    return (uint32_t)(x ^ x >> 31);
}

static void irq_update(struct device *d) {
    const uint32_t *r = regs_of(d);
    board_irq(d->board, regs_config(d)->irq,
              r[CR] & CR_IE && r[SR] & (SR_DRDY | SR_CEIS | SR_SEIS));
}

/* Begins a value, if the generator is on and has a clock. */
static void update(struct device *d) {
    struct rng *rng = d->state;
    uint32_t *r = regs_of(d), hz = board_clocks(d->board)->usb_hz;
    bool on = r[CR] & CR_RNGEN;
    if (!on || !hz)
        board_event_cancel(d->board, &rng->ready);
    if (on && !hz)
        r[SR] |= r[SR] & SR_CECS ? 0 : SR_CECS | SR_CEIS;
    else
        r[SR] &= ~(uint32_t)SR_CECS;
    if (on && hz && !(r[SR] & SR_DRDY) && !rng->ready.queued)
        board_event_at(d->board, &rng->ready,
                       board_cycles(d->board) + board_cycles_of(d->board, PERIODS, hz));
    irq_update(d);
}

static void value_ready(struct board_event *event) {
    struct device *d = event->device;
    regs_of(d)[DR] = next(d->state);
    regs_of(d)[SR] |= SR_DRDY;
    irq_update(d);
}

static void cr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)written, (void)old;
    if (!(regs_of(d)[index] & CR_RNGEN))
        regs_of(d)[SR] &= ~(uint32_t)SR_DRDY;
    update(d);
}

static void sr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)index, (void)written, (void)old;
    irq_update(d);
}

static uint32_t dr_read(struct device *d, unsigned index) {
    uint32_t *r = regs_of(d), value = r[index];
    if (!(r[SR] & SR_DRDY)) {
        board_note(d->board, "RNG: DR read before DRDY");
        return 0;
    }
    r[SR] &= ~(uint32_t)SR_DRDY;
    r[index] = 0;
    update(d);
    return value;
}

static const struct reg rng_regs[REGS] = {
    [CR] = {"CR", .writable = CR_RNGEN | CR_IE, .write = cr_write},
    [SR] = {"SR", .clear0 = SR_CEIS | SR_SEIS, .write = sr_write},
    [DR] = {"DR", .read = dr_read},
};

static void rng_reset(struct device *d, enum board_reset_cause cause) {
    struct rng *rng = d->state;
    (void)cause;
    board_event_cancel(d->board, &rng->ready);
    rng->ready.fire = value_ready;
    rng->ready.device = d;
    regs_reset(d);
    update(d);
}

const struct device_type device_rng = {
    .name = "RNG",
    .base = 0x50060800,
    .size = 0x400,
    .state_size = sizeof(struct rng),
    .reset = rng_reset,
    .read = regs_read,
    .write = regs_write,
    .clock_changed = update,
    .config =
        &(const struct regs_config){.regs = rng_regs, .count = REGS, .irq = 80, .gate = {0x34, 6}},
};
