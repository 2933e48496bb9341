/* SPDX-License-Identifier: MIT
 *
 * Areas of memory as unprivileged code sees them. Who may do what is said here once; everything that is
 * not in an area of the running sandbox is denied to it.
 */
#ifndef RTOS_MPU_H
#define RTOS_MPU_H

#include <stdint.h>

#include "rtos/kernel.h"

enum mpu_access {
    MPU_NO_ACCESS, /* for privileged code either */
    MPU_CODE,      /* read and execute; privileged code may also write */
    MPU_DATA,      /* read and write, never execute */
    MPU_LIBRARY,   /* read and execute, for privileged code too */
    MPU_ACCESSES,
};

struct mpu_area {
    uint32_t base; /* a multiple of size */
    uint32_t size; /* a power of two, 32 bytes or more */
    uint8_t off;   /* bit n: the n-th eighth is not part of it; 0 where size is below 256 */
    uint8_t access;
};

/* What the processor wants to be told: MPU_RBAR with VALID and the number, MPU_RASR. */
struct mpu_region {
    uint32_t rbar, rasr;
};

/* A higher number wins. */
enum { MPU_REGION_NULL = 5, MPU_REGION_MAIN_GUARD = 6, MPU_REGION_GUARD = 7 };

/* The only place that encodes regions. KERNEL_BAD_ARGUMENT: the area cannot be one region. */
enum kernel_status mpu_encode(struct mpu_region *out, unsigned number, const struct mpu_area *area);

#endif
