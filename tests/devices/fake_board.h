/* SPDX-License-Identifier: MIT */
/*
 * A board without a core, for tests of its devices: the services of board/device.h on a plain clock, with
 * flash and SRAM as arrays and interrupt lines as flags. board_new(), board_reset() and so on are the
 * fake's too.
 */
#ifndef TESTS_DEVICES_FAKE_BOARD_H
#define TESTS_DEVICES_FAKE_BOARD_H

#include "board/device.h"

#define DEVICE(name) extern const struct device_type device_##name;
#include "board/devices/devices.def"
#undef DEVICE

void fake_run(struct board *b, uint64_t cycles); /* time passes, events happen */
void fake_run_us(struct board *b, uint64_t us);  /* at the clock of now */

/* What the core would do; a bus error fails the test. */
uint32_t fake_read(struct board *b, uint32_t address);
void fake_write(struct board *b, uint32_t address, uint32_t value);
void fake_set(struct board *b, uint32_t address, uint32_t bits); /* read, or, write */

bool fake_irq(const struct board *b, unsigned irq);
unsigned fake_pulses(const struct board *b, unsigned irq);
uint64_t fake_stalled(const struct board *b); /* cycles, in all */
enum board_memory0 fake_memory0(const struct board *b);
uint64_t fake_flash_busy(const struct board *b); /* until when, at the last change of the array */
int fake_reset_wanted(const struct board *b);    /* enum board_reset_cause; -1: none */
unsigned fake_notes(const struct board *b);      /* how many */
bool fake_noted(const struct board *b, const char *part); /* some note contains it */

#endif
