/* SPDX-License-Identifier: MIT
 *
 * The sinks of the console. Each write says how many bytes were dropped. A write may be interrupted by
 * the fault handler's, after which the board restarts: bytes are stored first and counted afterwards.
 */
#ifndef CONSOLE_SINK_H
#define CONSOLE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* rtt.c. A debugger finds it by its id or by name. */
enum {
    RTT_UP = 1024,
    /* OpenOCD drops what does not fit: a packet of the protocol, as frames, has to (rtos/smp.h). */
    RTT_DOWN = 1536,
};

struct rtt_ring {
    const char *name;
    char *buffer;
    uint32_t size;
    volatile uint32_t write, read;
    uint32_t flags; /* 0: what does not fit is dropped; for the debugger's information */
};

extern struct rtt_control {
    char id[16];
    uint32_t ups, downs;
    struct rtt_ring up, down;
} rtt_control;
void rtt_init(void);
size_t rtt_room(void);
bool rtt_is_read(void); /* all of it */
size_t rtt_write(const char *text, size_t length);
int rtt_read(void); /* -1: nothing there */

/* ramlog.c. `count` has the number of bytes written, in its low half, and the complement in its high half.
 * One store changes both, so that no moment of a reset leaves them apart. Once the ring is full the number
 * runs from SIZE to 2 * SIZE - 1 again and again: its remainder is the place of the next byte. */
enum { RAMLOG_SIZE = 2048 };

extern struct ramlog {
    uint32_t magic;
    volatile uint32_t count;
    char bytes[RAMLOG_SIZE];
} ramlog;
size_t ramlog_write(const char *text, size_t length);

/* semihost.c */
int semihost_open(void); /* -1: nobody answers */
size_t semihost_write(const char *text, size_t length);

#endif
