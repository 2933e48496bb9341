/* SPDX-License-Identifier: MIT */
/*
 * GPIO ports A to I (RM0090 8.4). A pin has one level, made of who drives it: its output, the outside of
 * the board, its pull; a pin that nobody holds reads 0. Outputs of alternate functions are not traced as
 * levels: serial bytes and PWM duties are told as such. A read of IDR shows what timers drive.
 */
#include "gpio.h"
#include "regs.h"

enum { MODER, OTYPER, OSPEEDR, PUPDR, IDR, ODR, BSRR, LCKR, AFRL, AFRH, REGS };
enum { MODE_INPUT, MODE_OUTPUT, MODE_ALTERNATE, MODE_ANALOG };
enum { PULL_UP = 1, LCKK = BIT(16), PINS = 16 };

struct gpio {
    struct regs regs;
    uint16_t driven, drive;  /* from outside: which pins, to what */
    uint16_t level;          /* as resolved last */
    uint16_t told, was_told; /* levels that the listener knows, pins that it has heard of */
    unsigned lock_step;      /* of the sequence of 8.4.8 */
};

static const struct device_type *const ports[BOARD_PORTS] = {
    &device_gpioa, &device_gpiob, &device_gpioc, &device_gpiod, &device_gpioe,
    &device_gpiof, &device_gpiog, &device_gpioh, &device_gpioi,
};

/* By parts of the board: PE3 selects the accelerometer, which has a pull-up inside. */
static const uint16_t pulled_up[BOARD_PORTS] = {[4] = BIT(3)};

static struct device *port_device(const struct board *b, unsigned port) {
    return board_device((struct board *)b, ports[port]);
}

static unsigned two_bits(uint32_t value, unsigned pin) {
    return value >> 2 * pin & 3;
}

static bool resolve(const struct device *d, unsigned pin) {
    const struct gpio *g = d->state;
    const uint32_t *r = g->regs.r;
    bool odr = r[ODR] >> pin & 1, open_drain = r[OTYPER] >> pin & 1;
    if (two_bits(r[MODER], pin) == MODE_OUTPUT && !(open_drain && odr))
        return odr;
    if (g->driven >> pin & 1)
        return g->drive >> pin & 1;
    return two_bits(r[PUPDR], pin) == PULL_UP || pulled_up[regs_config(d)->number] & BIT(pin);
}

/* Outputs that change are told; so are pins that were outputs and fall back to their pull. */
static void tell(struct device *d, unsigned pin, bool level) {
    struct gpio *g = d->state;
    const struct board_listener *l = &board_config(d->board)->listener;
    uint16_t bit = (uint16_t)BIT(pin);
    if (two_bits(g->regs.r[MODER], pin) == MODE_OUTPUT)
        g->was_told |= bit;
    if (!(g->was_told & bit) || level == (bool)(g->told & bit))
        return;
    g->told ^= bit;
    if (l->pin)
        l->pin(l->user, regs_config(d)->number, pin, level);
}

/* What differs from before is told to all who want to know. */
static void pins_update(struct device *d) {
    struct gpio *g = d->state;
    for (unsigned pin = 0; pin < PINS; pin++) {
        bool level = resolve(d, pin);
        tell(d, pin, level);
        if (level == (bool)(g->level & BIT(pin)))
            continue;
        g->level ^= (uint16_t)BIT(pin);
        exti_pin_changed(d->board, regs_config(d)->number, pin, level);
        spi_pin_changed(d->board, regs_config(d)->number, pin, level);
        tim_pins_changed(d->board);
    }
}

/* ------------------------------------------------------------------------------------------------
 * Registers */

/* Bits of a register that locked pins own; width bits a pin, from pin `first` on. */
static uint32_t locked_bits(const struct device *d, unsigned width, unsigned first) {
    uint32_t lckr = regs_of(d)[LCKR], bits = 0;
    if (!(lckr & LCKK))
        return 0;
    for (unsigned pin = first; pin < PINS && (pin - first) * width < 32; pin++)
        if (lckr & BIT(pin))
            bits |= (BIT(width) - 1) << (pin - first) * width;
    return bits;
}

static void configure(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    static const uint8_t widths[REGS] = {
        [MODER] = 2, [OTYPER] = 1, [OSPEEDR] = 2, [PUPDR] = 2, [AFRL] = 4, [AFRH] = 4};
    uint32_t kept = locked_bits(d, widths[index], index == AFRH ? 8 : 0);
    uint32_t *r = &regs_of(d)[index];
    (void)written;
    *r = (*r & ~kept) | (old & kept);
    pins_update(d);
    tim_pins_changed(d->board);
}

static void odr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)index, (void)written, (void)old;
    pins_update(d);
}

/* 8.4.7: where a bit is both set and reset, it is set. */
static void bsrr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    uint32_t *odr = &regs_of(d)[ODR];
    (void)index, (void)old;
    *odr = ((*odr & ~(written >> 16)) | written) & 0xFFFF;
    pins_update(d);
}

/* The analog mode switches the input's trigger off: it reads 0. */
static uint32_t idr_read(struct device *d, unsigned index) {
    const struct gpio *g = d->state;
    uint32_t value = g->level;
    (void)index;
    for (unsigned pin = 0; pin < PINS; pin++) {
        unsigned mode = two_bits(g->regs.r[MODER], pin);
        int driven = mode == MODE_ANALOG      ? 0
                     : mode == MODE_ALTERNATE ? tim_pin_level(d->board, regs_config(d)->number, pin)
                                              : -1;
        if (driven >= 0)
            value = (value & ~BIT(pin)) | (uint32_t)driven << pin;
    }
    return value;
}

/* 8.4.8: LCKK and the pins, the pins, LCKK and the pins, then a read. Until reset. */
static void lckr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    static const bool key[] = {true, false, true};
    struct gpio *g = d->state;
    uint32_t *lckr = &regs_of(d)[index], pins = written & 0xFFFF;
    if (old & LCKK) {
        *lckr = old;
        return;
    }
    *lckr = pins;
    bool same = g->lock_step == 0 || pins == (old & 0xFFFF);
    bool right = g->lock_step < COUNT(key) && same && (bool)(written & LCKK) == key[g->lock_step];
    g->lock_step = right ? g->lock_step + 1 : written & LCKK ? 1 : 0;
}

static uint32_t lckr_read(struct device *d, unsigned index) {
    struct gpio *g = d->state;
    uint32_t *lckr = &regs_of(d)[index];
    if (g->lock_step == 3)
        *lckr |= LCKK;
    g->lock_step = 0;
    return *lckr;
}

/* After reset PA13 to PA15, PB3 and PB4 belong to the debug port (8.3.1). */
#define REGISTERS(moder, ospeedr, pupdr)                                                           \
    {                                                                                              \
        [MODER] = {"MODER", moder, 0xFFFFFFFF, .write = configure},                                \
        [OTYPER] = {"OTYPER", 0, 0xFFFF, .write = configure},                                      \
        [OSPEEDR] = {"OSPEEDR", ospeedr, 0xFFFFFFFF, .write = configure},                          \
        [PUPDR] = {"PUPDR", pupdr, 0xFFFFFFFF, .write = configure},                                \
        [IDR] = {"IDR", .read = idr_read}, [ODR] = {"ODR", 0, 0xFFFF, .write = odr_write},         \
        [BSRR] = {"BSRR", .write = bsrr_write},                                                    \
        [LCKR] = {"LCKR", .read = lckr_read, .write = lckr_write},                                 \
        [AFRL] = {"AFRL", 0, 0xFFFFFFFF, .write = configure},                                      \
        [AFRH] = {"AFRH", 0, 0xFFFFFFFF, .write = configure},                                      \
    }
static const struct reg regs_a[REGS] = REGISTERS(0xA8000000, 0x0C000000, 0x64000000);
static const struct reg regs_b[REGS] = REGISTERS(0x00000280, 0x000000C0, 0x00000100);
static const struct reg regs_other[REGS] = REGISTERS(0, 0, 0);

/* What is driven from outside goes on through resets; at power-on it is zeroed with the state. */
static void gpio_reset(struct device *d, enum board_reset_cause cause) {
    struct gpio *g = d->state;
    (void)cause;
    g->lock_step = 0;
    regs_reset(d);
    pins_update(d);
}

#define PORT(letter, NAME, n, table)                                                               \
    const struct device_type device_gpio##letter = {                                               \
        .name = NAME,                                                                              \
        .base = 0x40020000 + (n)*0x400,                                                            \
        .size = 0x400,                                                                             \
        .state_size = sizeof(struct gpio),                                                         \
        .reset = gpio_reset,                                                                       \
        .read = regs_read,                                                                         \
        .write = regs_write,                                                                       \
        .config =                                                                                  \
            &(const struct regs_config){                                                           \
                .regs = table, .count = REGS, .number = (n), .gate = {0x30, (n)}},                 \
    };
PORT(a, "GPIOA", 0, regs_a)
PORT(b, "GPIOB", 1, regs_b)
PORT(c, "GPIOC", 2, regs_other)
PORT(d, "GPIOD", 3, regs_other)
PORT(e, "GPIOE", 4, regs_other)
PORT(f, "GPIOF", 5, regs_other)
PORT(g, "GPIOG", 6, regs_other)
PORT(h, "GPIOH", 7, regs_other)
PORT(i, "GPIOI", 8, regs_other)

/* ------------------------------------------------------------------------------------------------
 * The outside */

int gpio_alternate(const struct board *b, unsigned port, unsigned pin) {
    const uint32_t *r = regs_of(port_device(b, port));
    if (two_bits(r[MODER], pin) != MODE_ALTERNATE)
        return -1;
    return r[pin < 8 ? AFRL : AFRH] >> pin % 8 * 4 & 15;
}

/* A push-pull output against somebody who holds the pin is a short circuit. */
static void check_short(struct device *d, unsigned pin, bool level) {
    const uint32_t *r = regs_of(d);
    if (two_bits(r[MODER], pin) == MODE_OUTPUT && !(r[OTYPER] & BIT(pin)) &&
        (bool)(r[ODR] & BIT(pin)) != level)
        board_note(d->board, "%s: pin %u is an output at %d and driven to %d from outside",
                   d->type->name, pin, !level, level);
}

void board_pin_drive(struct board *b, unsigned port, unsigned pin, bool level) {
    struct device *d = port_device(b, port);
    struct gpio *g = d->state;
    uint16_t bit = (uint16_t)BIT(pin);
    g->driven |= bit;
    g->drive = (uint16_t)(level ? g->drive | bit : g->drive & ~bit);
    check_short(d, pin, level);
    pins_update(d);
}

void board_pin_release(struct board *b, unsigned port, unsigned pin) {
    struct device *d = port_device(b, port);
    struct gpio *g = d->state;
    g->driven &= (uint16_t)~BIT(pin);
    pins_update(d);
}

bool board_pin_level(const struct board *b, unsigned port, unsigned pin) {
    const struct gpio *g = port_device(b, port)->state;
    return g->level >> pin & 1;
}
