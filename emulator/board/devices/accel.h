/* SPDX-License-Identifier: MIT */
/* The board's accelerometer, on SPI1. */
#ifndef EMULATOR_BOARD_DEVICES_ACCEL_H
#define EMULATOR_BOARD_DEVICES_ACCEL_H

#include "board/device.h"

enum { ACCEL_REGS = 128 };

struct accel {
    uint8_t r[ACCEL_REGS];
    int16_t mg[3];
    uint64_t taken; /* number of the sample that was read last */
    uint8_t address;
    bool addressed; /* the first byte since it was selected has come */
    bool reading, increments;
};

void accel_power_on(struct board *b, struct accel *a);
void accel_select(struct accel *a);
uint8_t accel_exchange(struct board *b, struct accel *a, uint8_t out);

#endif
