/* SPDX-License-Identifier: MIT
 *
 * DMA never waits: while it fills one half the other is the reader's, and a reader that is too slow
 * loses a block, which is counted and never hidden.
 */
#include "rtos/driver.h"

/* `half` has just been filled, and DMA goes on with the other one, whatever is in it: the block before,
 * which nobody took, or one that is being read. */
void blocks_filled(struct blocks *b, unsigned half) {
    bool reading = b->held && b->taken != half;
    if (b->ready || reading)
        b->lost++;
    if (reading)
        b->held = false;
    b->done++;
    b->ready = true;
    b->last = (uint8_t)half;
}

int blocks_take(struct blocks *b) {
    if (!b->ready)
        return -1;
    b->ready = false;
    b->held = true;
    b->taken = b->last;
    return b->taken;
}

/* False: what the reader had was overwritten meanwhile. */
bool blocks_release(struct blocks *b) {
    bool whole = b->held;
    b->held = false;
    return whole;
}
