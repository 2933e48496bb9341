/* SPDX-License-Identifier: MIT */
/*
 * Timers TIM1 to TIM14 (RM0090 17 to 20): counting in all directions, prescaler and preload registers,
 * repetition counter, one-pulse mode, update and compare flags and interrupts, triggers for the ADCs.
 * Input capture, gated and external clocks, chains of timers and DMA are not modelled.
 *
 * A timer is not looked at for every count. tim_sync() brings it from the tick of the last look to now,
 * from one boundary of the counter to the next, and skips whole rounds once nothing new can come of
 * them. Events are only for what somebody waits for: an enabled interrupt, a trigger of an ADC.
 */
#include "tim.h"

enum { EGR_UG = BIT(0), EGR_BG = BIT(7), SMS = 7, MMS_UPDATE = 2, NO_SOURCE = 0xFF };
enum { CR2_MMS_SHIFT = 4, SR_CC = 0x1E };

/* ------------------------------------------------------------------------------------------------
 * Interrupts */

/* Interrupt lines: update, compare, trigger, break; and EXTSEL of TRGO and of the channels' compare. */
static const struct {
    uint8_t irq[TIM_IRQS];
    uint8_t trgo, cc[TIM_CHANNELS];
} wiring[TIMERS + 1] = {
#define NO NO_SOURCE
    [1] = {{25, 27, 26, 24}, NO, {0, 1, 2, NO}},
    [2] = {{28, 28, 28, 28}, 6, {NO, 3, 4, 5}},
    [3] = {{29, 29, 29, 29}, 8, {7, NO, NO, NO}},
    [4] = {{30, 30, 30, 30}, NO, {NO, NO, NO, 9}},
    [5] = {{50, 50, 50, 50}, NO, {10, 11, 12, NO}},
    [6] = {{54, 54, 54, 54}, NO, {NO, NO, NO, NO}},
    [7] = {{55, 55, 55, 55}, NO, {NO, NO, NO, NO}},
    [8] = {{44, 46, 45, 43}, 14, {13, NO, NO, NO}},
    [9] = {{24, 24, 24, 24}, NO, {NO, NO, NO, NO}},
    [10] = {{25, 25, 25, 25}, NO, {NO, NO, NO, NO}},
    [11] = {{26, 26, 26, 26}, NO, {NO, NO, NO, NO}},
    [12] = {{43, 43, 43, 43}, NO, {NO, NO, NO, NO}},
    [13] = {{44, 44, 44, 44}, NO, {NO, NO, NO, NO}},
    [14] = {{45, 45, 45, 45}, NO, {NO, NO, NO, NO}},
#undef NO
};

static struct tim *tim_of(const struct device *d) {
    return d->state;
}

static unsigned number(const struct device *d) {
    return regs_config(d)->number;
}

/* A line is up while any of the timers on it wants it. */
static void line_update(struct board *b, unsigned irq) {
    bool level = false;
    for (unsigned n = 1; n <= TIMERS; n++) {
        const struct tim *t = board_device(b, tim_types[n])->state;
        for (unsigned i = 0; i < TIM_IRQS; i++)
            level |= t->wants[i] && wiring[n].irq[i] == irq;
    }
    board_irq(b, irq, level);
}

static void irq_update(struct device *d) {
    static const uint32_t flags[TIM_IRQS] = {TIM_SR_UIF, SR_CC, 0x60, TIM_SR_BIF};
    uint32_t active = regs_of(d)[TIM_SR] & regs_of(d)[TIM_DIER];
    for (unsigned i = 0; i < TIM_IRQS; i++) {
        bool *wants = &tim_of(d)->wants[i], now = active & flags[i];
        if (*wants == now)
            continue;
        *wants = now;
        line_update(d->board, wiring[number(d)].irq[i]);
    }
}

/* ------------------------------------------------------------------------------------------------
 * Counting */

static bool is_encoder(const struct device *d) {
    unsigned mode = regs_of(d)[TIM_SMCR] & SMS;
    return mode >= 1 && mode <= 3;
}

static bool is_centred(const struct device *d) {
    return regs_of(d)[TIM_CR1] & TIM_CR1_CMS && !is_encoder(d);
}

/* ARR = 0 blocks the counter (18.3.1). */
static bool is_counting(const struct device *d) {
    return regs_of(d)[TIM_CR1] & TIM_CR1_CEN && tim_of(d)->arr;
}

static uint32_t counter_max(const struct device *d) {
    return regs_config(d)->regs[TIM_CNT].writable;
}

static void fire(struct device *d, unsigned source) {
    if (source != NO_SOURCE)
        adc_trigger(d->board, source);
}

static unsigned master_mode(const struct device *d) {
    return regs_of(d)[TIM_CR2] >> CR2_MMS_SHIFT & 7;
}

/* The counter has got to the compare value. TRGO as OCxREF (MMS 4 to 7) is taken at the match. */
static void match(struct device *d, unsigned channel) {
    unsigned n = number(d), mms = master_mode(d);
    regs_of(d)[TIM_SR] |= BIT(1 + channel) & regs_config(d)->regs[TIM_SR].clear0;
    fire(d, wiring[n].cc[channel]);
    if (mms == 4 + channel || (mms == 3 && channel == 0))
        fire(d, wiring[n].trgo);
}

static void load_shadows(struct device *d) {
    struct tim *t = tim_of(d);
    const uint32_t *r = regs_of(d);
    t->psc = r[TIM_PSC];
    if (t->prescaled > t->psc) /* the encoder counts past the prescaler */
        t->prescaled = 0;
    t->arr = r[TIM_ARR];
    t->repeat = r[TIM_RCR];
    for (unsigned i = 0; i < TIM_CHANNELS; i++)
        t->ccr[i] = r[TIM_CCR1 + i];
}

/* The update event (17.3.2), of an overflow or of software's UG. */
static void update_event(struct device *d, bool software) {
    uint32_t *r = regs_of(d);
    if (r[TIM_CR1] & TIM_CR1_UDIS)
        return;
    load_shadows(d);
    if (!software || !(r[TIM_CR1] & TIM_CR1_URS))
        r[TIM_SR] |= TIM_SR_UIF;
    if (r[TIM_CR1] & TIM_CR1_OPM && !software)
        r[TIM_CR1] &= ~(uint32_t)TIM_CR1_CEN;
    if (r[TIM_BDTR] & TIM_BDTR_AOE && !tim_break_active(d))
        r[TIM_BDTR] |= TIM_BDTR_MOE;
    if (master_mode(d) == MMS_UPDATE || (master_mode(d) == 0 && software))
        fire(d, wiring[number(d)].trgo);
}

static void boundary(struct device *d) {
    struct tim *t = tim_of(d);
    if (t->repeat)
        t->repeat--;
    else
        update_event(d, false);
}

/* Counts until the counter turns or wraps; not 0. */
static uint64_t distance(const struct device *d) {
    const struct tim *t = tim_of(d);
    uint32_t cnt = regs_of(d)[TIM_CNT];
    bool down = regs_of(d)[TIM_CR1] & TIM_CR1_DIR;
    if (is_centred(d)) {
        if (down)
            return cnt ? cnt : 1;
        return cnt < t->arr ? t->arr - cnt : 1;
    }
    if (down)
        return (uint64_t)cnt + 1;
    return cnt <= t->arr ? (uint64_t)t->arr - cnt + 1 : (uint64_t)counter_max(d) - cnt + 1;
}

/* Flags of the compare values between the counter and where it gets by `step` counts, without a turn. */
static void pass(struct device *d, uint64_t step, bool down) {
    const struct tim *t = tim_of(d);
    uint32_t *r = regs_of(d);
    uint64_t cnt = r[TIM_CNT];
    unsigned cms = r[TIM_CR1] >> 5 & 3;
    bool counts = !is_centred(d) || cms == 3 || cms == (down ? 1u : 2u);
    for (unsigned i = 0; i < TIM_CHANNELS && counts; i++) {
        uint64_t ccr = t->ccr[i];
        if (tim_is_output(r, i) &&
            (down ? ccr < cnt && ccr + step >= cnt : ccr > cnt && ccr <= cnt + step))
            match(d, i);
    }
    r[TIM_CNT] = (uint32_t)(down ? cnt - step : cnt + step);
}

/* The counter jumps to the other end. There a compare value can lie; one beyond ARR matches as well. */
static void wrap(struct device *d, bool down) {
    uint32_t *r = regs_of(d);
    bool overflow = down || r[TIM_CNT] == tim_of(d)->arr;
    uint32_t arr = tim_of(d)->arr;
    if (overflow)
        boundary(d);
    r[TIM_CNT] = down ? tim_of(d)->arr : 0;
    for (unsigned i = 0; i < TIM_CHANNELS; i++) {
        uint32_t ccr = tim_of(d)->ccr[i];
        if (tim_is_output(r, i) && (ccr == r[TIM_CNT] || ccr > arr))
            match(d, i);
    }
}

/* `step` counts, at most distance(). */
static void move(struct device *d, uint64_t step) {
    uint32_t *r = regs_of(d);
    bool down = r[TIM_CR1] & TIM_CR1_DIR, all = step == distance(d);
    if (is_centred(d)) {
        uint32_t arr = tim_of(d)->arr, up = r[TIM_CNT] < arr ? arr - r[TIM_CNT] : 0;
        if (step <= (down ? r[TIM_CNT] : up))
            pass(d, step, down);
        if (all) {
            r[TIM_CR1] ^= TIM_CR1_DIR;
            boundary(d);
        }
        return;
    }
    pass(d, all ? step - 1 : step, down);
    if (all)
        wrap(d, down);
}

void tim_count(struct device *d) {
    if (is_counting(d))
        move(d, 1);
}

/* Ticks after which everything comes again: all boundaries of a repetition. */
static uint64_t round_ticks(const struct device *d) {
    const struct tim *t = tim_of(d);
    uint64_t counts = is_centred(d) ? (uint64_t)t->arr * 2 : (uint64_t)t->arr + 1;
    return counts * (t->psc + 1) * ((uint64_t)regs_of(d)[TIM_RCR] + 1);
}

static void advance(struct device *d, uint64_t ticks) {
    struct tim *t = tim_of(d);
    uint64_t boundaries = 0, settled = 2 * (uint64_t)regs_of(d)[TIM_RCR] + 4;
    while (ticks && is_counting(d)) {
        uint64_t divider = (uint64_t)t->psc + 1;
        uint64_t whole = distance(d) * divider - t->prescaled;
        if (ticks < whole) {
            uint64_t sum = t->prescaled + ticks;
            t->prescaled = (uint32_t)(sum % divider);
            if (sum >= divider)
                move(d, sum / divider);
            return;
        }
        ticks -= whole;
        t->prescaled = 0;
        move(d, distance(d));
        if (++boundaries == settled)
            ticks %= round_ticks(d);
    }
}

void tim_sync(struct device *d) {
    struct tim *t = tim_of(d);
    uint64_t now = ticks_now(d->board, &t->clock), ticks = now - t->synced;
    t->synced = now;
    if (is_counting(d) && !is_encoder(d))
        advance(d, ticks);
}

/* ------------------------------------------------------------------------------------------------
 * What is waited for */

static bool waits_for_update(const struct device *d) {
    return regs_of(d)[TIM_DIER] & TIM_SR_UIF ||
           (master_mode(d) == MMS_UPDATE && wiring[number(d)].trgo != NO_SOURCE &&
            adc_listens(d->board, wiring[number(d)].trgo));
}

static bool waits_for_match(const struct device *d, unsigned channel) {
    unsigned source = wiring[number(d)].cc[channel], trgo = wiring[number(d)].trgo;
    unsigned mms = master_mode(d);
    bool triggers = mms == 4 + channel || (mms == 3 && channel == 0);
    return regs_of(d)[TIM_DIER] & BIT(1 + channel) ||
           (source != NO_SOURCE && adc_listens(d->board, source)) ||
           (triggers && trgo != NO_SOURCE && adc_listens(d->board, trgo));
}

/* Counts until the counter gets to a value before it turns; UINT64_MAX: it does not. */
static uint64_t counts_to(const struct device *d, uint32_t value) {
    uint64_t cnt = regs_of(d)[TIM_CNT];
    bool down = regs_of(d)[TIM_CR1] & TIM_CR1_DIR;
    uint64_t counts = down ? cnt - value : value - cnt;
    return (down ? value < cnt : value > cnt) && counts < distance(d) ? counts : UINT64_MAX;
}

/* The next boundary, since shadows change there and matches lie behind it, or a match before it. */
static void schedule(struct device *d) {
    struct tim *t = tim_of(d);
    bool waits = waits_for_update(d);
    uint64_t counts = distance(d);
    for (unsigned i = 0; i < TIM_CHANNELS; i++) {
        if (!waits_for_match(d, i))
            continue;
        waits = true;
        uint64_t to = counts_to(d, t->ccr[i]);
        counts = to < counts ? to : counts;
    }
    if (!waits || !is_counting(d) || is_encoder(d)) {
        board_event_cancel(d->board, &t->event);
        return;
    }
    uint64_t tick = t->synced + counts * ((uint64_t)t->psc + 1) - t->prescaled;
    board_event_at(d->board, &t->event, ticks_cycle(&t->clock, tick));
}

void tim_changed(struct device *d) {
    irq_update(d);
    schedule(d);
}

static void event(struct board_event *e) {
    tim_sync(e->device);
    tim_changed(e->device);
}

void tim_triggers_changed(struct board *b) {
    for (unsigned n = 1; n <= TIMERS; n++) {
        struct device *d = board_device(b, tim_types[n]);
        if (!is_counting(d))
            continue;
        tim_sync(d);
        tim_changed(d);
    }
}

/* ------------------------------------------------------------------------------------------------
 * Registers */

static uint32_t synced_read(struct device *d, unsigned index) {
    tim_sync(d);
    tim_changed(d);
    return regs_of(d)[index];
}

static void generate(struct device *d, uint32_t egr) {
    struct tim *t = tim_of(d);
    uint32_t *r = regs_of(d);
    r[TIM_SR] |= egr & 0x7E & regs_config(d)->regs[TIM_SR].clear0;
    if (egr & EGR_BG && tim_is_advanced(d)) {
        r[TIM_SR] |= TIM_SR_BIF;
        r[TIM_BDTR] &= ~(uint32_t)TIM_BDTR_MOE;
    }
    if (!(egr & EGR_UG))
        return;
    update_event(d, true);
    t->prescaled = 0;
    r[TIM_CNT] = !is_centred(d) && r[TIM_CR1] & TIM_CR1_DIR ? t->arr : 0;
}

/* 17.4.18: from level 1 on these bits keep their values until reset, and so does the level. */
static void bdtr_write(struct device *d, uint32_t old) {
    static const uint32_t locked[4] = {0, 0x73FF, 0x7FFF, 0x7FFF};
    uint32_t *bdtr = &regs_of(d)[TIM_BDTR], kept = locked[old >> 8 & 3];
    *bdtr = (*bdtr & ~kept) | (old & kept);
    if (tim_break_active(d)) {
        *bdtr &= ~(uint32_t)TIM_BDTR_MOE;
        regs_of(d)[TIM_SR] |= TIM_SR_BIF;
    }
}

/* DIR belongs to the hardware in centre-aligned and encoder mode (17.4.1). */
static void cr1_write(struct device *d, uint32_t old) {
    uint32_t *cr1 = &regs_of(d)[TIM_CR1];
    if (old & TIM_CR1_CMS || is_encoder(d))
        *cr1 = (*cr1 & ~(uint32_t)TIM_CR1_DIR) | (old & TIM_CR1_DIR);
    if (*cr1 & ~old & TIM_CR1_CEN && master_mode(d) == 1)
        fire(d, wiring[number(d)].trgo);
}

static void smcr_write(struct device *d) {
    if ((regs_of(d)[TIM_SMCR] & SMS) > 3)
        board_note(d->board, "%s: slave mode %u is not modelled", d->type->name,
                   (unsigned)(regs_of(d)[TIM_SMCR] & SMS));
}

static void apply(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    struct tim *t = tim_of(d);
    uint32_t *r = regs_of(d);
    unsigned channel = index - TIM_CCR1;
    if (index == TIM_CR1)
        cr1_write(d, old);
    else if (index == TIM_SMCR)
        smcr_write(d);
    else if (index == TIM_EGR)
        generate(d, written);
    else if (index == TIM_BDTR)
        bdtr_write(d, old);
    else if (index == TIM_ARR && !(r[TIM_CR1] & TIM_CR1_ARPE))
        t->arr = r[TIM_ARR];
    else if (channel < TIM_CHANNELS && !(tim_channel_mode(r, channel) & 8)) /* OCxPE */
        t->ccr[channel] = r[index];
}

/* The store is undone, time comes up to now with the values from before, and then it counts. */
static void write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    uint32_t *r = regs_of(d), now = r[index];
    r[index] = old;
    tim_sync(d);
    if (index == TIM_SR) /* flags that have come up in between go by the same rule */
        r[index] &= written | ~regs_config(d)->regs[TIM_SR].clear0;
    else
        r[index] = now;
    apply(d, index, written, old);
    tim_changed(d);
}

/* clang-format off */
#define R(name, mask) {(mask) ? name : NULL, .writable = (mask), .write = write}
#define S(name, mask) {(mask) ? name : NULL, .writable = (mask), .read = synced_read, .write = write}
#define REGISTERS(cr1, cr2, smcr, dier, sr, ccmr1, ccmr2, ccer, width, rcr, channels, bdtr, or)    \
    {                                                                                              \
        [TIM_CR1] = S("CR1", cr1),                                                                 \
        [TIM_CR2] = R("CR2", cr2),                                                                 \
        [TIM_SMCR] = R("SMCR", smcr),                                                              \
        [TIM_DIER] = R("DIER", dier),                                                              \
        [TIM_SR] = {"SR", .clear0 = (sr), .read = synced_read, .write = write},                    \
        [TIM_EGR] = {"EGR", .write = write},                                                       \
        [TIM_CCMR1] = R("CCMR1", ccmr1),                                                           \
        [TIM_CCMR2] = R("CCMR2", ccmr2),                                                           \
        [TIM_CCER] = R("CCER", ccer),                                                              \
        [TIM_CNT] = S("CNT", width),                                                               \
        [TIM_PSC] = R("PSC", 0xFFFF),                                                              \
        [TIM_ARR] = {"ARR", .reset = (width), .writable = (width), .write = write},                \
        [TIM_RCR] = R("RCR", rcr),                                                                 \
        [TIM_CCR1] = R("CCR1", (channels) > 0 ? (width) : 0),                                      \
        [TIM_CCR1 + 1] = R("CCR2", (channels) > 1 ? (width) : 0),                                  \
        [TIM_CCR1 + 2] = R("CCR3", (channels) > 2 ? (width) : 0),                                  \
        [TIM_CCR1 + 3] = R("CCR4", (channels) > 2 ? (width) : 0),                                  \
        [TIM_BDTR] = S("BDTR", bdtr),                                                              \
        [TIM_DCR] = R("DCR", (channels) > 2 ? 0x1F1F : 0),                                         \
        [TIM_OR] = R("OR", or),                                                                    \
    }
/* Register maps: 17.4.21, 18.4.22, 19.4.13, 19.5.12, 20.4.9. */
static const struct reg advanced_regs[TIM_REGS] = REGISTERS(
    0x3FF, 0x7FFD, 0xFFF7, 0x7FFF, 0x1EFF, 0xFFFF, 0xFFFF, 0x3FFF, 0xFFFF, 0xFF, 4, 0xFFFF, 0);
static const struct reg wide_regs[TIM_REGS] = REGISTERS(
    0x3FF, 0xF8, 0xFFF7, 0x5F5F, 0x1E5F, 0xFFFF, 0xFFFF, 0xBBBB, 0xFFFFFFFF, 0, 4, 0, 0xCC0);
static const struct reg general_regs[TIM_REGS] = REGISTERS(
    0x3FF, 0xF8, 0xFFF7, 0x5F5F, 0x1E5F, 0xFFFF, 0xFFFF, 0xBBBB, 0xFFFF, 0, 4, 0, 0);
static const struct reg two_channel_regs[TIM_REGS] = REGISTERS(
    0x38F, 0, 0xF7, 0x47, 0x647, 0xFFFF, 0, 0xBB, 0xFFFF, 0, 2, 0, 0);
static const struct reg one_channel_regs[TIM_REGS] = REGISTERS(
    0x38F, 0, 0, 0x3, 0x203, 0xFF, 0, 0xB, 0xFFFF, 0, 1, 0, 3);
static const struct reg basic_regs[TIM_REGS] = REGISTERS(
    0x8F, 0x70, 0, 0x101, 0x1, 0, 0, 0, 0xFFFF, 0, 0, 0, 0);
/* clang-format on */

static uint32_t clock_hz(const struct device *d) {
    const struct board_clocks *c = board_clocks(d->board);
    return regs_config(d)->gate.enr == 0x44 ? c->timer2_hz : c->timer1_hz;
}

static void clock_changed(struct device *d) {
    struct tim *t = tim_of(d);
    tim_sync(d);
    ticks_rate(d->board, &t->clock, clock_hz(d));
    t->synced = t->clock.count;
    if (t->event.queued)
        schedule(d);
}

/* The shaft of the encoder stays where it is. */
static void tim_reset(struct device *d, enum board_reset_cause cause) {
    struct tim *t = tim_of(d);
    (void)cause;
    board_event_cancel(d->board, &t->event);
    t->event.fire = event;
    t->event.device = d;
    regs_reset(d);
    load_shadows(d);
    t->prescaled = 0;
    clock_changed(d);
    irq_update(d);
}

#define TIMER(n, address, table, ...)                                                              \
    const struct device_type device_tim##n = {                                                     \
        .name = "TIM" #n,                                                                          \
        .base = address,                                                                           \
        .size = 0x400,                                                                             \
        .state_size = sizeof(struct tim),                                                          \
        .reset = tim_reset,                                                                        \
        .read = regs_read,                                                                         \
        .write = regs_write,                                                                       \
        .clock_changed = clock_changed,                                                            \
        .config =                                                                                  \
            &(const struct regs_config){                                                           \
                .regs = table, .count = TIM_REGS, .number = n, .gate = __VA_ARGS__},               \
    };
TIMER(1, 0x40010000, advanced_regs, {0x44, 0})
TIMER(2, 0x40000000, wide_regs, {0x40, 0})
TIMER(3, 0x40000400, general_regs, {0x40, 1})
TIMER(4, 0x40000800, general_regs, {0x40, 2})
TIMER(5, 0x40000C00, wide_regs, {0x40, 3})
TIMER(6, 0x40001000, basic_regs, {0x40, 4})
TIMER(7, 0x40001400, basic_regs, {0x40, 5})
TIMER(8, 0x40010400, advanced_regs, {0x44, 1})
TIMER(9, 0x40014000, two_channel_regs, {0x44, 16})
TIMER(10, 0x40014400, one_channel_regs, {0x44, 17})
TIMER(11, 0x40014800, one_channel_regs, {0x44, 18})
TIMER(12, 0x40001800, two_channel_regs, {0x40, 6})
TIMER(13, 0x40001C00, one_channel_regs, {0x40, 7})
TIMER(14, 0x40002000, one_channel_regs, {0x40, 8})

const struct device_type *const tim_types[TIMERS + 1] = {
    NULL,          &device_tim1,  &device_tim2,  &device_tim3,  &device_tim4,
    &device_tim5,  &device_tim6,  &device_tim7,  &device_tim8,  &device_tim9,
    &device_tim10, &device_tim11, &device_tim12, &device_tim13, &device_tim14,
};
