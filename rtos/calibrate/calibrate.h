/* SPDX-License-Identifier: MIT */
#ifndef CALIBRATE_H
#define CALIBRATE_H

/* Prints a line for each pattern and `calibrate: end`. From a task. */
void calibrate_run(void);

#endif
