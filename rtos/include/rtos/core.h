/* SPDX-License-Identifier: MIT
 *
 * What a board uses of the processor core.
 */
#ifndef RTOS_CORE_H
#define RTOS_CORE_H

#include <stdint.h>

void core_init(const void *vectors); /* first thing after reset: vector table, FPU */
_Noreturn void core_reset(void);
void irq_enable(unsigned irq, unsigned priority); /* a value of rtos/priority.h or between two */
void irq_pend(unsigned irq);

/* switch.S: exceptions, for the vector table */
void HardFault_Handler(void);
void MemManage_Handler(void);
void BusFault_Handler(void);
void UsageFault_Handler(void);
void SVC_Handler(void); /* kernel/sandbox.c */
void PendSV_Handler(void);
void SysTick_Handler(void);

/* semihost.S: a call to the host that debugs or emulates this core; -1 where nobody answers */
int core_semihost(uint32_t operation, const void *argument);

#endif
