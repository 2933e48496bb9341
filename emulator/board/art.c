/* SPDX-License-Identifier: MIT */
/*
 * Model F: what the flash adds to model R. The flash is read in lines of 16 bytes, each after its wait
 * states; the ART accelerator in front of it keeps 64 lines of code and 8 of data, the least recently
 * used leaves, and with prefetch it reads the next line while the core works through one (RM0090
 * 3.4.2 and 3.5.2). The prefetch is taken to be done when its line is wanted: a bound from below.
 */
#include "core.h"

#include <string.h>

enum { LINE = 16 };

static uint32_t tag_of(uint32_t address) {
    return address % BOARD_FLASH_SIZE / LINE + 1;
}

/* Whether the cache has the line; it has it afterwards. */
static bool look_up(struct art *art, struct art_line *lines, unsigned count, uint32_t tag) {
    struct art_line *oldest = lines;

    art->now++;
    for (unsigned i = 0; i < count; i++) {
        if (lines[i].tag == tag) {
            lines[i].used = art->now;
            return true;
        }
        if (lines[i].used < oldest->used)
            oldest = &lines[i];
    }
    *oldest = (struct art_line){tag, art->now};
    return false;
}

unsigned art_fetch(struct board *b, uint32_t pc) {
    struct art *art = &b->art;
    const struct board_clocks *clocks = &b->events.clocks;
    uint32_t tag = tag_of(pc);

    if (tag == art->last)
        return 0;
    bool ahead = tag == art->ahead;
    art->last = tag;
    art->ahead = clocks->prefetch ? tag + 1 : 0;
    if (clocks->icache && look_up(art, art->code, ART_CODE_LINES, tag))
        return 0;
    return ahead ? 0 : clocks->wait_states;
}

unsigned art_read(struct board *b, uint32_t address) {
    const struct board_clocks *clocks = &b->events.clocks;

    if (clocks->dcache && look_up(&b->art, b->art.data, ART_DATA_LINES, tag_of(address)))
        return 0;
    b->art.last = 0; /* the code's line must be read again */
    return clocks->wait_states;
}

void art_flush(struct board *b) {
    memset(&b->art, 0, sizeof(b->art));
}
