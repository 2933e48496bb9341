/* SPDX-License-Identifier: MIT
 *
 * Serial lines. The console's is behind board_write() and board_read(); the others, by the number of their USART,
 * are for whoever starts them: 115200 8N1, bytes as they are. What goes wrong is counted and stops no line.
 */
#ifndef HAL_UART_H
#define HAL_UART_H

#include <stdbool.h>
#include <stdint.h>

#include "rtos/kernel.h"

struct uart_counters {
    uint32_t received;
    uint32_t dropped;  /* received, but nobody read in time */
    uint32_t overruns; /* lost before they were received */
    uint32_t framing, noise;
    bool dma; /* bytes come by DMA; else one interrupt each */
};
void uart_counters(struct uart_counters *out); /* of the console's line */

/* What is received comes in frames: up to a UART_DELIMITER, which is the frame's last byte, or until the line falls
 * silent, or UART_FRAME bytes. */
enum { UART_FRAME = 256, UART_ROOM = 512, UART_DELIMITER = '\n' };

/* In an interrupt; the bytes are the driver's, and are overwritten afterwards. */
typedef void uart_frame_fn(const uint8_t *bytes, uint32_t size, void *argument);

/* KERNEL_NOT_THERE; KERNEL_BUSY: it is the console's, or runs already. The pins are the line's until it is stopped. */
enum kernel_status uart_start(unsigned port, uart_frame_fn *frame, void *argument);
void uart_stop(unsigned port); /* what has not been sent yet is dropped */
/* Whether it could be started, if nobody had it: as uart_start(). */
enum kernel_status uart_probe(unsigned port);
/* Copies at most UART_ROOM bytes and does not wait. KERNEL_LIMIT: no room for all of them, none is sent; KERNEL_NOT_STARTED.
 * From tasks, and from interrupts of the kernel's band. */
enum kernel_status uart_send(unsigned port, const void *bytes, uint32_t size);
/* Since its start. */
enum kernel_status uart_line_counters(unsigned port, struct uart_counters *out);

#endif
