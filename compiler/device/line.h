/* SPDX-License-Identifier: MIT */
/*
 * The line to a board: a serial device, the pseudo-terminal of the virtual board, or a TCP port (OpenOCD's RTT
 * server, QEMU's serial line). All three are a file descriptor once they are open.
 */
#ifndef DEVICE_LINE_H
#define DEVICE_LINE_H

#include "util/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the client of the protocol needs of a line, so that tests can be one. Times are ms. */
struct line {
    void *context;
    /* Bytes that came within `timeout`, at least one; 0: none came; -1: the line is gone. */
    int (*read)(void *context, void *bytes, size_t size, int timeout);
    bool (*write)(void *context, const void *bytes, size_t size, int timeout);
    int64_t (*now)(void *context);
};

struct line_port;

/* DEV or tcp:HOST:PORT. NULL after a message that says what to do. */
struct line_port *line_open(const char *port, unsigned baud, int timeout, struct diag *diag);
void line_close(struct line_port *port); /* null is allowed */
struct line line_of(struct line_port *port);
/* Whether it has a baud rate: what a TCP port has not. */
bool line_is_serial(const struct line_port *port);

#endif
