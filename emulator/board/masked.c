/* SPDX-License-Identifier: MIT */
/*
 * How long code keeps interrupts masked (BASEPRI, PRIMASK, FAULTMASK): from the instruction behind the one that
 * masks to the one behind that which opens again. Sleep does not count, interrupts above the mask do: both are
 * what an interrupt below it would have to wait for, or not. A reset ends a section without counting it.
 */
#include "core.h"

static uint64_t awake(const struct board *b) {
    return b->cycles.total - b->slept;
}

/* Takes the place of what is known of the same place, or of the shortest. */
static void keep(struct masked *m, struct board_masked section) {
    struct board_masked *list = m->longest;
    unsigned at = 0;

    if (section.cycles <= list[MASKED_PLACES - 1].cycles)
        return;
    while (at < MASKED_PLACES - 1 && list[at].cycles &&
           !(list[at].from == section.from && list[at].caller == section.caller))
        at++;
    if (section.cycles <= list[at].cycles)
        return;
    for (; at > 0 && list[at - 1].cycles < section.cycles; at--)
        list[at] = list[at - 1];
    list[at] = section;
}

void masked_look(struct board *b, uint32_t pc) {
    struct masked *m = &b->masked;
    bool on = b->cpu.basepri || b->cpu.primask || b->cpu.faultmask;

    if (on && !m->on) {
        m->since = awake(b);
        m->from = pc;
        m->caller = cpu_reg(b, 14) & ~1u;
    } else if (m->on && !on) {
        keep(m, (struct board_masked){awake(b) - m->since, m->from, pc, m->caller});
    }
    m->on = on;
}

struct board_masked board_longest_masked(const struct board *b, unsigned rank) {
    return rank < MASKED_PLACES ? b->masked.longest[rank] : (struct board_masked){0};
}
