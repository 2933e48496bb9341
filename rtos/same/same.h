/* SPDX-License-Identifier: MIT
 *
 * The same programs with the same events as on the PC (tests/same): this firmware runs what tests/same/same has packed
 * into its flash, and prints what every run did. Drivers, the clock and where random numbers begin are the script's;
 * everything above them is the firmware's own: hooks, events, domains, supervisor calls, library.
 */
#ifndef SAME_H
#define SAME_H

#include "drill/drill.h"

/* ----- the image, as tests/same/same packs it: little-endian; offsets from its start ------------------------- */

struct same_event {
    uint64_t time_ns;
    uint32_t data, size; /* memory, frame, arguments or samples */
};

/* Values that one instance of a device gives, one a read; the last one stays. */
struct same_stimulus {
    uint32_t helper, index, values, count; /* values: int32_t; helper: that reads them */
};

struct same_case {
    uint32_t name, program, grant; /* texts, with a 0 at the end; program: the entry's name */
    uint32_t blob, blob_size;
    uint32_t seed;
    uint32_t events, event_count, stimuli, stimulus_count;
};

struct same_image {
    uint32_t count, reserved;
    struct same_case cases[];
};
extern const struct same_image same_image[];

static inline const void *same_at(uint32_t offset) {
    return (const uint8_t *)same_image + offset;
}

/* ----- seam.c: where the drivers were ---------------------------------------------------------------------- */

/* From now on devices give what the case says, from the beginning; NULL: the drivers answer again. */
void same_devices(const struct same_case *next);
void same_clock(uint64_t ns); /* it stands still at that */

/* What the drivers would do when something comes from outside; the hook has to have been started. */
void same_frame(const void *bytes, uint32_t size);
void same_samples(const void *samples); /* as many as the hook wants */
void same_edge(void);

/* What programs have done to devices since the last call, a line each; false: more than there was room for. */
bool same_print_calls(void);

/* Up to 32 bytes as hex digits, more as their number and CRC. */
enum { SAME_TEXT = 72 };
const char *same_bytes(const void *bytes, uint32_t size, char text[SAME_TEXT]);

#endif
