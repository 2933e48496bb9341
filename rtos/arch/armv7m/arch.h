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
static inline void arch_guard(const uint32_t *stack) {
    MPU_RBAR = (uint32_t)stack | MPU_RBAR_VALID | 7u;
}

/* The stack pointer of thread mode, as an exception finds and leaves it. */
static inline uint32_t *arch_thread_sp(void) {
    uint32_t *psp;
    __asm volatile("mrs %0, psp" : "=r"(psp));
    return psp;
}

static inline void arch_set_thread_sp(uint32_t *psp) {
    __asm volatile("msr psp, %0" : : "r"(psp) : "memory");
}

/* Of thread mode; in an exception, from its return on (SPSEL and FPCA cannot be written there). */
static inline bool arch_unprivileged(void) {
    uint32_t control;
    __asm volatile("mrs %0, control" : "=r"(control));
    return control & 1;
}

static inline void arch_set_unprivileged(bool unprivileged) {
    __asm volatile("msr control, %0" : : "r"((uint32_t)unprivileged) : "memory");
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

/* The three regions of a sandbox; an exception's return must follow (B3.5.1). The pairs of registers
 * behind MPU_RBAR and MPU_RASR are aliases of these two. */
static inline void arch_regions(const struct mpu_region regions[3]) {
    __asm volatile("ldmia %0, {r2-r7}\n stmia %1, {r2-r7}\n dsb"
                   :
                   : "r"(regions), "r"(&MPU_RBAR)
                   : "r2", "r3", "r4", "r5", "r6", "r7", "memory");
}

/* mpu.c */
void arch_mpu_init(void);

/* enter.S */
enum kernel_status sandbox_enter(struct sandbox *box, uint32_t function,
                                 const uint32_t arguments[4], uint32_t budget);
void sandbox_entered(void);     /* a label: where the supervisor call returns to */
enum { SAVED_SANDBOX = -0x11 }; /* in the place of EXC_RETURN: see switch.S */

/* arch.c */
void arch_init(uint32_t core_hz, uint32_t tick_hz);
uint32_t *arch_stack_init(uint32_t *top, void (*entry)(void *), void *argument, void (*end)(void));
extern struct arch_clock {
    bool cyccnt;     /* the DWT counts; QEMU's does not */
    uint32_t reload; /* cycles of a tick */
    uint32_t ticks;  /* SysTick's own count, for arch_time() */
} arch_clock;
uint32_t arch_time(void); /* cycles, of a clock that does not stop in sleep; locked */

/* Locked. Stands still while the core sleeps. */
static inline uint32_t arch_cycles(void) {
    return arch_clock.cyccnt ? DWT_CYCCNT : arch_time();
}

/* Locked. Waits for an interrupt, for up to this many ticks; returns how many have passed unseen. */
uint32_t arch_sleep(uint32_t ticks);

/* switch.S */
_Noreturn void arch_start(uint32_t *idle_top, void (*idle)(void), uint32_t *main_top);
void arch_switch_pick(void); /* a label in PendSV: continues without saving the old task */

/* What the kernel gives. */
uint32_t *kernel_switch(uint32_t *sp); /* from PendSV: takes the old sp, returns the new one */
void kernel_tick(void);                /* from SysTick, not masked */
void kernel_fault_end(void);           /* from a fault of the running task, with nothing masked */

/* sandbox.c: from PendSV; both return what the name of the other has taken. */
uint32_t *sandbox_pause(void);              /* registers are saved; returns where */
uint32_t *sandbox_resume(uint32_t *behind); /* registers are loaded; returns the stack pointer */
/* From a fault without privilege. */
struct fault_record *sandbox_fault_record(void);
void sandbox_fault_end(void);

#endif
