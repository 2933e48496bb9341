/* SPDX-License-Identifier: MIT */
/*
 * The board's life: power, resets, and the loop that lets the core run and looks at everything else
 * in between.
 */
#include "core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE(name) extern const struct device_type device_##name;
#include "devices/devices.def"
#undef DEVICE
static const struct device_type *const types[] = {
#define DEVICE(name) &device_##name,
#include "devices/devices.def"
#undef DEVICE
};
enum { DEVICES = sizeof(types) / sizeof(types[0]), HSI_HZ = 16000000 };

static void *zeroed(size_t size) {
    void *p = calloc(1, size);
    if (!p)
        abort();
    return p;
}

struct board *board_new(const struct board_config *config) {
    struct board *b = zeroed(sizeof(*b));

    b->config = *config;
    b->events.clocks = (struct board_clocks){HSI_HZ, HSI_HZ, HSI_HZ, HSI_HZ, HSI_HZ, 0, 0, 0, 0, 0};
    b->device_count = DEVICES;
    b->devices = zeroed(DEVICES * sizeof(*b->devices));
    for (unsigned i = 0; i < DEVICES; i++)
        b->devices[i] = (struct device){b, types[i], zeroed(types[i]->state_size + 1)};
    bus_init(b);
    cpu_init(b);
    board_reset(b, BOARD_RESET_POWER);
    return b;
}

static void devices_free(struct board *b) {
    for (unsigned i = 0; i < DEVICES; i++)
        if (b->devices[i].type->free)
            b->devices[i].type->free(&b->devices[i]);
}

void board_free(struct board *b) {
    if (!b)
        return;
    devices_free(b);
    for (unsigned i = 0; i < DEVICES; i++)
        free(b->devices[i].state);
    free(b->devices);
    cpu_free(b);
    bus_free(b);
    free(b);
}

/* Time begins. RAM keeps its contents but for power, when it is nothing in particular: not 0, which
 * hides bugs. */
static void power_on(struct board *b) {
    if (b->cycles.total > 0) {
        devices_free(b);
        b->config.cut_power_at = b->config.cut_flash_at = 0; /* once */
    }
    for (unsigned i = 0; i < DEVICES; i++)
        memset(b->devices[i].state, 0, types[i]->state_size);
    b->events.first = NULL;
    b->events.ns = b->events.ns_at = 0;
    b->systick.event.queued = false;
    cycles_reset(&b->cycles);
    b->slept = 0;
    b->masked = (struct masked){0};
    memset(b->bus.sram, 0xA5, SRAM_SIZE);
    memset(b->bus.ccm, 0xA5, CCM_SIZE);
    b->cpu.sram_runs = false;
    b->no_power = false;
}

void board_reset(struct board *b, enum board_reset_cause cause) {
    bool power = cause == BOARD_RESET_POWER;

    b->reset_wanted = b->locked_up = b->sleeping = b->exited = false;
    b->event_register = false;
    if (power)
        power_on(b);
    b->masked.on = false; /* a section that ends so kept nobody waiting */
    board_remap(b, BOARD_MEMORY0_FLASH);
    art_flush(b);
    memset(&b->mpu, 0, sizeof(b->mpu));
    scb_reset(b);
    memset(&b->nvic, 0, sizeof(b->nvic));
    for (unsigned i = 0; i < b->device_count; i++)
        if (b->devices[i].type->reset)
            b->devices[i].type->reset(&b->devices[i], cause);
    nvic_reset(b);
    systick_reset(b);
    cpu_restart(b);
    exception_reset(b);
    debug_reset(b, power);
}

struct device *board_device(struct board *b, const struct device_type *type) {
    for (unsigned i = 0; i < b->device_count; i++)
        if (b->devices[i].type == type)
            return &b->devices[i];
    abort(); /* not in devices.def */
}

void board_request_reset(struct board *b, enum board_reset_cause cause) {
    b->reset_wanted = true;
    b->reset_cause = cause;
    cpu_attend(b);
}

const struct board_config *board_config(const struct board *b) {
    return &b->config;
}

void board_cut_power_at(struct board *b, uint64_t cycle) {
    b->config.cut_power_at = cycle;
    if (cycle < b->cpu.deadline)
        b->cpu.deadline = cycle;
}

uint32_t board_pc(const struct board *b) {
    return b->cpu.pc;
}

int board_exit_code(const struct board *b) {
    return b->exit_code;
}

void board_note(struct board *b, const char *format, ...) {
    char text[256];
    va_list args;

    if (!b->config.listener.note)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    b->config.listener.note(b->config.listener.user, text);
}

/* ------------------------------------------------------------------------------------------------
 * Running */

static bool take_exception(struct board *b) {
    if (!nvic_wanted(b))
        return false;
    exception_enter(b);
    return true;
}

void board_sleep(struct board *b, bool for_event) {
    if (for_event && b->event_register) {
        b->event_register = false;
        return;
    }
    b->sleeping = true;
    b->waiting_for_event = for_event;
    if (b->scb.scr & SCR_SLEEPDEEP)
        systick_pause(b, true);
}

static void wake_up(struct board *b) {
    b->sleeping = false;
    if (b->waiting_for_event)
        b->event_register = false;
    if (!b->debug.halted)
        systick_pause(b, false);
}

static bool is_awake(struct board *b) {
    return nvic_wakes(b) || (b->waiting_for_event && b->event_register) ||
           debug_enabled_bits(&b->debug, DHCSR_HALT);
}

/* Nothing runs until the next event. */
static void stand_still(struct board *b) {
    uint64_t from = b->cycles.total, until = event_next(b);

    until = b->limit < until ? b->limit : until;
    if (b->config.cut_power_at && b->config.cut_power_at < until)
        until = b->config.cut_power_at;
    event_pass(b, until);
    b->slept += b->cycles.total - from;
}

/* A BKPT, of the code or of the FPB. */
static void breakpoint(struct board *b) {
    static const struct fault debug_event = {.exception = EXC_HARD, .hfsr = HFSR_DEBUGEVT};

    if (debug_enabled_bits(&b->debug, 0))
        debug_halt(b, DFSR_BKPT);
    else
        exception_fault(b, &debug_event);
}

static void run_core(struct board *b) {
    uint64_t before = b->cycles.instructions;

    switch (cpu_run(b)) {
    case CPU_STOPPED: break;
    case CPU_SVC: exception_svc(b); break;
    case CPU_BKPT:
        if (!semihost(b))
            breakpoint(b);
        break;
    case CPU_BREAKPOINT: breakpoint(b); break;
    case CPU_FAULT: {
        struct fault fault = b->cpu.fault;
        exception_fault(b, &fault);
        break;
    }
    case CPU_EXC_RETURN: exception_return(b, b->cpu.pc | 1); break;
    case CPU_LAZY: exception_preserve_fp(b); break;
    case CPU_WFI: board_sleep(b, false); break;
    case CPU_WFE: board_sleep(b, true); break;
    }
    b->debug.retired |= b->cycles.instructions != before;
}

/* One instruction of a debugger's step; exceptions that are due are entered first. */
static void step(struct board *b) {
    b->cpu.single = true;
    run_core(b);
    b->cpu.single = false;
    if (b->cpu.ran > 0 || b->cpu.fault.exception) {
        take_exception(b);
        if (!b->debug.halted)
            debug_halt(b, DFSR_HALTED);
    }
}

static void soak(struct board *b) {
    if (!b->config.irq_every || b->cpu.ipsr || b->cycles.instructions < b->cpu.soak_at)
        return;
    exception_soak(b);
    if (b->cpu.ipsr == 0)
        b->cpu.soak_at = b->cycles.instructions + b->config.irq_every;
    else
        b->cpu.soak_left = b->config.irq_every;
}

/* What may end a run, in order; BOARD_RAN: go on. */
static enum board_stop check(struct board *b) {
    if (b->config.cut_power_at && b->cycles.total >= b->config.cut_power_at)
        b->no_power = true;
    if (b->no_power)
        return BOARD_NO_POWER;
    if (b->exited)
        return BOARD_EXITED;
    if (b->locked_up && debug_enabled_bits(&b->debug, DHCSR_HALT))
        debug_halt(b, DFSR_HALTED);
    if (b->debug.halted)
        return BOARD_HALTED;
    return b->locked_up ? BOARD_LOCKED_UP : BOARD_RAN;
}

/* Between two instructions. */
static void advance(struct board *b) {
    struct debug *d = &b->debug;

    if (b->reset_wanted) {
        board_reset(b, b->reset_cause);
        return;
    }
    if (debug_enabled_bits(d, DHCSR_HALT) && !d->halted) {
        debug_halt(b, b->scb.dfsr & DFSR_DWTTRAP ? 0 : DFSR_HALTED);
        return;
    }
    if (b->sleeping && is_awake(b))
        wake_up(b);
    if (b->sleeping) {
        stand_still(b);
        return;
    }
    if (take_exception(b))
        return;
    soak(b);
    if (debug_enabled_bits(d, DHCSR_STEP))
        step(b);
    else
        run_core(b);
}

enum board_stop board_run(struct board *b, uint64_t cycles) {
    enum board_stop stop = BOARD_RAN;

    b->limit = b->cycles.total + cycles;
    while ((stop = check(b)) == BOARD_RAN && b->cycles.total < b->limit) {
        advance(b);
        event_fire_due(b);
    }
    /* Time goes on around a core that stands still. */
    while ((stop == BOARD_HALTED || stop == BOARD_LOCKED_UP) && b->cycles.total < b->limit &&
           !b->reset_wanted) {
        stand_still(b);
        event_fire_due(b);
        stop = check(b);
    }
    if (b->reset_wanted && (stop == BOARD_HALTED || stop == BOARD_LOCKED_UP)) {
        board_reset(b, b->reset_cause);
        stop = check(b);
    }
    return stop;
}
