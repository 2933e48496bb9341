/* SPDX-License-Identifier: MIT */
#ifndef UTIL_CLOCK_H
#define UTIL_CLOCK_H

#include <stdint.h>

/* Milliseconds from some point in the past; never goes back. */
int64_t clock_ms(void);

#endif
