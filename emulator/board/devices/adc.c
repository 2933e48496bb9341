/* SPDX-License-Identifier: MIT */
/*
 * ADC1 to ADC3 (RM0090 13): regular sequences by software or by timers, continuous mode, resolutions,
 * alignment, DMA, overrun, analog watchdog, conversion times. Injected channels, discontinuous mode and
 * the modes of several ADCs together are not modelled.
 *
 * What the channels see comes from a text file (board_config.adc_file). A line is
 *
 *     CHANNEL VALUE              from the start
 *     TIME CHANNEL VALUE         from that many microseconds after power-on
 *
 * with VALUE from 0 to 4095, a later line overruling an earlier one of the same time; # begins a comment.
 * All three ADCs see the same channels. A channel without a line is 0, but for 16 (temperature, 25 degrees)
 * and 17 (VREFINT, 1.21 V), of which the data sheet tells the typical voltage; VDDA is the board's 3.0 V.
 */
#include "dma.h"
#include "regs.h"
#include "tim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SR,
    CR1,
    CR2,
    SMPR1,
    SMPR2,
    JOFR1,
    HTR = 9,
    LTR,
    SQR1,
    SQR2,
    SQR3,
    JSQR,
    JDR1,
    DR = 19,
    REGS
};
enum { CSR, CCR, CDR, COMMON_REGS };
enum {
    SR_AWD = BIT(0),
    SR_EOC = BIT(1),
    SR_STRT = BIT(4),
    SR_OVR = BIT(5),
    SR_FLAGS = 0x3F,
    CR1_EOCIE = BIT(5),
    CR1_AWDIE = BIT(6),
    CR1_SCAN = BIT(8),
    CR1_AWDSGL = BIT(9),
    CR1_AWDEN = BIT(23),
    CR1_OVRIE = BIT(26),
    CR2_ADON = BIT(0),
    CR2_CONT = BIT(1),
    CR2_DMA = BIT(8),
    CR2_DDS = BIT(9),
    CR2_EOCS = BIT(10),
    CR2_ALIGN = BIT(11),
    CR2_SWSTART = BIT(30),
    CCR_TSVREFE = BIT(23),
};
enum { ADCS = 3, IRQ = 18, CHANNELS = 19, TEMPERATURE = 16, VREFINT = 17, MAX_HZ = 36000000 };
enum { BAD_LINES = 10 }; /* that are told of */

struct adc {
    struct regs regs;
    struct board_event done;
    unsigned position; /* in the sequence */
    bool full;         /* DR has not been read */
    bool wants;        /* the interrupt, which all three share */
};

struct sample {
    uint64_t us;
    unsigned channel, value;
};

struct common {
    struct regs regs;
    struct sample *samples;
    size_t count;
    bool loaded; /* the file has been read */
};

static const struct device_type *const types[ADCS] = {&device_adc1, &device_adc2, &device_adc3};
static const enum dma_line dma_lines[ADCS] = {DMA_ADC1, DMA_ADC2, DMA_ADC3};

static unsigned index_of(const struct device *d) {
    return regs_config(d)->number - 1;
}

static struct device *common_of(struct board *b) {
    return board_device(b, &device_adc_common);
}

/* ------------------------------------------------------------------------------------------------
 * What the channels see */

/* Two or three numbers; false: something else. */
static bool parse(char *line, struct sample *s) {
    unsigned long long n[3];
    unsigned count = 0;
    for (char *word = strtok(line, " \t\r\n"); word; word = strtok(NULL, " \t\r\n")) {
        char *end;
        if (count == 3 || *word < '0' || *word > '9')
            return false;
        n[count++] = strtoull(word, &end, 10);
        if (*end)
            return false;
    }
    if (count < 2 || n[count - 2] >= CHANNELS || n[count - 1] > 4095)
        return false;
    *s = (struct sample){count == 3 ? n[0] : 0, (unsigned)n[count - 2], (unsigned)n[count - 1]};
    return true;
}

static void add_sample(struct common *c, struct sample s) {
    struct sample *more = realloc(c->samples, (c->count + 1) * sizeof(*more));
    if (!more)
        abort();
    c->samples = more;
    c->samples[c->count++] = s;
}

/* At the first conversion. */
static void load(struct device *d) {
    struct common *c = d->state;
    if (c->loaded)
        return;
    c->loaded = true;
    const char *path = board_config(d->board)->adc_file;
    FILE *f = path ? fopen(path, "r") : NULL;
    char line[256];
    unsigned bad = 0;
    if (path && !f)
        board_note(d->board, "%s: %s", path, strerror(errno));
    for (unsigned number = 1; f && fgets(line, sizeof(line), f); number++) {
        struct sample s;
        line[strcspn(line, "#")] = 0;
        if (!line[strspn(line, " \t\r\n")])
            continue;
        if (parse(line, &s))
            add_sample(c, s);
        else if (bad++ < BAD_LINES)
            board_note(d->board, "%s:%u: expected [microseconds] channel value", path, number);
    }
    if (f)
        fclose(f);
}

static unsigned channel_value(struct board *b, unsigned channel) {
    static const uint16_t typical[CHANNELS] = {[TEMPERATURE] = 1037, [VREFINT] = 1652};
    struct device *d = common_of(b);
    const struct common *c = d->state;
    load(d);
    uint64_t us = board_ns(b) / 1000, since = 0;
    unsigned value = channel < CHANNELS ? typical[channel] : 0;
    if ((channel == TEMPERATURE || channel == VREFINT) && !(regs_of(d)[CCR] & CCR_TSVREFE))
        return 0;
    for (size_t i = 0; i < c->count; i++)
        if (c->samples[i].channel == channel && c->samples[i].us <= us &&
            c->samples[i].us >= since) {
            since = c->samples[i].us;
            value = c->samples[i].value;
        }
    return value;
}

/* ------------------------------------------------------------------------------------------------
 * Interrupt and DMA */

static void requests_update(struct device *d) {
    struct adc *adc = d->state;
    const uint32_t *r = regs_of(d);
    bool level = false;
    adc->wants = (r[SR] & SR_EOC && r[CR1] & CR1_EOCIE) || (r[SR] & SR_OVR && r[CR1] & CR1_OVRIE) ||
                 (r[SR] & SR_AWD && r[CR1] & CR1_AWDIE);
    for (unsigned i = 0; i < ADCS; i++)
        level |= ((struct adc *)board_device(d->board, types[i])->state)->wants;
    board_irq(d->board, IRQ, level);
    dma_request(d->board, dma_lines[index_of(d)],
                r[CR2] & CR2_DMA && adc->full && !(r[SR] & SR_OVR));
}

/* ------------------------------------------------------------------------------------------------
 * Conversions */

static uint32_t clock_hz(struct board *b) {
    return board_clocks(b)->apb2_hz / (((regs_of(common_of(b))[CCR] >> 16 & 3) + 1) * 2);
}

static unsigned length(const uint32_t *r) {
    return r[CR1] & CR1_SCAN ? (r[SQR1] >> 20 & 15) + 1 : 1;
}

static unsigned channel_at(const uint32_t *r, unsigned position) {
    return r[SQR3 - position / 6] >> position % 6 * 5 & 31;
}

static unsigned bits(const uint32_t *r) {
    return 12 - (r[CR1] >> 24 & 3) * 2;
}

/* 13.5: sampling by SMPR1 (channels 10 to 18) or SMPR2, then a cycle for each bit. */
static unsigned conversion_cycles(const uint32_t *r, unsigned channel) {
    static const uint16_t sampling[8] = {3, 15, 28, 56, 84, 112, 144, 480};
    uint32_t smpr = channel >= CHANNELS ? 0 /* reserved */
                    : channel >= 10     ? r[SMPR1] >> (channel - 10) * 3
                                        : r[SMPR2] >> channel * 3;
    return sampling[smpr & 7] + bits(r);
}

static void convert(struct device *d) {
    struct adc *adc = d->state;
    unsigned cycles = conversion_cycles(regs_of(d), channel_at(regs_of(d), adc->position));
    board_event_at(d->board, &adc->done,
                   board_cycles(d->board) + board_cycles_of(d->board, cycles, clock_hz(d->board)));
}

static void start(struct device *d) {
    struct adc *adc = d->state;
    uint32_t *r = regs_of(d);
    if (!(r[CR2] & CR2_ADON) || adc->done.queued || r[SR] & SR_OVR)
        return;
    if (clock_hz(d->board) > MAX_HZ)
        board_note(d->board, "%s: clock of %u Hz, more than 36 MHz", d->type->name,
                   (unsigned)clock_hz(d->board));
    r[SR] |= SR_STRT;
    adc->position = 0;
    convert(d);
}

static void watch(struct device *d, unsigned channel, unsigned value) {
    uint32_t *r = regs_of(d);
    bool mine = r[CR1] & CR1_AWDEN && (!(r[CR1] & CR1_AWDSGL) || (r[CR1] & 31) == channel);
    if (mine && (value > r[HTR] || value < r[LTR]))
        r[SR] |= SR_AWD;
}

/* Right-aligned, or left in 16 bits; six bits stay in the low byte (13.4.5). */
static uint32_t aligned(const uint32_t *r, unsigned value) {
    uint32_t data = value >> (12 - bits(r));
    if (!(r[CR2] & CR2_ALIGN))
        return data;
    return data << (bits(r) == 6 ? 2 : 16 - bits(r));
}

/*
 * 13.8.2: data that nobody has taken are an overrun where somebody should (DMA, or EOC after each). With
 * DDS = 0 the requests end with the DMA's last transfer, and then nobody should.
 */
static bool overrun(struct device *d) {
    const struct adc *adc = d->state;
    uint32_t cr2 = regs_of(d)[CR2];
    if (cr2 & CR2_DMA)
        return adc->full && (cr2 & CR2_DDS || dma_listens(d->board, dma_lines[index_of(d)]));
    return adc->full && cr2 & CR2_EOCS;
}

static void converted(struct board_event *event) {
    struct device *d = event->device;
    struct adc *adc = d->state;
    uint32_t *r = regs_of(d);
    unsigned channel = channel_at(r, adc->position), value = channel_value(d->board, channel);
    bool last = ++adc->position >= length(r);
    watch(d, channel, value);
    if (overrun(d)) {
        r[SR] |= SR_OVR; /* conversions end until it is cleared */
        requests_update(d);
        return;
    }
    r[DR] = aligned(r, value);
    adc->full = true;
    if (last || r[CR2] & CR2_EOCS)
        r[SR] |= SR_EOC;
    requests_update(d);
    if (!last) {
        convert(d);
    } else if (r[CR2] & CR2_CONT) {
        adc->position = 0;
        convert(d);
    }
}

bool adc_listens(struct board *b, unsigned source) {
    for (unsigned i = 0; i < ADCS; i++) {
        uint32_t cr2 = regs_of(board_device(b, types[i]))[CR2];
        if (cr2 & CR2_ADON && cr2 >> 28 & 3 && (cr2 >> 24 & 15) == source)
            return true;
    }
    return false;
}

void adc_trigger(struct board *b, unsigned source) {
    for (unsigned i = 0; i < ADCS; i++) {
        struct device *d = board_device(b, types[i]);
        uint32_t cr2 = regs_of(d)[CR2];
        if (cr2 >> 28 & 3 && (cr2 >> 24 & 15) == source)
            start(d);
    }
}

/* ------------------------------------------------------------------------------------------------
 * Registers */

static void sr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    struct adc *adc = d->state;
    if (old & ~regs_of(d)[index] & SR_OVR)
        adc->full = false; /* begins anew */
    (void)written;
    requests_update(d);
}

static void cr1_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)index, (void)written, (void)old;
    requests_update(d);
}

static void cr2_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    struct adc *adc = d->state;
    uint32_t cr2 = regs_of(d)[index];
    if (!(cr2 & CR2_ADON)) {
        board_event_cancel(d->board, &adc->done);
        adc->full = false;
    }
    if (written & CR2_SWSTART && !(cr2 & CR2_ADON))
        board_note(d->board, "%s: SWSTART while it is off", d->type->name);
    if ((cr2 ^ old) & (0x3F000000 | CR2_ADON))
        tim_triggers_changed(d->board);
    if (written & CR2_SWSTART)
        start(d);
    requests_update(d);
}

static uint32_t dr_read(struct device *d, unsigned index) {
    struct adc *adc = d->state;
    adc->full = false;
    regs_of(d)[SR] &= ~(uint32_t)SR_EOC;
    requests_update(d);
    return regs_of(d)[index];
}

/* 13.13. SWSTART and JSWSTART read as 0: they are cleared as soon as the conversion begins. */
static const struct reg adc_regs[REGS] = {
    [SR] = {"SR", .clear0 = SR_FLAGS, .write = sr_write},
    [CR1] = {"CR1", .writable = 0x07C0FFFF, .write = cr1_write},
    [CR2] = {"CR2", .writable = 0x3F3F0F03, .write = cr2_write},
    [SMPR1] = {"SMPR1", .writable = 0x07FFFFFF},
    [SMPR2] = {"SMPR2", .writable = 0x3FFFFFFF},
    [JOFR1] = {"JOFR1", .writable = 0xFFF},
    [JOFR1 + 1] = {"JOFR2", .writable = 0xFFF},
    [JOFR1 + 2] = {"JOFR3", .writable = 0xFFF},
    [JOFR1 + 3] = {"JOFR4", .writable = 0xFFF},
    [HTR] = {"HTR", .reset = 0xFFF, .writable = 0xFFF},
    [LTR] = {"LTR", .writable = 0xFFF},
    [SQR1] = {"SQR1", .writable = 0x00FFFFFF},
    [SQR2] = {"SQR2", .writable = 0x3FFFFFFF},
    [SQR3] = {"SQR3", .writable = 0x3FFFFFFF},
    [JSQR] = {"JSQR", .writable = 0x003FFFFF},
    [DR] = {"DR", .read = dr_read},
};

static void adc_reset(struct device *d, enum board_reset_cause cause) {
    struct adc *adc = d->state;
    (void)cause;
    board_event_cancel(d->board, &adc->done);
    adc->done.fire = converted;
    adc->done.device = d;
    adc->full = false;
    regs_reset(d);
    requests_update(d);
}

#define ADC(n)                                                                                     \
    const struct device_type device_adc##n = {                                                     \
        .name = "ADC" #n,                                                                          \
        .base = 0x40011F00 + (n)*0x100,                                                            \
        .size = 0x100,                                                                             \
        .state_size = sizeof(struct adc),                                                          \
        .reset = adc_reset,                                                                        \
        .read = regs_read,                                                                         \
        .write = regs_write,                                                                       \
        .config =                                                                                  \
            &(const struct regs_config){                                                           \
                .regs = adc_regs, .count = REGS, .number = n, .gate = {0x44, 7 + (n)}},            \
    };
ADC(1)
ADC(2)
ADC(3)

/* --- what all three have in common (13.13.16) --- */

static uint32_t csr_read(struct device *d, unsigned index) {
    uint32_t value = 0;
    (void)index;
    for (unsigned i = 0; i < ADCS; i++)
        value |= (regs_of(board_device(d->board, types[i]))[SR] & SR_FLAGS) << i * 8;
    return value;
}

static void ccr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)written, (void)old;
    if (regs_of(d)[index] & 31)
        board_note(d->board, "ADC: several ADCs together are not modelled");
}

static uint32_t cdr_read(struct device *d, unsigned index) {
    (void)index;
    return regs_of(board_device(d->board, types[0]))[DR] |
           regs_of(board_device(d->board, types[1]))[DR] << 16;
}

static const struct reg common_regs[COMMON_REGS] = {
    [CSR] = {"CSR", .read = csr_read},
    [CCR] = {"CCR", .writable = 0x00C3EF1F, .write = ccr_write},
    [CDR] = {"CDR", .read = cdr_read},
};

static void common_reset(struct device *d, enum board_reset_cause cause) {
    (void)cause;
    regs_reset(d);
}

static void common_free(struct device *d) {
    struct common *c = d->state;
    free(c->samples);
    c->samples = NULL;
    c->count = 0;
}

const struct device_type device_adc_common = {
    .name = "ADC",
    .base = 0x40012300,
    .size = 0x100,
    .state_size = sizeof(struct common),
    .reset = common_reset,
    .read = regs_read,
    .write = regs_write,
    .free = common_free,
    .config = &(const struct regs_config){.regs = common_regs, .count = COMMON_REGS},
};
