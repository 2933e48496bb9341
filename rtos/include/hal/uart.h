/* SPDX-License-Identifier: MIT
 *
 * The line behind board_write() and board_read(): what went wrong on it. Nothing of it stops the line.
 */
#ifndef HAL_UART_H
#define HAL_UART_H

#include <stdbool.h>
#include <stdint.h>

struct uart_counters {
    uint32_t received;
    uint32_t dropped;  /* received, but nobody read in time */
    uint32_t overruns; /* lost before they were received */
    uint32_t framing, noise;
    bool dma; /* bytes come by DMA; else one interrupt each */
};
void uart_counters(struct uart_counters *out);

#endif
