/* SPDX-License-Identifier: MIT
 *
 * The processor's side of the kernel: exception priorities, MPU, the tick, the cycle counter.
 */
#include "arch.h"
#include "rtos/core.h"
#include "rtos/kernel.h"

struct arch_clock arch_clock;

static void priorities_init(void) {
    SCB_SHPR(EXCEPTION_MEMORY) = PRIORITY_FAULT;
    SCB_SHPR(EXCEPTION_BUS) = PRIORITY_FAULT;
    SCB_SHPR(EXCEPTION_USAGE) = PRIORITY_FAULT;
    SCB_SHPR(EXCEPTION_SVCALL) = PRIORITY_KERNEL;
    SCB_SHPR(EXCEPTION_PENDSV) = PRIORITY_SWITCH;
    SCB_SHPR(EXCEPTION_SYSTICK) = PRIORITY_TICK;
    SCB_SHCSR |= SHCSR_FAULTS_ENABLED;
    SCB_CCR |= CCR_DIV_0_TRP | CCR_STKALIGN;
}

static bool cyccnt_start(void) {
    SCB_DEMCR |= DEMCR_TRCENA;
    DWT_CYCCNT = 0;
    DWT_CTRL |= DWT_CYCCNTENA;
    uint32_t before = DWT_CYCCNT;
    for (int i = 0; i < 8; i++)
        __asm volatile("nop");
    return DWT_CYCCNT != before;
}

volatile uint32_t *arch_init(uint32_t core_hz, uint32_t tick_hz) {
    priorities_init();
    arch_mpu_init();
    arch_clock.reload = core_hz / tick_hz;
    arch_clock.end = arch_clock.reload - 1;
    SYST_RVR = arch_clock.reload - 1;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ENABLE_TICK_CORE;
    return cyccnt_start() ? &DWT_CYCCNT : NULL;
}

void SysTick_Handler(void) {
    arch_clock.end += arch_clock.reload;
    kernel_tick();
}

uint32_t arch_time_now(void) {
    return arch_time();
}

enum {
    LOST = 20,   /* cycles from a look at the counter to its new beginning */
    MARGIN = 64, /* cycles in which it is to be told something new before it is at 0 */
};

/* It is 0 for a cycle before it is loaded anew. */
static uint32_t systick_loaded(void) {
    uint32_t left;
    do
        left = SYST_CVR;
    while (!left);
    return left;
}

/* The next interrupt comes after this many cycles. What passes between the reading of the counter and this is
 * lost, about LOST cycles. */
static void systick_after(uint32_t cycles) {
    SYST_RVR = cycles - LOST - 1;
    SYST_CVR = 0; /* loads RVR with the next cycle, without an interrupt */
}

/* Ticks that nobody waits for are not worth waking up for: one long period takes their place. It begins
 * where the tick was and, when something else has woken the core, ends where the next tick is due, so
 * that ticks stay where they would have been. The last of them comes as an interrupt, as always.
 *
 * Near the end of a tick there is no time for this: then one tick is waited for. */
uint32_t arch_sleep(uint32_t ticks) {
    uint32_t most = SYST_MAX / arch_clock.reload, left = SYST_CVR;
    if (ticks > most)
        ticks = most;
    if (ticks < 2 || left < MARGIN || SCB_ICSR & ICSR_PENDSTSET) {
        arch_wait();
        return 0;
    }
    uint32_t span = left + (ticks - 1) * arch_clock.reload;
    systick_after(span);
    arch_wait();
    bool all;
    do {
        left = SYST_CVR;
        all = SYST_CSR & SYST_CSR_COUNTFLAG;
    } while (!all && left % arch_clock.reload < MARGIN);
    if (all) { /* and the long period has begun once more */
        left = arch_clock.reload - 1 - (SYST_RVR - systick_loaded());
        if (left - MARGIN > arch_clock.reload)
            left = MARGIN; /* a debugger has held the core, or a long interrupt */
    }
    uint32_t passed = ticks - 1 - left / arch_clock.reload;
    systick_after(left % arch_clock.reload);
    systick_loaded();
    SYST_RVR = arch_clock.reload - 1;
    arch_clock.end += passed * arch_clock.reload;
    return passed;
}

void irq_enable(unsigned irq, unsigned priority) {
    NVIC_IPR(irq) = (uint8_t)priority;
    NVIC_ISER(irq / 32) = 1u << irq % 32;
}

/* The stack of a task that has just been interrupted before its first instruction (see switch.S). */
uint32_t *arch_stack_init(uint32_t *top, void (*entry)(void *), void *argument, void (*end)(void)) {
    uint32_t *frame = top - 8;
    frame[0] = (uint32_t)argument; /* r0 */
    for (int i = 1; i < 5; i++)
        frame[i] = 0;                 /* r1-r3, r12 */
    frame[5] = (uint32_t)end;         /* lr: where a return from entry leads */
    frame[6] = (uint32_t)entry & ~1u; /* pc */
    frame[7] = 1u << 24;              /* xPSR: Thumb */
    uint32_t *sp = frame - 9;
    for (int i = 0; i < 8; i++)
        sp[i] = 0; /* r4-r11 */
    sp[8] = EXC_RETURN_TASK;
    return sp;
}

void irq_pend(unsigned irq) {
    NVIC_ISPR(irq / 32) = 1u << irq % 32;
    __asm volatile("dsb\n isb" : : : "memory");
}

void core_init(const void *vectors) {
    SCB_VTOR = (uint32_t)vectors;
    SCB_CPACR = (SCB_CPACR & ~(0xFu << 20)) | 0x5u << 20; /* CP10, CP11: privileged code only */
    FPU_FPCCR |= FPCCR_ASPEN_LSPEN;
    __asm volatile("dsb\n isb" : : : "memory");
}

_Noreturn void core_reset(void) {
    __asm volatile("dsb" : : : "memory");
    SCB_AIRCR = AIRCR_SYSRESETREQ;
    __asm volatile("dsb" : : : "memory");
    for (;;)
        ;
}
