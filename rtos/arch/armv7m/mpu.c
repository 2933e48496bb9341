/* SPDX-License-Identifier: MIT
 *
 * The memory protection unit (ARMv7-M, B3.5). Regions 0 to 2 belong to the sandbox that runs, 5 is the
 * null pointer's, 6 guards the main stack, 7 the running task's. Privileged code keeps the default map for
 * the rest; HardFault runs with the MPU off, or a bad stack would lock the core up.
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
    RASR_GUARD = 6 << 1,        /* 2^7 bytes */
    RASR_BELOW_FLASH = 26 << 1, /* 128 MiB */
    SIZE_MIN = 32,
    SIZE_OF_EIGHTHS = 256, /* the smallest that has them */
};

static const uint32_t rights[MPU_ACCESSES] = {
    [MPU_NO_ACCESS] = RASR_XN,
    [MPU_CODE] = RASR_PRIVILEGED_RW_USER_RO | RASR_WRITE_THROUGH,
    [MPU_DATA] = RASR_XN | RASR_RW | RASR_SHAREABLE | RASR_WRITE_THROUGH,
    [MPU_LIBRARY] = RASR_RO | RASR_WRITE_THROUGH,
};

_Static_assert(KERNEL_GUARD == 1 << 7, "RASR_GUARD");

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

static inline void no_access(uint32_t base, unsigned number, uint32_t size) {
    MPU_RBAR = base | MPU_RBAR_VALID | number;
    MPU_RASR = RASR_XN | size | RASR_ENABLE;
}

/* What lies at 0 is the flash once more, or what the boot pins say: nobody has business there, and a null
 * pointer to an object of the kernel would find a semaphore with units. The calls need not look, then. */
void arch_mpu_init(void) {
    no_access(0, MPU_REGION_NULL, RASR_BELOW_FLASH);
    no_access((uint32_t)_main_stack_bottom, MPU_REGION_MAIN_GUARD, RASR_GUARD);
    no_access((uint32_t)_main_stack_bottom, MPU_REGION_GUARD, RASR_GUARD);
    MPU_CTRL = MPU_CTRL_ENABLE_PRIVDEFENA;
    __asm volatile("dsb\n isb" : : : "memory");
}
