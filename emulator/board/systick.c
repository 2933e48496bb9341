/* SPDX-License-Identifier: MIT */
/*
 * The system timer (B3.3). Nothing counts: the value follows from the cycle at which the counter was
 * loaded, and one event is due when it reaches 0.
 */
#include "core.h"

enum { CSR_ENABLE = 1, CSR_TICKINT = 2, CSR_CLKSOURCE = 4, CSR_COUNTFLAG = 1 << 16 };

/* Core cycles of a count. The external reference clock is HCLK / 8 on the STM32F4 (RM0090 7.2). */
static unsigned divider(const struct systick *s) {
    return s->core_clock ? 1 : 8;
}

static uint64_t now(const struct board *b) {
    return b->systick.paused_at ? b->systick.paused_at : b->cycles.total;
}

static uint32_t value(const struct board *b) {
    const struct systick *s = &b->systick;

    if (!s->enabled)
        return s->stopped;
    if (now(b) < s->loaded_at)
        return 0; /* written, and not loaded yet */
    uint64_t counted = (now(b) - s->loaded_at) / divider(s);
    return counted >= s->reload ? 0 : s->reload - (uint32_t)counted;
}

static void schedule(struct board *b) {
    struct systick *s = &b->systick;

    board_event_cancel(b, &s->event);
    if (s->enabled && s->reload > 0 && !s->paused_at)
        board_event_at(b, &s->event, s->loaded_at + (uint64_t)s->reload * divider(s));
}

/* The counter has reached 0; the next count loads it. */
static void reached_zero(struct board_event *event) {
    struct board *b = (struct board *)((char *)event - offsetof(struct board, systick.event));
    struct systick *s = &b->systick;

    s->flag = true;
    s->loaded_at = event->at + divider(s);
    if (s->interrupt)
        nvic_pend(b, EXC_SYSTICK);
    schedule(b);
}

void systick_reset(struct board *b) {
    board_event_cancel(b, &b->systick.event);
    b->systick = (struct systick){.event.fire = reached_zero, .paused_at = b->systick.paused_at};
}

void systick_pause(struct board *b, bool pause) {
    struct systick *s = &b->systick;

    if (pause == (s->paused_at != 0))
        return;
    if (pause) {
        s->paused_at = b->cycles.total ? b->cycles.total : 1;
    } else {
        s->loaded_at += b->cycles.total - s->paused_at;
        s->paused_at = 0;
    }
    schedule(b);
}

/* ------------------------------------------------------------------------------------------------
 * Registers; offset from 0xE000E010 */

uint32_t systick_read(struct board *b, uint32_t offset, bool by_core) {
    struct systick *s = &b->systick;

    switch (offset) {
    case 0x0: {
        uint32_t csr = (s->enabled ? CSR_ENABLE : 0) | (s->interrupt ? CSR_TICKINT : 0) |
                       (s->core_clock ? CSR_CLKSOURCE : 0) | (s->flag ? CSR_COUNTFLAG : 0);
        if (by_core)
            s->flag = false;
        return csr;
    }
    case 0x4: return s->reload;
    case 0x8: return value(b);
    case 0xC: return 1 << 30 | 18749; /* ST: 10 ms at 150 MHz / 8, SKEW */
    default: return 0;
    }
}

static void write_csr(struct board *b, uint32_t csr) {
    struct systick *s = &b->systick;
    uint32_t left = value(b);
    bool was_enabled = s->enabled;

    s->interrupt = csr & CSR_TICKINT;
    s->core_clock = csr & CSR_CLKSOURCE;
    s->enabled = csr & CSR_ENABLE;
    s->stopped = left;
    if (s->enabled &&
        (!was_enabled || left > 0)) /* goes on from where it is; from 0 it is loaded */
        s->loaded_at = left > 0 ? now(b) - (uint64_t)((int64_t)s->reload - left) * divider(s)
                                : now(b) + divider(s);
    schedule(b);
}

void systick_write(struct board *b, uint32_t offset, uint32_t written) {
    struct systick *s = &b->systick;

    switch (offset) {
    case 0x0: write_csr(b, written); break;
    case 0x4:
        /* What counts goes on to 0 with the old value; value() is kept by moving the start. */
        if (s->enabled && value(b) > 0) {
            uint32_t left = value(b);
            s->reload = written & 0xFFFFFF;
            s->loaded_at = now(b) - (uint64_t)((int64_t)s->reload - left) * divider(s);
        } else {
            s->reload = written & 0xFFFFFF;
        }
        schedule(b);
        break;
    case 0x8: /* any value clears */
        s->stopped = 0;
        s->flag = false;
        s->loaded_at = now(b) + divider(s);
        schedule(b);
        break;
    default: break;
    }
}
