/* SPDX-License-Identifier: MIT */
#ifndef BSP_H
#define BSP_H

#include <stdbool.h>
#include <stdint.h>

/* clock.c */
enum clock_source { CLOCK_NONE, CLOCK_HSI, CLOCK_HSE_PLL }; /* NONE: no RCC answers (QEMU) */
struct clock {
    enum clock_source source;
    uint32_t core_hz, apb1_hz;
};
struct clock clock_init(void);

/* uart.c */
void uart_init(uint32_t apb1_hz); /* before the kernel starts */
void uart_irq_enable(void);       /* after kernel_init() */

/* What start-up fills the main stack with. */
enum { STACK_FILL = 0x5AFE57AC };

/* main.c: called by start-up */
int main(void);

#endif
