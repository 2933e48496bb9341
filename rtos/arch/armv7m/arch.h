/* SPDX-License-Identifier: MIT
 *
 * Between the kernel and the processor, in both directions.
 */
#ifndef ARCH_H
#define ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "armv7m.h"
#include "rtos/priority.h"

struct task;

/* Masks the kernel's band; returns what to give back to arch_unlock(), 0 if it was not masked. */
static inline uint32_t arch_lock(void) {
    uint32_t old;
    /* BASEPRI_MAX only ever tightens, so that a nested section cannot open an outer one. */
    __asm volatile("mrs %0, basepri\n msr basepri_max, %1"
                   : "=&r"(old)
                   : "r"(PRIORITY_KERNEL)
                   : "memory");
    return old;
}

static inline void arch_unlock(uint32_t key) {
    /* ISB: a switch that was held pending happens here and not some instructions later. */
    __asm volatile("msr basepri, %0\n isb" : : "r"(key) : "memory");
}

static inline void arch_disable(void) {
    __asm volatile("cpsid i" : : : "memory");
}

static inline uint32_t arch_exception(void) {
    uint32_t ipsr;
    __asm volatile("mrs %0, ipsr" : "=r"(ipsr));
    return ipsr;
}

static inline void arch_pend_switch(void) {
    SCB_ICSR = ICSR_PENDSVSET;
    __asm volatile("dsb" : : : "memory");
}

static inline void arch_idle(void) {
    __asm volatile("dsb\n wfi" : : : "memory");
}

/* The guard at the bottom of the running task's stack. PendSV's exception return is the barrier that
 * the architecture wants after a write to the MPU (B3.5.1). */
static inline void arch_guard(const uint32_t *stack) {
    MPU_RBAR = (uint32_t)stack | MPU_RBAR_VALID | 7u;
}

/* arch.c */
void arch_init(uint32_t core_hz, uint32_t tick_hz);
uint32_t *arch_stack_init(uint32_t *top, void (*entry)(void *), void *argument, void (*end)(void));
uint32_t arch_cycles(void); /* interrupts masked */

/* switch.S */
_Noreturn void arch_start(uint32_t *idle_top, void (*idle)(void), uint32_t *main_top);
void arch_switch_pick(void); /* a label in PendSV: continues without saving the old task */

/* What the kernel gives. */
uint32_t *kernel_switch(uint32_t *sp); /* from PendSV: takes the old sp, returns the new one */
void kernel_tick(void);                /* from SysTick, not masked */
void kernel_fault_end(void);           /* from a fault of the running task, with nothing masked */

#endif
