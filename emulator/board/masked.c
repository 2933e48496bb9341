/* SPDX-License-Identifier: MIT */
/*
 * How long code keeps interrupts masked (BASEPRI, PRIMASK, FAULTMASK): from the instruction behind the one that
 * masks to the one behind that which opens again. Sleep does not count, interrupts above the mask do: both are
 * what an interrupt below it would have to wait for, or not.
 */
#include "core.h"

static uint64_t awake(const struct board *b) {
    return b->cycles.total - b->slept;
}

void masked_look(struct board *b, uint32_t pc) {
    struct masked *m = &b->masked;
    bool on = b->cpu.basepri || b->cpu.primask || b->cpu.faultmask;

    if (on && !m->on) {
        m->since = awake(b);
        m->from = pc;
    } else if (m->on && !on && awake(b) - m->since > m->longest.cycles) {
        m->longest = (struct board_masked){awake(b) - m->since, m->from, pc};
    }
    m->on = on;
}

struct board_masked board_longest_masked(const struct board *b) {
    return b->masked.longest;
}
