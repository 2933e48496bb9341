/* SPDX-License-Identifier: MIT
 *
 * The console: USART2, 115200 8N1 (RM0090 30.3).
 *
 * Output goes through a ring. Whoever writes also moves bytes from the ring to the transmitter while it
 * is free, and a writer that finds the ring full does so until there is room: output makes progress
 * without an interrupt. The TXE interrupt, where it comes (QEMU has none), only lets the writer go on
 * with other things.
 *
 * Input is a circle that DMA1 fills (stream 5, channel 4, table 42); interrupts at its half, its end and
 * when the line falls idle tell the reader, who looks at the stream's position for himself. A stall of
 * the core, as of a flash write, loses nothing then. Where there is no DMA each byte is an interrupt, and
 * a full ring drops what comes.
 */
#include "hal/uart.h"
#include "bsp.h"
#include "hal/board.h"
#include "hal/gpio.h"
#include "rtos/core.h"
#include "rtos/driver.h"
#include "rtos/priority.h"
#include "stm32f4.h"

enum { RING = 256, BAUD = 115200, SEND_TRIES = 100000 /* a byte takes 15000 cycles */ };
enum { STREAM = 5, CHANNEL = 4, AF_USART2 = 7, WAIT_TICKS = 100 };

static uint8_t tx_bytes[RING], rx_bytes[RING];
static struct ring tx = {.bytes = tx_bytes, .size = RING}, rx = {.bytes = rx_bytes, .size = RING};
static struct semaphore received; /* something has come since the reader looked last */
static struct uart_counters counters;

/* ----- output ------------------------------------------------------------------------------------- */

/* Sends one byte if the transmitter is free; false if it is not, or nothing is left. */
static bool send_one(void) {
    uint32_t key = kernel_lock();
    bool sent = false;
    if (USART_SR(USART2_BASE) & USART_SR_TXE) {
        int byte = ring_get(&tx, &counters.dropped);
        sent = byte >= 0;
        if (sent)
            USART_DR(USART2_BASE) = (uint32_t)byte;
        else
            USART_CR1(USART2_BASE) &= ~USART_CR1_TXEIE;
    }
    kernel_unlock(key);
    return sent;
}

static bool queue_one(uint8_t byte) {
    uint32_t key = kernel_lock();
    bool done = ring_put(&tx, byte);
    if (done)
        USART_CR1(USART2_BASE) |= USART_CR1_TXEIE;
    kernel_unlock(key);
    return done;
}

/* A task sleeps while there is no room: who is less urgent goes on. Before the kernel, and in the fault handler, there is
 * nobody to go on. A transmitter that never gets free must not stop the system: the byte is given up. */
static void write_one(uint8_t byte) {
    for (int i = 0; i < SEND_TRIES && !queue_one(byte); i++)
        if (!send_one() && task_sleep(1) == KERNEL_OK)
            i += SEND_TRIES / WAIT_TICKS;
}

static void write_all(const char *bytes, size_t length, bool text) {
    for (size_t i = 0; i < length; i++) {
        if (text && bytes[i] == '\n')
            write_one('\r');
        write_one((uint8_t)bytes[i]);
    }
    while (send_one())
        ;
}

void board_write(const char *text, size_t length) {
    write_all(text, length, true);
}

void board_write_raw(const char *bytes, size_t length) {
    write_all(bytes, length, false);
}

void board_flush(void) {
    for (int i = 0; i < SEND_TRIES && tx.head != tx.tail; i++)
        if (send_one())
            i = 0;
    for (int i = 0; i < SEND_TRIES && !(USART_SR(USART2_BASE) & USART_SR_TC); i++)
        ;
}

/* ----- input -------------------------------------------------------------------------------------- */

static bool dma_wrapped(void) {
    return DMA_ISR(DMA1_BASE, STREAM) & DMA_FLAGS(STREAM, DMA_TCIF);
}

/* Takes over what DMA has stored. The flag is read first and, when the position shows a wrap that it
 * did not, once more: a wrap between the two must not be counted again by the next call. */
static uint32_t dma_collect(void) {
    uint32_t key = kernel_lock();
    bool wrapped = dma_wrapped();
    uint32_t position = (RING - DMA_NDTR(DMA1_BASE, STREAM)) % RING;
    if (!wrapped && position < rx.head % RING)
        wrapped = dma_wrapped();
    if (wrapped)
        DMA_IFCR(DMA1_BASE, STREAM) = DMA_FLAGS(STREAM, DMA_TCIF);
    uint32_t fresh = ring_advance(&rx, position, wrapped);
    counters.received += fresh;
    kernel_unlock(key);
    return fresh;
}

static int read_one(void) {
    if (counters.dma)
        dma_collect();
    uint32_t key = kernel_lock();
    int byte = ring_get(&rx, &counters.dropped);
    kernel_unlock(key);
    return byte;
}

int board_read(uint32_t timeout) {
    uint32_t start = kernel_ticks();
    int byte;
    while ((byte = read_one()) < 0)
        if (semaphore_take(&received, timeout_left(start, timeout)))
            return read_one(); /* it may have come at the last moment */
    return byte;
}

void uart_counters(struct uart_counters *out) {
    uint32_t key = kernel_lock();
    *out = counters;
    kernel_unlock(key);
}

static void count_errors(uint32_t status) {
    counters.overruns += (status & USART_SR_ORE) != 0;
    counters.framing += (status & USART_SR_FE) != 0;
    counters.noise += (status & USART_SR_NF) != 0;
}

/* A read of SR and then of DR clears the errors and IDLE (30.6.1). With DMA a byte that waits in DR is
 * DMA's, whose read does as well. */
static void receive(void) {
    uint32_t status = USART_SR(USART2_BASE);
    count_errors(status);
    if (counters.dma) {
        if (!(status & USART_SR_RXNE))
            (void)USART_DR(USART2_BASE);
    } else if (status & (USART_SR_RXNE | USART_SR_ORE)) {
        uint8_t byte = (uint8_t)USART_DR(USART2_BASE);
        counters.received++;
        if (!ring_put(&rx, byte))
            counters.dropped++;
    } else {
        return;
    }
    semaphore_give_isr(&received); /* KERNEL_LIMIT: the reader has not looked yet */
}

/* An error of the bus switches a stream off (10.3.19); nobody would take bytes from DR any more. */
static void dma_check(void) {
    if (!counters.dma || DMA_CR(DMA1_BASE, STREAM) & DMA_CR_EN)
        return;
    counters.dma = false;
    USART_CR3(USART2_BASE) = 0;
    USART_CR1(USART2_BASE) = (USART_CR1(USART2_BASE) & ~USART_CR1_IDLEIE) | USART_CR1_RXNEIE;
}

void USART2_Handler(void) {
    dma_check();
    uint32_t wanted = USART_SR_RXNE | USART_SR_IDLE | USART_SR_ORE | USART_SR_FE | USART_SR_NF;
    if (USART_SR(USART2_BASE) & (counters.dma ? wanted & ~USART_SR_RXNE : wanted))
        receive();
    send_one();
    BARRIER();
}

/* Half or end of the circle. TC stays for dma_collect(), which needs it. */
void DMA1_Stream5_Handler(void) {
    dma_check();
    dma_collect();
    DMA_IFCR(DMA1_BASE, STREAM) = DMA_FLAGS(STREAM, DMA_ALL_FLAGS & ~DMA_TCIF);
    semaphore_give_isr(&received);
    BARRIER();
}

/* ----- start -------------------------------------------------------------------------------------- */

/* The order of 10.3.17. The stream is off after reset; one that does not stop is not used. */
static bool dma_start(void) {
    if (!part_there(PART_DMA1))
        return false;
    DMA_CR(DMA1_BASE, STREAM) = 0;
    if (!wait_for(DMA_STREAM(DMA1_BASE, STREAM), DMA_CR_EN, 0, SEND_TRIES))
        return false;
    DMA_IFCR(DMA1_BASE, STREAM) = DMA_FLAGS(STREAM, DMA_ALL_FLAGS);
    DMA_PAR(DMA1_BASE, STREAM) = USART2_BASE + 0x04;
    DMA_M0AR(DMA1_BASE, STREAM) = (uint32_t)(uintptr_t)rx_bytes;
    DMA_NDTR(DMA1_BASE, STREAM) = RING;
    USART_CR3(USART2_BASE) = USART_CR3_DMAR | USART_CR3_EIE;
    DMA_CR(DMA1_BASE, STREAM) = DMA_CR_CHANNEL(CHANNEL) | DMA_CR_PRIORITY_HIGH | DMA_CR_MINC |
                                DMA_CR_CIRC | DMA_CR_TEIE | DMA_CR_HTIE | DMA_CR_TCIE | DMA_CR_EN;
    return true;
}

uint32_t uart_rate(uint32_t apb1_hz) {
    return (apb1_hz + BAUD / 2) / BAUD;
}

void uart_clock(uint32_t apb1_hz) {
    USART_BRR(USART2_BASE) = uart_rate(apb1_hz);
}

void uart_init(uint32_t apb1_hz) {
    pin_alternate(board_config.console.tx, AF_USART2, 0);
    /* A pull-up on RX: an open pin is not a stream of zeros. */
    pin_alternate(board_config.console.rx, AF_USART2, PIN_PULL_UP);
    semaphore_init(&received, 0, 1);
    uart_clock(apb1_hz);
    USART_CR1(USART2_BASE) = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE;
    counters.dma = dma_start();
}

void uart_irq_enable(void) {
    USART_CR1(USART2_BASE) |= counters.dma ? USART_CR1_IDLEIE : USART_CR1_RXNEIE;
    irq_enable(IRQ_USART2, PRIORITY_DEVICE);
    if (counters.dma)
        irq_enable(IRQ_DMA1_STREAM5, PRIORITY_DEVICE);
}
