/* SPDX-License-Identifier: MIT */
/* A board for the shell on the host: what it prints is collected, what it does to pins is seen. */
#ifndef SHELL_MOCK_H
#define SHELL_MOCK_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOCK_OUTPUT = 1 << 16 };

struct mock {
    char output[MOCK_OUTPUT]; /* what has been written to the serial port, cut off when full */
    size_t length;
    const uint8_t *input; /* what board_read() gives */
    size_t input_left;
    uint64_t ticks;
    uint32_t write_cycles; /* what a write costs the console's task */
    bool pins[9 * 16];
    unsigned configured; /* the last pin, and how */
    int mode;
    int resets, panics, exit_code; /* -1: not left */
    const char *suite;             /* of the last selftest; "all" */
    bool crashed, semihost;        /* a crash record is there; a host answers */
    char semihosted[256];
    jmp_buf *end; /* where a restart leads */
};
extern struct mock mock;

/* Everything as after power-on; ends of the system come back to `end`. */
void mock_start(jmp_buf *end);
const char *mock_take(void); /* the output so far, which is then empty */

#endif
