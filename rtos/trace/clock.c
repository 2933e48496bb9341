/* SPDX-License-Identifier: MIT */
#include "rtos/clock.h"

#include "arch.h"
#include "rtos/kernel.h"

/* What has passed of the tick, in fractions of 2^12 ns a cycle, rounded down: a tick's end is not later than its
 * successor's beginning. A tick that is pending has passed, but has not been counted. */
uint64_t clock_ns(void) {
    enum { NS_A_TICK = 1000000000 / KERNEL_TICK_HZ, SHIFT = 12 };
    uint32_t key = arch_lock();
    uint32_t passed = arch_clock.reload - (arch_clock.end - arch_time());
    uint64_t ticks = kernel_uptime();
    arch_unlock_quiet(key);
    uint32_t ns_a_cycle = ((uint32_t)NS_A_TICK << SHIFT) / arch_clock.reload;
    return ticks * NS_A_TICK + ((uint64_t)passed * ns_a_cycle >> SHIFT);
}
