/* SPDX-License-Identifier: MIT
 *
 * All exception priorities, in one place. The Cortex-M4 of the STM32F4 has four bits of priority, the
 * high nibble of a byte; a lower number is more urgent, and there are no sub-priorities.
 */
#ifndef RTOS_PRIORITY_H
#define RTOS_PRIORITY_H

/* PRIORITY(name, value, what)
 * The kernel masks with BASEPRI = KERNEL: what is more urgent is never held up by the kernel and must
 * not call it. Faults are more urgent than any code of the kernel, so that a fault inside it is
 * reported for what it is; they are never worse than SVCall, whose handler must not start on a stack
 * pointer that has just been found bad. PendSV is last: a switch never interrupts an interrupt. */
#define PRIORITY_LIST(PRIORITY)                                                                    \
    PRIORITY(ZERO_LATENCY, 0x00, "interrupts that the kernel never masks, and that never call it") \
    PRIORITY(FAULT, 0x10, "MemManage, BusFault, UsageFault")                                       \
    PRIORITY(KERNEL, 0x20, "the first that may call the kernel; SVCall")                           \
    PRIORITY(DEVICE, 0x60, "drivers")                                                              \
    PRIORITY(TICK, 0x80, "SysTick")                                                                \
    PRIORITY(SWITCH, 0xf0, "PendSV")

enum {
#define PRIORITY_ENUM(name, value, what) PRIORITY_##name = value,
    PRIORITY_LIST(PRIORITY_ENUM)
#undef PRIORITY_ENUM
        KERNEL_IRQ_FIRST = PRIORITY_KERNEL,
};
_Static_assert(PRIORITY_FAULT < PRIORITY_KERNEL && PRIORITY_TICK < PRIORITY_SWITCH, "see above");

#endif
