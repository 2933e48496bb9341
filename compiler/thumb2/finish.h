/* SPDX-License-Identifier: MIT */
/* What is done to allocated machine IR before it is expanded: not at -O0. */
#ifndef THUMB2_FINISH_H
#define THUMB2_FINISH_H

#include "thumb2/mir.h"

/* Short branches become IT blocks (ifconvert.c). Removes blocks. */
void if_convert(struct mir_fn *fn);
/* Copies on back edges stand inside their loops (order.c). */
void order_latches(struct mir_fn *fn);
/* Additions to a base register become part of a load or store (writeback.c). */
void write_back(struct mir_fn *fn);

#endif
