/* SPDX-License-Identifier: MIT */
/*
 * Which exceptions are pending and active, and which is the most urgent (B1.5.4, B3.4). Priorities are
 * numbers as the hardware compares them: smaller is more urgent, and below 0 are the three fixed ones.
 * Only the high four bits of a priority exist on the STM32F4.
 */
#include "core.h"

#include <string.h>

enum { PRIORITY_BITS = 0xF0, BASE_LEVEL = 256 };

void nvic_reset(struct board *b) {
    bool level[EXC_COUNT];

    memcpy(level, b->nvic.level, sizeof(level)); /* devices have been reset before */
    memset(&b->nvic, 0, sizeof(b->nvic));
    for (unsigned e = 0; e < EXC_IRQ0; e++)
        b->nvic.enabled[e] = e < EXC_MEM || e > EXC_USAGE;
    for (unsigned e = EXC_IRQ0; e < EXC_COUNT; e++)
        b->nvic.level[e] = b->nvic.pending[e] = level[e];
    nvic_changed(b);
}

static int full_priority(const struct nvic *n, unsigned exception) {
    return exception <= EXC_HARD ? (int)exception - 4 : n->priority[exception];
}

static int group_of(const struct nvic *n, int priority) {
    return priority < 0 ? priority : priority & 0xFF & (0xFF << (n->group + 1));
}

int nvic_priority(const struct board *b, unsigned exception) {
    return group_of(&b->nvic, full_priority(&b->nvic, exception));
}

int nvic_running_unmasked(const struct board *b) {
    int running = b->nvic.active_priority;

    if (b->cpu.basepri & PRIORITY_BITS) {
        int base = group_of(&b->nvic, b->cpu.basepri & PRIORITY_BITS);
        running = base < running ? base : running;
    }
    return b->cpu.faultmask && running > -1 ? -1 : running;
}

int nvic_running(const struct board *b) {
    int running = nvic_running_unmasked(b);
    return b->cpu.primask && running > 0 ? 0 : running;
}

unsigned nvic_wanted(struct board *b) {
    unsigned best = b->nvic.best;
    return best && nvic_priority(b, best) < nvic_running(b) ? best : 0;
}

/* PRIMASK does not keep WFI asleep (B1.5.19). */
bool nvic_wakes(struct board *b) {
    unsigned best = b->nvic.best;
    return best && nvic_priority(b, best) < nvic_running_unmasked(b);
}

void nvic_changed(struct board *b) {
    struct nvic *n = &b->nvic;
    int priority = BASE_LEVEL;
    /* C_MASKINTS keeps PendSV, SysTick and interrupts away from what the debugger steps through. */
    unsigned end = debug_enabled_bits(&b->debug, DHCSR_MASKINTS) ? EXC_PENDSV : EXC_COUNT;

    n->active_priority = BASE_LEVEL;
    for (unsigned e = EXC_NMI; e < EXC_COUNT; e++)
        if (n->active[e] && nvic_priority(b, e) < n->active_priority)
            n->active_priority = nvic_priority(b, e);
    n->best = 0;
    for (unsigned e = EXC_NMI; e < end; e++)
        if (n->pending[e] && n->enabled[e] && full_priority(n, e) < priority) {
            n->best = e;
            priority = full_priority(n, e);
        }
    if (n->best)
        cpu_attend(b);
}

void nvic_pend(struct board *b, unsigned exception) {
    if (b->nvic.pending[exception])
        return;
    b->nvic.pending[exception] = true;
    if (b->scb.scr & SCR_SEVONPEND)
        b->event_register = true;
    nvic_changed(b);
}

/* A line that is still high pends again at once. */
void nvic_unpend(struct board *b, unsigned exception) {
    b->nvic.pending[exception] = b->nvic.level[exception];
    nvic_changed(b);
}

void nvic_activate(struct board *b, unsigned exception) {
    b->nvic.active[exception] = true;
    b->nvic.pending[exception] = false;
    nvic_changed(b);
}

void nvic_deactivate(struct board *b, unsigned exception) {
    b->nvic.active[exception] = false;
    if (b->nvic.level[exception])
        b->nvic.pending[exception] = true;
    nvic_changed(b);
}

unsigned nvic_active_count(const struct board *b) {
    unsigned count = 0;

    for (unsigned e = EXC_NMI; e < EXC_COUNT; e++)
        count += b->nvic.active[e];
    return count;
}

void board_irq(struct board *b, unsigned irq, bool level) {
    unsigned exception = EXC_IRQ0 + irq;

    if (b->nvic.level[exception] == level)
        return;
    b->nvic.level[exception] = level;
    if (level) /* its edge pends again, even in its own handler */
        nvic_pend(b, exception);
}

void board_irq_pulse(struct board *b, unsigned irq) {
    nvic_pend(b, EXC_IRQ0 + irq);
}

/* ------------------------------------------------------------------------------------------------
 * Registers; offset from 0xE000E100, a multiple of 4 */

enum { ISER = 0x000, ICER = 0x080, ISPR = 0x100, ICPR = 0x180, IABR = 0x200, IPR = 0x300 };

/* The array that a bank of registers shows. */
static bool *bank(struct nvic *n, uint32_t offset) {
    uint32_t which = offset & ~0x7Fu;
    return which == IABR ? n->active : which == ISPR || which == ICPR ? n->pending : n->enabled;
}

static unsigned first_of(uint32_t offset) {
    return EXC_IRQ0 + (offset & 0x7F) / 4 * 32;
}

uint32_t nvic_read(struct board *b, uint32_t offset) {
    struct nvic *n = &b->nvic;
    uint32_t value = 0;

    if (offset >= IPR) {
        for (unsigned i = 0; i < 4; i++) {
            unsigned e = EXC_IRQ0 + offset - IPR + i;
            value |= e < EXC_COUNT ? (uint32_t)n->priority[e] << i * 8 : 0;
        }
        return value;
    }
    unsigned first = first_of(offset);
    for (unsigned i = 0; i < 32 && first + i < EXC_COUNT; i++)
        value |= (uint32_t)bank(n, offset)[first + i] << i;
    return value;
}

void nvic_write(struct board *b, uint32_t offset, uint32_t value, uint32_t lanes) {
    struct nvic *n = &b->nvic;

    if (offset >= IPR) {
        for (unsigned i = 0; i < 4; i++) {
            unsigned e = EXC_IRQ0 + offset - IPR + i;
            if (e < EXC_COUNT && lanes >> i * 8 & 0xFF)
                n->priority[e] = value >> i * 8 & PRIORITY_BITS;
        }
        nvic_changed(b);
        return;
    }
    unsigned first = first_of(offset);
    for (unsigned i = 0; i < 32 && first + i < EXC_COUNT; i++) {
        unsigned e = first + i;
        if (!(value >> i & 1))
            continue;
        switch (offset & ~0x7Fu) {
        case ISER: n->enabled[e] = true; break;
        case ICER: n->enabled[e] = false; break;
        case ISPR: n->pending[e] = true; break;
        case ICPR: n->pending[e] = n->level[e]; break;
        default: break;
        }
    }
    nvic_changed(b);
}
