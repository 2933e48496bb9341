/* SPDX-License-Identifier: MIT */
/*
 * SPI1 as master (RM0090 28.3), with the accelerometer on PA5 (clock), PA6 (its output), PA7 (its input)
 * and PE3 (select). CRC, receive-only, bidirectional and slave modes and I2S are not modelled.
 */
#include "accel.h"
#include "dma.h"
#include "gpio.h"
#include "regs.h"

enum { CR1, CR2, SR, DR, CRCPR, RXCRCR, TXCRCR, I2SCFGR, I2SPR, REGS };
enum {
    CR1_MODE = 3, /* CPHA, CPOL */
    CR1_MSTR = BIT(2),
    CR1_SPE = BIT(6),
    CR1_LSBFIRST = BIT(7),
    CR1_SSI = BIT(8),
    CR1_SSM = BIT(9),
    CR1_RXONLY = BIT(10),
    CR1_DFF = BIT(11),
    CR1_OTHER = 0xB000, /* CRCEN, CRCNEXT, BIDIMODE */
    CR2_RXDMAEN = BIT(0),
    CR2_TXDMAEN = BIT(1),
    CR2_ERRIE = BIT(5),
    CR2_RXNEIE = BIT(6),
    CR2_TXEIE = BIT(7),
    SR_RXNE = BIT(0),
    SR_TXE = BIT(1),
    SR_CRCERR = BIT(4),
    SR_MODF = BIT(5),
    SR_OVR = BIT(6),
    SR_BSY = BIT(7),
};
enum {
    PORT_A,
    PORT_E = 4,
    SCK = 5,
    MISO = 6,
    MOSI = 7,
    CS = 3,
    AF_SPI1 = 5,
    ACCEL_MAX_HZ = 10000000
};

struct spi {
    struct regs regs;
    struct accel accel;
    struct board_event done;
    uint16_t shift, hold, receive;
    bool overrun_read; /* DR was read while OVR was set: the first half of clearing it */
    bool noted;        /* that the accelerometer is driven wrongly */
};

static void requests_update(struct device *d) {
    const uint32_t *r = regs_of(d);
    uint32_t sr = r[SR], cr2 = r[CR2];
    board_irq(d->board, regs_config(d)->irq,
              (cr2 & CR2_TXEIE && sr & SR_TXE) || (cr2 & CR2_RXNEIE && sr & SR_RXNE) ||
                  (cr2 & CR2_ERRIE && sr & (SR_OVR | SR_MODF | SR_CRCERR)));
    dma_request(d->board, DMA_SPI1_RX, cr2 & CR2_RXDMAEN && sr & SR_RXNE);
    dma_request(d->board, DMA_SPI1_TX, cr2 & CR2_TXDMAEN && sr & SR_TXE && r[CR1] & CR1_SPE);
}

/* ------------------------------------------------------------------------------------------------
 * The bus */

static uint32_t bit_hz(const struct device *d) {
    return board_clocks(d->board)->apb2_hz >> ((regs_of(d)[CR1] >> 3 & 7) + 1);
}

static unsigned frame_bits(const uint32_t *r) {
    return r[CR1] & CR1_DFF ? 16 : 8;
}

static bool is_wired(struct board *b, unsigned pin) {
    return gpio_alternate(b, PORT_A, pin) == AF_SPI1;
}

static void check_accel(struct device *d) {
    struct spi *spi = d->state;
    uint32_t cr1 = regs_of(d)[CR1];
    bool wrong = (cr1 & CR1_MODE) != CR1_MODE || bit_hz(d) > ACCEL_MAX_HZ || cr1 & CR1_LSBFIRST;
    if (wrong && !spi->noted)
        board_note(d->board, "SPI1: the accelerometer wants mode 3, MSB first, at most 10 MHz");
    spi->noted = wrong;
}

/* One byte each way; nobody selected leaves the line high. */
static uint8_t exchange(struct device *d, uint8_t out) {
    struct spi *spi = d->state;
    struct board *b = d->board;
    if (board_pin_level(b, PORT_E, CS) || !is_wired(b, SCK) || !is_wired(b, MOSI))
        return 0xFF;
    check_accel(d);
    uint8_t in = accel_exchange(b, &spi->accel, out);
    return is_wired(b, MISO) ? in : 0xFF;
}

static void shift_out(struct device *d) {
    struct spi *spi = d->state;
    uint32_t *r = regs_of(d);
    spi->shift = spi->hold;
    r[SR] |= SR_TXE;
    board_event_at(d->board, &spi->done,
                   board_cycles(d->board) + board_cycles_of(d->board, frame_bits(r), bit_hz(d)));
}

static void frame_done(struct board_event *event) {
    struct device *d = event->device;
    struct spi *spi = d->state;
    uint32_t *r = regs_of(d);
    uint16_t in = 0;
    if (frame_bits(r) == 16)
        in = (uint16_t)(exchange(d, (uint8_t)(spi->shift >> 8)) << 8);
    in |= exchange(d, (uint8_t)spi->shift);
    if (r[SR] & SR_RXNE) {
        r[SR] |= SR_OVR; /* 28.3.10: what came later is lost */
    } else {
        spi->receive = in;
        r[SR] |= SR_RXNE;
    }
    if (!(r[SR] & SR_TXE) && r[CR1] & CR1_SPE)
        shift_out(d);
    requests_update(d);
}

/* PE3: the transfer with the accelerometer begins anew. */
void spi_pin_changed(struct board *b, unsigned port, unsigned pin, bool level) {
    struct spi *spi = board_device(b, &device_spi1)->state;
    if (port == PORT_E && pin == CS && !level)
        accel_select(&spi->accel);
}

void board_accel(struct board *b, const int16_t mg[3]) {
    struct spi *spi = board_device(b, &device_spi1)->state;
    for (unsigned i = 0; i < 3; i++)
        spi->accel.mg[i] = mg[i];
}

/* ------------------------------------------------------------------------------------------------
 * Registers */

/* 28.3.10: a master that is deselected (by SSI, with SSM) falls back to slave. */
static void check_mode_fault(struct device *d) {
    uint32_t *r = regs_of(d);
    if (!(r[CR1] & CR1_MSTR) || (r[CR1] & (CR1_SSM | CR1_SSI)) != CR1_SSM)
        return;
    board_note(d->board, "SPI1: mode fault: master with SSM = 1 and SSI = 0");
    r[SR] |= SR_MODF;
    r[CR1] &= ~(uint32_t)(CR1_MSTR | CR1_SPE);
}

static void cr1_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    struct spi *spi = d->state;
    uint32_t *r = regs_of(d);
    (void)written;
    r[SR] &= ~(uint32_t)SR_MODF; /* after a read of SR, which is not checked */
    check_mode_fault(d);
    if (r[index] & CR1_SPE && r[index] & (CR1_OTHER | CR1_RXONLY))
        board_note(d->board, "SPI1: CRC, receive-only and one-wire modes are not modelled");
    if (r[index] & ~old & CR1_SPE && !(r[index] & CR1_MSTR))
        board_note(d->board, "SPI1: slave mode is not modelled");
    if (!(r[index] & CR1_SPE)) {
        board_event_cancel(d->board, &spi->done);
        r[SR] |= SR_TXE;
    }
    requests_update(d);
}

static void cr2_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)index, (void)written, (void)old;
    requests_update(d);
}

static uint32_t sr_read(struct device *d, unsigned index) {
    struct spi *spi = d->state;
    uint32_t *r = regs_of(d), value = r[index] | (spi->done.queued ? SR_BSY : 0);
    if (spi->overrun_read)
        r[index] &= ~(uint32_t)SR_OVR;
    spi->overrun_read = false;
    requests_update(d);
    return value;
}

static void dr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    struct spi *spi = d->state;
    uint32_t *r = regs_of(d);
    (void)index, (void)old;
    if ((r[CR1] & (CR1_SPE | CR1_MSTR)) != (CR1_SPE | CR1_MSTR))
        return;
    if (!(r[SR] & SR_TXE))
        board_note(d->board, "SPI1: DR written while it is full, a frame is lost");
    spi->hold = (uint16_t)written;
    r[SR] &= ~(uint32_t)SR_TXE;
    if (!spi->done.queued)
        shift_out(d);
    requests_update(d);
}

static uint32_t dr_read(struct device *d, unsigned index) {
    struct spi *spi = d->state;
    uint32_t *r = regs_of(d);
    (void)index;
    r[SR] &= ~(uint32_t)SR_RXNE;
    spi->overrun_read = r[SR] & SR_OVR;
    requests_update(d);
    return spi->receive & (frame_bits(r) == 16 ? 0xFFFF : 0xFF);
}

static const struct reg spi_regs[REGS] = {
    [CR1] = {"CR1", .writable = 0xFFFF, .write = cr1_write},
    [CR2] = {"CR2", .writable = 0xF7, .write = cr2_write},
    [SR] = {"SR", .reset = SR_TXE, .clear0 = SR_CRCERR, .read = sr_read},
    [DR] = {"DR", .read = dr_read, .write = dr_write},
    [CRCPR] = {"CRCPR", .reset = 7, .writable = 0xFFFF},
    [RXCRCR] = {"RXCRCR"},
    [TXCRCR] = {"TXCRCR"},
    [I2SPR] = {"I2SPR", .reset = 2, .writable = 0x3FF},
};

static void spi_reset(struct device *d, enum board_reset_cause cause) {
    struct spi *spi = d->state;
    board_event_cancel(d->board, &spi->done);
    spi->done.fire = frame_done;
    spi->done.device = d;
    spi->overrun_read = spi->noted = false;
    regs_reset(d);
    if (cause == BOARD_RESET_POWER)
        accel_power_on(d->board, &spi->accel);
    requests_update(d);
}

const struct device_type device_spi1 = {
    .name = "SPI1",
    .base = 0x40013000,
    .size = 0x400,
    .state_size = sizeof(struct spi),
    .reset = spi_reset,
    .read = regs_read,
    .write = regs_write,
    .config =
        &(const struct regs_config){.regs = spi_regs, .count = REGS, .irq = 35, .gate = {0x44, 12}},
};
