/* SPDX-License-Identifier: MIT */
/* What both directions know of a line. */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include "bpf/wire.h"

#define WIRE_BEGIN_1 0x06 /* Ctrl-F */
#define WIRE_BEGIN_2 0x09 /* Tab */
#define WIRE_MORE_1 0x04  /* Ctrl-D */
#define WIRE_MORE_2 0x14  /* Ctrl-T */

enum {
    FRAME_CHARACTERS = WIRE_LINE_MAX - 3, /* of base64: all but marker and newline */
    FRAME_BYTES = FRAME_CHARACTERS / 4 * 3,
    FRAME_LENGTH = 2, /* bytes of a packet's length */
};
_Static_assert(FRAME_CHARACTERS % 4 == 0, "a full line has whole groups");

#endif
