/* SPDX-License-Identifier: MIT */
#ifndef CALIBRATE_H
#define CALIBRATE_H

/* Prints a line for each pattern and `calibrate: end`. Interrupts are masked by the caller. */
void calibrate_run(void);

#endif
