/* SPDX-License-Identifier: MIT */
/* The timers' pins: PWM as a duty, break inputs, and the encoder of the motor. */
#include "gpio.h"
#include "tim.h"

#define PORT(letter) ((letter) - 'A')

/* Data sheet, table 9. Channels from 1; a complementary output (CHxN) counts as negative, 0 is BKIN. */
static const struct timer_pin {
    uint8_t timer, alternate;
    int8_t channel;
    char port;
    uint8_t pin;
} timer_pins[] = {
    {1, 1, 1, 'A', 8},   {1, 1, 2, 'A', 9},   {1, 1, 3, 'A', 10},  {1, 1, 4, 'A', 11},
    {1, 1, 1, 'E', 9},   {1, 1, 2, 'E', 11},  {1, 1, 3, 'E', 13},  {1, 1, 4, 'E', 14},
    {1, 1, -1, 'A', 7},  {1, 1, -2, 'B', 0},  {1, 1, -3, 'B', 1},  {1, 1, -1, 'B', 13},
    {1, 1, -2, 'B', 14}, {1, 1, -3, 'B', 15}, {1, 1, -1, 'E', 8},  {1, 1, -2, 'E', 10},
    {1, 1, -3, 'E', 12}, {1, 1, 0, 'A', 6},   {1, 1, 0, 'B', 12},  {1, 1, 0, 'E', 15},
    {2, 1, 1, 'A', 0},   {2, 1, 1, 'A', 5},   {2, 1, 1, 'A', 15},  {2, 1, 2, 'A', 1},
    {2, 1, 2, 'B', 3},   {2, 1, 3, 'A', 2},   {2, 1, 3, 'B', 10},  {2, 1, 4, 'A', 3},
    {2, 1, 4, 'B', 11},  {3, 2, 1, 'A', 6},   {3, 2, 1, 'B', 4},   {3, 2, 1, 'C', 6},
    {3, 2, 2, 'A', 7},   {3, 2, 2, 'B', 5},   {3, 2, 2, 'C', 7},   {3, 2, 3, 'B', 0},
    {3, 2, 3, 'C', 8},   {3, 2, 4, 'B', 1},   {3, 2, 4, 'C', 9},   {4, 2, 1, 'B', 6},
    {4, 2, 1, 'D', 12},  {4, 2, 2, 'B', 7},   {4, 2, 2, 'D', 13},  {4, 2, 3, 'B', 8},
    {4, 2, 3, 'D', 14},  {4, 2, 4, 'B', 9},   {4, 2, 4, 'D', 15},  {5, 2, 1, 'A', 0},
    {5, 2, 2, 'A', 1},   {5, 2, 3, 'A', 2},   {5, 2, 4, 'A', 3},   {8, 3, 1, 'C', 6},
    {8, 3, 2, 'C', 7},   {8, 3, 3, 'C', 8},   {8, 3, 4, 'C', 9},   {8, 3, 1, 'I', 5},
    {8, 3, 2, 'I', 6},   {8, 3, 3, 'I', 7},   {8, 3, 4, 'I', 2},   {8, 3, -1, 'A', 5},
    {8, 3, -1, 'A', 7},  {8, 3, -2, 'B', 0},  {8, 3, -2, 'B', 14}, {8, 3, -3, 'B', 1},
    {8, 3, -3, 'B', 15}, {8, 3, 0, 'A', 6},   {8, 3, 0, 'I', 4},   {9, 3, 1, 'A', 2},
    {9, 3, 1, 'E', 5},   {9, 3, 2, 'A', 3},   {9, 3, 2, 'E', 6},   {10, 3, 1, 'B', 8},
    {10, 3, 1, 'F', 6},  {11, 3, 1, 'B', 9},  {11, 3, 1, 'F', 7},  {12, 9, 1, 'B', 14},
    {12, 9, 2, 'B', 15}, {13, 9, 1, 'A', 6},  {13, 9, 1, 'F', 8},  {14, 9, 1, 'A', 7},
    {14, 9, 1, 'F', 9},
};

/* ------------------------------------------------------------------------------------------------
 * PWM */

/* Share of time for which OCxREF is 1 in the modes of CCMR (17.3.10, 17.4.7); -1: it does not repeat. */
static double reference_duty(const struct device *d, unsigned channel) {
    const struct tim *t = d->state;
    const uint32_t *r = regs_of(d);
    unsigned mode = tim_channel_mode(r, channel) >> 4 & 7;
    bool centred = r[TIM_CR1] & TIM_CR1_CMS, down = r[TIM_CR1] & TIM_CR1_DIR;
    double period = centred ? t->arr : (double)t->arr + 1;
    double high = t->ccr[channel] + (!centred && down ? 1.0 : 0.0);
    double duty = !t->arr ? 0 : high >= period ? 1 : high / period;
    switch (mode) {
    case 4: return 0; /* forced */
    case 5: return 1;
    case 6: return duty;
    case 7: return 1 - duty;
    default: return -1; /* frozen, set, reset or toggled by matches */
    }
}

/* CCER's CCxE, CCxP, CCxNE, CCxNP of a channel. */
static unsigned enables(const uint32_t *r, unsigned channel) {
    return r[TIM_CCER] >> channel * 4 & 15;
}

/* With MOE = 0 a pin is left alone, or with OSSI = 1 goes to its idle level (table 94). */
static double idle_level(const uint32_t *r, const struct timer_pin *p, unsigned channel) {
    unsigned bit = 8 + channel * 2 + (p->channel < 0);
    return r[TIM_BDTR] & TIM_BDTR_OSSI ? (double)(r[TIM_CR2] >> bit & 1) : -1;
}

static unsigned channel_of(const struct timer_pin *p) {
    return (unsigned)(p->channel < 0 ? -p->channel : p->channel) - 1;
}

/* The pin is the opposite of OCxREF. */
static bool is_inverted(const uint32_t *r, const struct timer_pin *p) {
    unsigned on = enables(r, channel_of(p));
    bool inverted = on & (p->channel < 0 ? 8u : 2u);
    return p->channel < 0 && on & 1 ? !inverted : inverted;
}

/* Dead time is left out. */
static double output_duty(const struct device *d, const struct timer_pin *p) {
    const uint32_t *r = regs_of(d);
    bool complementary = p->channel < 0;
    unsigned channel = channel_of(p);
    unsigned on = enables(r, channel);
    if (!(on & (complementary ? 4u : 1u)) || !tim_is_output(r, channel))
        return -1;
    if (tim_is_advanced(d) && !(r[TIM_BDTR] & TIM_BDTR_MOE))
        return idle_level(r, p, channel);
    double duty = reference_duty(d, channel);
    return duty < 0 ? -1 : is_inverted(r, p) ? 1 - duty : duty;
}

/* The output that a pin is switched to, and its timer, counted up to now; null: none. */
static const struct timer_pin *output_of(const struct board *b, unsigned port, unsigned pin,
                                         struct device **d) {
    int alternate = gpio_alternate(b, port, pin);
    for (unsigned i = 0; i < COUNT(timer_pins); i++) {
        const struct timer_pin *p = &timer_pins[i];
        if (!p->channel || PORT(p->port) != (int)port || p->pin != pin || p->alternate != alternate)
            continue;
        *d = board_device((struct board *)b, tim_types[p->timer]);
        tim_sync(*d);
        tim_changed(*d);
        return p;
    }
    return NULL;
}

double board_pwm(const struct board *b, unsigned port, unsigned pin) {
    struct device *d;
    const struct timer_pin *p = output_of(b, port, pin, &d);
    return p ? output_duty(d, p) : -1;
}

/* Modes 1 and 2 compare the counter; other duties than theirs do not change with time. */
int tim_pin_level(const struct board *b, unsigned port, unsigned pin) {
    struct device *d;
    const struct timer_pin *p = output_of(b, port, pin, &d);
    double duty = p ? output_duty(d, p) : -1;
    if (duty <= 0 || duty >= 1)
        return (int)duty;
    const struct tim *t = d->state;
    const uint32_t *r = regs_of(d);
    bool mode2 = (tim_channel_mode(r, channel_of(p)) >> 4 & 7) == 7;
    return (r[TIM_CNT] < t->ccr[channel_of(p)]) != (mode2 != is_inverted(r, p));
}

/* ------------------------------------------------------------------------------------------------
 * Break */

/* A break input that no pin is switched to is not active. */
bool tim_break_active(const struct device *d) {
    const uint32_t *r = regs_of(d);
    if (!tim_is_advanced(d) || !(r[TIM_BDTR] & TIM_BDTR_BKE))
        return false;
    for (unsigned i = 0; i < COUNT(timer_pins); i++) {
        const struct timer_pin *p = &timer_pins[i];
        unsigned port = (unsigned)PORT(p->port);
        if (p->channel || p->timer != regs_config(d)->number)
            continue;
        if (gpio_alternate(d->board, port, p->pin) == p->alternate &&
            board_pin_level(d->board, port, p->pin) == (bool)(r[TIM_BDTR] & TIM_BDTR_BKP))
            return true;
    }
    return false;
}

/* 17.3.12: outputs go off at once, and the flag tells. */
void tim_pins_changed(struct board *b) {
    static const unsigned advanced[] = {1, 8};
    for (unsigned i = 0; i < COUNT(advanced); i++) {
        struct device *d = board_device(b, tim_types[advanced[i]]);
        if (!tim_break_active(d))
            continue;
        tim_sync(d);
        regs_of(d)[TIM_BDTR] &= ~(uint32_t)TIM_BDTR_MOE;
        regs_of(d)[TIM_SR] |= TIM_SR_BIF;
        tim_changed(d);
    }
}

/* ------------------------------------------------------------------------------------------------
 * Encoder */

/*
 * One edge of the shaft's two signals. Forward they go 00, 10, 11, 01 (TI1, TI2): from an even phase
 * TI1 changes. Mode 1 counts the edges of TI2, mode 2 those of TI1, mode 3 both (18.3.12).
 */
static void encoder_step(struct device *d, bool forward) {
    struct tim *t = d->state;
    uint32_t *r = regs_of(d);
    unsigned mode = r[TIM_SMCR] & 7;
    bool ti1 = t->phase % 2 == (forward ? 0 : 1);
    bool inverted = !(r[TIM_CCER] & BIT(1)) != !(r[TIM_CCER] & BIT(5)); /* CC1P, CC2P */
    t->phase = (t->phase + (forward ? 1 : 3)) % 4;
    if (mode != 3 && mode != (ti1 ? 2u : 1u))
        return;
    if (forward != inverted)
        r[TIM_CR1] &= ~(uint32_t)TIM_CR1_DIR;
    else
        r[TIM_CR1] |= TIM_CR1_DIR;
    tim_count(d);
}

/* The shaft turns in front of all timers in encoder mode: the board does not say which one it is wired to. */
void board_encoder_turn(struct board *b, int32_t steps) {
    uint32_t edges = steps < 0 ? -(uint32_t)steps : (uint32_t)steps;
    for (unsigned n = 1; n <= TIMERS; n++) {
        struct device *d = board_device(b, tim_types[n]);
        struct tim *t = d->state;
        unsigned mode = regs_of(d)[TIM_SMCR] & 7;
        if (mode < 1 || mode > 3) {
            t->phase = (t->phase + (uint32_t)steps) % 4;
            continue;
        }
        for (uint32_t i = 0; i < edges; i++)
            encoder_step(d, steps > 0);
        tim_changed(d);
    }
}
