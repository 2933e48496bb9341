/* SPDX-License-Identifier: MIT */
/* The least that the firmware needs to boot, until there are real devices. */
#include "board/device.h"

#include <string.h>

struct words {
    uint32_t word[256];
};

static bool words_read(struct device *d, uint32_t offset, unsigned size, uint32_t *value) {
    struct words *w = d->state;
    *value = w->word[offset / 4] >> offset % 4 * 8;
    (void)size;
    return true;
}

static bool words_write(struct device *d, uint32_t offset, unsigned size, uint32_t value) {
    struct words *w = d->state;
    (void)size;
    w->word[offset / 4] = value;
    return true;
}

static void words_reset(struct device *d, enum board_reset_cause cause) {
    (void)cause;
    memset(d->state, 0, sizeof(struct words));
}

static void rcc_reset(struct device *d, enum board_reset_cause cause) {
    struct words *w = d->state;
    words_reset(d, cause);
    w->word[0] = 0x83;
}

static bool rcc_write(struct device *d, uint32_t offset, unsigned size, uint32_t value) {
    struct board_clocks c = *board_clocks(d->board);
    if (offset == 0)
        value |= (value & 1 << 16 ? 1 << 17 : 0) | (value & 1 << 24 ? 1 << 25 : 0);
    if (offset == 8) {
        value |= (value & 3) << 2;
        c.core_hz = value & 2 ? 168000000 : 16000000;
        c.apb1_hz = value & 2 ? 42000000 : 16000000;
        board_set_clocks(d->board, &c);
    }
    return words_write(d, offset, size, value);
}

#define WORDS(n, b, r, w)                                                                          \
    const struct device_type device_##n = {#n, b, 0x400, sizeof(struct words), r, words_read, w,   \
                                           NULL, NULL};
WORDS(stub_rcc, 0x40023800, rcc_reset, rcc_write)
WORDS(stub_pwr, 0x40007000, words_reset, words_write)
WORDS(stub_gpioa, 0x40020000, words_reset, words_write)
WORDS(flash, 0x40023C00, words_reset, words_write)

bool flash_write(struct device *d, uint32_t address, unsigned size, uint32_t value) {
    (void)d, (void)address, (void)size, (void)value;
    return false;
}

struct usart {
    struct board_event tx, rx;
    uint32_t sr, brr, cr1;
    uint8_t byte, data, queue[256];
    unsigned head, tail;
};

static struct usart *the_usart;
static struct device *the_device;

static uint64_t frame(struct device *d) {
    struct usart *u = d->state;
    return board_cycles_of(d->board, u->brr * 10, board_clocks(d->board)->apb1_hz);
}

static void usart_irq(struct device *d) {
    struct usart *u = d->state;
    board_irq(d->board, 38, (u->sr & u->cr1 & 0x20) || (u->sr & u->cr1 & 0x80));
}

static void sent(struct board_event *e) {
    struct usart *u = e->device->state;
    u->sr |= 0xC0;
    const struct board_config *c = board_config(e->device->board);
    if (c->listener.serial)
        c->listener.serial(c->listener.user, 2, u->byte);
    usart_irq(e->device);
}

static void arrived(struct board_event *e) {
    struct usart *u = e->device->state;
    u->data = u->queue[u->tail++ % 256];
    u->sr |= 0x20;
    if (u->tail != u->head)
        board_event_at(e->device->board, e, board_cycles(e->device->board) + frame(e->device));
    usart_irq(e->device);
}

static void usart_reset(struct device *d, enum board_reset_cause cause) {
    struct usart *u = d->state;
    (void)cause;
    board_event_cancel(d->board, &u->tx);
    board_event_cancel(d->board, &u->rx);
    memset(u, 0, sizeof(*u));
    u->tx = (struct board_event){.fire = sent, .device = d};
    u->rx = (struct board_event){.fire = arrived, .device = d};
    u->sr = 0xC0;
    the_usart = u;
    the_device = d;
}

static bool usart_read(struct device *d, uint32_t offset, unsigned size, uint32_t *value) {
    struct usart *u = d->state;
    (void)size;
    *value = offset == 0 ? u->sr : offset == 4 ? u->data : offset == 8 ? u->brr : u->cr1;
    if (offset == 4)
        u->sr &= ~0x20u;
    usart_irq(d);
    return true;
}

static bool usart_write(struct device *d, uint32_t offset, unsigned size, uint32_t value) {
    struct usart *u = d->state;
    (void)size;
    if (offset == 4) {
        u->byte = (uint8_t)value;
        u->sr &= ~0xC0u;
        board_event_at(d->board, &u->tx, board_cycles(d->board) + frame(d));
    }
    if (offset == 8)
        u->brr = value;
    if (offset == 12)
        u->cr1 = value;
    usart_irq(d);
    return true;
}

const struct device_type device_stub_usart2 = {
    "usart2", 0x40004400, 0x400, sizeof(struct usart), usart_reset, usart_read, usart_write,
    NULL,     NULL};

void board_serial_send(struct board *b, unsigned usart, uint8_t byte) {
    (void)usart;
    the_usart->queue[the_usart->head++ % 256] = byte;
    if (!the_usart->rx.queued)
        board_event_at(b, &the_usart->rx, board_cycles(b) + frame(the_device));
}

size_t board_serial_pending(const struct board *b, unsigned usart) {
    (void)b, (void)usart;
    return the_usart->head - the_usart->tail;
}
