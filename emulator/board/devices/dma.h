/* SPDX-License-Identifier: MIT */
/* How devices ask for DMA transfers. */
#ifndef EMULATOR_BOARD_DEVICES_DMA_H
#define EMULATOR_BOARD_DEVICES_DMA_H

#include "board/device.h"

/*
 * Request lines: name, controller, stream and channel, second stream with its channel (the same twice
 * if there is only one). RM0090 tables 42 and 43.
 */
#define DMA_LINES(_)                                                                               \
    _(USART1_RX, 2, 2, 4, 5, 4)                                                                    \
    _(USART1_TX, 2, 7, 4, 7, 4)                                                                    \
    _(USART2_RX, 1, 5, 4, 5, 4)                                                                    \
    _(USART2_TX, 1, 6, 4, 6, 4)                                                                    \
    _(USART3_RX, 1, 1, 4, 1, 4)                                                                    \
    _(USART3_TX, 1, 3, 4, 4, 7)                                                                    \
    _(UART4_RX, 1, 2, 4, 2, 4)                                                                     \
    _(UART4_TX, 1, 4, 4, 4, 4)                                                                     \
    _(UART5_RX, 1, 0, 4, 0, 4)                                                                     \
    _(UART5_TX, 1, 7, 4, 7, 4)                                                                     \
    _(USART6_RX, 2, 1, 5, 2, 5)                                                                    \
    _(USART6_TX, 2, 6, 5, 7, 5)                                                                    \
    _(SPI1_RX, 2, 0, 3, 2, 3)                                                                      \
    _(SPI1_TX, 2, 3, 3, 5, 3)                                                                      \
    _(ADC1, 2, 0, 0, 4, 0)                                                                         \
    _(ADC2, 2, 2, 1, 3, 1)                                                                         \
    _(ADC3, 2, 0, 2, 1, 2)

enum dma_line {
#define LINE(name, ...) DMA_##name,
    DMA_LINES(LINE)
#undef LINE
        DMA_LINE_COUNT
};

/* The line is up as long as the device has or wants a datum; an access to its data register lowers it. */
void dma_request(struct board *b, enum dma_line line, bool level);
bool dma_listens(struct board *b, enum dma_line line); /* a running stream waits for it */

#endif
