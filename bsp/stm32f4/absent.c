/* SPDX-License-Identifier: MIT
 *
 * What the drivers say that a board does not link, for want of the hardware. Those that it does link are
 * stronger.
 */
#include "hal/accel.h"
#include "hal/chip.h"

#define ABSENT(declaration)                                                                        \
    __attribute__((weak)) enum kernel_status declaration { return KERNEL_NOT_THERE; }

ABSENT(random_read(uint32_t *out __attribute__((unused))))
ABSENT(accel_start(enum accel_part *part __attribute__((unused))))
ABSENT(accel_read(int16_t mg[3] __attribute__((unused))))
