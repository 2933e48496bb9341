/* SPDX-License-Identifier: MIT */
#include "rtos/print.h"
#include "hal/board.h"
#include "rtos/kernel.h"

/* Lines of different tasks do not mix. From a fault handler the lock is refused, and not needed. */
static struct mutex lock;

void print(const char *pattern, ...) {
    char line[160];
    va_list arguments;
    va_start(arguments, pattern);
    size_t length = format_list(line, sizeof(line), pattern, arguments);
    va_end(arguments);
    mutex_lock(&lock, KERNEL_FOREVER); /* whatever it says, the line is wanted */
    board_write(line, length < sizeof(line) ? length : sizeof(line) - 1);
    mutex_unlock(&lock); /* nothing, if it was refused */
}
