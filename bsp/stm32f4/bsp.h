/* SPDX-License-Identifier: MIT */
#ifndef BSP_H
#define BSP_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "rtos/kernel.h"

/* clock.c */
enum clock_source { CLOCK_NONE, CLOCK_HSI, CLOCK_HSE_PLL }; /* NONE: no RCC answers (QEMU) */
struct clock {
    enum clock_source source;
    uint32_t core_hz, apb1_hz, apb2_hz;
    uint32_t timer1_hz, timer2_hz; /* of timers on APB1 and APB2 */
    bool usb;                      /* 48 MHz, for the RNG */
};
struct clock clock_init(void); /* first of all; then looks what else is there */
const struct clock *clock_now(void);
void clock_failed(void); /* NMI: the crystal has stopped, the chip runs on HSI */

/* parts.c */
void parts_probe(void);
bool part_there(enum part part);
static inline enum part part_of_pin(unsigned pin) {
    return (enum part)(PART_GPIOA + pin / 16); /* they follow each other in parts.def */
}
/* Until the masked bits of a register have a value; false: it did not happen in so many reads. */
bool wait_for(uint32_t address, uint32_t mask, uint32_t value, uint32_t tries);
uint32_t timeout_left(uint32_t start, uint32_t timeout); /* of a wait in several parts */
/* A driver's mutex; before kernel_start() there is nobody to keep out. */
enum kernel_status driver_lock(struct mutex *mutex);
void driver_unlock(struct mutex *mutex);

/* gpio.c: pins for drivers. An alternate function belongs to its driver until it is given back. */
enum pin_options { PIN_PULL_UP = 1, PIN_PULL_DOWN = 2, PIN_FAST = 4 };
void pin_alternate(unsigned pin, unsigned function, unsigned options);
void pin_output(unsigned pin, bool high); /* taken as well */
void pin_set(unsigned pin, bool high);
void pin_release(unsigned pin); /* an input without pull */

/* flash.c */
void flash_init(void);

/* uart.c */
void uart_init(uint32_t apb1_hz); /* before the kernel starts */
void uart_irq_enable(void);       /* after kernel_init() */
void uart_clock(uint32_t apb1_hz);
uint32_t uart_rate(uint32_t apb1_hz); /* for BRR */

/* Interrupts, each with its driver; handlers[] in startup.c says whose they are. */
void ADC_Handler(void);
void DMA1_Stream5_Handler(void);
void DMA2_Stream0_Handler(void);
void EXTI_Handler(void);
void TIM2_Handler(void);
void TIM5_Handler(void);
void USART2_Handler(void);
void USART3_Handler(void);

/* What start-up fills the main stack with. */
enum { STACK_FILL = 0x5AFE57AC };

#endif
