/* SPDX-License-Identifier: MIT */
/* Time finer than a tick, for records and contexts. */
#ifndef RTOS_CLOCK_H
#define RTOS_CLOCK_H

#include <stdint.h>

/* ns since kernel_start(), of the tick's clock: never goes back. From anywhere but interrupts above the kernel's band. */
uint64_t clock_ns(void);

#endif
