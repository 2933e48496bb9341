/* SPDX-License-Identifier: MIT
 *
 * The memory protection unit (ARMv7-M, B3.5). Regions 0 to 2 belong to the sandbox that runs, 6 guards
 * the main stack, 7 the running task's. Privileged code keeps the default map for the rest; HardFault
 * runs with the MPU off, or a bad stack would lock the core up.
 *
 * Attributes are those of PM0214, 4.2.4: flash is not shareable, SRAM is, both write-through.
 */
#include "rtos/mpu.h"
#include "arch.h"

extern uint32_t _main_stack_bottom[];

enum {
    RASR_XN = 1 << 28,
    RASR_PRIVILEGED_RW_USER_RO = 2 << 24,
    RASR_RW = 3 << 24,
    RASR_RO = 6 << 24,
    RASR_SHAREABLE = 1 << 18,
    RASR_WRITE_THROUGH = 1 << 17,
    RASR_ENABLE = 1,
    SIZE_MIN = 32,
    SIZE_OF_EIGHTHS = 256, /* the smallest that has them */
};

static const uint32_t rights[MPU_ACCESSES] = {
    [MPU_NO_ACCESS] = RASR_XN,
    [MPU_CODE] = RASR_PRIVILEGED_RW_USER_RO | RASR_WRITE_THROUGH,
    [MPU_DATA] = RASR_XN | RASR_RW | RASR_SHAREABLE | RASR_WRITE_THROUGH,
    [MPU_LIBRARY] = RASR_RO | RASR_WRITE_THROUGH,
};

enum kernel_status mpu_encode(struct mpu_region *out, unsigned number,
                              const struct mpu_area *area) {
    uint32_t size = area->size;
    if (size < SIZE_MIN || size & (size - 1) || area->base & (size - 1) ||
        area->access >= MPU_ACCESSES || (area->off && size < SIZE_OF_EIGHTHS))
        return KERNEL_BAD_ARGUMENT;
    uint32_t log2 = 31 - (uint32_t)__builtin_clz(size);
    out->rbar = area->base | MPU_RBAR_VALID | number;
    out->rasr = rights[area->access] | (uint32_t)area->off << 8 | (log2 - 1) << 1 | RASR_ENABLE;
    return KERNEL_OK;
}

void arch_mpu_init(void) {
    const struct mpu_area guard = {
        .base = (uint32_t)_main_stack_bottom, .size = KERNEL_GUARD, .access = MPU_NO_ACCESS};
    struct mpu_region region = {0};
    for (unsigned number = MPU_REGION_MAIN_GUARD; number <= MPU_REGION_GUARD; number++) {
        mpu_encode(&region, number, &guard);
        MPU_RBAR = region.rbar;
        MPU_RASR = region.rasr;
    }
    MPU_CTRL = MPU_CTRL_ENABLE_PRIVDEFENA;
    __asm volatile("dsb\n isb" : : : "memory");
}
