/* SPDX-License-Identifier: MIT */
#include "fake_board.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IRQS = 96, NOTES = 64, SRAM_SIZE = 128 * 1024 };
enum { FLASH_BASE = 0x08000000, SRAM_BASE = 0x20000000 };

static const struct device_type *const types[] = {
#define DEVICE(name) &device_##name,
#include "board/devices/devices.def"
#undef DEVICE
};
enum { DEVICES = sizeof(types) / sizeof(types[0]) };

struct board {
    struct board_config config;
    struct board_clocks clocks;
    struct device devices[DEVICES];
    struct board_event *events; /* by time; of equal ones the older first */
    uint64_t cycles, stalled, ns, ns_at, flash_busy;
    bool irq[IRQS];
    unsigned pulses[IRQS], notes;
    char note[NOTES][160];
    int reset_wanted;
    enum board_memory0 memory0;
    uint8_t sram[SRAM_SIZE];
};

struct board *board_new(const struct board_config *config) {
    struct board *b = calloc(1, sizeof(*b));
    assert(b);
    b->config = *config;
    b->reset_wanted = -1;
    b->clocks.core_hz = 16000000;
    for (unsigned i = 0; i < DEVICES; i++) {
        void *state = calloc(1, types[i]->state_size);
        assert(state);
        b->devices[i] = (struct device){b, types[i], state};
    }
    return b;
}

static void free_state(struct device *d) {
    if (d->type->free)
        d->type->free(d);
}

void board_free(struct board *b) {
    for (unsigned i = 0; b && i < DEVICES; i++) {
        free_state(&b->devices[i]);
        free(b->devices[i].state);
    }
    free(b);
}

void board_reset(struct board *b, enum board_reset_cause cause) {
    for (unsigned i = 0; i < DEVICES && cause == BOARD_RESET_POWER; i++) {
        free_state(&b->devices[i]);
        memset(b->devices[i].state, 0, types[i]->state_size);
    }
    if (cause == BOARD_RESET_POWER)
        b->events = NULL;
    for (unsigned i = 0; i < DEVICES; i++)
        types[i]->reset(&b->devices[i], cause);
}

struct device *board_device(struct board *b, const struct device_type *type) {
    for (unsigned i = 0; i < DEVICES; i++)
        if (types[i] == type)
            return &b->devices[i];
    return NULL;
}

/* ------------------------------------------------------------------------------------------------
 * Interrupts, time, clocks */

void board_irq(struct board *b, unsigned irq, bool level) {
    assert(irq < IRQS);
    b->irq[irq] = level;
}

void board_irq_pulse(struct board *b, unsigned irq) {
    assert(irq < IRQS);
    b->pulses[irq]++;
}

bool fake_irq(const struct board *b, unsigned irq) {
    return b->irq[irq];
}

unsigned fake_pulses(const struct board *b, unsigned irq) {
    return b->pulses[irq];
}

uint64_t board_cycles(const struct board *b) {
    return b->cycles;
}

void board_event_cancel(struct board *b, struct board_event *event) {
    struct board_event **at = &b->events;
    while (*at && *at != event)
        at = &(*at)->next;
    if (*at)
        *at = event->next;
    event->queued = false;
}

void board_event_at(struct board *b, struct board_event *event, uint64_t cycles) {
    struct board_event **at = &b->events;
    board_event_cancel(b, event);
    while (*at && (*at)->at <= cycles)
        at = &(*at)->next;
    event->at = cycles;
    event->next = *at;
    event->queued = true;
    *at = event;
}

void fake_run(struct board *b, uint64_t cycles) {
    uint64_t end = b->cycles + cycles;
    while (b->events && b->events->at <= end) {
        struct board_event *event = b->events;
        b->events = event->next;
        event->queued = false;
        if (event->at > b->cycles)
            b->cycles = event->at;
        event->fire(event);
    }
    b->cycles = end;
}

uint64_t board_cycles_of(const struct board *b, uint64_t ticks, uint32_t hz) {
    assert(hz);
    return (ticks * b->clocks.core_hz + hz - 1) / hz;
}

void fake_run_us(struct board *b, uint64_t us) {
    fake_run(b, board_cycles_of(b, us, 1000000));
}

const struct board_clocks *board_clocks(const struct board *b) {
    return &b->clocks;
}

uint64_t board_ns(const struct board *b) {
    return b->ns + (b->cycles - b->ns_at) * 1000000000 / b->clocks.core_hz;
}

void board_set_clocks(struct board *b, const struct board_clocks *clocks) {
    b->ns = board_ns(b);
    b->ns_at = b->cycles;
    b->clocks = *clocks;
    for (unsigned i = 0; i < DEVICES; i++)
        if (types[i]->clock_changed)
            types[i]->clock_changed(&b->devices[i]);
}

void board_stall(struct board *b, uint64_t cycles) {
    b->stalled += cycles;
    fake_run(b, cycles);
}

uint64_t fake_stalled(const struct board *b) {
    return b->stalled;
}

/* ------------------------------------------------------------------------------------------------
 * Memory */

/* The bytes at an address; null: no memory, or it cannot be written. */
static uint8_t *memory(struct board *b, uint32_t address, bool write) {
    if (address - FLASH_BASE < BOARD_FLASH_SIZE && !write)
        return b->config.flash + (address - FLASH_BASE);
    if (address - SRAM_BASE < SRAM_SIZE)
        return b->sram + (address - SRAM_BASE);
    return NULL;
}

static struct device *device_at(struct board *b, uint32_t address) {
    for (unsigned i = 0; i < DEVICES; i++)
        if (address - types[i]->base < types[i]->size)
            return &b->devices[i];
    return NULL;
}

bool board_bus_read(struct board *b, enum bus_master m, uint32_t address, unsigned size,
                    uint32_t *value) {
    const uint8_t *bytes = memory(b, address, false);
    struct device *d = device_at(b, address);
    (void)m;
    *value = 0;
    if (bytes)
        memcpy(value, bytes, size);
    if (d)
        return d->type->read(d, address - d->type->base, size, value);
    return bytes;
}

bool board_bus_write(struct board *b, enum bus_master m, uint32_t address, unsigned size,
                     uint32_t value) {
    uint8_t *bytes = memory(b, address, true);
    struct device *d = device_at(b, address);
    (void)m;
    if (address - FLASH_BASE < BOARD_FLASH_SIZE)
        return flash_write(board_device(b, &device_flash), address, size, value);
    if (bytes)
        memcpy(bytes, &value, size);
    if (d)
        return d->type->write(d, address - d->type->base, size, value);
    return bytes;
}

uint32_t fake_read(struct board *b, uint32_t address) {
    uint32_t value;
    bool ok = board_bus_read(b, BUS_CORE, address, 4, &value);
    assert(ok);
    (void)ok;
    return value;
}

void fake_write(struct board *b, uint32_t address, uint32_t value) {
    bool ok = board_bus_write(b, BUS_CORE, address, 4, value);
    assert(ok);
    (void)ok;
}

void fake_set(struct board *b, uint32_t address, uint32_t bits) {
    fake_write(b, address, fake_read(b, address) | bits);
}

/* As a core does: how long the array is busy is asked when it changes. */
static void flash_changed(struct board *b) {
    b->flash_busy = flash_busy_until(board_device(b, &device_flash));
}

uint64_t fake_flash_busy(const struct board *b) {
    return b->flash_busy;
}

void board_flash_program(struct board *b, uint32_t offset, unsigned size, uint32_t value) {
    for (unsigned i = 0; i < size; i++)
        b->config.flash[offset + i] &= (uint8_t)(value >> 8 * i);
    flash_changed(b);
}

void board_flash_erase(struct board *b, uint32_t offset, uint32_t size) {
    memset(b->config.flash + offset, 0xFF, size);
    flash_changed(b);
}

void board_remap(struct board *b, enum board_memory0 what) {
    b->memory0 = what;
}

enum board_memory0 fake_memory0(const struct board *b) {
    return b->memory0;
}

/* ------------------------------------------------------------------------------------------------
 * Resets and the outside */

void board_request_reset(struct board *b, enum board_reset_cause cause) {
    b->reset_wanted = cause;
}

int fake_reset_wanted(const struct board *b) {
    return b->reset_wanted;
}

void board_cut_power_at(struct board *b, uint64_t cycle) {
    b->config.cut_power_at = cycle;
}

const struct board_config *board_config(const struct board *b) {
    return &b->config;
}

void board_note(struct board *b, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(b->note[b->notes % NOTES], sizeof(b->note[0]), format, arguments);
    va_end(arguments);
    b->notes++;
}

unsigned fake_notes(const struct board *b) {
    return b->notes;
}

bool fake_noted(const struct board *b, const char *part) {
    for (unsigned i = 0; i < NOTES; i++)
        if (strstr(b->note[i], part))
            return true;
    return false;
}
