/* SPDX-License-Identifier: MIT
 *
 * The console: USART2 on PA2 and PA3, 115200 8N1 (RM0090 30.3).
 *
 * Output goes through a ring. Whoever writes also moves bytes from the ring to the transmitter while it
 * is free, and a writer that finds the ring full does so until there is room: output makes progress
 * without an interrupt. The TXE interrupt, where it comes (QEMU has none), only lets the writer go on
 * with other things. Input is by interrupt; a full ring drops what comes then.
 */
#include "bsp.h"
#include "hal/board.h"
#include "rtos/core.h"
#include "rtos/kernel.h"
#include "rtos/priority.h"
#include "stm32f407.h"

enum { RING = 256, BAUD = 115200, SEND_TRIES = 100000 /* a byte takes 15000 cycles */ };

/* One reader, one writer at a time; head - tail bytes are in it. */
struct ring {
    uint8_t bytes[RING];
    volatile uint32_t head, tail; /* bytes ever written and read */
};
static struct ring tx, rx;
static struct semaphore received;

static bool ring_put(struct ring *ring, uint8_t byte) {
    if (ring->head - ring->tail == RING)
        return false;
    ring->bytes[ring->head % RING] = byte;
    ring->head++;
    return true;
}

static int ring_get(struct ring *ring) {
    if (ring->head == ring->tail)
        return -1;
    int byte = ring->bytes[ring->tail % RING];
    ring->tail++;
    return byte;
}

/* Sends one byte if the transmitter is free; false if it is not, or nothing is left. */
static bool send_one(void) {
    uint32_t key = kernel_lock();
    bool sent = false;
    if (USART_SR(USART2_BASE) & USART_SR_TXE) {
        int byte = ring_get(&tx);
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

/* A transmitter that never gets free must not stop the system: the byte is given up. */
static void write_one(uint8_t byte) {
    for (int i = 0; i < SEND_TRIES && !queue_one(byte); i++)
        send_one();
}

void board_write(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            write_one('\r');
        write_one((uint8_t)text[i]);
    }
    while (send_one())
        ;
}

void board_flush(void) {
    for (int i = 0; i < SEND_TRIES && tx.head != tx.tail; i++)
        if (send_one())
            i = 0;
    for (int i = 0; i < SEND_TRIES && !(USART_SR(USART2_BASE) & USART_SR_TC); i++)
        ;
}

int board_read(uint32_t timeout) {
    if (semaphore_take(&received, timeout))
        return -1;
    return ring_get(&rx);
}

void USART2_Handler(void);
void USART2_Handler(void) {
    if (USART_SR(USART2_BASE) & USART_SR_RXNE) {
        uint8_t byte = (uint8_t)USART_DR(USART2_BASE); /* clears RXNE, and an overrun */
        if (ring_put(&rx, byte))
            semaphore_give_isr(&received);
    }
    send_one();
    __asm volatile("dsb"); /* erratum 838869 */
}

static void pins_init(void) {
    RCC_AHB1ENR |= RCC_AHB1ENR_GPIOA;
    RCC_APB1ENR |= RCC_APB1ENR_USART2;
    (void)RCC_APB1ENR;                                                            /* see clock.c */
    GPIO_MODER(GPIOA_BASE) = (GPIO_MODER(GPIOA_BASE) & ~(0xFu << 4)) | 0xAu << 4; /* alternate */
    GPIO_AFRL(GPIOA_BASE) = (GPIO_AFRL(GPIOA_BASE) & ~(0xFFu << 8)) | 0x77u << 8; /* AF7 */
    /* A pull-up on RX: an open pin is not a stream of zeros. */
    GPIO_PUPDR(GPIOA_BASE) = (GPIO_PUPDR(GPIOA_BASE) & ~(3u << 6)) | 1u << 6;
}

void uart_init(uint32_t apb1_hz) {
    pins_init();
    semaphore_init(&received, 0, RING);
    USART_BRR(USART2_BASE) = (apb1_hz + BAUD / 2) / BAUD;
    USART_CR1(USART2_BASE) = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE;
}

void uart_irq_enable(void) {
    USART_CR1(USART2_BASE) |= USART_CR1_RXNEIE;
    irq_enable(IRQ_USART2, PRIORITY_DEVICE);
}
