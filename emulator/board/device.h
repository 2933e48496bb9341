/* SPDX-License-Identifier: MIT */
/*
 * Between the core of the virtual board and its devices (devices/). A device is registers on the bus,
 * a state of its own, and whatever of the services below it needs. devices/devices.def lists them all;
 * nothing else has to know about a new one.
 */
#ifndef EMULATOR_BOARD_DEVICE_H
#define EMULATOR_BOARD_DEVICE_H

#include "board.h"

/* Who drives the bus: DMA does not reach CCM and the system peripherals. */
enum bus_master { BUS_CORE, BUS_DMA, BUS_DEBUG };

struct device {
    struct board *board;
    const struct device_type *type;
    void *state; /* type->state_size bytes, zeroed before reset() is called for power-on */
};

struct device_type {
    const char *name;
    uint32_t base, size; /* of the register block */
    size_t state_size;
    /* Power-on and system reset; state that survives a system reset is kept when cause says so. */
    void (*reset)(struct device *d, enum board_reset_cause cause);
    /* offset is aligned to size (1, 2, 4). False: a bus error. */
    bool (*read)(struct device *d, uint32_t offset, unsigned size, uint32_t *value);
    bool (*write)(struct device *d, uint32_t offset, unsigned size, uint32_t value);
    void (*clock_changed)(struct device *d); /* board_clocks() are others now; may be null */
    void (*free)(struct device *d); /* what state owns, before it is zeroed or goes; may be null */
    const void *config; /* what tells instances of the same functions apart (devices/regs.h) */
};

/* The device of a type, for devices that are wired to each other (EXTI to GPIO, USART to DMA). */
struct device *board_device(struct board *b, const struct device_type *type);

/* --- interrupts (nvic.c) --- */
void board_irq(struct board *b, unsigned irq, bool level); /* the line; pending while it is high */
void board_irq_pulse(struct board *b, unsigned irq);

/* --- time (event.c) --- */
struct board_event {
    uint64_t at; /* board_cycles() at which it is due; do not write */
    void (*fire)(
        struct board_event *event); /* between two instructions; may schedule itself again */
    struct device *device;
    struct board_event *next; /* of the queue */
    bool queued;
};
void board_event_at(struct board *b, struct board_event *event,
                    uint64_t cycles); /* moves it if queued */
void board_event_cancel(struct board *b, struct board_event *event);

/* --- clocks (event.c keeps them, devices/rcc.c sets them) --- */
struct board_clocks {
    uint32_t core_hz, apb1_hz, apb2_hz, timer1_hz, timer2_hz; /* timers on APB1, on APB2 */
    uint32_t usb_hz;      /* PLL48: 0 unless the PLL runs at 48 MHz */
    unsigned wait_states; /* FLASH_ACR, for model F */
    bool prefetch, icache, dcache;
};
const struct board_clocks *board_clocks(const struct board *b);
void board_set_clocks(struct board *b, const struct board_clocks *clocks);
/* Core cycles that `ticks` of a clock of `hz` take now, rounded up; hz is not 0. */
uint64_t board_cycles_of(const struct board *b, uint64_t ticks, uint32_t hz);

/* --- memory --- */
bool board_bus_read(struct board *b, enum bus_master m, uint32_t address, unsigned size,
                    uint32_t *value);
bool board_bus_write(struct board *b, enum bus_master m, uint32_t address, unsigned size,
                     uint32_t value);
/*
 * Flash: stores of the core or the debugger to 0x08000000.. come to flash_write() of
 * devices/flash.c; the array itself is written by these two, which also refresh translated code.
 * The bus stalls: time passes and nothing runs.
 */
bool flash_write(struct device *d, uint32_t address, unsigned size, uint32_t value);
void board_flash_program(struct board *b, uint32_t offset, unsigned size,
                         uint32_t value); /* ANDs */
void board_flash_erase(struct board *b, uint32_t offset, uint32_t size);
void board_stall(struct board *b, uint64_t cycles);
/*
 * Until when (board_cycles()) the array is at work; 0 if it is not. Whatever reads or fetches from it
 * before that stalls (there is no read-while-write), code in SRAM goes on. The contents are final at once.
 */
uint64_t flash_busy_until(const struct device *d);
/* What lies at address 0 (SYSCFG_MEMRMP); flash after reset. */
enum board_memory0 { BOARD_MEMORY0_FLASH, BOARD_MEMORY0_ROM, BOARD_MEMORY0_SRAM };
void board_remap(struct board *b, enum board_memory0 what);

/* --- resets and the outside --- */
void board_request_reset(struct board *b,
                         enum board_reset_cause cause); /* after this instruction */
const struct board_config *board_config(const struct board *b);
void board_cut_power_at(struct board *b, uint64_t cycle); /* of the future */
void board_note(struct board *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
