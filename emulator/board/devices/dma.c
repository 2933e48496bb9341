/* SPDX-License-Identifier: MIT */
/*
 * DMA1 and DMA2 (RM0090 10). A controller moves one datum at a time, for the stream of the highest priority
 * whose request is up, BEAT cycles each. Between the two sides lies the FIFO: in direct mode it holds one
 * datum, else memory is accessed once the threshold is reached. Bursts are done as single accesses; the
 * peripheral as flow controller (SDIO), direct-mode and FIFO errors are not modelled.
 */
#include "dma.h"
#include "regs.h"

#include <string.h>

enum { STREAMS = 8, BEAT = 6, FIFO_BYTES = 16 };
enum { LISR, HISR, LIFCR, HIFCR, STREAM0, STREAM_REGS = 6, REGS = STREAM0 + STREAMS * STREAM_REGS };
enum { CR, NDTR, PAR, M0AR, M1AR, FCR }; /* of a stream */
enum {
    CR_EN = BIT(0),
    CR_CIRC = BIT(8),
    CR_PINC = BIT(9),
    CR_MINC = BIT(10),
    CR_PINCOS = BIT(15),
    CR_DBM = BIT(18),
    CR_CT = BIT(19),
    CR_WHILE_ON = 0x1F, /* EN and interrupt enables may change while the stream runs */
    CR_BITS = 0x0FEFFFFF,
    FCR_DMDIS = BIT(2),
};
enum { DIR_FROM_PERIPHERAL, DIR_TO_PERIPHERAL, DIR_MEMORY };
enum { DMEIF = BIT(2), TEIF = BIT(3), HTIF = BIT(4), TCIF = BIT(5), ALL_FLAGS = 0x3D };

struct stream {
    uint32_t peripheral, memory; /* addresses of the next accesses */
    uint32_t total;              /* NDTR as it was when the round began */
    uint8_t fifo[FIFO_BYTES];
    unsigned level; /* bytes in the FIFO */
};

struct dma {
    struct regs regs;
    struct stream streams[STREAMS];
    bool request[DMA_LINE_COUNT];
    struct board_event service;
};

static const struct {
    uint8_t controller, stream[2], channel[2];
} lines[DMA_LINE_COUNT] = {
#define LINE(name, dma, stream1, channel1, stream2, channel2)                                      \
    [DMA_##name] = {dma, {stream1, stream2}, {channel1, channel2}},
    DMA_LINES(LINE)
#undef LINE
};

static const uint8_t irqs[3][STREAMS] = {
    [1] = {11, 12, 13, 14, 15, 16, 17, 47}, [2] = {56, 57, 58, 59, 60, 68, 69, 70}};

static uint32_t *stream_regs(const struct device *d, unsigned s) {
    return &regs_of(d)[STREAM0 + s * STREAM_REGS];
}

static struct stream *stream_of(const struct device *d, unsigned s) {
    return &((struct dma *)d->state)->streams[s];
}

/* ------------------------------------------------------------------------------------------------
 * Flags */

static unsigned flag_shift(unsigned s) {
    static const uint8_t shifts[4] = {0, 6, 16, 22};
    return shifts[s % 4];
}

static uint32_t flags_of(const struct device *d, unsigned s) {
    return regs_of(d)[s < 4 ? LISR : HISR] >> flag_shift(s) & ALL_FLAGS;
}

/* The enables in CR lie one bit below their flags. */
static void irq_update(struct device *d, unsigned s) {
    uint32_t enabled = stream_regs(d, s)[CR] << 1 & (DMEIF | TEIF | HTIF | TCIF);
    board_irq(d->board, irqs[regs_config(d)->number][s], flags_of(d, s) & enabled);
}

static void raise(struct device *d, unsigned s, uint32_t flag) {
    regs_of(d)[s < 4 ? LISR : HISR] |= flag << flag_shift(s);
    irq_update(d, s);
}

/* ------------------------------------------------------------------------------------------------
 * One datum */

static unsigned direction(const uint32_t *r) {
    return r[CR] >> 6 & 3;
}

/* Bytes of an access; 3 is reserved. In direct mode both sides have the peripheral's size. */
static unsigned peripheral_size(const uint32_t *r) {
    return 1u << (r[CR] >> 11 & 3) & 7;
}

static bool direct(const uint32_t *r) {
    return !(r[FCR] & FCR_DMDIS) && direction(r) != DIR_MEMORY;
}

static unsigned memory_size(const uint32_t *r) {
    return direct(r) ? peripheral_size(r) : 1u << (r[CR] >> 13 & 3) & 7;
}

static unsigned threshold(const uint32_t *r) {
    unsigned quarters = (r[FCR] & 3) + 1;
    return direct(r) ? peripheral_size(r) : quarters * FIFO_BYTES / 4;
}

/* From the bus into the FIFO. */
static bool fill(struct device *d, struct stream *st, uint32_t address, unsigned size) {
    uint32_t value;
    if (!board_bus_read(d->board, BUS_DMA, address & ~(size - 1), size, &value))
        return false;
    memcpy(st->fifo + st->level, &value, size);
    st->level += size;
    return true;
}

/* From the FIFO to the bus. */
static bool drain(struct device *d, struct stream *st, uint32_t address, unsigned size) {
    uint32_t value = 0;
    memcpy(&value, st->fifo, size);
    memmove(st->fifo, st->fifo + size, st->level - size);
    st->level -= size;
    return board_bus_write(d->board, BUS_DMA, address & ~(size - 1), size, value);
}

static void step_peripheral(struct stream *st, const uint32_t *r) {
    if (r[CR] & CR_PINC)
        st->peripheral += r[CR] & CR_PINCOS ? 4 : peripheral_size(r);
}

static void step_memory(struct stream *st, const uint32_t *r, unsigned size) {
    if (r[CR] & CR_MINC)
        st->memory += size;
}

/* What has collected goes to memory; a rest that is smaller than its size goes by bytes. */
static bool drain_to_memory(struct device *d, struct stream *st, const uint32_t *r) {
    while (st->level) {
        unsigned size = memory_size(r) <= st->level ? memory_size(r) : 1;
        if (!drain(d, st, st->memory, size))
            return false;
        step_memory(st, r, size);
    }
    return true;
}

static bool from_peripheral(struct device *d, struct stream *st, const uint32_t *r) {
    if (!fill(d, st, st->peripheral, peripheral_size(r)))
        return false;
    step_peripheral(st, r);
    bool last = r[NDTR] == 1;
    return (st->level < threshold(r) && !last) || drain_to_memory(d, st, r);
}

static bool to_peripheral(struct device *d, struct stream *st, const uint32_t *r) {
    unsigned size = memory_size(r);
    while (st->level < peripheral_size(r)) {
        if (!fill(d, st, st->memory, size))
            return false;
        step_memory(st, r, size);
    }
    if (!drain(d, st, st->peripheral, peripheral_size(r)))
        return false;
    step_peripheral(st, r);
    return true;
}

/* ------------------------------------------------------------------------------------------------
 * Streams */

static void round_begin(struct device *d, unsigned s) {
    const uint32_t *r = stream_regs(d, s);
    struct stream *st = stream_of(d, s);
    st->peripheral = r[PAR];
    st->memory = r[CR] & CR_DBM && r[CR] & CR_CT ? r[M1AR] : r[M0AR];
    st->total = r[NDTR];
    st->level = 0;
}

/* All is moved: the next round begins (circular, double buffer), or the stream stops. */
static void round_end(struct device *d, unsigned s) {
    uint32_t *r = stream_regs(d, s);
    if (r[CR] & (CR_CIRC | CR_DBM)) {
        r[NDTR] = stream_of(d, s)->total;
        if (r[CR] & CR_DBM)
            r[CR] ^= CR_CT;
        round_begin(d, s);
    } else {
        r[CR] &= ~(uint32_t)CR_EN;
    }
    raise(d, s, TCIF);
}

static void move_one(struct device *d, unsigned s) {
    uint32_t *r = stream_regs(d, s);
    struct stream *st = stream_of(d, s);
    bool ok =
        direction(r) == DIR_TO_PERIPHERAL ? to_peripheral(d, st, r) : from_peripheral(d, st, r);
    if (!(r[CR] & CR_EN)) /* the access has reached this controller itself */
        return;
    if (!ok) {
        board_note(d->board, "%s: bus error on stream %u", d->type->name, s);
        r[CR] &= ~(uint32_t)CR_EN;
        raise(d, s, TEIF);
        return;
    }
    r[NDTR]--;
    if (r[NDTR] == st->total / 2 && st->total > 1)
        raise(d, s, HTIF);
    if (r[NDTR] == 0)
        round_end(d, s);
}

/* Stream s is switched to one of the line's two places. */
static bool is_wired(const struct device *d, unsigned s, unsigned line) {
    unsigned channel = stream_regs(d, s)[CR] >> 25 & 7;
    for (unsigned k = 0; k < 2; k++)
        if (lines[line].controller == regs_config(d)->number && lines[line].stream[k] == s &&
            lines[line].channel[k] == channel)
            return true;
    return false;
}

static bool requested(const struct device *d, unsigned s) {
    const struct dma *dma = d->state;
    for (unsigned i = 0; i < DMA_LINE_COUNT; i++)
        if (dma->request[i] && is_wired(d, s, i))
            return true;
    return false;
}

/* The stream to serve: priority level, then number (10.3.4). -1: none. */
static int next_stream(const struct device *d) {
    int best = -1;
    for (unsigned s = 0; s < STREAMS; s++) {
        const uint32_t *r = stream_regs(d, s);
        if (!(r[CR] & CR_EN) || (direction(r) != DIR_MEMORY && !requested(d, s)))
            continue;
        if (best < 0 || (r[CR] >> 16 & 3) > (stream_regs(d, (unsigned)best)[CR] >> 16 & 3))
            best = (int)s;
    }
    return best;
}

static void schedule(struct device *d) {
    struct dma *dma = d->state;
    if (!dma->service.queued && next_stream(d) >= 0 && regs_clocked(d))
        board_event_at(d->board, &dma->service, board_cycles(d->board) + BEAT);
}

static void serve(struct board_event *event) {
    struct device *d = event->device;
    int s = next_stream(d);
    if (s >= 0 && regs_clocked(d))
        move_one(d, (unsigned)s);
    schedule(d);
}

static struct device *controller_of(struct board *b, enum dma_line line) {
    return board_device(b, lines[line].controller == 1 ? &device_dma1 : &device_dma2);
}

bool dma_listens(struct board *b, enum dma_line line) {
    const struct device *d = controller_of(b, line);
    for (unsigned s = 0; s < STREAMS; s++)
        if (stream_regs(d, s)[CR] & CR_EN && is_wired(d, s, line))
            return true;
    return false;
}

void dma_request(struct board *b, enum dma_line line, bool level) {
    struct device *d = controller_of(b, line);
    struct dma *dma = d->state;
    if (dma->request[line] == level)
        return;
    dma->request[line] = level;
    if (level)
        schedule(d);
}

/* ------------------------------------------------------------------------------------------------
 * Registers */

static unsigned stream_at(unsigned index) {
    return (index - STREAM0) / STREAM_REGS;
}

static bool can_start(struct device *d, unsigned s) {
    const uint32_t *r = stream_regs(d, s);
    const char *why = NULL;
    if (flags_of(d, s))
        why = "its flags are not cleared"; /* 10.3.17 */
    if (direction(r) == 3 || !peripheral_size(r) || !memory_size(r))
        why = "a reserved direction or size";
    if (direction(r) == DIR_MEMORY && (regs_config(d)->number == 1 || r[CR] & CR_CIRC))
        why = "memory to memory is for DMA2, and not circular";
    if (why)
        board_note(d->board, "%s: stream %u does not start: %s", d->type->name, s, why);
    return !why;
}

static void start(struct device *d, unsigned s) {
    uint32_t *r = stream_regs(d, s);
    if (!can_start(d, s) || !r[NDTR]) {
        r[CR] &= ~(uint32_t)CR_EN;
        return;
    }
    round_begin(d, s);
    schedule(d);
}

/* 10.3.16: what is in the FIFO still goes to memory, and TCIF tells the end. */
static void stop(struct device *d, unsigned s) {
    struct stream *st = stream_of(d, s);
    const uint32_t *r = stream_regs(d, s);
    if (direction(r) != DIR_TO_PERIPHERAL)
        drain_to_memory(d, st, r);
    raise(d, s, TCIF);
}

static void cr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    unsigned s = stream_at(index);
    uint32_t *r = &regs_of(d)[index];
    (void)written;
    if (old & CR_EN)
        *r = (old & ~(uint32_t)CR_WHILE_ON) | (*r & CR_WHILE_ON);
    if (*r & ~old & CR_EN)
        start(d, s);
    if (old & ~*r & CR_EN)
        stop(d, s);
    irq_update(d, s);
}

static void setting_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    unsigned s = stream_at(index), which = (index - STREAM0) % STREAM_REGS;
    const uint32_t *r = stream_regs(d, s);
    (void)written;
    if (!(r[CR] & CR_EN))
        return;
    if (r[CR] & CR_DBM && which == (r[CR] & CR_CT ? M0AR : M1AR))
        return; /* 10.3.10: the buffer that is not in use may change */
    if (regs_of(d)[index] != old)
        board_note(d->board, "%s: stream %u is changed while it runs", d->type->name, s);
    regs_of(d)[index] = old;
}

static void ifcr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    unsigned high = index == HIFCR;
    (void)old;
    regs_of(d)[high ? HISR : LISR] &= ~written;
    for (unsigned s = high * 4; s < high * 4 + 4; s++)
        irq_update(d, s);
}

/* FCR.FS, how full the FIFO is: empty or quarters (10.5.10). */
static uint32_t fcr_read(struct device *d, unsigned index) {
    unsigned level = stream_of(d, stream_at(index))->level;
    uint32_t fs = level == 0 ? 4 : level == FIFO_BYTES ? 5 : level / 4;
    return (regs_of(d)[index] & ~0x38u) | fs << 3;
}

/* clang-format off */
#define SETTING(name, mask) {name, .writable = (mask), .write = setting_write}
#define STREAM(n)                                                                                  \
    [STREAM0 + (n)*STREAM_REGS + CR] = {"SxCR", .writable = CR_BITS, .write = cr_write},           \
    [STREAM0 + (n)*STREAM_REGS + NDTR] = SETTING("SxNDTR", 0xFFFF),                                \
    [STREAM0 + (n)*STREAM_REGS + PAR] = SETTING("SxPAR", 0xFFFFFFFF),                              \
    [STREAM0 + (n)*STREAM_REGS + M0AR] = SETTING("SxM0AR", 0xFFFFFFFF),                            \
    [STREAM0 + (n)*STREAM_REGS + M1AR] = SETTING("SxM1AR", 0xFFFFFFFF),                            \
    [STREAM0 + (n)*STREAM_REGS + FCR] = {"SxFCR", 0x21, .writable = 0x87, .read = fcr_read}
/* clang-format on */
static const struct reg dma_regs[REGS] = {
    [LISR] = {"LISR"},
    [HISR] = {"HISR"},
    [LIFCR] = {"LIFCR", .write = ifcr_write},
    [HIFCR] = {"HIFCR", .write = ifcr_write},
    STREAM(0),
    STREAM(1),
    STREAM(2),
    STREAM(3),
    STREAM(4),
    STREAM(5),
    STREAM(6),
    STREAM(7),
};

/* Requests are the devices' own: they stay. */
static void dma_reset(struct device *d, enum board_reset_cause cause) {
    struct dma *dma = d->state;
    (void)cause;
    board_event_cancel(d->board, &dma->service);
    dma->service.fire = serve;
    dma->service.device = d;
    memset(dma->streams, 0, sizeof(dma->streams));
    regs_reset(d);
    for (unsigned s = 0; s < STREAMS; s++)
        irq_update(d, s);
}

#define CONTROLLER(n, address)                                                                     \
    const struct device_type device_dma##n = {                                                     \
        .name = "DMA" #n,                                                                          \
        .base = address,                                                                           \
        .size = 0x400,                                                                             \
        .state_size = sizeof(struct dma),                                                          \
        .reset = dma_reset,                                                                        \
        .read = regs_read,                                                                         \
        .write = regs_write,                                                                       \
        .config =                                                                                  \
            &(const struct regs_config){                                                           \
                .regs = dma_regs, .count = REGS, .number = n, .gate = {0x30, 20 + (n)}},           \
    };
CONTROLLER(1, 0x40026000)
CONTROLLER(2, 0x40026400)
