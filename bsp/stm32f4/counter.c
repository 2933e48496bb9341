/* SPDX-License-Identifier: MIT
 *
 * A clock for tests: TIM2 counts on at its full rate, and its first compare channel interrupts (RM0090
 * 18.3). QEMU's counts at 1 GHz and knows no compare interrupt.
 */
#include "bsp.h"
#include "hal/board.h"
#include "rtos/core.h"
#include "rtos/priority.h"
#include "stm32f4.h"

void (*volatile board_alarm_handler)(void);
static uint32_t alarm_period; /* counts */

void board_counter_start(void) {
    RCC_APB1ENR |= RCC_APB1ENR_TIM2;
    (void)RCC_APB1ENR; /* see clock.c */
    TIM_CR1(TIM2_BASE) = 0;
    TIM_PSC(TIM2_BASE) = 0;
    TIM_ARR(TIM2_BASE) = UINT32_MAX;
    TIM_DIER(TIM2_BASE) = 0;
    TIM_EGR(TIM2_BASE) = TIM_EGR_UG;
    TIM_CR1(TIM2_BASE) = TIM_CR1_CEN;
}

uint32_t board_counter(void) {
    return TIM_CNT(TIM2_BASE);
}

void board_alarm(uint32_t counts) {
    TIM_DIER(TIM2_BASE) = 0;
    alarm_period = counts;
    if (!counts)
        return;
    irq_enable(IRQ_TIM2, PRIORITY_DEVICE);
    TIM_CCR(TIM2_BASE, 0) = TIM_CNT(TIM2_BASE) + counts;
    TIM_SR(TIM2_BASE) = 0;
    TIM_DIER(TIM2_BASE) = TIM_DIER_CC1IE;
}

void TIM2_Handler(void) {
    TIM_SR(TIM2_BASE) = 0;
    TIM_CCR(TIM2_BASE, 0) += alarm_period;
    board_alarm_handler();
    __asm volatile("dsb"); /* erratum 838869 */
}
