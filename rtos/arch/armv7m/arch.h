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
#include "rtos/mpu.h"
#include "rtos/priority.h"

struct task;
struct sandbox;

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

/* What is pending and may be taken is taken here, and not some instructions later. */
static inline void arch_isb(void) {
    __asm volatile("isb" : : : "memory");
}

static inline void arch_unlock(uint32_t key) {
    __asm volatile("msr basepri, %0" : : "r"(key) : "memory");
    arch_isb();
}

/* Where nothing in the section can have pended a switch: what waited may come some instructions later. */
static inline void arch_unlock_quiet(uint32_t key) {
    __asm volatile("msr basepri, %0" : : "r"(key) : "memory");
}

/* A pair without a lock: the store fails (true) if an exception came in between (A3.4; every exception
 * entry and return clears the monitor, B1.5.6, B1.5.8). */
static inline void *arch_load_exclusive(void *from) {
    void *value;
    __asm volatile("ldrex %0, [%1]" : "=r"(value) : "r"(from) : "memory");
    return value;
}

static inline bool arch_store_exclusive(void *to, const void *value) {
    uint32_t failed;
    __asm volatile("strex %0, %2, [%1]" : "=&r"(failed) : "r"(to), "r"(value) : "memory");
    return failed;
}

static inline void arch_disable(void) {
    __asm volatile("cpsid i" : : : "memory");
}

static inline uint32_t arch_exception(void) {
    uint32_t ipsr;
    __asm volatile("mrs %0, ipsr" : "=r"(ipsr));
    return ipsr;
}

/* No barrier here: the store is to the system control space, in order before all that follows, and it is
 * the ISB of arch_unlock(), or the return of an exception, behind which the switch has happened. */
static inline void arch_pend_switch(void) {
    SCB_ICSR = ICSR_PENDSVSET;
}

/* Locked. WFI does not look at PRIMASK, but at BASEPRI: with the kernel's band masked by BASEPRI nothing of it
 * would wake the core. What woke it is handled after the lock, zero latency a few cycles after the WFI. */
static inline void arch_wait(void) {
    __asm volatile("cpsid i\n msr basepri, %0\n dsb\n wfi\n msr basepri, %1\n cpsie i"
                   :
                   : "r"(0), "r"(PRIORITY_KERNEL)
                   : "memory");
}

/* The guard at the bottom of the running task's stack. PendSV's exception return is the barrier that
 * the architecture wants after a write to the MPU (B3.5.1). */
static inline uint32_t arch_guard_of(const uint32_t *stack) {
    return (uint32_t)stack | MPU_RBAR_VALID | MPU_REGION_GUARD;
}

static inline void arch_guard(uint32_t guard) {
    MPU_RBAR = guard;
}

/* Of thread mode. */
static inline bool arch_unprivileged(void) {
    uint32_t control;
    __asm volatile("mrs %0, control" : "=r"(control));
    return control & 1;
}

/* What thread code has caused and has not been taken: a supervisor call whose frame could not be stacked,
 * a second fault while the frame of the first was stacked. */
static inline void arch_cancel_pending(void) {
    SCB_SHCSR &= ~SHCSR_PENDED;
}

/* Would a supervisor call be a HardFault? */
static inline bool arch_masked(void) {
    uint32_t basepri, primask;
    __asm volatile("mrs %0, basepri\n mrs %1, primask" : "=r"(basepri), "=r"(primask));
    return basepri | primask;
}

/* mpu.c */
void arch_mpu_init(void);

/* enter.S */
void sandbox_leave(struct sandbox *box, unsigned end); /* from exceptions; enum sandbox_end */

/* arch.c */
/* Returns the register that counts cycles, NULL if nothing counts (QEMU's DWT). It stops in sleep. */
volatile uint32_t *arch_init(uint32_t core_hz, uint32_t tick_hz);
uint32_t *arch_stack_init(uint32_t *top, void (*entry)(void *), void *argument, void (*end)(void));
extern struct arch_clock {
    uint32_t reload; /* cycles of a tick */
    uint32_t end;    /* arch_time() when SysTick will be at 0 */
} arch_clock;

/* Locked. Cycles, of a clock that does not stop in sleep. A tick that is pending has been counted down, but
 * not yet counted: the masked section or a more urgent interrupt holds it up. */
static inline uint32_t arch_time(void) {
    uint32_t left = SYST_CVR, end = arch_clock.end;
    if (SCB_ICSR & ICSR_PENDSTSET) {
        left = SYST_CVR;
        end += arch_clock.reload;
    }
    return end - left;
}
uint32_t arch_time_now(void); /* the same as a function: switch.S */

/* Locked. Waits for an interrupt, for up to this many ticks; returns how many have passed unseen. */
uint32_t arch_sleep(uint32_t ticks);

/* switch.S */
_Noreturn void arch_start(uint32_t *idle_top, void (*idle)(void), uint32_t *main_top);
void arch_switch_pick(void); /* a label in PendSV: continues without saving the old task */

/* What the kernel gives. */
void kernel_tick(void);      /* from SysTick, not masked */
void kernel_fault_end(void); /* from a fault of the running task, with nothing masked */

/* sandbox.c */
_Noreturn void sandbox_stray(void); /* from SVCall: a supervisor call of privileged code */
/* From a fault without privilege. */
struct fault_record *sandbox_fault_record(void);
void sandbox_fault_end(void);

#endif
