/* SPDX-License-Identifier: MIT */
/* What the two halves of the timers share: tim.c counts, tim_pins.c looks at pins. */
#ifndef EMULATOR_BOARD_DEVICES_TIM_H
#define EMULATOR_BOARD_DEVICES_TIM_H

#include "regs.h"

enum { TIMERS = 14, TIM_CHANNELS = 4 };

enum tim_reg {
    TIM_CR1,
    TIM_CR2,
    TIM_SMCR,
    TIM_DIER,
    TIM_SR,
    TIM_EGR,
    TIM_CCMR1,
    TIM_CCMR2,
    TIM_CCER,
    TIM_CNT,
    TIM_PSC,
    TIM_ARR,
    TIM_RCR,
    TIM_CCR1,
    TIM_BDTR = 17,
    TIM_DCR,
    TIM_DMAR,
    TIM_OR,
    TIM_REGS
};

enum {
    TIM_CR1_CEN = BIT(0),
    TIM_CR1_UDIS = BIT(1),
    TIM_CR1_URS = BIT(2),
    TIM_CR1_OPM = BIT(3),
    TIM_CR1_DIR = BIT(4),
    TIM_CR1_CMS = 3 << 5,
    TIM_CR1_ARPE = BIT(7),
    TIM_SR_UIF = BIT(0),
    TIM_SR_BIF = BIT(7),
    TIM_BDTR_OSSI = BIT(10),
    TIM_BDTR_BKE = BIT(12),
    TIM_BDTR_BKP = BIT(13),
    TIM_BDTR_AOE = BIT(14),
    TIM_BDTR_MOE = BIT(15),
};

enum tim_irq { TIM_IRQ_UPDATE, TIM_IRQ_COMPARE, TIM_IRQ_TRIGGER, TIM_IRQ_BREAK, TIM_IRQS };

struct tim {
    struct regs regs;
    struct ticks clock; /* what the prescaler counts */
    uint64_t synced;    /* tick up to which all of this is right */
    uint32_t prescaled; /* ticks since the last count */
    uint32_t psc, arr;  /* in effect, behind the preload registers */
    uint32_t ccr[TIM_CHANNELS];
    uint32_t repeat;          /* overflows until the next update event */
    unsigned phase;           /* of the encoder's shaft, 0 to 3 */
    bool wants[TIM_IRQS];     /* interrupts, which share lines with other timers */
    struct board_event event; /* something that is waited for */
};

extern const struct device_type *const tim_types[TIMERS + 1]; /* by number; 0 is none */

void tim_sync(struct device *d);  /* counts up to now */
void tim_count(struct device *d); /* one count in the direction of CR1.DIR, for the encoder */
bool tim_break_active(const struct device *d); /* tim_pins.c */
void tim_changed(struct device *d); /* interrupts and events anew, after a change from outside */

static inline bool tim_is_advanced(const struct device *d) {
    return regs_config(d)->number == 1 || regs_config(d)->number == 8;
}

/* CCMR's half for a channel from 0. */
static inline unsigned tim_channel_mode(const uint32_t *r, unsigned channel) {
    return r[TIM_CCMR1 + channel / 2] >> channel % 2 * 8 & 0xFF;
}

/* Capture channels do not compare. */
static inline bool tim_is_output(const uint32_t *r, unsigned channel) {
    return (tim_channel_mode(r, channel) & 3) == 0;
}

/* --- between timers and ADCs --- */
void tim_triggers_changed(struct board *b); /* what the ADCs listen to */

/* adc.c. Sources are numbers of CR2.EXTSEL. */
bool adc_listens(struct board *b, unsigned source);
void adc_trigger(struct board *b, unsigned source);

#endif
