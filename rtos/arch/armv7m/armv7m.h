/* SPDX-License-Identifier: MIT
 *
 * Registers of the Cortex-M4 core that are in use (ARMv7-M Architecture Reference Manual, B3).
 */
#ifndef ARMV7M_H
#define ARMV7M_H

#include <stdint.h>

#define ARM_REG(address) (*(volatile uint32_t *)(address))

/* SysTick, B3.3 */
#define SYST_CSR ARM_REG(0xE000E010)
#define SYST_RVR ARM_REG(0xE000E014)
#define SYST_CVR ARM_REG(0xE000E018)
#define SYST_CSR_COUNTFLAG (1u << 16) /* cleared by a read, and by a write to CVR */
#define SYST_MAX 0xFFFFFFu
#define SYST_CSR_ENABLE_TICK_CORE 7u /* ENABLE, TICKINT, CLKSOURCE */

/* NVIC, B3.4 */
#define NVIC_ISER(n) ARM_REG(0xE000E100 + 4 * (n))
#define NVIC_ISPR(n) ARM_REG(0xE000E200 + 4 * (n))
#define NVIC_IPR(irq) (*(volatile uint8_t *)(0xE000E400 + (irq)))

/* System control block, B3.2 */
#define SCB_ICSR ARM_REG(0xE000ED04)
#define ICSR_PENDSVSET (1u << 28)
#define ICSR_PENDSTSET (1u << 26)
#define SCB_VTOR ARM_REG(0xE000ED08)
#define SCB_AIRCR ARM_REG(0xE000ED0C)
#define AIRCR_SYSRESETREQ 0x05FA0004u
#define SCB_CCR ARM_REG(0xE000ED14)
#define CCR_DIV_0_TRP (1u << 4)
#define CCR_STKALIGN (1u << 9)
#define SCB_SHPR(exception) (*(volatile uint8_t *)(0xE000ED14 + (exception)))
#define SCB_SHCSR ARM_REG(0xE000ED24)
#define SHCSR_FAULTS_ENABLED (7u << 16)
#define SHCSR_PENDED (0xFu << 12) /* SVCall, BusFault, MemManage, UsageFault */
#define SCB_CFSR ARM_REG(0xE000ED28)
#define SCB_HFSR ARM_REG(0xE000ED2C)
#define SCB_MMFAR ARM_REG(0xE000ED34)
#define SCB_BFAR ARM_REG(0xE000ED38)
#define SCB_CPACR ARM_REG(0xE000ED88)

enum cfsr_bit {
    CFSR_IACCVIOL = 1 << 0,
    CFSR_DACCVIOL = 1 << 1,
    CFSR_MUNSTKERR = 1 << 3,
    CFSR_MSTKERR = 1 << 4,
    CFSR_MLSPERR = 1 << 5,
    CFSR_MMARVALID = 1 << 7,
    CFSR_IBUSERR = 1 << 8,
    CFSR_PRECISERR = 1 << 9,
    CFSR_UNSTKERR = 1 << 11,
    CFSR_STKERR = 1 << 12,
    CFSR_LSPERR = 1 << 13,
    CFSR_BFARVALID = 1 << 15,
    CFSR_UNDEFINSTR = 1 << 16,
    CFSR_INVSTATE = 1 << 17,
    CFSR_INVPC = 1 << 18,
    CFSR_NOCP = 1 << 19,
    CFSR_UNALIGNED = 1 << 24,
    CFSR_DIVBYZERO = 1 << 25,
};
#define HFSR_VECTTBL (1u << 1)
#define HFSR_FORCED (1u << 30)
#define HFSR_DEBUGEVT (1u << 31)

/* MPU, B3.5 */
#define MPU_CTRL ARM_REG(0xE000ED94)
#define MPU_CTRL_ENABLE_PRIVDEFENA 5u
#define MPU_RBAR ARM_REG(0xE000ED9C)
#define MPU_RASR ARM_REG(0xE000EDA0)
#define MPU_RBAR_VALID (1u << 4)

/* FPU, B3.2.20 */
#define FPU_FPCCR ARM_REG(0xE000EF34)
#define FPCCR_LSPACT (1u << 0)
#define FPCCR_ASPEN_LSPEN (3u << 30)

/* Debug and trace, C1.6, C1.8 */
#define SCB_DEMCR ARM_REG(0xE000EDFC)
#define DEMCR_TRCENA (1u << 24)
#define DWT_CTRL ARM_REG(0xE0001000)
#define DWT_CYCCNTENA (1u << 0)
#define DWT_CYCCNT ARM_REG(0xE0001004)

#define EXC_RETURN_THREAD (1u << 3)
#define EXC_RETURN_PSP (1u << 2)
#define EXC_RETURN_TASK 0xFFFFFFFDu /* thread mode, PSP, no FPU state */

enum exception_number {
    EXCEPTION_HARD = 3,
    EXCEPTION_MEMORY = 4,
    EXCEPTION_BUS = 5,
    EXCEPTION_USAGE = 6,
    EXCEPTION_SVCALL = 11,
    EXCEPTION_PENDSV = 14,
    EXCEPTION_SYSTICK = 15,
};

#endif
