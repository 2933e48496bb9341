/* SPDX-License-Identifier: MIT
 *
 * The console's line: input by DMA and by interrupt, what goes wrong on it, output with and without a
 * transmitter that gets free.
 */
#include "driver/model.h"

#include "bsp/stm32f407/config.c"

#include "bsp/stm32f4/parts.c"

#include "bsp/stm32f4/uart.c"
#include <criterion/criterion.h>

enum { SR = USART2_BASE, DR = USART2_BASE + 4, CR1 = USART2_BASE + 0xC, CR3 = USART2_BASE + 0x14 };
enum { DMA_CR5 = DMA1_BASE + 0x10 + 0x18 * 5, DMA_NDTR5 = DMA_CR5 + 4 };

static struct line {
    uint32_t dma_written; /* bytes that DMA has stored */
    char sent[1000];
    unsigned sent_count;
    bool stuck; /* the transmitter never gets free */
} line;

void pin_alternate(unsigned pin, unsigned function, unsigned options) {
    (void)pin, (void)function, (void)options;
}

/* DR has a value that no byte has while nothing is written, so that each write is seen. */
static uint32_t read_register(uint32_t address, uint32_t stored) {
    if (address == SR)
        return line.stuck ? stored & ~USART_SR_TXE : stored | USART_SR_TXE | USART_SR_TC;
    return stored;
}

static void written(uint32_t address, uint32_t value, uint32_t before) {
    if (address == DR) {
        line.sent[line.sent_count++] = (char)value;
        model_set(DR, before);
    } else if (address == DMA1_BASE + 0x0C) { /* HIFCR */
        model_set(DMA1_BASE + 0x04, model_get(DMA1_BASE + 0x04) & ~value);
        model_set(address, 0);
    }
}

static void start(bool dma) {
    static const struct model_device device = {read_register, written};
    model_reset(&device);
    line = (struct line){0};
    counters = (struct uart_counters){0};
    tx.head = tx.tail = rx.head = rx.tail = 0;
    parts_there = dma ? 1u << PART_DMA1 : 0;
    model_set(DR, 0x1FF);
    uart_init(42000000);
    uart_irq_enable();
    cr_assert_eq(counters.dma, dma);
}

/* DMA stores a byte; its flags and count follow. */
static void dma_byte(uint8_t byte) {
    rx_bytes[line.dma_written++ % RING] = byte;
    uint32_t position = line.dma_written % RING, flags = model_get(DMA1_BASE + 4);
    model_set(DMA_NDTR5, RING - position);
    if (position == 0)
        flags |= DMA_FLAGS(5, DMA_TCIF);
    if (position == RING / 2)
        flags |= DMA_FLAGS(5, DMA_HTIF);
    model_set(DMA1_BASE + 4, flags);
}

static void irq_byte(uint8_t byte, uint32_t flags) {
    model_set(SR, USART_SR_RXNE | flags);
    model_set(DR, byte);
    USART2_Handler();
    model_set(SR, 0);
    model_set(DR, 0x1FF);
}

Test(uart, baud_rate) {
    start(false);
    cr_assert_eq(model_get(USART2_BASE + 8), 365); /* 42 MHz / 115200 = 364.6 */
    uart_clock(16000000);
    cr_assert_eq(model_get(USART2_BASE + 8), 139);
}

Test(uart, dma_is_set_up) {
    start(true);
    uint32_t cr = model_get(DMA_CR5);
    cr_assert(cr & DMA_CR_EN && cr & DMA_CR_CIRC && cr & DMA_CR_MINC && cr >> 25 == 4);
    cr_assert_eq(cr >> 6 & 3, 0); /* from the peripheral */
    cr_assert_eq(model_get(DMA_CR5 + 8), DR);
    cr_assert(model_get(CR3) & USART_CR3_DMAR);
    cr_assert(model_get(CR1) & USART_CR1_IDLEIE && !(model_get(CR1) & USART_CR1_RXNEIE));
    cr_assert_eq(model_kernel.irqs, 2);
    cr_assert_eq(model_kernel.worst_priority, PRIORITY_DEVICE);
}

Test(uart, dma_bytes_in_order) {
    start(true);
    uint8_t next = 0, expected = 0;
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < round % 50; i++)
            dma_byte(next++);
        for (int i = 0; i < round % 50; i++, expected++)
            cr_assert_eq(board_read(KERNEL_NO_WAIT), expected);
        cr_assert_eq(board_read(KERNEL_NO_WAIT), -1);
    }
    cr_assert_eq(counters.dropped, 0);
    cr_assert_eq(counters.received, line.dma_written);
}

/* Nobody reads, and interrupts at half and end count what comes: the newest RING bytes are left. */
Test(uart, dma_overrun_is_counted) {
    start(true);
    for (unsigned i = 0; i < 3 * RING + 10; i++) {
        dma_byte((uint8_t)(i % 251));
        if (i % (RING / 2) == RING / 2 - 1)
            DMA1_Stream5_Handler();
    }
    for (unsigned i = 2 * RING + 10; i < 3 * RING + 10; i++)
        cr_assert_eq(board_read(KERNEL_NO_WAIT), (int)(i % 251));
    cr_assert_eq(board_read(KERNEL_NO_WAIT), -1);
    cr_assert_eq(counters.dropped, 2 * RING + 10);
}

/* The core was stalled for more than a whole buffer: one lap is noticed by TCIF alone. */
Test(uart, dma_lap_while_stalled) {
    start(true);
    dma_byte(1);
    cr_assert_eq(board_read(KERNEL_NO_WAIT), 1);
    for (unsigned i = 0; i < RING + 5; i++)
        dma_byte((uint8_t)i);
    cr_assert_eq(board_read(KERNEL_NO_WAIT), 5);
    cr_assert_eq(counters.dropped, 5);
}

/* The interrupt's flag for the end is cleared by whoever took the bytes, not counted twice. */
Test(uart, dma_end_counts_once) {
    start(true);
    for (unsigned i = 0; i < RING + 3; i++)
        dma_byte((uint8_t)i);
    for (unsigned i = 0; i < RING - 10; i++) /* the oldest three are gone */
        cr_assert_eq(board_read(KERNEL_NO_WAIT), (int)(uint8_t)(i + 3));
    DMA1_Stream5_Handler();
    cr_assert_eq(counters.received, RING + 3);
    cr_assert_eq(model_get(DMA1_BASE + 4), 0);
}

static void line_falls_idle(void) {
    dma_byte('x');
    model_set(SR, USART_SR_IDLE);
    USART2_Handler();
    model_set(SR, 0);
}

Test(uart, idle_wakes_the_reader) {
    start(true);
    model_waiting = line_falls_idle;
    cr_assert_eq(board_read(100), 'x');
    cr_assert_eq(model_kernel.takes, 1);
}

/* The flag of bytes that were read already wakes the reader once; the wait ends on time all the same. */
Test(uart, stale_wake_up) {
    start(true);
    line_falls_idle();
    cr_assert_eq(board_read(KERNEL_NO_WAIT), 'x');
    cr_assert_eq(board_read(50), -1);
    cr_assert_eq(model_kernel.ticks, 50);
    cr_assert_eq(board_read(KERNEL_NO_WAIT), -1);
    cr_assert_eq(model_kernel.ticks, 50);
}

Test(uart, errors_with_dma) {
    start(true);
    model_set(SR, USART_SR_ORE | USART_SR_FE | USART_SR_NF);
    USART2_Handler();
    cr_assert_eq(counters.overruns, 1);
    cr_assert_eq(counters.framing, 1);
    cr_assert_eq(counters.noise, 1);
    cr_assert(counters.dma);
}

/* A stream that a bus error has switched off is not waited for: bytes come by interrupt from then on. */
Test(uart, dma_that_stops) {
    start(true);
    model_set(DMA_CR5, 0);
    irq_byte('a', 0);
    cr_assert(!counters.dma);
    cr_assert(model_get(CR1) & USART_CR1_RXNEIE && !(model_get(CR3) & USART_CR3_DMAR));
    irq_byte('b', 0);
    cr_assert_eq(board_read(KERNEL_NO_WAIT), 'a');
    cr_assert_eq(board_read(KERNEL_NO_WAIT), 'b');
}

Test(uart, interrupt_bytes) {
    start(false);
    for (unsigned i = 0; i < RING + 20; i++)
        irq_byte((uint8_t)i, 0);
    for (unsigned i = 0; i < RING; i++)
        cr_assert_eq(board_read(KERNEL_NO_WAIT), (int)(uint8_t)i);
    cr_assert_eq(board_read(KERNEL_NO_WAIT), -1);
    cr_assert_eq(counters.dropped, 20);
    cr_assert_eq(counters.received, RING + 20);
}

Test(uart, interrupt_errors) {
    start(false);
    irq_byte('a', USART_SR_ORE);
    irq_byte('b', USART_SR_FE | USART_SR_NF);
    cr_assert_eq(counters.overruns, 1);
    cr_assert_eq(counters.framing, 1);
    cr_assert_eq(counters.noise, 1);
    cr_assert_eq(board_read(KERNEL_NO_WAIT), 'a');
}

Test(uart, output) {
    start(false);
    board_write("one\ntwo", 7);
    cr_assert_eq(line.sent_count, 8);
    cr_assert(!memcmp(line.sent, "one\r\ntwo", 8));
}

/* Who waits for room sleeps, so that less urgent tasks run; before the kernel has started there is nobody. */
Test(uart, a_task_that_waits_sleeps) {
    start(false);
    line.stuck = true;
    for (int i = 0; i < RING; i++)
        board_write("x", 1);
    cr_assert_eq(model_kernel.sleeps, 0);
    board_write("x", 1);
    cr_assert_eq(model_kernel.sleeps, WAIT_TICKS);
    model_kernel.task = NULL;
    board_write("x", 1); /* comes back, too */
}

Test(uart, transmitter_that_never_gets_free) {
    start(false);
    line.stuck = true;
    for (int i = 0; i < RING + 3; i++)
        board_write("x", 1); /* comes back */
    board_flush();
    line.stuck = false;
    board_flush();
    cr_assert_eq(line.sent_count, RING);
}
