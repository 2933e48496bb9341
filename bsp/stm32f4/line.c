/* SPDX-License-Identifier: MIT
 *
 * The serial line for programs: USART3, 115200 8N1 (RM0090 30.3).
 *
 * A byte is an interrupt. It goes into the frame that is being received; a frame ends with its delimiter, with
 * its last byte of room, or when the line falls silent: IDLE says so after the time of one byte. Where IDLE
 * never comes (QEMU) the tick finds that nothing has come for QUIET ticks. Whoever gets frames gets them in this
 * interrupt.
 *
 * What is sent waits in a ring that TXE empties. Where TXE does not interrupt (QEMU) the transmitter is always free,
 * and the sender empties the ring himself.
 */
#include "bsp.h"
#include "hal/uart.h"
#include "rtos/core.h"
#include "rtos/driver.h"
#include "rtos/priority.h"
#include "stm32f4.h"

enum { CONSOLE = 2, PORT = 3, AF_USART3 = 7, QUIET = 3 /* ticks: 2 ms at least */ };

static uint8_t frame[UART_FRAME], tx_bytes[UART_ROOM];
static struct {
    uart_frame_fn *frame; /* NULL: it does not run */
    void *argument;
    uint32_t used;         /* bytes of the frame so far */
    uint32_t seen;         /* received, when the tick looked last */
    struct timeout quiet;  /* from the first byte of a frame on */
    volatile bool silence; /* the tick says: it has ended */
    struct ring tx;
    struct uart_counters counters;
} line;

/* ----- receiving: in the interrupt ------------------------------------------------------------------ */

static void frame_end(void) {
    if (line.used)
        line.frame(frame, line.used, line.argument);
    line.used = 0;
}

/* Locked, in the tick. The interrupt does the work, so that frame and callback have one owner. */
static void look(struct timeout *timeout) {
    if (line.seen == line.counters.received) {
        line.silence = true;
        irq_pend(IRQ_USART3);
    } else {
        line.seen = line.counters.received;
        timeout_add(timeout, QUIET);
    }
}

static void take(uint8_t byte) {
    frame[line.used++] = byte;
    line.counters.received++;
    if (byte == UART_DELIMITER || line.used == UART_FRAME) {
        frame_end();
        return;
    }
    uint32_t key = kernel_lock();
    if (!line.quiet.next) {
        line.seen = line.counters.received;
        timeout_add(&line.quiet, QUIET);
    }
    kernel_unlock(key);
}

/* A read of SR and then of DR takes the byte and clears the errors and IDLE (30.6.1). A byte that comes with IDLE is
 * taken for the last of the frame before the gap: the interrupt was late by more than a byte. */
static void receive(uint32_t status) {
    enum { ERRORS = USART_SR_ORE | USART_SR_FE | USART_SR_NF };
    if (!(status & (USART_SR_RXNE | USART_SR_IDLE | ERRORS)))
        return;
    uint8_t byte = (uint8_t)USART_DR(USART3_BASE);
    line.counters.overruns += (status & USART_SR_ORE) != 0;
    line.counters.framing += (status & USART_SR_FE) != 0;
    line.counters.noise += (status & USART_SR_NF) != 0;
    if (status & USART_SR_RXNE) /* with ORE alone DR has what was taken before (30.3.3) */
        take(byte);
    if (status & USART_SR_IDLE)
        frame_end();
}

/* ----- sending ---------------------------------------------------------------------------------------- */

/* Sends one byte if the transmitter is free; false if it is not, or nothing is left. */
static bool send_one(void) {
    uint32_t key = kernel_lock();
    bool sent = false;
    if (line.frame && USART_SR(USART3_BASE) & USART_SR_TXE) {
        int byte = ring_get(&line.tx, &line.counters.dropped);
        sent = byte >= 0;
        if (sent)
            USART_DR(USART3_BASE) = (uint32_t)byte;
        else
            USART_CR1(USART3_BASE) &= ~USART_CR1_TXEIE;
    }
    kernel_unlock(key);
    return sent;
}

enum kernel_status uart_send(unsigned port, const void *bytes, uint32_t size) {
    enum kernel_status status = uart_probe(port);
    if (status)
        return status;
    uint32_t key = kernel_lock();
    if (!line.frame) {
        status = KERNEL_NOT_STARTED;
    } else if (!ring_write(&line.tx, bytes, size)) {
        status = KERNEL_LIMIT;
    } else {
        USART_CR1(USART3_BASE) |= USART_CR1_TXEIE;
    }
    kernel_unlock(key);
    while (!status && send_one())
        ;
    return status;
}

void USART3_Handler(void) {
    if (line.frame) {
        if (line.silence) /* what comes now is another frame's */
            frame_end();
        line.silence = false;
        receive(USART_SR(USART3_BASE));
        send_one();
    }
    BARRIER();
}

/* ----- start and stop ----------------------------------------------------------------------------------- */

enum kernel_status uart_probe(unsigned port) {
    if (port == CONSOLE)
        return KERNEL_BUSY;
    return port == PORT && part_there(PART_USART3) ? KERNEL_OK : KERNEL_NOT_THERE;
}

enum kernel_status uart_start(unsigned port, uart_frame_fn *function, void *argument) {
    enum kernel_status status = uart_probe(port);
    if (status || line.frame)
        return status ? status : KERNEL_BUSY;
    pin_alternate(board_config.line.tx, AF_USART3, 0);
    /* A pull-up on RX: an open pin is not a stream of zeros. */
    pin_alternate(board_config.line.rx, AF_USART3, PIN_PULL_UP);
    line.counters = (struct uart_counters){0};
    line.tx = (struct ring){.bytes = tx_bytes, .size = UART_ROOM};
    line.used = 0;
    line.quiet.expire = look;
    line.argument = argument;
    line.frame = function;
    USART_BRR(USART3_BASE) = uart_rate(clock_now()->apb1_hz);
    USART_CR1(USART3_BASE) =
        USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE | USART_CR1_IDLEIE;
    irq_enable(IRQ_USART3, PRIORITY_DEVICE);
    return KERNEL_OK;
}

void uart_stop(unsigned port) {
    if (uart_probe(port) || !line.frame)
        return;
    uint32_t key = kernel_lock();
    USART_CR1(USART3_BASE) = 0;
    timeout_remove(&line.quiet);
    line.silence = false;
    line.frame = NULL;
    kernel_unlock(key);
    pin_release(board_config.line.tx);
    pin_release(board_config.line.rx);
}

enum kernel_status uart_line_counters(unsigned port, struct uart_counters *out) {
    enum kernel_status status = uart_probe(port);
    uint32_t key = kernel_lock();
    if (!status)
        *out = line.counters;
    kernel_unlock(key);
    return status;
}
