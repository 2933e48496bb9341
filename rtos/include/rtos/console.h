/* SPDX-License-Identifier: MIT
 *
 * The console: whatever is written goes to each of its sinks that is on, and input comes from those that
 * have one. Sinks never fail: what a sink cannot take is dropped and counted.
 */
#ifndef RTOS_CONSOLE_H
#define RTOS_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtos/kernel.h"

/* SINK(name, text, what) */
#define CONSOLE_SINK_LIST(SINK)                                                                    \
    SINK(UART, "uart", "the board's serial port; output waits for room")                           \
    SINK(RTT, "rtt", "a ring in RAM that a debugger reads (OpenOCD: rtt); never waits")            \
    SINK(LOG, "log", "RAM that survives a reset: the last 2 KiB of what was printed")              \
    SINK(SEMIHOST, "semihost", "the debugger's or emulator's own output; off at start")

enum console_sink {
#define CONSOLE_SINK_ENUM(name, text, what) CONSOLE_##name,
    CONSOLE_SINK_LIST(CONSOLE_SINK_ENUM)
#undef CONSOLE_SINK_ENUM
        CONSOLE_SINKS
};

enum {
    CONSOLE_ALL = (1 << CONSOLE_SINKS) - 1,
    /* Where somebody types: prompts, echo and answers are not worth a place in the log. */
    CONSOLE_INTERACTIVE = 1 << CONSOLE_UART | 1 << CONSOLE_RTT,
};

struct console_state {
    const char *name, *what;
    bool on;
    uint32_t dropped; /* bytes, since start */
};

/* console.c */
void console_init(void); /* before anything is printed */
/* Texts of different tasks do not mix. sinks: a bit for each. From anywhere but interrupts of the kernel's
 * band; the fault handler may. */
void console_write(unsigned sinks, const char *text, size_t length);
/* Next byte, or -1; from one task only. from, if not NULL: where it came from. */
int console_read(uint32_t timeout, enum console_sink *from);
/* A line of a protocol, as it is and whole, to a sink with input: at the beginning of a line there, whoever has written
 * half of one before. Waits for room. false: nobody makes any. From a task. */
bool console_write_line(enum console_sink to, const char *line, size_t length);
/* Waits until what was written has left the board, or nobody takes it. From a task. */
void console_drain(enum console_sink to);
void console_state(enum console_sink sink, struct console_state *out);
/* KERNEL_NOT_THERE: nobody answers semihosting calls. Where a debugger is attached that does not serve them,
 * asking halts the core: that is why this sink is off at start. */
enum kernel_status console_enable(enum console_sink sink, bool on);

/* ramlog.c, the log's sink: up to size bytes from the oldest on, offset being the first; 0: the end */
size_t console_log_read(size_t offset, char *out, size_t size);
void console_log_clear(void);

#endif
