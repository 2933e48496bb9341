/* SPDX-License-Identifier: MIT */
/*
 * The memory map (RM0090 2.3, table 1) and every access that is not a plain load or store of RAM:
 * devices, flash, bit-band aliases, the private peripheral bus; DMA and the debugger. An address
 * that nothing answers to is a BusFault of the core and an error for the others.
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { UNIQUE_ID = 0x7A10, FLASH_SIZE_KB = 0x7A22, BITBAND_BITS = 32 };

extern const struct device_type device_flash;

static uint8_t *pages(size_t size, int fill) {
    uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        abort();
    memset(p, fill, size);
    return p;
}

void bus_init(struct board *b) {
    struct bus *bus = &b->bus;

    bus->sram = pages(SRAM_SIZE, 0);
    bus->ccm = pages(CCM_SIZE, 0);
    bus->rom = pages(ROM_SIZE, 0xFF);
    static const uint32_t unique_id[3] = {0x00320041, 0x31355105, 0x34353038};
    static const uint16_t flash_kb = BOARD_FLASH_SIZE / 1024;
    memcpy(bus->rom + UNIQUE_ID, unique_id, sizeof(unique_id));
    memcpy(bus->rom + FLASH_SIZE_KB, &flash_kb, sizeof(flash_kb));

    const struct memory map[] = {
        {FLASH_BASE, BOARD_FLASH_SIZE, MEMORY_FLASH, false, false, b->config.flash},
        {SRAM_BASE, SRAM_SIZE, MEMORY_RAM, false, false, bus->sram},
        {CCM_BASE, CCM_SIZE, MEMORY_RAM, true, true, bus->ccm},
        {ROM_BASE, ROM_SIZE, MEMORY_ROM, false, true, bus->rom},
        {0x22000000, SRAM_SIZE * BITBAND_BITS, MEMORY_BITBAND, true, true, NULL},
        {0x42000000, 0x100000 * BITBAND_BITS, MEMORY_BITBAND, true, true, NULL},
        {PPB_BASE, PPB_SIZE, MEMORY_PPB, true, true, NULL},
    };
    bus->memories = sizeof(map) / sizeof(map[0]);
    memcpy(bus->map, map, sizeof(map));
    bus->alias0 = map[0];
    bus->alias0.start = 0;
}

void bus_free(struct board *b) {
    munmap(b->bus.sram, SRAM_SIZE);
    munmap(b->bus.ccm, CCM_SIZE);
    munmap(b->bus.rom, ROM_SIZE);
}

/* SYSCFG_MEMRMP. The core sees it after the instruction. */
void board_remap(struct board *b, enum board_memory0 what) {
    static const uint32_t at[] = {FLASH_BASE, ROM_BASE, SRAM_BASE};
    struct range range = {0, UINT32_MAX};
    struct memory alias = *bus_find(b, at[what], &range);

    alias.start = 0;
    if (alias.host == b->bus.alias0.host)
        return;
    b->bus.alias0 = alias;
    cpu_remap(b);
}

static struct device *device_at(struct board *b, uint32_t address) {
    for (unsigned i = 0; i < b->device_count; i++)
        if (address - b->devices[i].type->base < b->devices[i].type->size)
            return &b->devices[i];
    return NULL;
}

static bool is_in(const struct memory *m, uint32_t address) {
    return address - m->start < m->size;
}

static void range_cut(struct range *range, uint32_t start, uint32_t size) {
    uint64_t end = (uint64_t)start + size, range_end = (uint64_t)range->start + range->size;

    end = end < range_end ? end : range_end;
    range->start = start > range->start ? start : range->start;
    range->size = (uint32_t)(end - range->start);
}

const struct memory *bus_find(struct board *b, uint32_t address, struct range *range) {
    static const struct memory devices = {.kind = MEMORY_DEVICE, .no_code = true};
    const struct memory *found = is_in(&b->bus.alias0, address) ? &b->bus.alias0 : NULL;

    for (unsigned i = 0; i < b->bus.memories && !found; i++)
        if (is_in(&b->bus.map[i], address))
            found = &b->bus.map[i];
    const struct device *device = device_at(b, address);
    if (device && (!found || found->kind == MEMORY_PPB)) { /* DBGMCU is inside the PPB */
        range_cut(range, device->type->base, device->type->size);
        return &devices;
    }
    if (found)
        range_cut(range, found->start, found->size);
    else
        range_cut(range, address, 1);
    return found;
}

/* B3.1: unaligned accesses are for normal memory. */
bool bus_is_aligned_only(struct board *b, uint32_t address) {
    (void)b;
    return address - 0x40000000 < 0x20000000 || address >= 0xA0000000;
}

/* ------------------------------------------------------------------------------------------------
 * What the core may */

static struct fault memory_fault(enum access access, uint32_t address) {
    if (access == ACCESS_FETCH)
        return (struct fault){.exception = EXC_MEM, .cfsr = CFSR_IACCVIOL};
    return (struct fault){
        .exception = EXC_MEM, .cfsr = CFSR_DACCVIOL | CFSR_MMARVALID, .address = address};
}

static struct fault bus_fault(enum access access, uint32_t address) {
    if (access == ACCESS_FETCH)
        return (struct fault){.exception = EXC_BUS, .cfsr = CFSR_IBUSERR};
    return (struct fault){
        .exception = EXC_BUS, .cfsr = CFSR_PRECISERR | CFSR_BFARVALID, .address = address};
}

/* Unprivileged code reaches nothing of the PPB but STIR, when it is told so (B3.1.1). */
static bool ppb_allows(struct board *b, uint32_t address, bool privileged) {
    return privileged || (address == 0xE000EF00 && b->scb.ccr & CCR_USERSETMPEND);
}

/* One byte; *range is narrowed to where it holds. */
static struct fault check_at(struct board *b, uint32_t address, enum access access, bool privileged,
                             struct range *range) {
    struct mpu_rights rights = mpu_rights(b, address, privileged, range);
    bool allowed = access == ACCESS_FETCH   ? rights.execute
                   : access == ACCESS_WRITE ? rights.write
                                            : rights.read;
    if (!allowed)
        return memory_fault(access, address);
    const struct memory *m = bus_find(b, address, range);
    if (!m || (access == ACCESS_FETCH && m->no_code) ||
        (access == ACCESS_WRITE && m->kind == MEMORY_ROM) ||
        (m->kind == MEMORY_PPB && !ppb_allows(b, address, privileged)))
        return bus_fault(access, address);
    return (struct fault){0};
}

struct fault bus_check(struct board *b, uint32_t address, unsigned size, enum access access,
                       bool privileged) {
    struct range range = {0, UINT32_MAX};
    struct fault fault = check_at(b, address, access, privileged, &range);

    /* Regions are no smaller than 32 bytes: an access lies in two of them at most. */
    if (!fault.exception && !range_has(&range, address, size)) {
        range = (struct range){0, UINT32_MAX};
        uint32_t last = address + size - 1;
        fault = check_at(b, last, access, privileged, &range);
        /* The access was cut at its alignment; the part that fails is reported. */
        fault.address = fault.cfsr & (CFSR_MMARVALID | CFSR_BFARVALID) ? last & ~31u : 0;
    }
    return fault;
}

struct fault bus_load(struct board *b, uint32_t address, unsigned size, bool privileged,
                      uint32_t *value) {
    struct fault fault = bus_check(b, address, size, ACCESS_READ, privileged);

    if (!fault.exception && !board_bus_read(b, BUS_CORE, address, size, value))
        return bus_fault(ACCESS_READ, address);
    return fault;
}

struct fault bus_store(struct board *b, uint32_t address, unsigned size, bool privileged,
                       uint32_t value) {
    struct fault fault = bus_check(b, address, size, ACCESS_WRITE, privileged);

    if (!fault.exception && !board_bus_write(b, BUS_CORE, address, size, value))
        return bus_fault(ACCESS_WRITE, address);
    return fault;
}

/* ------------------------------------------------------------------------------------------------
 * Accesses */

/* The word that a bit of an alias lies in, and which bit of it (RM0090 2.3.3). */
static uint32_t bit_target(uint32_t alias, unsigned *bit) {
    uint32_t offset = alias & 0x1FFFFFF;

    *bit = offset / 4 % 32;
    return (alias & 0xF0000000) + offset / 128 * 4;
}

static bool bit_read(struct board *b, enum bus_master m, uint32_t address, uint32_t *value) {
    unsigned bit;
    uint32_t target = bit_target(address, &bit);

    if (!board_bus_read(b, m, target, 4, value))
        return false;
    *value = *value >> bit & 1;
    return true;
}

static bool bit_write(struct board *b, enum bus_master m, uint32_t address, uint32_t value) {
    unsigned bit;
    uint32_t word, target = bit_target(address, &bit);

    if (!board_bus_read(b, m, target, 4, &word))
        return false;
    return board_bus_write(b, m, target, 4, (word & ~(1u << bit)) | (value & 1) << bit);
}

bool board_bus_read(struct board *b, enum bus_master m, uint32_t address, unsigned size,
                    uint32_t *value) {
    struct range range = {0, UINT32_MAX};
    const struct memory *memory = bus_find(b, address, &range);

    *value = 0;
    if (!memory || (m == BUS_DMA && memory->no_dma))
        return false;
    switch ((enum memory_kind)memory->kind) {
    case MEMORY_RAM:
    case MEMORY_FLASH:
    case MEMORY_ROM:
        if (!range_has(&range, address, size))
            return false;
        memcpy(value, memory->host + (address - memory->start), size);
        return true;
    case MEMORY_DEVICE: {
        struct device *d = device_at(b, address);
        return d->type->read(d, address - d->type->base, size, value);
    }
    case MEMORY_BITBAND: return bit_read(b, m, address, value);
    case MEMORY_PPB: return ppb_read(b, m, address, size, value);
    case MEMORY_NONE: break;
    }
    return false;
}

bool board_bus_write(struct board *b, enum bus_master m, uint32_t address, unsigned size,
                     uint32_t value) {
    struct range range = {0, UINT32_MAX};
    const struct memory *memory = bus_find(b, address, &range);

    if (!memory || (m == BUS_DMA && memory->no_dma))
        return false;
    switch ((enum memory_kind)memory->kind) {
    case MEMORY_RAM:
        if (!range_has(&range, address, size))
            return false;
        memcpy(memory->host + (address - memory->start), &value, size);
        cpu_code_changed(b, address, size);
        return true;
    case MEMORY_FLASH:
        return flash_write(board_device(b, &device_flash), address - memory->start + FLASH_BASE,
                           size, value);
    case MEMORY_DEVICE: {
        struct device *d = device_at(b, address);
        return d->type->write(d, address - d->type->base, size, value);
    }
    case MEMORY_BITBAND: return bit_write(b, m, address, value);
    case MEMORY_PPB: return ppb_write(b, m, address, size, value);
    case MEMORY_ROM:
    case MEMORY_NONE: break;
    }
    return false;
}

bool board_debug_read(struct board *b, uint32_t address, unsigned size, uint32_t *value) {
    return board_bus_read(b, BUS_DEBUG, address, size, value);
}

bool board_debug_write(struct board *b, uint32_t address, unsigned size, uint32_t value) {
    return board_bus_write(b, BUS_DEBUG, address, size, value);
}

/* The array works: the core's next fetch or read of it waits (bus_wait_for_flash()). */
static void flash_changed(struct board *b, uint32_t offset, uint32_t size) {
    cpu_code_changed(b, FLASH_BASE + offset, size);
    b->bus.flash_busy = flash_busy_until(board_device(b, &device_flash));
    cpu_forget(b);
}

void bus_wait_for_flash(struct board *b) {
    if (b->bus.flash_busy > b->cycles.total)
        b->cycles.total = b->bus.flash_busy;
    b->bus.flash_busy = 0;
}

void board_flash_program(struct board *b, uint32_t offset, unsigned size, uint32_t value) {
    uint32_t old;

    memcpy(&old, b->config.flash + offset, size);
    old &= value;
    memcpy(b->config.flash + offset, &old, size);
    flash_changed(b, offset, size);
}

void board_flash_erase(struct board *b, uint32_t offset, uint32_t size) {
    memset(b->config.flash + offset, 0xFF, size);
    flash_changed(b, offset, size);
}
