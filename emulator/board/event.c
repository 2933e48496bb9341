/* SPDX-License-Identifier: MIT */
/* Time: what is due when, and how cycles relate to the clocks that the guest has set. */
#include "core.h"

#include <assert.h>

/* The queue is short (a few timers, a few serial lines): a sorted list. Equals keep their order. */
void board_event_at(struct board *b, struct board_event *event, uint64_t cycles) {
    board_event_cancel(b, event);
    struct board_event **at = &b->events.first;
    while (*at && (*at)->at <= cycles)
        at = &(*at)->next;
    event->at = cycles;
    event->next = *at;
    event->queued = true;
    *at = event;
    if (cycles < b->cpu.deadline)
        b->cpu.deadline = cycles;
}

void board_event_cancel(struct board *b, struct board_event *event) {
    if (!event->queued)
        return;
    struct board_event **at = &b->events.first;
    while (*at != event)
        at = &(*at)->next;
    *at = event->next;
    event->queued = false;
}

uint64_t event_next(const struct board *b) {
    return b->events.first ? b->events.first->at : UINT64_MAX;
}

void event_fire_due(struct board *b) {
    struct board_event *event;

    while ((event = b->events.first) && event->at <= b->cycles.total) {
        b->events.first = event->next;
        event->queued = false;
        event->fire(event);
    }
}

void event_pass(struct board *b, uint64_t until) {
    if (until > b->cycles.total)
        b->cycles.total = until;
}

/* The bus is busy: what the core waits for is over when it looks again. */
void board_stall(struct board *b, uint64_t cycles) {
    b->cycles.total += cycles;
}

/* ------------------------------------------------------------------------------------------------
 * Clocks */

const struct board_clocks *board_clocks(const struct board *b) {
    return &b->events.clocks;
}

uint64_t board_cycles(const struct board *b) {
    return b->cycles.total;
}

uint64_t board_instructions(const struct board *b) {
    return b->cycles.instructions;
}

uint64_t board_ns(const struct board *b) {
    uint64_t cycles = b->cycles.total - b->events.ns_at;
    return b->events.ns +
           (uint64_t)((unsigned __int128)cycles * 1000000000 / b->events.clocks.core_hz);
}

void board_set_clocks(struct board *b, const struct board_clocks *clocks) {
    assert(clocks->core_hz > 0);
    b->events.ns = board_ns(b);
    b->events.ns_at = b->cycles.total;
    b->events.clocks = *clocks;
    for (unsigned i = 0; i < b->device_count; i++)
        if (b->devices[i].type->clock_changed)
            b->devices[i].type->clock_changed(&b->devices[i]);
}

uint64_t board_cycles_of(const struct board *b, uint64_t ticks, uint32_t hz) {
    assert(hz > 0);
    unsigned __int128 product = (unsigned __int128)ticks * b->events.clocks.core_hz;
    return (uint64_t)((product + hz - 1) / hz);
}
