/* SPDX-License-Identifier: MIT */
#include "rtos/print.h"
#include "rtos/console.h"

void print(const char *pattern, ...) {
    char line[160];
    va_list arguments;
    va_start(arguments, pattern);
    size_t length = format_list(line, sizeof(line), pattern, arguments);
    va_end(arguments);
    console_write(CONSOLE_ALL, line, length < sizeof(line) ? length : sizeof(line) - 1);
}
