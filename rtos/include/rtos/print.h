/* SPDX-License-Identifier: MIT
 *
 * Formatted output to the board's console: %s %c %d %u %x %% with width (or `*`), `0`, `-`, l and ll. Without
 * newlib's, which needs a heap.
 */
#ifndef RTOS_PRINT_H
#define RTOS_PRINT_H

#include <stdarg.h>
#include <stddef.h>

/* format.c; returns the length without the cut, writes at most size - 1 bytes and a 0 */
__attribute__((format(printf, 3, 4))) size_t format(char *out, size_t size, const char *text, ...);
size_t format_list(char *out, size_t size, const char *text, va_list arguments);

/* print.c: to every sink of the console that is on (rtos/console.h); a line is cut at 160 bytes */
__attribute__((format(printf, 1, 2))) void print(const char *text, ...);

#endif
