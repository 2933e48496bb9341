/* SPDX-License-Identifier: MIT
 *
 * Registers of the STM32F4 family that are in use. Numbers in comments are sections of RM0090 rev 21.
 */
#ifndef STM32F4_H
#define STM32F4_H

#include <stdint.h>

/* Host tests put a model of the registers here (tests/driver/model.h). */
#ifndef REG
#define REG(address) (*(volatile uint32_t *)(address))
/* All writes have arrived: before leaving an interrupt (erratum 838869 of the Cortex-M4), before DMA. */
#define BARRIER() __asm volatile("dsb" : : : "memory")
extern const char _firmware_end[];
extern const char _library_start[], _far_end[];
#define FIRMWARE_END ((uint32_t)_firmware_end) /* one past its last byte in flash */
#define LIBRARY_START ((uint32_t)_library_start)
#define LIBRARY_END ((uint32_t)_far_end) /* of what lies in its sector */
#endif

/* 7.3 Reset and clock control */
#define RCC_BASE 0x40023800u
#define RCC_CR REG(RCC_BASE + 0x00)
#define RCC_CR_HSION (1u << 0)
#define RCC_CR_HSIRDY (1u << 1)
#define RCC_CR_HSEON (1u << 16)
#define RCC_CR_HSERDY (1u << 17)
#define RCC_CR_HSEBYP (1u << 18)
#define RCC_CR_CSSON (1u << 19)
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_PLLCFGR REG(RCC_BASE + 0x04)
#define RCC_PLLCFGR_SRC_HSE (1u << 22)
#define RCC_CFGR REG(RCC_BASE + 0x08)
#define RCC_CFGR_SW_HSI 0u
#define RCC_CFGR_SW_PLL 2u
#define RCC_CFGR_SW_MASK 3u
#define RCC_CFGR_SWS_MASK (3u << 2)
#define RCC_CFGR_SWS_HSI (0u << 2)
#define RCC_CFGR_SWS_PLL (2u << 2)
#define RCC_CFGR_PPRE1_DIV4 (5u << 10)
#define RCC_CFGR_PPRE2_DIV2 (4u << 13)
#define RCC_CIR REG(RCC_BASE + 0x0C)
#define RCC_CIR_CSSF (1u << 7)
#define RCC_CIR_CSSC (1u << 23)
/* Enable registers by their offset; which bit is which unit's is in parts.def */
#define RCC_ENABLE(offset) REG(RCC_BASE + (offset))
#define RCC_APB1ENR REG(RCC_BASE + 0x40)
#define RCC_APB1ENR_TIM2 (1u << 0)
#define RCC_APB1ENR_PWR (1u << 28)

/* 5.4 Power controller */
#define PWR_CR REG(0x40007000u)
#define PWR_CR_VOS (1u << 14)

/* 3.9 Flash interface */
#define FLASH_BASE 0x40023C00u
#define FLASH_ACR REG(FLASH_BASE + 0x00)
#define FLASH_ACR_LATENCY_MASK 7u
#define FLASH_ACR_PRFTEN (1u << 8)
#define FLASH_ACR_ICEN (1u << 9)
#define FLASH_ACR_DCEN (1u << 10)
#define FLASH_ACR_ICRST (1u << 11)
#define FLASH_ACR_DCRST (1u << 12)
#define FLASH_KEYR REG(FLASH_BASE + 0x04)
#define FLASH_KEY1 0x45670123u
#define FLASH_KEY2 0xCDEF89ABu
#define FLASH_SR REG(FLASH_BASE + 0x0C)
#define FLASH_SR_EOP (1u << 0)
#define FLASH_SR_ERRORS 0xF2u /* OPERR, WRPERR, PGAERR, PGPERR, PGSERR */
#define FLASH_SR_BSY (1u << 16)
#define FLASH_CR REG(FLASH_BASE + 0x10)
#define FLASH_CR_PG (1u << 0)
#define FLASH_CR_SER (1u << 1)
#define FLASH_CR_SNB(sector) ((uint32_t)(sector) << 3)
#define FLASH_CR_PSIZE_32 (2u << 8)
#define FLASH_CR_STRT (1u << 16)
#define FLASH_CR_LOCK (1u << 31)

/* 4.4 CRC */
#define CRC_DR REG(0x40023000u)
#define CRC_CR REG(0x40023008u)
#define CRC_CR_RESET 1u

/* 8.4 GPIO */
#define GPIO_BASE(port) (0x40020000u + 0x400u * (port))
#define GPIO_MODER(base) REG((base) + 0x00)
#define GPIO_OTYPER(base) REG((base) + 0x04)
#define GPIO_OSPEEDR(base) REG((base) + 0x08)
#define GPIO_PUPDR(base) REG((base) + 0x0C)
#define GPIO_IDR(base) REG((base) + 0x10)
#define GPIO_BSRR(base) REG((base) + 0x18)
#define GPIO_AFR(base, number) REG((base) + 0x20 + 4 * ((number) / 8))

/* 9.2.3 SYSCFG; 12.3 EXTI */
#define SYSCFG_EXTICR(line) REG(0x40013808u + 4 * ((line) / 4))
#define EXTI_BASE 0x40013C00u
#define EXTI_IMR REG(EXTI_BASE + 0x00)
#define EXTI_RTSR REG(EXTI_BASE + 0x08)
#define EXTI_FTSR REG(EXTI_BASE + 0x0C)
#define EXTI_SWIER REG(EXTI_BASE + 0x10)
#define EXTI_PR_ADDRESS (EXTI_BASE + 0x14)
#define EXTI_PR REG(EXTI_PR_ADDRESS)

/* 10.5 DMA. A stream has four status registers' worth of six flags, at uneven places. */
#define DMA1_BASE 0x40026000u
#define DMA2_BASE 0x40026400u
#define DMA_ISR(base, stream) REG((base) + 4 * ((stream) / 4))
#define DMA_IFCR(base, stream) REG((base) + 0x08 + 4 * ((stream) / 4))
#define DMA_FLAGS(stream, flags) ((uint32_t)(flags) << ((stream) % 4 / 2 * 16 + (stream) % 2 * 6))
#define DMA_FEIF (1u << 0)
#define DMA_DMEIF (1u << 2)
#define DMA_TEIF (1u << 3)
#define DMA_HTIF (1u << 4)
#define DMA_TCIF (1u << 5)
#define DMA_ALL_FLAGS (DMA_FEIF | DMA_DMEIF | DMA_TEIF | DMA_HTIF | DMA_TCIF)
#define DMA_STREAM(base, stream) ((base) + 0x10 + 0x18 * (stream))
#define DMA_CR(base, stream) REG(DMA_STREAM(base, stream) + 0x00)
#define DMA_CR_EN (1u << 0)
#define DMA_CR_TEIE (1u << 2)
#define DMA_CR_HTIE (1u << 3)
#define DMA_CR_TCIE (1u << 4)
#define DMA_CR_CIRC (1u << 8)
#define DMA_CR_MINC (1u << 10)
#define DMA_CR_PSIZE_16 (1u << 11)
#define DMA_CR_MSIZE_16 (1u << 13)
#define DMA_CR_PRIORITY_HIGH (2u << 16)
#define DMA_CR_DBM (1u << 18)
#define DMA_CR_CT (1u << 19)
#define DMA_CR_CHANNEL(n) ((uint32_t)(n) << 25)
#define DMA_NDTR(base, stream) REG(DMA_STREAM(base, stream) + 0x04)
#define DMA_PAR(base, stream) REG(DMA_STREAM(base, stream) + 0x08)
#define DMA_M0AR(base, stream) REG(DMA_STREAM(base, stream) + 0x0C)
#define DMA_M1AR(base, stream) REG(DMA_STREAM(base, stream) + 0x10)

/* 13.13 ADC */
#define ADC1_BASE 0x40012000u
#define ADC1_SR REG(ADC1_BASE + 0x00)
#define ADC_SR_OVR (1u << 5)
#define ADC1_CR1 REG(ADC1_BASE + 0x04)
#define ADC_CR1_SCAN (1u << 8)
#define ADC_CR1_OVRIE (1u << 26)
#define ADC1_CR2 REG(ADC1_BASE + 0x08)
#define ADC_CR2_ADON (1u << 0)
#define ADC_CR2_DMA (1u << 8)
#define ADC_CR2_DDS (1u << 9)
#define ADC_CR2_EXTSEL_TIM2_TRGO (6u << 24)
#define ADC_CR2_EXTEN_RISING (1u << 28)
#define ADC1_SMPR(channel) REG(ADC1_BASE + ((channel) < 10 ? 0x10 : 0x0C))
#define ADC1_SQR1 REG(ADC1_BASE + 0x2C)
#define ADC1_SQR(place) REG(ADC1_BASE + 0x34 - 4 * ((place) / 6)) /* places count from 0 */
#define ADC1_DR_ADDRESS (ADC1_BASE + 0x4C)
#define ADC_CCR REG(ADC1_BASE + 0x304)
#define ADC_CCR_ADCPRE_DIV4 (1u << 16)
#define ADC_CCR_TSVREFE (1u << 23)

/* 17.4 TIM1; 18.4 TIM2 to TIM5 */
#define TIM1_BASE 0x40010000u
#define TIM2_BASE 0x40000000u
#define TIM3_BASE 0x40000400u
#define TIM4_BASE 0x40000800u
#define TIM5_BASE 0x40000C00u
#define TIM_CR1(base) REG((base) + 0x00)
#define TIM_CR1_CEN (1u << 0)
#define TIM_CR1_URS (1u << 2) /* UG raises no interrupt */
#define TIM_CR1_ARPE (1u << 7)
#define TIM_CR2(base) REG((base) + 0x04)
#define TIM_CR2_MMS_UPDATE (2u << 4)
#define TIM_SMCR(base) REG((base) + 0x08)
#define TIM_SMCR_ENCODER_BOTH 3u
#define TIM_DIER(base) REG((base) + 0x0C)
#define TIM_DIER_UIE (1u << 0)
#define TIM_DIER_CC1IE (1u << 1)
#define TIM_SR(base) REG((base) + 0x10)
#define TIM_SR_UIF (1u << 0)
#define TIM_SR_BIF (1u << 7)
#define TIM_EGR(base) REG((base) + 0x14)
#define TIM_EGR_UG (1u << 0)
#define TIM_EGR_BG (1u << 7)
#define TIM_CCMR(base, channel) REG((base) + 0x18 + 4 * ((channel) / 2)) /* channels count from 0 */
#define TIM_CCMR_PWM1_PRELOAD 0x68u                                      /* OCxM = 110, OCxPE */
#define TIM_CCMR_INPUT_FILTERED 0xF1u /* CCxS = 01, ICxF = 15: 8 samples at fDTS / 32 */
#define TIM_CCER(base) REG((base) + 0x20)
#define TIM_CCER_OUTPUT(channel) (1u << 4 * (channel))
#define TIM_CCER_COMPLEMENT(channel) (4u << 4 * (channel))
#define TIM_CNT(base) REG((base) + 0x24)
#define TIM_PSC(base) REG((base) + 0x28)
#define TIM_ARR(base) REG((base) + 0x2C)
#define TIM_CCR(base, channel) REG((base) + 0x34 + 4 * (channel))
#define TIM_BDTR(base) REG((base) + 0x44)
#define TIM_BDTR_OSSI (1u << 10)
#define TIM_BDTR_OSSR (1u << 11)
#define TIM_BDTR_BKE (1u << 12)
#define TIM_BDTR_MOE (1u << 15)

/* 24.4 RNG */
#define RNG_CR REG(0x50060800u)
#define RNG_CR_RNGEN (1u << 2)
#define RNG_SR REG(0x50060804u)
#define RNG_SR_DRDY (1u << 0)
#define RNG_SR_CECS (1u << 1)
#define RNG_SR_SECS (1u << 2)
#define RNG_SR_CEIS (1u << 5)
#define RNG_SR_SEIS (1u << 6)
#define RNG_DR REG(0x50060808u)

/* 28.5 SPI */
#define SPI1_BASE 0x40013000u
#define SPI1_CR1 REG(SPI1_BASE + 0x00)
#define SPI_CR1_CPHA (1u << 0)
#define SPI_CR1_CPOL (1u << 1)
#define SPI_CR1_MSTR (1u << 2)
#define SPI_CR1_BR_DIV16 (3u << 3)
#define SPI_CR1_SPE (1u << 6)
#define SPI_CR1_SSI (1u << 8)
#define SPI_CR1_SSM (1u << 9)
#define SPI1_SR_ADDRESS (SPI1_BASE + 0x08)
#define SPI_SR_RXNE (1u << 0)
#define SPI_SR_TXE (1u << 1)
#define SPI_SR_BSY (1u << 7)
#define SPI1_DR REG(SPI1_BASE + 0x0C)

/* 30.6 USART */
#define USART2_BASE 0x40004400u
#define USART3_BASE 0x40004800u
#define USART_SR(base) REG((base) + 0x00)
#define USART_SR_FE (1u << 1)
#define USART_SR_NF (1u << 2)
#define USART_SR_ORE (1u << 3)
#define USART_SR_IDLE (1u << 4)
#define USART_SR_RXNE (1u << 5)
#define USART_SR_TC (1u << 6)
#define USART_SR_TXE (1u << 7)
#define USART_DR(base) REG((base) + 0x04)
#define USART_BRR(base) REG((base) + 0x08)
#define USART_CR1(base) REG((base) + 0x0C)
#define USART_CR1_RE (1u << 2)
#define USART_CR1_TE (1u << 3)
#define USART_CR1_IDLEIE (1u << 4)
#define USART_CR1_RXNEIE (1u << 5)
#define USART_CR1_TXEIE (1u << 7)
#define USART_CR1_UE (1u << 13)
#define USART_CR3(base) REG((base) + 0x14)
#define USART_CR3_EIE (1u << 0)
#define USART_CR3_DMAR (1u << 6)

/* 39 Device electronic signature; 38.6.1 DBGMCU */
#define UNIQUE_ID(word) REG(0x1FFF7A10u + 4 * (word))
#define FLASH_SIZE_WORD REG(0x1FFF7A20u) /* the upper half: KiB */
#define DBGMCU_IDCODE REG(0xE0042000u)

/* 21.4 Independent watchdog */
#define IWDG_BASE 0x40003000u
#define IWDG_KR REG(IWDG_BASE + 0x00)
#define IWDG_KR_FEED 0xAAAAu
#define IWDG_KR_UNLOCK 0x5555u
#define IWDG_KR_START 0xCCCCu
#define IWDG_PR REG(IWDG_BASE + 0x04)
#define IWDG_RLR REG(IWDG_BASE + 0x08)
#define IWDG_SR REG(IWDG_BASE + 0x0C)

/* 12.2, table 62: interrupt numbers. A unit has the same one in all chips of the family that have the
 * unit; which numbers are free is the board's to say (config.h). */
enum stm32f4_irq {
    IRQ_EXTI0 = 6, /* to 10 for EXTI4 */
    IRQ_DMA1_STREAM5 = 16,
    IRQ_ADC = 18,
    IRQ_EXTI9_5 = 23,
    IRQ_TIM2 = 28,
    IRQ_USART2 = 38,
    IRQ_USART3 = 39,
    IRQ_EXTI15_10 = 40,
    IRQ_TIM5 = 50,
    IRQ_DMA2_STREAM0 = 56,
};

#endif
