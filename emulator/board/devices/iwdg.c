/* SPDX-License-Identifier: MIT */
/*
 * Independent watchdog (RM0090 21), on an LSI of exactly 32 kHz. Once started only a reset stops it.
 * PR and RLR take five periods of the LSI to get into its domain (PVU, RVU). Before the watchdog is
 * started they never arrive, whether RCC_CSR.LSION is set or not: the manual does not say so, but that is
 * what was measured on a Discovery board (ST community, "IWDG findings", 2017).
 */
#include "regs.h"

enum { KR, PR, RLR, SR, REGS };
enum { KEY_START = 0xCCCC, KEY_RELOAD = 0xAAAA, KEY_ACCESS = 0x5555 };
enum { SR_PVU = BIT(0), SR_RVU = BIT(1), LSI_HZ = 32000, UPDATE_TICKS = 5 };
enum { COUNTER_RESET = 0xFFF };

struct iwdg {
    struct regs regs;
    struct ticks lsi;
    struct board_event expired, arrived; /* the counter's end; PR or RLR get there */
    bool started, access;
    uint32_t prescaler, reload; /* as they have arrived */
    uint64_t updated[2];        /* ticks at which PR, RLR arrive */
    uint64_t since;             /* tick at which the counter was `count` */
    uint32_t count;
};

static unsigned divider(const struct iwdg *w) {
    return 4u << (w->prescaler < 6 ? w->prescaler : 6);
}

static void lsi_update(struct device *d) {
    struct iwdg *w = d->state;
    ticks_rate(d->board, &w->lsi, w->started ? LSI_HZ : 0);
}

static void count_from(struct device *d, uint32_t count) {
    struct iwdg *w = d->state;
    if (!w->started)
        return;
    w->since = w->lsi.count;
    w->count = count;
    uint64_t end = w->since + (uint64_t)(count + 1) * divider(w);
    board_event_at(d->board, &w->expired, ticks_cycle(&w->lsi, end));
}

static uint32_t count_now(const struct iwdg *w) {
    uint64_t passed = (w->lsi.count - w->since) / divider(w);
    return passed < w->count ? w->count - (uint32_t)passed : 0;
}

/* Brings the LSI's time up to now, and what has arrived by then. */
static void settle(struct device *d) {
    struct iwdg *w = d->state;
    uint32_t *r = regs_of(d);
    lsi_update(d);
    if (r[SR] & SR_PVU && w->lsi.count >= w->updated[0]) {
        uint32_t count = count_now(w);
        r[SR] &= ~(uint32_t)SR_PVU;
        w->prescaler = r[PR];
        count_from(d, count);
    }
    if (r[SR] & SR_RVU && w->lsi.count >= w->updated[1]) {
        r[SR] &= ~(uint32_t)SR_RVU;
        w->reload = r[RLR];
    }
}

/* The next of PR and RLR that is under way. */
static void schedule_arrival(struct device *d) {
    struct iwdg *w = d->state;
    uint32_t sr = regs_of(d)[SR];
    uint64_t pr = sr & SR_PVU ? w->updated[0] : UINT64_MAX;
    uint64_t rlr = sr & SR_RVU ? w->updated[1] : UINT64_MAX;
    board_event_cancel(d->board, &w->arrived);
    if (sr && w->lsi.hz)
        board_event_at(d->board, &w->arrived, ticks_cycle(&w->lsi, pr < rlr ? pr : rlr));
}

static void arrived(struct board_event *event) {
    settle(event->device);
    schedule_arrival(event->device);
}

static void expired(struct board_event *event) {
    struct device *d = event->device;
    struct iwdg *w = d->state;
    settle(d);
    if (!w->expired.queued) /* a prescaler that has just arrived moves the end */
        board_request_reset(d->board, BOARD_RESET_WATCHDOG);
}

static void kr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    struct iwdg *w = d->state;
    (void)index, (void)old;
    settle(d);
    w->access = (written & 0xFFFF) == KEY_ACCESS;
    switch (written & 0xFFFF) {
    case KEY_RELOAD: count_from(d, w->reload); break;
    case KEY_START:
        if (w->started)
            break;
        w->started = true;
        lsi_update(d);
        count_from(d, COUNTER_RESET); /* 21.3: not from RLR */
        schedule_arrival(d);
        break;
    default: break;
    }
}

/* PR and RLR: behind the key, and not while the value before is still under way. */
static void setting_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    struct iwdg *w = d->state;
    uint32_t *r = regs_of(d), flag = index == PR ? SR_PVU : SR_RVU;
    uint32_t value = r[index];
    (void)written;
    r[index] = old;
    settle(d);
    if (!w->access || r[SR] & flag) {
        board_note(d->board, "IWDG: %s written %s", regs_config(d)->regs[index].name,
                   w->access ? "while its last value is under way" : "without the key 0x5555");
        return;
    }
    r[index] = value;
    r[SR] |= flag;
    w->updated[index - PR] = w->lsi.count + UPDATE_TICKS;
    schedule_arrival(d);
}

static uint32_t sr_read(struct device *d, unsigned index) {
    settle(d);
    return regs_of(d)[index];
}

static const struct reg iwdg_regs[REGS] = {
    [KR] = {"KR", .write = kr_write},
    [PR] = {"PR", .writable = 7, .write = setting_write},
    [RLR] = {"RLR", .reset = 0xFFF, .writable = 0xFFF, .write = setting_write},
    [SR] = {"SR", .read = sr_read},
};

static void iwdg_reset(struct device *d, enum board_reset_cause cause) {
    struct iwdg *w = d->state;
    struct regs regs = w->regs;
    (void)cause;
    board_event_cancel(d->board, &w->expired);
    board_event_cancel(d->board, &w->arrived);
    *w = (struct iwdg){.regs = regs, .reload = 0xFFF};
    w->expired.fire = expired;
    w->arrived.fire = arrived;
    w->expired.device = w->arrived.device = d;
    regs_reset(d);
    lsi_update(d);
}

static void clock_changed(struct device *d) {
    struct iwdg *w = d->state;
    lsi_update(d);
    schedule_arrival(d);
    if (w->started && w->expired.queued)
        board_event_at(d->board, &w->expired,
                       ticks_cycle(&w->lsi, w->since + (uint64_t)(w->count + 1) * divider(w)));
}

const struct device_type device_iwdg = {
    .name = "IWDG",
    .base = 0x40003000,
    .size = 0x400,
    .state_size = sizeof(struct iwdg),
    .reset = iwdg_reset,
    .read = regs_read,
    .write = regs_write,
    .clock_changed = clock_changed,
    .config = &(const struct regs_config){.regs = iwdg_regs, .count = REGS},
};
