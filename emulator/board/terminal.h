/* SPDX-License-Identifier: MIT */
/* A serial line of the board on the terminal (or whatever standard input and output are). */
#ifndef EMULATOR_BOARD_TERMINAL_H
#define EMULATOR_BOARD_TERMINAL_H

#include "host.h"

#include <stddef.h>

/* Raw mode if it is a terminal: keys go to the board, Ctrl-A x leaves, Ctrl-A twice sends one. */
void terminal_open(struct host *host, unsigned usart);
void terminal_close(void); /* the terminal as it was; also done when a signal ends the process */
void terminal_write(const void *bytes, size_t length); /* buffered; terminal_flush() writes */
void terminal_flush(void);
/* What becomes of a key after Ctrl-A, besides x; false: it means nothing. */
void terminal_keys(bool (*take)(void *user, uint8_t key), void *user);

#endif
