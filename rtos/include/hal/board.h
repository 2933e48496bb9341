/* SPDX-License-Identifier: MIT
 *
 * What the portable parts want from a board.
 */
#ifndef HAL_BOARD_H
#define HAL_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault_record;

/* What start-up calls, with interrupts enabled. It begins with board_init(). */
int main(void);

void board_init(void);  /* clocks; looks which units there are */
void board_start(void); /* after kernel_init(): the serial port and the interrupts of the board */

extern const char board_name[];
uint32_t board_core_hz(void);
const char *board_clock_source(void); /* what that comes from, for people */

/* The serial port: rtos/console.h is what others use. */
void board_write(const char *text, size_t length);      /* from a task or main(); waits for room */
void board_write_raw(const char *bytes, size_t length); /* the same, without a \r before \n */
int board_read(uint32_t timeout);                       /* next byte, or -1; from one task only */
void board_flush(void); /* sends what is buffered, without interrupts; from anywhere */

/* A part of the board's memory; false: there are not so many. */
struct board_memory {
    const char *name;
    uint32_t start, size, used; /* bytes */
};
bool board_memory(unsigned index, struct board_memory *out);

/* Prints the record without interrupts and resets. Called by the fault handler. */
_Noreturn void board_panic(const struct fault_record *record);
_Noreturn void board_reset(void);

/* Two interrupts without a device, for tests: one of the kernel's band, one of zero latency. */
enum board_spare { BOARD_SPARE_KERNEL, BOARD_SPARE_ZERO_LATENCY, BOARD_SPARES };
extern void (*volatile board_spare_handler[BOARD_SPARES])(void);
void board_spare_pend(enum board_spare spare);

/* For tests: two pins of the same number, at which nothing is. */
extern const uint8_t board_free_pins[2];

/* For tests: a clock of its own, which does not stop in sleep, and an interrupt of the kernel's band after
 * every so many of its counts (0: no more), which may be missing. Its rate is the board's affair. */
void board_counter_start(void);
uint32_t board_counter(void);
void board_alarm(uint32_t counts);
extern void (*volatile board_alarm_handler)(void);

/* Ends the emulator with an exit code where a host answers semihosting calls; else returns. */
void board_exit(int code);

#endif
