/* SPDX-License-Identifier: MIT
 *
 * What the kernel's calls cost, measured by the board itself with the core's cycle counter.
 */
#ifndef RTOS_BENCH_H
#define RTOS_BENCH_H

#include <stdint.h>

/*
 * Prints `bench: NAME MIN MEDIAN MAX COLD` in cycles for each measurement, then `bench: end`. From a task of
 * priority 1 to 28; takes some milliseconds. Where nothing counts cycles (QEMU) it says so instead.
 */
void bench_run(void);
/* The smallest first. */
void bench_sort(uint32_t *values, unsigned count);

#endif
