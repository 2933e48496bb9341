/* SPDX-License-Identifier: MIT */
/* What a program left in its maps: entries that are not empty, and records of ring buffers. */
#ifndef EMULATOR_MAPS_H
#define EMULATOR_MAPS_H

#include "load.h"

#include "util/cmd.h"

/* Takes the records that ring buffers hold, as a reader on the board's other end would: prints them,
 * or appends them to `records` of the JSON result. */
void maps_drain(struct loaded *loaded, struct cmd_args *args);

/* Prints entries, or puts them into `maps` of the JSON result. */
void maps_show(struct loaded *loaded, struct cmd_args *args);

#endif
