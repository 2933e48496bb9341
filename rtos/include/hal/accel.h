/* SPDX-License-Identifier: MIT
 *
 * The accelerometer of the board. Revisions differ in the part: it says itself which one it is.
 */
#ifndef HAL_ACCEL_H
#define HAL_ACCEL_H

#include "rtos/kernel.h"

enum accel_part { ACCEL_NONE, ACCEL_LIS302DL, ACCEL_LIS3DSH };

/* From tasks. */
enum kernel_status accel_start(enum accel_part *part);
enum kernel_status accel_read(int16_t mg[3]); /* thousandths of g: x, y, z */

#endif
