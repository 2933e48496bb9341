/* SPDX-License-Identifier: MIT
 *
 * Registers of the STM32F407 that are in use. Numbers in comments are sections of RM0090 rev 21.
 */
#ifndef STM32F407_H
#define STM32F407_H

#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(address))

/* 7.3 Reset and clock control */
#define RCC_BASE 0x40023800u
#define RCC_CR REG(RCC_BASE + 0x00)
#define RCC_CR_HSION (1u << 0)
#define RCC_CR_HSEON (1u << 16)
#define RCC_CR_HSERDY (1u << 17)
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_PLLCFGR REG(RCC_BASE + 0x04)
#define RCC_PLLCFGR_SRC_HSE (1u << 22)
#define RCC_CFGR REG(RCC_BASE + 0x08)
#define RCC_CFGR_SW_PLL 2u
#define RCC_CFGR_SW_MASK 3u
#define RCC_CFGR_SWS_MASK (3u << 2)
#define RCC_CFGR_SWS_PLL (2u << 2)
#define RCC_CFGR_PPRE1_DIV4 (5u << 10)
#define RCC_CFGR_PPRE2_DIV2 (4u << 13)
#define RCC_AHB1ENR REG(RCC_BASE + 0x30)
#define RCC_AHB1ENR_GPIOA (1u << 0)
#define RCC_APB1ENR REG(RCC_BASE + 0x40)
#define RCC_APB1ENR_TIM2 (1u << 0)
#define RCC_APB1ENR_USART2 (1u << 17)
#define RCC_APB1ENR_PWR (1u << 28)
#define RCC_CSR REG(RCC_BASE + 0x74)

/* 5.4 Power controller */
#define PWR_CR REG(0x40007000u)
#define PWR_CR_VOS (1u << 14)

/* 3.9 Flash interface */
#define FLASH_ACR REG(0x40023C00u)
#define FLASH_ACR_LATENCY_MASK 7u
#define FLASH_ACR_PRFTEN (1u << 8)
#define FLASH_ACR_ICEN (1u << 9)
#define FLASH_ACR_DCEN (1u << 10)

/* 8.4 GPIO */
#define GPIOA_BASE 0x40020000u
#define GPIO_MODER(base) REG((base) + 0x00)
#define GPIO_PUPDR(base) REG((base) + 0x0C)
#define GPIO_AFRL(base) REG((base) + 0x20)

/* 30.6 USART */
#define USART2_BASE 0x40004400u
#define USART_SR(base) REG((base) + 0x00)
#define USART_SR_RXNE (1u << 5)
#define USART_SR_TXE (1u << 7)
#define USART_SR_TC (1u << 6)
#define USART_DR(base) REG((base) + 0x04)
#define USART_BRR(base) REG((base) + 0x08)
#define USART_CR1(base) REG((base) + 0x0C)
#define USART_CR1_RE (1u << 2)
#define USART_CR1_TE (1u << 3)
#define USART_CR1_RXNEIE (1u << 5)
#define USART_CR1_TXEIE (1u << 7)
#define USART_CR1_UE (1u << 13)

/* 21.4 Independent watchdog */
#define IWDG_BASE 0x40003000u
#define IWDG_KR REG(IWDG_BASE + 0x00)
#define IWDG_KR_FEED 0xAAAAu
#define IWDG_KR_UNLOCK 0x5555u
#define IWDG_KR_START 0xCCCCu
#define IWDG_PR REG(IWDG_BASE + 0x04)
#define IWDG_RLR REG(IWDG_BASE + 0x08)
#define IWDG_SR REG(IWDG_BASE + 0x0C)

/* 18.4 General-purpose timers; this one has 32 bits */
#define TIM2_BASE 0x40000000u
#define TIM_CR1(base) REG((base) + 0x00)
#define TIM_CR1_CEN (1u << 0)
#define TIM_DIER(base) REG((base) + 0x0C)
#define TIM_DIER_CC1IE (1u << 1)
#define TIM_SR(base) REG((base) + 0x10)
#define TIM_EGR(base) REG((base) + 0x14)
#define TIM_EGR_UG (1u << 0)
#define TIM_CNT(base) REG((base) + 0x24)
#define TIM_PSC(base) REG((base) + 0x28)
#define TIM_ARR(base) REG((base) + 0x2C)
#define TIM_CCR(base, channel) REG((base) + 0x34 + 4 * (channel))

/* 12.2, table 62: interrupt numbers */
enum stm32f407_irq {
    IRQ_TIM2 = 28,
    IRQ_USART2 = 38,
    IRQ_CAN2_TX = 63, /* CAN is not used: the two spare interrupts of hal/board.h */
    IRQ_CAN2_RX0 = 64,
    IRQ_COUNT = 82,
};

#endif
