/* SPDX-License-Identifier: MIT */
/*
 * USART1 to 3 and 6, UART4 and 5 (RM0090 30), asynchronous. The line runs at the rate that the guest has
 * set: what the board sends is understood outside, and what comes from outside arrives frame by frame
 * once the receiver is on (before that there is no rate to send at, so the sender waits). A rate far from
 * the usual ones is noted. LIN, smartcard, IrDA, flow control and mute mode are not modelled.
 */
#include "dma.h"
#include "regs.h"

#include <stdlib.h>
#include <string.h>

enum { SR, DR, BRR, CR1, CR2, CR3, GTPR, REGS };
enum {
    SR_PE = BIT(0),
    SR_FE = BIT(1),
    SR_NF = BIT(2),
    SR_ORE = BIT(3),
    SR_IDLE = BIT(4),
    SR_RXNE = BIT(5),
    SR_TC = BIT(6),
    SR_TXE = BIT(7),
    SR_LBD = BIT(8),
    SR_CTS = BIT(9),
    SR_BY_READ = SR_PE | SR_FE | SR_NF | SR_ORE | SR_IDLE, /* cleared by reading SR, then DR */
};
enum {
    CR1_RE = BIT(2),
    CR1_TE = BIT(3),
    CR1_IDLEIE = BIT(4),
    CR1_RXNEIE = BIT(5),
    CR1_TCIE = BIT(6),
    CR1_TXEIE = BIT(7),
    CR1_M = BIT(12),
    CR1_UE = BIT(13),
    CR1_OVER8 = BIT(15),
    CR3_EIE = BIT(0),
    CR3_DMAR = BIT(6),
    CR3_DMAT = BIT(7),
};

/* Bytes on their way from outside; a ring that grows. */
struct queue {
    uint8_t *bytes;
    size_t size, head, count;
};

struct usart {
    struct regs regs;
    struct ticks clock; /* of its APB */
    struct queue in;
    struct board_event sent, arrived, idle;
    uint16_t shift, receive, hold; /* shift register out, data registers in and out */
    uint32_t seen;                 /* flags in SR when it was read: a look at DR now clears them */
};

static const struct device_type *const types[BOARD_USARTS] = {
    &device_usart1, &device_usart2, &device_usart3, &device_uart4, &device_uart5, &device_usart6,
};

static const enum dma_line dma_lines[BOARD_USARTS][2] = {
    {DMA_USART1_RX, DMA_USART1_TX}, {DMA_USART2_RX, DMA_USART2_TX}, {DMA_USART3_RX, DMA_USART3_TX},
    {DMA_UART4_RX, DMA_UART4_TX},   {DMA_UART5_RX, DMA_UART5_TX},   {DMA_USART6_RX, DMA_USART6_TX},
};

static struct device *usart_device(const struct board *b, unsigned usart) {
    return board_device((struct board *)b, types[usart - 1]);
}

/* ------------------------------------------------------------------------------------------------
 * Rates */

static uint32_t clock_hz(const struct device *d) {
    const struct board_clocks *c = board_clocks(d->board);
    return regs_config(d)->gate.enr == 0x44 ? c->apb2_hz : c->apb1_hz;
}

/* Clock ticks of one bit (30.3.4): BRR as it is, or with OVER8 its fraction in eighths. 0: no rate. */
static uint32_t bit_ticks(const struct device *d) {
    uint32_t brr = regs_of(d)[BRR];
    if (regs_of(d)[CR1] & CR1_OVER8)
        return (brr >> 4) * 8 + (brr & 7);
    return brr;
}

/* In half bits, for 1.5 stop bits: start, 8 or 9 with parity, stop. */
static uint64_t frame_ticks(const struct device *d) {
    static const uint8_t stop[4] = {2, 1, 4, 3};
    unsigned half = 2 + (regs_of(d)[CR1] & CR1_M ? 18 : 16) + stop[regs_of(d)[CR2] >> 12 & 3];
    return (uint64_t)bit_ticks(d) * half / 2;
}

static void event_after_frame(struct device *d, struct board_event *event) {
    struct usart *u = d->state;
    ticks_rate(d->board, &u->clock, clock_hz(d));
    uint64_t tick = u->clock.count + frame_ticks(d);
    board_event_at(d->board, event, ticks_cycle(&u->clock, tick));
}

/* Within 3 % of a rate that terminals know. */
static void check_rate(struct device *d) {
    static const uint32_t usual[] = {9600,   19200,  38400,  57600,   115200,
                                     230400, 460800, 921600, 1000000, 2000000};
    if (!bit_ticks(d))
        return;
    uint32_t rate = clock_hz(d) / bit_ticks(d);
    for (unsigned i = 0; i < COUNT(usual); i++)
        if ((uint64_t)rate * 100 >= usual[i] * 97ull && (uint64_t)rate * 100 <= usual[i] * 103ull)
            return;
    board_note(d->board, "%s: %u baud is no usual rate", d->type->name, (unsigned)rate);
}

/* ------------------------------------------------------------------------------------------------
 * Interrupts and DMA */

static bool enabled(const struct device *d, uint32_t direction) {
    uint32_t cr1 = regs_of(d)[CR1];
    return cr1 & CR1_UE && cr1 & direction && bit_ticks(d);
}

static void requests_update(struct device *d) {
    const uint32_t *r = regs_of(d);
    uint32_t sr = r[SR], cr1 = r[CR1];
    bool irq = (cr1 & CR1_TXEIE && sr & SR_TXE) || (cr1 & CR1_TCIE && sr & SR_TC) ||
               (cr1 & CR1_RXNEIE && sr & (SR_RXNE | SR_ORE)) ||
               (cr1 & CR1_IDLEIE && sr & SR_IDLE) ||
               (r[CR3] & CR3_EIE && r[CR3] & CR3_DMAR && sr & (SR_ORE | SR_FE | SR_NF));
    board_irq(d->board, regs_config(d)->irq, irq);
    const enum dma_line *lines = dma_lines[regs_config(d)->number - 1];
    dma_request(d->board, lines[0], r[CR3] & CR3_DMAR && sr & SR_RXNE);
    dma_request(d->board, lines[1], r[CR3] & CR3_DMAT && sr & SR_TXE && enabled(d, CR1_TE));
}

/* ------------------------------------------------------------------------------------------------
 * Sending */

static void shift_out(struct device *d) {
    struct usart *u = d->state;
    u->shift = u->hold;
    regs_of(d)[SR] |= SR_TXE;
    event_after_frame(d, &u->sent);
}

static void frame_sent(struct board_event *event) {
    struct device *d = event->device;
    struct usart *u = d->state;
    const struct board_listener *l = &board_config(d->board)->listener;
    if (l->serial)
        l->serial(l->user, regs_config(d)->number, (uint8_t)u->shift);
    if (!(regs_of(d)[SR] & SR_TXE) && enabled(d, CR1_TE))
        shift_out(d);
    else
        regs_of(d)[SR] |= SR_TC;
    requests_update(d);
}

static void dr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    struct usart *u = d->state;
    uint32_t *sr = &regs_of(d)[SR];
    (void)index, (void)old;
    if (!enabled(d, CR1_TE))
        return;
    if (!(*sr & SR_TXE))
        board_note(d->board, "%s: DR written while it is full, a byte is lost", d->type->name);
    u->hold = written & 0x1FF;
    *sr &= ~(SR_TXE | (u->seen & SR_TC));
    if (!u->sent.queued)
        shift_out(d);
    requests_update(d);
}

/* ------------------------------------------------------------------------------------------------
 * Receiving */

static void receive_next(struct device *d) {
    struct usart *u = d->state;
    if (u->in.count && enabled(d, CR1_RE) && !u->arrived.queued) {
        board_event_cancel(d->board, &u->idle);
        event_after_frame(d, &u->arrived);
    }
}

static uint8_t queue_take(struct queue *q) {
    uint8_t byte = q->bytes[q->head];
    q->head = (q->head + 1) % q->size;
    q->count--;
    return byte;
}

/* 30.3.3: the frame that comes while RXNE is set is lost; the one in DR stays. */
static void frame_arrived(struct board_event *event) {
    struct device *d = event->device;
    struct usart *u = d->state;
    uint32_t *sr = &regs_of(d)[SR];
    uint8_t byte = queue_take(&u->in);
    if (*sr & SR_RXNE) {
        *sr |= SR_ORE;
    } else {
        u->receive = byte;
        *sr |= SR_RXNE;
    }
    event_after_frame(d, &u->idle);
    receive_next(d);
    requests_update(d);
}

/* The line has been high for a frame after the last one. */
static void line_idle(struct board_event *event) {
    regs_of(event->device)[SR] |= SR_IDLE;
    requests_update(event->device);
}

static void queue_grow(struct queue *q) {
    size_t size = q->size ? q->size * 2 : 64;
    uint8_t *bytes = malloc(size);
    if (!bytes)
        abort();
    for (size_t i = 0; i < q->count; i++)
        bytes[i] = q->bytes[(q->head + i) % q->size];
    free(q->bytes);
    *q = (struct queue){bytes, size, 0, q->count};
}

void board_serial_send(struct board *b, unsigned usart, uint8_t byte) {
    struct device *d = usart_device(b, usart);
    struct queue *q = &((struct usart *)d->state)->in;
    if (q->count == q->size)
        queue_grow(q);
    q->bytes[(q->head + q->count++) % q->size] = byte;
    receive_next(d);
}

size_t board_serial_pending(const struct board *b, unsigned usart) {
    const struct usart *u = usart_device(b, usart)->state;
    return u->in.count;
}

/* ------------------------------------------------------------------------------------------------
 * Registers */

static uint32_t sr_read(struct device *d, unsigned index) {
    struct usart *u = d->state;
    return u->seen = regs_of(d)[index];
}

static uint32_t dr_read(struct device *d, unsigned index) {
    struct usart *u = d->state;
    uint32_t *sr = &regs_of(d)[SR];
    (void)index;
    *sr &= ~(SR_RXNE | (u->seen & SR_BY_READ));
    u->seen = 0;
    requests_update(d);
    return u->receive;
}

static void sr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)index, (void)written, (void)old;
    requests_update(d);
}

/* The frame on the line goes out; what waits behind it is dropped with TE or UE (30.3.2). */
static void cr1_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    struct usart *u = d->state;
    uint32_t cr1 = regs_of(d)[index];
    (void)written;
    if (!(cr1 & CR1_UE)) {
        board_event_cancel(d->board, &u->sent);
        regs_of(d)[SR] |= SR_TXE | SR_TC;
    }
    if (!enabled(d, CR1_RE)) {
        board_event_cancel(d->board, &u->arrived);
        board_event_cancel(d->board, &u->idle);
    }
    if (cr1 & ~old & CR1_UE)
        check_rate(d);
    receive_next(d);
    requests_update(d);
}

static void brr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)index, (void)written, (void)old;
    if (regs_of(d)[CR1] & CR1_UE)
        check_rate(d);
    receive_next(d);
}

static void cr3_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)index, (void)written, (void)old;
    requests_update(d);
}

#define REGISTERS(sr, cr2, cr3)                                                                    \
    {                                                                                              \
        [SR] = {"SR", 0xC0, .clear0 = (sr), .read = sr_read, .write = sr_write},                   \
        [DR] = {"DR", .read = dr_read, .write = dr_write},                                         \
        [BRR] = {"BRR", .writable = 0xFFFF, .write = brr_write},                                   \
        [CR1] = {"CR1", .writable = 0xBFFF, .write = cr1_write},                                   \
        [CR2] = {"CR2", .writable = (cr2)},                                                        \
        [CR3] = {"CR3", .writable = (cr3), .write = cr3_write},                                    \
        [GTPR] = {"GTPR", .writable = 0xFFFF},                                                     \
    }
/* UART4 and 5 have neither a clock output nor flow control (30.6.5, 30.6.6). */
static const struct reg usart_regs[REGS] =
    REGISTERS(SR_RXNE | SR_TC | SR_LBD | SR_CTS, 0x7F6F, 0x0FFF);
static const struct reg uart_regs[REGS] = REGISTERS(SR_RXNE | SR_TC | SR_LBD, 0x706F, 0x08CF);

static void event_init(struct device *d, struct board_event *event,
                       void (*fire)(struct board_event *)) {
    board_event_cancel(d->board, event);
    event->fire = fire;
    event->device = d;
}

/* What is on its way from outside does not stop for a reset. */
static void usart_reset(struct device *d, enum board_reset_cause cause) {
    struct usart *u = d->state;
    (void)cause;
    event_init(d, &u->sent, frame_sent);
    event_init(d, &u->arrived, frame_arrived);
    event_init(d, &u->idle, line_idle);
    u->seen = 0;
    u->clock = (struct ticks){0};
    regs_reset(d);
    requests_update(d);
}

/* A frame under way ends at the new rate, begun anew: clocks do not change in mid-byte on purpose. */
static void clock_changed(struct device *d) {
    struct usart *u = d->state;
    struct board_event *const events[] = {&u->sent, &u->arrived, &u->idle};
    for (unsigned i = 0; i < COUNT(events); i++)
        if (events[i]->queued)
            event_after_frame(d, events[i]);
}

static void usart_free(struct device *d) {
    struct usart *u = d->state;
    free(u->in.bytes);
    u->in = (struct queue){0};
}

#define USART(name_, NAME, n, address, irq_, table, ...)                                           \
    const struct device_type device_##name_ = {                                                    \
        .name = NAME,                                                                              \
        .base = address,                                                                           \
        .size = 0x400,                                                                             \
        .state_size = sizeof(struct usart),                                                        \
        .reset = usart_reset,                                                                      \
        .read = regs_read,                                                                         \
        .write = regs_write,                                                                       \
        .clock_changed = clock_changed,                                                            \
        .free = usart_free,                                                                        \
        .config =                                                                                  \
            &(const struct regs_config){                                                           \
                .regs = table, .count = REGS, .number = n, .irq = irq_, .gate = __VA_ARGS__},      \
    };
USART(usart1, "USART1", 1, 0x40011000, 37, usart_regs, {0x44, 4})
USART(usart2, "USART2", 2, 0x40004400, 38, usart_regs, {0x40, 17})
USART(usart3, "USART3", 3, 0x40004800, 39, usart_regs, {0x40, 18})
USART(uart4, "UART4", 4, 0x40004C00, 52, uart_regs, {0x40, 19})
USART(uart5, "UART5", 5, 0x40005000, 53, uart_regs, {0x40, 20})
USART(usart6, "USART6", 6, 0x40011400, 71, usart_regs, {0x44, 5})
